package stream

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
)

// EndOffsets returns the offset behind the last record of each partition.
func (c *Client) EndOffsets(ctx context.Context, topic string) ([]int64, error) {
	_, ends, err := c.Bounds(ctx, topic)
	return ends, err
}

// Bounds returns, for each partition of a topic, the offset at which its log
// begins and the one behind its last record.
func (c *Client) Bounds(ctx context.Context, topic string) (starts, ends []int64, err error) {
	n, err := c.Partitions(ctx, topic)
	if err != nil {
		return nil, nil, err
	}
	starts, ends = make([]int64, n), make([]int64, n)
	for p := range n {
		if starts[p], ends[p], err = c.bounds(ctx, topic, p); err != nil {
			return nil, nil, err
		}
	}
	return starts, ends, nil
}

// BoundsOf is Bounds of one partition, tried again until ctx ends.
func (c *Client) BoundsOf(ctx context.Context, topic string, partition int) (start, end int64, err error) {
	return c.boundsUntil(ctx, topic, partition)
}

// bounds returns begin and end of one partition's log.
func (c *Client) bounds(ctx context.Context, topic string, partition int) (start, end int64, err error) {
	// Two requests: kafka-go merges answers by partition and cannot tell which
	// of two failed.
	var first, last kafka.PartitionOffsets
	err = fewTries(ctx, func() (err error) {
		if first, err = c.listOffset(ctx, topic, kafka.FirstOffsetOf(partition)); err == nil {
			last, err = c.listOffset(ctx, topic, kafka.LastOffsetOf(partition))
		}
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("offsets of %s/%d: %w", topic, partition, err)
	}
	return first.FirstOffset, last.LastOffset, nil
}

func (c *Client) listOffset(ctx context.Context, topic string, r kafka.OffsetRequest) (kafka.PartitionOffsets, error) {
	topic = c.wire(topic)
	res, err := c.kafka.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: {r}}})
	if err != nil {
		return kafka.PartitionOffsets{}, err
	}
	for _, p := range res.Topics[topic] {
		if p.Partition == r.Partition {
			return p, p.Error
		}
	}
	return kafka.PartitionOffsets{}, kafka.UnknownTopicOrPartition
}

// Lag returns how many offsets of a topic a group has not committed yet: end
// minus committed, or everything there is where nothing was committed, or more
// than the log holds.
func (c *Client) Lag(ctx context.Context, groupID, topic string) (int64, error) {
	return c.LagUpTo(ctx, groupID, topic, nil)
}

// LagUpTo is Lag of what lies before upTo, by partition, as EndOffsets returned
// it at some time: it falls to 0 even while others go on sending. nil is the
// ends of now.
func (c *Client) LagUpTo(ctx context.Context, groupID, topic string, upTo []int64) (int64, error) {
	starts, ends, err := c.Bounds(ctx, topic)
	if err != nil {
		return 0, err
	}
	parts := make([]int, len(ends))
	for p := range parts {
		parts[p] = p
	}
	var res *kafka.OffsetFetchResponse
	err = fewTries(ctx, func() (err error) {
		res, err = c.kafka.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: c.wire(groupID), Topics: map[string][]int{c.wire(topic): parts}})
		if err == nil && !errors.Is(res.Error, kafka.GroupIdNotFound) { // never seen: nothing committed
			err = res.Error
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("committed offsets of group %s on %s: %w", groupID, topic, err)
	}
	committed := make(map[int]int64, len(parts))
	for _, p := range res.Topics[c.wire(topic)] {
		if p.Error != nil && !errors.Is(p.Error, kafka.GroupIdNotFound) {
			return 0, fmt.Errorf("committed offset of group %s on %s/%d: %w", groupID, topic, p.Partition, p.Error)
		}
		committed[p.Partition] = p.CommittedOffset
	}
	var lag int64
	for p, end := range ends {
		from := starts[p]
		if at, ok := committed[p]; ok && at > from { // -1: nothing committed
			from = at
		}
		if from > end {
			// Committed since the ends were asked for, or else the log was
			// lost or made anew: then members read it from its begin.
			start, now, err := c.bounds(ctx, topic, p)
			if err != nil {
				return 0, err
			}
			if from > now {
				from, end = start, now
			}
		}
		if upTo != nil {
			if p >= len(upTo) {
				continue // the partition is newer than they are
			}
			end = min(end, upTo[p])
		}
		lag += max(0, end-from)
	}
	return lag, nil
}
