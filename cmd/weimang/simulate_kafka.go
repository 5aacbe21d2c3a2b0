package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"iter"
	"log/slog"
	"os"
	"slices"
	"time"

	"weimang/ingest"
	"weimang/ingest/sender"
	"weimang/ingest/simulate"
	"weimang/ingest/stream"
)

// sendVillage sends a village to Kafka as a utility would.
func (o *simulateOptions) sendVillage(ctx context.Context, v *simulate.Village, stderr io.Writer) error {
	describeVillage(stderr, v)
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	cfg, err := o.config()
	if err != nil {
		return err
	}
	client, err := cfg.Kafka.newClient(cfg.Kafka.Brokers, log, nil)
	if err != nil {
		return fmt.Errorf("--brokers: %w", err)
	}
	defer client.Close()
	if err := client.Check(ctx); err != nil {
		return fmt.Errorf("connect to the brokers: %w", err)
	}
	if err := client.EnsureTopics(ctx, stream.Topics(o.partitions, stream.Retention{})); err != nil {
		return fmt.Errorf("make the topics: %w", err)
	}
	feed := o.feed
	if feed == "" {
		feed = feedName(v.Options())
	}
	s := villageSender{village: v, client: client, log: log, bar: newProgress(stderr, "sending"), stderr: stderr}
	if o.realtime {
		return s.live(ctx, feed)
	}
	// The header with the feed's clock is only looked at by a system whose
	// clock is the feed's; one that runs on wall time refuses old readings.
	return s.send(ctx, sender.Options{FeedID: feed, Speed: o.speed, AsOfFeed: true}, time.Time{}, time.Time{})
}

// config is how the brokers are reached: TLS, password and prefix stand in the
// file or the environment, and never on a command line.
func (o *simulateOptions) config() (*Config, error) {
	cfg, err := loadConfig(o.configFile, os.Environ(), func(c *Config) { c.Kafka.Brokers = o.brokers })
	if err != nil {
		return nil, err
	}
	cfg.Kafka.ClientID = "weimang-simulate"
	return cfg, nil
}

// feedName is the same for the same village, so that a killed simulate goes
// on where it was.
func feedName(o simulate.Options) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%+v", o)
	return fmt.Sprintf("simulate-%016x", h.Sum64())
}

// villageSender sends spans of one village.
type villageSender struct {
	village *simulate.Village
	client  *stream.Client
	log     *slog.Logger
	bar     *progress
	stderr  io.Writer
}

// live sends what lies in the past at once, and each reading after it when
// its interval is over on the wall's clock.
func (s *villageSender) live(ctx context.Context, feed string) error {
	o := s.village.Options()
	now := runningInterval(o.Start, o.Interval, time.Now())
	if now.After(o.Start) {
		if err := s.send(ctx, sender.Options{FeedID: feed}, time.Time{}, now); err != nil {
			return err
		}
	}
	if !now.Before(o.End) {
		return nil
	}
	// The sender counts its pace from the first reading, so that one has to
	// be in time.
	first := now.Add(o.Interval)
	fmt.Fprintf(s.stderr, "in step with the clock: the next readings go at %s\n", first.In(o.Start.Location()).Format(time.TimeOnly))
	wait := time.NewTimer(time.Until(first))
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wait.C:
	}
	// What is live begins at another place after every start: a feed of its own.
	feed = fmt.Sprintf("%s-live-%d", feed, now.Unix())
	return s.send(ctx, sender.Options{FeedID: feed, Speed: 1}, now, time.Time{})
}

// runningInterval is the start of the interval that is not over at now, the
// first one if none has begun.
func runningInterval(start time.Time, interval time.Duration, now time.Time) time.Time {
	if now.Before(start) {
		return start
	}
	return start.Add(now.Sub(start).Truncate(interval))
}

// send sends one span; zero times are the village's own.
func (s *villageSender) send(ctx context.Context, opt sender.Options, from, to time.Time) error {
	o := s.village.Options()
	zone := o.Start.Location()
	opt.Client, opt.Logger = s.client, s.log
	opt.Progress = func(p sender.Progress) {
		if !p.Clock.IsZero() {
			s.bar.set(int64(p.Clock.Sub(o.Start)), int64(o.End.Sub(o.Start)), p.Clock.In(zone).Format("2006-01-02 15:04"))
		}
	}
	out, err := sender.New(opt)
	if err != nil {
		return err
	}
	done, err := out.Send(ctx, villageItems(s.village, from, to))
	s.bar.clear()
	if err != nil {
		return err
	}
	fmt.Fprintf(s.stderr, "sent %d records", done.Items-done.Skipped)
	if done.Skipped > 0 {
		fmt.Fprintf(s.stderr, "; %d were there from an earlier run (--feed NAME sends them all again)", done.Skipped)
	}
	fmt.Fprintln(s.stderr)
	return nil
}

// villageItems is the span in the order in which things become known. Each
// block names its area.
func villageItems(v *simulate.Village, from, to time.Time) iter.Seq[sender.Item] {
	reports := slices.DeleteFunc(v.Reports(), func(r ingest.Report) bool { return r.KnownAt().Before(from) })
	return sender.Merge(v.Blocks(from, to), reports, func(string) string { return "" })
}
