// Package consume brings Kafka to the alerts: it hands the records of a topic
// to a handler in batches and commits what has become durable, and it writes
// the outbox's records to weimang.alerts.
//
// It decides nothing about a record but where one goes that cannot be used:
// to the dead letters.
package consume

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"weimang/alerts"
	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/deadletters"
	"weimang/ingest/stream"
)

// Consumer groups of the alert role.
const (
	FindingsGroup = "weimang-alert"
	HistoryGroup  = "weimang-history"
	ReportsGroup  = "weimang-reports"
)

// Options configures a Consumer.
type Options struct {
	Client   *stream.Client
	Producer *stream.Producer
	GroupID  string
	Topic    string
	// Handle makes records durable. It may report records that can never be
	// used in an *alerts.BadRecordsError; any other error means that nothing
	// happened, and the batch is handled again.
	Handle func(ctx context.Context, values [][]byte) error
	Group  stream.GroupOptions // times only; the rest is set here
	Logger *slog.Logger
}

// Consumer is a member of the group that shares a topic's partitions.
type Consumer struct {
	opts   Options
	group  *stream.Group
	handle func(context.Context, []stream.Record) error
}

// New prepares a Consumer; nothing runs before Run.
func New(opts Options) (*Consumer, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	g := opts.Group
	g.Client, g.ID, g.Topics, g.Logger = opts.Client, opts.GroupID, []string{opts.Topic}, opts.Logger
	group, err := stream.NewGroup(g)
	if err != nil {
		return nil, fmt.Errorf("consume %s: %w", opts.Topic, err)
	}
	c := &Consumer{opts: opts, group: group}
	c.handle = c.values
	return c, nil
}

// Run works until ctx ends, with everything handled committed.
func (c *Consumer) Run(ctx context.Context) error {
	if err := c.group.Run(ctx, c.partition); err != nil {
		return fmt.Errorf("consume %s: %w", c.opts.Topic, err)
	}
	return nil
}

// Ready reports whether this member is in its group.
func (c *Consumer) Ready() bool {
	_, joined := c.group.Assigned()
	return joined
}

// Caught reports whether everything in the topic is handled and committed.
func (c *Consumer) Caught(ctx context.Context) (bool, error) {
	lag, err := c.opts.Client.Lag(ctx, c.opts.GroupID, c.opts.Topic)
	if err != nil {
		return false, fmt.Errorf("consume %s: %w", c.opts.Topic, err)
	}
	return lag == 0, nil
}

func (c *Consumer) partition(ctx context.Context, claim *stream.Claim) error {
	// A batch begun is finished, even while the partition is being taken
	// away: that repeats less.
	finish := claim.FlushContext()
	for {
		batch, err := claim.Fetch(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if len(batch.Records) > 0 {
			if err := c.handle(finish, batch.Records); err != nil {
				return err
			}
		}
		if err := claim.Commit(finish, batch.Next); err != nil {
			if errors.Is(err, stream.ErrFenced) {
				<-ctx.Done() // the next generation is on its way
				return nil
			}
			return err
		}
	}
}

// values makes records durable, the unusable ones as dead letters.
func (c *Consumer) values(ctx context.Context, records []stream.Record) error {
	values := make([][]byte, len(records))
	for i := range records {
		values[i] = records[i].Value
	}
	err := c.opts.Handle(ctx, values)
	var bad *alerts.BadRecordsError
	if !errors.As(err, &bad) {
		return err
	}
	dead := make([]contract.DeadLetter, 0, len(bad.Records))
	for _, b := range bad.Records {
		d := deadletters.New(&records[b.Index], ingest.Reject(ingest.BadField, "", "%v", b.Err), time.Now())
		d.ContentType = contract.JSON
		dead = append(dead, d)
	}
	c.opts.Logger.Warn("records that cannot be used went to the dead letters", "topic", c.opts.Topic, "records", len(dead))
	return deadletters.Bury(ctx, c.opts.Producer, dead)
}

// Publisher writes what became of findings to topic weimang.alerts, and what
// people have said of homes to weimang.directives.
type Publisher struct{ Producer *stream.Producer }

// Publish implements deliver.Publisher. Records of one topic keep their order.
func (p Publisher) Publish(ctx context.Context, records []alerts.Record) error {
	byTopic := map[string][]stream.Record{}
	for _, r := range records {
		topic := cmp.Or(r.Topic, ingest.TopicAlerts)
		byTopic[topic] = append(byTopic[topic], stream.Record{Key: []byte(r.Key), Value: r.Value})
	}
	for _, topic := range slices.Sorted(maps.Keys(byTopic)) {
		if err := p.Producer.Produce(ctx, topic, byTopic[topic]); err != nil {
			return err
		}
	}
	return nil
}
