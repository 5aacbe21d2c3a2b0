package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/segmentio/kafka-go"
)

const (
	// A request stays below the broker's usual limit of 1 MiB even when
	// nothing in it can be compressed.
	maxRequestBytes   = 900 << 10
	maxRequestRecords = 2000
	// minCompressed is where lz4 begins to pay: its writer works on blocks of
	// 4 MiB whatever it is given.
	minCompressed = 1 << 10
	// maxParallel requests of one Produce are in flight at a time.
	maxParallel = 8
)

// Producer writes records and returns when they are acknowledged by all
// in-sync replicas. It is safe for concurrent use.
type Producer struct {
	c    *Client
	next atomic.Uint32 // round robin for records without a key
}

// NewProducer returns a producer; it holds nothing that needs closing.
func NewProducer(c *Client) *Producer {
	return &Producer{c: c}
}

// Produce writes recs and returns when the broker has acknowledged all of
// them. Records of one partition keep their order; the key chooses the
// partition, a nil key goes to the next in turn. Errors that may pass are
// tried again until ctx ends, so that a broker restart is only a pause; a
// request whose answer was lost is written twice.
//
// On an error any part of recs may have been written. The bytes of recs must
// not be changed afterwards even then: a cancelled request may still be on its
// way.
func (p *Producer) Produce(ctx context.Context, topic string, recs []Record) error {
	if len(recs) == 0 {
		return nil
	}
	n, err := p.partitions(ctx, topic)
	if err != nil {
		return err
	}
	byPartition := make(map[int][]*Record, n)
	for i := range recs {
		var to int
		if key := recs[i].Key; key != nil {
			to = Partition(key, n)
		} else {
			to = int(p.next.Add(1) % uint32(n)) //nolint:gosec // n is a partition count
		}
		byPartition[to] = append(byPartition[to], &recs[i])
	}
	if len(byPartition) == 1 {
		for part, list := range byPartition {
			return p.producePartition(ctx, topic, part, list)
		}
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
		slot = make(chan struct{}, maxParallel)
	)
	for part, list := range byPartition {
		slot <- struct{}{}
		wg.Go(func() {
			defer func() { <-slot }()
			if err := p.producePartition(ctx, topic, part, list); err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// partitions asks for the topic's size until it is known.
func (p *Producer) partitions(ctx context.Context, topic string) (int, error) {
	sp := spell{out: p.c.producing, id: tp{topic, -1}}
	defer sp.end()
	var wait backoff
	for {
		n, err := p.c.cachedPartitions(ctx, topic)
		if err == nil {
			return n, nil
		}
		if permanent(err) {
			return 0, fmt.Errorf("produce to %s: %w", topic, err)
		}
		if ctx.Err() == nil {
			sp.fail(fmt.Errorf("topic %s: %w", topic, err))
		}
		if ctxErr := wait.sleep(ctx); ctxErr != nil {
			return 0, fmt.Errorf("produce to %s: %w (last: %w)", topic, ctxErr, err)
		}
	}
}

// producePartition sends one partition's records in order, request by request.
func (p *Producer) producePartition(ctx context.Context, topic string, part int, recs []*Record) error {
	_, err := p.requests(ctx, topic, part, recs)
	return err
}

// Stretch is where records lie in a partition: from First, before End.
type Stretch struct{ First, End int64 }

// Append is Produce to a partition of the caller's choice, keys notwithstanding.
// It returns where the records lie, in their order: one stretch, or more where
// something else came between them. What a repeated request has left before
// that, of these very records, is in none of the stretches.
func (p *Producer) Append(ctx context.Context, topic string, partition int, recs []Record) ([]Stretch, error) {
	list := make([]*Record, len(recs))
	for i := range recs {
		list[i] = &recs[i]
	}
	return p.requests(ctx, topic, partition, list)
}

// requests sends one partition's records, as many as a request may hold at a
// time.
func (p *Producer) requests(ctx context.Context, topic string, part int, recs []*Record) (at []Stretch, err error) {
	for len(recs) > 0 {
		n, bytes := 0, 0
		for n < len(recs) && n < maxRequestRecords && (n == 0 || bytes+recs[n].size() <= maxRequestBytes) {
			bytes += recs[n].size()
			n++
		}
		if at, err = p.send(ctx, topic, part, recs[:n], at); err != nil {
			return at, err
		}
		recs = recs[n:]
	}
	return at, nil
}

// send writes one request, trying again while that may help, and adds to at
// where its records lie.
func (p *Producer) send(ctx context.Context, topic string, part int, recs []*Record, at []Stretch) ([]Stretch, error) {
	sp := spell{out: p.c.producing, id: tp{topic, part}}
	defer sp.end()
	var wait backoff
	for {
		first, err := p.try(ctx, topic, part, recs)
		switch {
		case err == nil:
			p.c.metrics.produced.WithLabelValues(topic).Add(float64(len(recs)))
			end := first + int64(len(recs))
			if n := len(at); n > 0 && at[n-1].End == first {
				at[n-1].End = end
				return at, nil
			}
			return append(at, Stretch{first, end}), nil
		case errors.Is(err, kafka.MessageSizeTooLarge) && len(recs) > 1:
			// The broker's limit is below ours: halve until it fits.
			half := len(recs) / 2
			if at, err = p.send(ctx, topic, part, recs[:half], at); err != nil {
				return at, err
			}
			return p.send(ctx, topic, part, recs[half:], at)
		case permanent(err):
			return at, fmt.Errorf("produce to %s: %w", sp.id, err)
		}
		if ctx.Err() == nil {
			p.c.metrics.retries.WithLabelValues("produce").Inc()
			sp.fail(err)
		}
		if ctxErr := wait.sleep(ctx); ctxErr != nil {
			return at, fmt.Errorf("produce to %s: %w (last: %w)", sp.id, ctxErr, err)
		}
	}
}

// try sends one request once, and returns the offset of its first record.
func (p *Producer) try(ctx context.Context, topic string, part int, recs []*Record) (int64, error) {
	// Made anew for each try: kafka-go consumes the readers.
	batch := make([]kafka.Record, len(recs))
	bytes := 0
	for i, r := range recs {
		bytes += r.size()
		batch[i] = kafka.Record{Key: kafka.NewBytes(r.Key), Value: kafka.NewBytes(r.Value), Headers: r.Headers}
	}
	compression := kafka.Compression(0)
	if bytes >= minCompressed {
		compression = kafka.Lz4
	}
	res, err := p.c.kafka.Produce(ctx, &kafka.ProduceRequest{
		Topic:        p.c.wire(topic),
		Partition:    part,
		RequiredAcks: kafka.RequireAll,
		Records:      kafka.NewRecordReader(batch...),
		Compression:  compression,
	})
	if err != nil {
		return 0, err
	}
	return res.BaseOffset, res.Error
}

// TooLarge reports whether Produce failed because a single record is larger
// than the broker accepts. No retry helps.
func TooLarge(err error) bool {
	return errors.Is(err, kafka.MessageSizeTooLarge) || errors.Is(err, kafka.RecordListTooLarge)
}
