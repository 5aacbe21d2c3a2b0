package stream

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
)

// Cursor reads one partition onwards from an offset, without a group. It is
// used by one goroutine.
type Cursor struct {
	c   *Client
	id  tp
	f   fetcher
	pos int64
	// alive is called before each try.
	alive func()
	// resets counts how often the cursor was moved against its will, see
	// Fetch.
	resets atomic.Int64
}

// Cursor returns a cursor at offset; kafka.FirstOffset is the begin of the log.
func (c *Client) Cursor(topic string, partition int, offset int64) *Cursor {
	return &Cursor{
		c:  c,
		id: tp{topic, partition},
		f: fetcher{
			fetch: c.fetch, topic: topic, partition: partition,
			bytes: defaultFetchBytes, wait: defaultMaxWait,
			steps: c.metrics.holeSteps.WithLabelValues(topic),
		},
		pos:   offset,
		alive: func() {},
	}
}

// Topic is the topic that is read.
func (r *Cursor) Topic() string { return r.id.topic }

// Partition is the partition that is read.
func (r *Cursor) Partition() int { return r.id.partition }

// Position is the offset the next Fetch starts from.
func (r *Cursor) Position() int64 { return r.pos }

// SeekTo moves the cursor, to where a checkpoint stands for instance.
func (r *Cursor) SeekTo(offset int64) { r.pos = offset }

// SetMaxWait sets how long Fetch waits for records; half a second otherwise,
// or what the group's options say.
func (r *Cursor) SetMaxWait(d time.Duration) { r.f.wait = max(d, time.Millisecond) }

// Fetch returns the next records, waiting a little for some: an empty batch is
// no error, and a chance to do what is due by time. Errors
// that may pass are tried again until ctx ends; then it returns ctx's error.
//
// When the offset lies outside the log the cursor moves and says so in the log
// and in a metric. Below the log's begin it goes to the begin: retention has
// deleted what was not read in time. Behind its end, once the broker has
// insisted, it also goes to the begin: the log was lost or made anew, and to
// handle a record twice is harmless here, to miss one is not.
func (r *Cursor) Fetch(ctx context.Context) (Batch, error) {
	sp := spell{out: r.c.fetching, id: r.id}
	defer sp.end()
	var wait backoff
	for beyond := 0; ; {
		r.alive()
		if err := ctx.Err(); err != nil {
			return Batch{}, err
		}
		b, err := r.next(ctx)
		switch {
		case err == nil:
			r.pos = b.Next
			r.c.metrics.fetched.WithLabelValues(r.id.topic).Add(float64(len(b.Records)))
			return b, nil
		case ctx.Err() != nil:
			return Batch{}, ctx.Err()
		case errors.Is(err, kafka.OffsetOutOfRange):
			err = r.comeBack(ctx, &beyond)
			if err == nil {
				continue
			}
		case permanent(err):
			return Batch{}, err
		}
		r.c.metrics.retries.WithLabelValues("fetch").Inc()
		sp.fail(err)
		if err := wait.sleep(ctx); err != nil {
			return Batch{}, err
		}
	}
}

func (r *Cursor) next(ctx context.Context) (Batch, error) {
	if r.pos < 0 {
		start, _, err := r.c.bounds(ctx, r.id.topic, r.id.partition)
		if err != nil {
			return Batch{}, err
		}
		r.pos = start
	}
	return r.f.next(ctx, r.pos)
}

// insist is how often the broker must place an offset behind the end before
// it is believed: a leader that has just started may not know its end yet.
const insist = 3

// comeBack moves a cursor that stands outside the log. An error means: not
// moved, try again later.
func (r *Cursor) comeBack(ctx context.Context, beyond *int) error {
	start, end, err := r.c.bounds(ctx, r.id.topic, r.id.partition)
	if err != nil {
		return err
	}
	switch {
	case r.pos < start:
		r.c.log.Error("records were deleted before they were read", "partition", r.id.String(), "offset", r.pos, "log_start", start)
	case r.pos > end:
		if *beyond++; *beyond < insist {
			return fmt.Errorf("offset %d of %s is behind the log's end %d: %w", r.pos, r.id, end, kafka.OffsetOutOfRange)
		}
		r.c.log.Error("offset is behind the end of the log, reading it anew", "partition", r.id.String(), "offset", r.pos, "log_end", end)
	default:
		return fmt.Errorf("offset %d of %s is within the log: %w", r.pos, r.id, kafka.OffsetOutOfRange)
	}
	r.c.metrics.offsetResets.WithLabelValues(r.id.topic).Inc()
	r.pos = start
	r.resets.Add(1)
	return nil
}

// ReadAll calls fn for each record of a partition, from the first to the end
// as of the call, and returns that end. It is made for compacted topics, holes
// and all. Errors of fn end it.
func ReadAll(ctx context.Context, c *Client, topic string, partition int, fn func(Record) error) (end int64, err error) {
	return ReadFrom(ctx, c, topic, partition, kafka.FirstOffset, fn)
}

// ReadFrom is ReadAll from a given offset on; before the log's begin means
// from the begin.
func ReadFrom(ctx context.Context, c *Client, topic string, partition int, from int64, fn func(Record) error) (end int64, err error) {
	start, end, err := c.boundsUntil(ctx, topic, partition)
	if err != nil {
		return 0, err
	}
	cur := c.Cursor(topic, partition, max(from, start))
	// Nothing is waited for: the log is there.
	cur.f.wait = 10 * time.Millisecond
	for cur.pos < end {
		b, err := cur.Fetch(ctx)
		if err != nil {
			return end, fmt.Errorf("read %s: %w", cur.id, err)
		}
		for _, rec := range b.Records {
			if rec.Offset >= end {
				return end, nil
			}
			if err := fn(rec); err != nil {
				return end, err
			}
		}
		// A log made anew under us: what there is has been read.
		if b.HighWatermark < end && cur.pos >= b.HighWatermark {
			break
		}
	}
	return end, nil
}

// boundsUntil is bounds, tried again until ctx ends.
func (c *Client) boundsUntil(ctx context.Context, topic string, partition int) (start, end int64, err error) {
	var wait backoff
	sp := spell{out: c.fetching, id: tp{topic, partition}}
	defer sp.end()
	for {
		start, end, err = c.bounds(ctx, topic, partition)
		if err == nil || permanent(err) {
			return start, end, err
		}
		if ctx.Err() == nil {
			sp.fail(err)
		}
		if ctxErr := wait.sleep(ctx); ctxErr != nil {
			return 0, 0, fmt.Errorf("%w (last: %w)", ctxErr, err)
		}
	}
}
