package main

import (
	"context"
	"io"
	"maps"
	"slices"
	"time"

	"weimang/alerts/store"
	"weimang/ingest"
	"weimang/ingest/intake"
	"weimang/ingest/stream"
)

// streamPatience is how long the brokers may take to answer before the stream
// is left to the next start.
const streamPatience = 15 * time.Second

// publishHomes brings the stream's roster from what it was to what the store
// has now.
func publishHomes(ctx context.Context, cfg *Config, db *store.DB, before []ingest.Home) error {
	return onStream(ctx, cfg, func(ctx context.Context, client *stream.Client) error {
		now, err := db.Homes(ctx)
		if err != nil {
			return err
		}
		left := make(map[string]bool)
		for _, h := range before {
			left[h.MeterID] = true
		}
		for _, h := range now {
			delete(left, h.MeterID)
		}
		producer := stream.NewProducer(client)
		if err := intake.RemoveFromRoster(ctx, producer, slices.Sorted(maps.Keys(left))); err != nil {
			return err
		}
		published, err := intake.ReadRoster(ctx, client)
		if err != nil {
			return err
		}
		how := intake.Sync{}
		if cfg.Clock != clockFeed {
			how.Now = time.Now()
		}
		_, err = intake.SyncRoster(ctx, producer, published, now, how)
		return err
	})
}

// tellConsent says to the detectors that a home is, or is not, to be watched.
// It returns when ingest has taken it.
func tellConsent(ctx context.Context, cfg *Config, household string, given bool, now time.Time) error {
	d := ingest.Directive{ID: newDirectiveID(), HouseholdID: household, Kind: ingest.ConsentWithdrawn, IssuedAt: now.UTC().Truncate(time.Second)}
	if given {
		d.Kind = ingest.ConsentGiven
	}
	return onStream(ctx, cfg, func(ctx context.Context, client *stream.Client) error {
		if err := produceDirective(ctx, client, &d); err != nil {
			return err
		}
		ends, err := client.EndOffsets(ctx, ingest.TopicDirectives)
		if err != nil {
			return err
		}
		return until(ctx, func(ctx context.Context) (bool, error) {
			n, err := client.LagUpTo(ctx, intake.DefaultGroup, ingest.TopicDirectives, ends)
			return err == nil && n == 0, err
		})
	})
}

// forgetMeters takes meters off the stream's roster.
func forgetMeters(ctx context.Context, cfg *Config, meters []string) error {
	return onStream(ctx, cfg, func(ctx context.Context, client *stream.Client) error {
		return intake.RemoveFromRoster(ctx, stream.NewProducer(client), meters)
	})
}

// leaveToOthers leaves meters on the stream's roster with those whom the store
// has behind them, and nobody else.
func leaveToOthers(ctx context.Context, cfg *Config, db *store.DB, meters []string) error {
	return onStream(ctx, cfg, func(ctx context.Context, client *stream.Client) error {
		all, err := db.Homes(ctx)
		if err != nil {
			return err
		}
		theirs := slices.DeleteFunc(all, func(h ingest.Home) bool { return !slices.Contains(meters, h.MeterID) })
		nobodys := slices.DeleteFunc(slices.Clone(meters), func(m string) bool {
			return slices.ContainsFunc(theirs, func(h ingest.Home) bool { return h.MeterID == m })
		})
		producer := stream.NewProducer(client)
		if err := intake.RemoveFromRoster(ctx, producer, nobodys); err != nil {
			return err
		}
		return intake.PublishRoster(ctx, producer, theirs)
	})
}

// onStream reaches the brokers, sees to the topics, and runs fn, all within
// streamPatience.
func onStream(ctx context.Context, cfg *Config, fn func(context.Context, *stream.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, streamPatience)
	defer cancel()
	client, err := dialBrokers(ctx, cfg, io.Discard)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.EnsureTopics(ctx, stream.Topics(cfg.Kafka.Partitions, stream.Retention{})); err != nil {
		return err
	}
	return fn(ctx, client)
}
