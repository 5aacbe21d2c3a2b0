package stream

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"

	"weimang/ingest"
)

// Topic is how a topic is to be made when it does not exist.
type Topic struct {
	Name       string
	Partitions int
	Compacted  bool          // keep the last record of each key, for ever
	Retention  time.Duration // of a topic that is not compacted; 0 is for ever
	MaxBytes   int           // largest batch accepted; 0 leaves it to the broker
}

// Retention is how long the topics that are not compacted are kept, by time of
// writing. The zero value means: wire 7 days, inputs
// 14, findings 30, field by field.
type Retention struct {
	Wire     time.Duration // readings, incidents and directives as they came
	Inputs   time.Duration // must cover the oldest checkpoint
	Findings time.Duration // findings, history and alerts
}

var defaultRetention = Retention{Wire: 7 * day, Inputs: 14 * day, Findings: 30 * day}

const day = 24 * time.Hour

// deadLetterRetention is settled by the privacy rules: raw bytes of what
// could not be read are kept for 14 days.
const deadLetterRetention = 14 * day

// Topics lists the system's topics. Inputs and checkpoints have the same
// number of partitions, so that an area's state lies beside its log.
func Topics(partitions int, keep Retention) []Topic {
	keep.Wire = orDefault(keep.Wire, defaultRetention.Wire)
	keep.Inputs = orDefault(keep.Inputs, defaultRetention.Inputs)
	keep.Findings = orDefault(keep.Findings, defaultRetention.Findings)
	return []Topic{
		{Name: ingest.TopicReadings, Partitions: partitions, Retention: keep.Wire},
		{Name: ingest.TopicIncidents, Partitions: partitions, Retention: keep.Wire},
		{Name: ingest.TopicDirectives, Partitions: partitions, Retention: keep.Wire},
		{Name: ingest.TopicRoster, Partitions: 1, Compacted: true},
		{Name: ingest.TopicInputs, Partitions: partitions, Retention: keep.Inputs},
		// A checkpoint is a whole area, 2 to 3 KB a home: room for thousands.
		{Name: ingest.TopicCheckpoints, Partitions: partitions, Compacted: true, MaxBytes: 16 << 20},
		{Name: ingest.TopicFindings, Partitions: partitions, Retention: keep.Findings},
		{Name: ingest.TopicHistory, Partitions: partitions, Retention: keep.Findings},
		{Name: ingest.TopicAlerts, Partitions: partitions, Retention: keep.Findings},
		// A dead letter wraps a record that may itself be as large as a batch.
		{Name: ingest.TopicDeadLetters, Partitions: 1, Retention: deadLetterRetention, MaxBytes: 4 << 20},
	}
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

func (t Topic) config() kafka.TopicConfig {
	cfg := kafka.TopicConfig{Topic: t.Name, NumPartitions: t.Partitions, ReplicationFactor: -1}
	set := func(name, value string) {
		cfg.ConfigEntries = append(cfg.ConfigEntries, kafka.ConfigEntry{ConfigName: name, ConfigValue: value})
	}
	// retention.ms is always said: the embedded broker would delete even a
	// compacted topic after its default of seven days.
	retention := int64(-1)
	if !t.Compacted && t.Retention > 0 {
		retention = t.Retention.Milliseconds()
	}
	set("retention.ms", strconv.FormatInt(retention, 10))
	if t.Compacted {
		set("cleanup.policy", "compact")
	}
	if t.MaxBytes > 0 {
		set("max.message.bytes", strconv.Itoa(t.MaxBytes))
	}
	return cfg
}

// EnsureTopics makes the topics that do not exist and leaves the others as
// they are; a number of partitions that differs from the wanted one is logged.
// It tries until ctx ends while no broker answers.
func (c *Client) EnsureTopics(ctx context.Context, topics []Topic) error {
	req := &kafka.CreateTopicsRequest{}
	for _, t := range topics {
		cfg := t.config()
		cfg.Topic = c.wire(t.Name)
		req.Topics = append(req.Topics, cfg)
	}
	var (
		wait backoff
		sp   = spell{out: newOutage(c.log, "create topics")}
		res  *kafka.CreateTopicsResponse
		err  error
	)
	for {
		if err = c.Check(ctx); err == nil {
			res, err = c.kafka.CreateTopics(ctx, req)
		}
		if err == nil {
			sp.end()
			break
		}
		if permanent(err) {
			return fmt.Errorf("create topics: %w", err)
		}
		sp.fail(err)
		if ctxErr := wait.sleep(ctx); ctxErr != nil {
			return fmt.Errorf("create topics: %w (last: %w)", ctxErr, err)
		}
	}
	for _, t := range topics {
		if err := res.Errors[c.wire(t.Name)]; err != nil && !errors.Is(err, kafka.TopicAlreadyExists) {
			return fmt.Errorf("create topic %s: %w", t.Name, err)
		}
	}
	return c.comparePartitions(ctx, topics)
}

// Kept is how long and how much of itself a topic keeps, as the broker has it.
type Kept struct {
	For   time.Duration // -1: for ever
	Bytes int64         // of a partition, -1: any number
}

// Kept asks for a topic's retention. Not every user may: then it is an error.
func (c *Client) Kept(ctx context.Context, topic string) (Kept, error) {
	const forTime, forSize = "retention.ms", "retention.bytes"
	res, err := c.kafka.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{{
		ResourceType: kafka.ResourceTypeTopic, ResourceName: c.wire(topic), ConfigNames: []string{forTime, forSize},
	}}})
	if err != nil {
		return Kept{}, fmt.Errorf("retention of %s: %w", topic, err)
	}
	k := Kept{-1, -1}
	found := false
	for _, r := range res.Resources {
		if r.Error != nil {
			return Kept{}, fmt.Errorf("retention of %s: %w", topic, r.Error)
		}
		for _, e := range r.ConfigEntries {
			n, err := strconv.ParseInt(e.ConfigValue, 10, 64)
			switch {
			case err != nil:
			case e.ConfigName == forTime && n >= 0:
				k.For, found = time.Duration(min(n, math.MaxInt64/int64(time.Millisecond)))*time.Millisecond, true
			case e.ConfigName == forTime:
				found = true
			case e.ConfigName == forSize && n >= 0:
				k.Bytes = n
			}
		}
	}
	if !found {
		return Kept{}, fmt.Errorf("retention of %s: the broker does not say", topic)
	}
	return k, nil
}

