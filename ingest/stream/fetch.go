package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

const (
	// defaultFetchBytes: larger answers cost memory and gain nothing.
	defaultFetchBytes = 256 << 10
	// largestFetch is asked for before an answer in which nothing can be
	// decoded is taken for a hole instead of a batch that was cut off.
	largestFetch   = 64 << 20
	defaultMaxWait = 500 * time.Millisecond
	// maxHoleSteps in one fetch; then the caller gets an empty batch, so that
	// it can commit how far it has come.
	maxHoleSteps = 1000
)

// Batch is what one fetch brought. Records may be empty although Next has
// moved on, where a compacted log has holes.
type Batch struct {
	Records       []Record
	Next          int64 // offset to go on from, and to commit once Records are handled
	HighWatermark int64 // offset behind the last record of the log, as of the fetch
}

// fetcher reads one partition from given offsets, over the log shapes that
// Kafka's cleaner leaves behind: batches whose tail is gone, empty batches and
// control batches. It asks kafka.Client.Fetch, and where an answer holds no
// record at or behind the offset although the log goes on, steps the offset
// by one. It steps only when that cannot skip a record: the answer was not
// throttled, the last stable offset is past the offset, and what came was
// decoded whole, or came back empty even with room for the largest batch.
type fetcher struct {
	fetch     func(context.Context, *kafka.FetchRequest) (*kafka.FetchResponse, error)
	topic     string
	partition int
	bytes     int64
	wait      time.Duration
	steps     prometheus.Counter
	// records in the last answer, the guess for the next.
	records int
}

func (f *fetcher) next(ctx context.Context, offset int64) (Batch, error) {
	bytes := f.bytes
	for steps := 0; ; {
		a, err := f.ask(ctx, offset, bytes)
		if err != nil {
			return Batch{}, err
		}
		b := Batch{Records: a.records, Next: offset, HighWatermark: a.highWatermark}
		switch {
		case len(a.records) > 0:
			b.Next = a.records[len(a.records)-1].Offset + 1
			return b, nil
		case offset >= a.highWatermark, steps == maxHoleSteps:
			return b, nil
		case a.throttled || a.stable <= offset:
			// Not a hole: the broker holds the records back.
			return b, pause(ctx, f.wait/4)
		case !a.decoded && bytes < largestFetch:
			bytes = min(8*bytes, largestFetch)
		default:
			offset++
			steps++
			f.steps.Inc()
			bytes = f.bytes
		}
	}
}

// answer to one fetch request.
type answer struct {
	records       []Record // at or behind the offset asked for
	decoded       bool     // at least one batch came whole, records or not
	throttled     bool
	highWatermark int64
	stable        int64 // last stable offset
}

func (f *fetcher) ask(ctx context.Context, offset, bytes int64) (answer, error) {
	res, err := f.fetch(ctx, &kafka.FetchRequest{
		Topic: f.topic, Partition: f.partition, Offset: offset,
		MinBytes: 1, MaxBytes: bytes, MaxWait: f.wait,
	})
	if err == nil {
		err = res.Error
	}
	if err != nil {
		return answer{}, fmt.Errorf("fetch %s/%d from %d: %w", f.topic, f.partition, offset, err)
	}
	a := answer{throttled: res.Throttle > 0, highWatermark: res.HighWatermark, stable: res.LastStableOffset}
	if a.stable < 0 { // a broker that does not say
		a.stable = a.highWatermark
	}
	if s, ok := res.Records.(*protocol.RecordStream); ok {
		a.decoded = len(s.Records) > 0
	}
	if a.decoded {
		a.records = make([]Record, 0, f.records)
	}
	var mem arena
	for {
		rec, err := res.Records.ReadRecord()
		if errors.Is(err, io.EOF) {
			f.records = len(a.records)
			return a, nil
		}
		if err != nil {
			return answer{}, fmt.Errorf("decode %s/%d from %d: %w", f.topic, f.partition, offset, err)
		}
		// A compressed batch comes whole, from before the offset.
		if rec.Offset < offset {
			release(rec)
			continue
		}
		r := Record{Topic: f.topic, Partition: f.partition, Offset: rec.Offset, Headers: rec.Headers, Time: rec.Time}
		r.Key, err = mem.read(rec.Key)
		if err == nil {
			r.Value, err = mem.read(rec.Value)
		}
		release(rec)
		if err != nil {
			return answer{}, fmt.Errorf("decode %s/%d at %d: %w", f.topic, f.partition, rec.Offset, err)
		}
		a.records = append(a.records, r)
	}
}

// release gives the pages under a record back to kafka-go's pool.
func release(r *kafka.Record) {
	if r.Key != nil {
		_ = r.Key.Close()
	}
	if r.Value != nil {
		_ = r.Value.Close()
	}
}

// arena copies the bytes of a batch's records into few allocations.
type arena struct{ free []byte }

const arenaChunk = 32 << 10

// read returns all of b; nil stays nil, the sign of a tombstone.
func (a *arena) read(b kafka.Bytes) ([]byte, error) {
	if b == nil {
		return nil, nil
	}
	n := b.Len()
	if n > len(a.free) {
		if n > arenaChunk/4 {
			out := make([]byte, n)
			_, err := io.ReadFull(b, out)
			return out, err
		}
		a.free = make([]byte, arenaChunk)
	}
	out := a.free[:n:n]
	a.free = a.free[n:]
	_, err := io.ReadFull(b, out)
	return out, err
}
