package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// Fetch sizes: as the engine asks for readings, and what a batch of
// checkpoints fits into.
const (
	readingsFetch    = 256 << 10
	checkpointsFetch = 1 << 20
	largestFetch     = 64 << 20
)

// perPartition runs fn for all partitions at once.
func perPartition(n int, fn func(partition int) error) error {
	var all sync.WaitGroup
	errs := make([]error, n)
	for p := range n {
		all.Go(func() { errs[p] = fn(p) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// tally is what a read has come across.
type tally struct {
	records int
	bytes   int64 // of keys and values, unpacked
}

// raw reads a topic with kafka-go alone and looks at nothing.
func (r *run) raw(ctx context.Context, topic string, fetch int64) (tally, error) {
	starts, ends, err := r.client.Bounds(ctx, topic)
	if err != nil {
		return tally{}, err
	}
	transport := &kafka.Transport{ClientID: clientID}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(r.opts.Brokers...), Transport: transport, Timeout: requestTimeout}
	found := make([]tally, len(ends))
	err = perPartition(len(ends), func(p int) (err error) {
		found[p], err = rawPartition(ctx, client, &kafka.FetchRequest{
			Topic: r.opts.Prefix + topic, Partition: p, Offset: starts[p],
			MinBytes: 1, MaxBytes: fetch, MaxWait: time.Second,
		}, ends[p])
		return err
	})
	var sum tally
	for _, t := range found {
		sum.records += t.records
		sum.bytes += t.bytes
	}
	return sum, err
}

const requestTimeout = 15 * time.Second

// rawPartition reads from req's offset to end.
func rawPartition(ctx context.Context, client *kafka.Client, req *kafka.FetchRequest, end int64) (tally, error) {
	var t tally
	for usual := req.MaxBytes; req.Offset < end; {
		res, err := client.Fetch(ctx, req)
		if err == nil {
			err = res.Error
		}
		if err != nil {
			return t, fmt.Errorf("fetch %s/%d raw: %w", req.Topic, req.Partition, err)
		}
		next := req.Offset
		for {
			rec, err := res.Records.ReadRecord()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return t, fmt.Errorf("unpack %s/%d raw: %w", req.Topic, req.Partition, err)
			}
			if rec.Offset >= next {
				next = rec.Offset + 1
				t.records++
				t.bytes += size(rec.Key) + size(rec.Value)
			}
			release(rec.Key)
			release(rec.Value)
		}
		switch {
		case next > req.Offset:
			req.Offset, req.MaxBytes = next, usual
		case req.MaxBytes < largestFetch: // a batch larger than asked for
			req.MaxBytes *= 2
		default: // a hole that compaction has left
			req.Offset++
		}
	}
	return t, nil
}

func size(b kafka.Bytes) int64 {
	if b == nil {
		return 0
	}
	return int64(b.Len())
}

// release gives memory back to kafka-go's pool.
func release(b kafka.Bytes) {
	if b != nil {
		_ = b.Close()
	}
}

// decoded reads weimang.readings as ingest does, decodes and checks.
func (r *run) decoded(ctx context.Context) (tally, error) {
	starts, ends, err := r.client.Bounds(ctx, ingest.TopicReadings)
	if err != nil {
		return tally{}, err
	}
	found := make([]tally, len(ends))
	err = perPartition(len(ends), func(p int) error {
		cur := r.client.Cursor(ingest.TopicReadings, p, starts[p])
		for cur.Position() < ends[p] {
			b, err := cur.Fetch(ctx)
			if err != nil {
				return err
			}
			for i := range b.Records {
				if err := r.decode(&b.Records[i]); err != nil {
					return err
				}
				found[p].records++
			}
		}
		return nil
	})
	var sum tally
	for _, t := range found {
		sum.records += t.records
	}
	return sum, err
}

func (r *run) decode(rec *stream.Record) error {
	contentType, _ := rec.Header(contract.ContentTypeHeader)
	b, err := r.opts.Limits.Decode(contentType, rec.Value)
	if err == nil {
		err = contract.CheckClock(&b, b.End(), r.opts.Limits)
	}
	if err != nil {
		return fmt.Errorf("a record of our own is refused: %w", err)
	}
	return nil
}