// Delete deletes topics and groups with all they hold. What does not exist is
// no error. It is for those made for a while, under a prefix of their own.
func (c *Client) Delete(ctx context.Context, topics []Topic, groups []string) error {
	var errs []error
	// Groups first: where topics go while a group has offsets in them, some
	// brokers keep the group. One by one: each has a coordinator of its own,
	// and kafka-go asks only that of the first.
	for _, group := range groups {
		wired := c.wire(group)
		left, err := c.kafka.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{wired}})
		if err == nil {
			err = left.Errors[wired]
		}
		if err != nil && !errors.Is(err, kafka.GroupIdNotFound) {
			errs = append(errs, fmt.Errorf("delete group %s: %w", group, err))
		}
	}
	req := &kafka.DeleteTopicsRequest{}
	for _, t := range topics {
		req.Topics = append(req.Topics, c.wire(t.Name))
	}
	gone, err := c.kafka.DeleteTopics(ctx, req)
	if err != nil {
		return errors.Join(append(errs, fmt.Errorf("delete topics: %w", err))...)
	}
	for topic, err := range gone.Errors {
		if err != nil && !errors.Is(err, kafka.UnknownTopicOrPartition) {
			errs = append(errs, fmt.Errorf("delete topic %s: %w", c.plain(topic), err))
		}
	}
	return errors.Join(errs...)
}

// comparePartitions logs where an existing topic differs from what was asked
// for. Inputs and checkpoints that differ still work, since checkpoints are
// keyed by area; they only lie apart.
func (c *Client) comparePartitions(ctx context.Context, topics []Topic) error {
	for _, t := range topics {
		n, err := c.Partitions(ctx, t.Name)
		// A topic just made is not known to all brokers at once.
		for wait := (backoff{}); err != nil; n, err = c.Partitions(ctx, t.Name) {
			if permanent(err) || wait.sleep(ctx) != nil {
				return err
			}
		}
		if n != t.Partitions {
			c.log.Warn("topic has another number of partitions than configured", "topic", t.Name, "has", n, "configured", t.Partitions)
		}
	}
	return nil
}
