package stream

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/compress"
	"github.com/segmentio/kafka-go/protocol"
)

// logBatch is a batch as Kafka's cleaner may leave it: it covers the offsets
// base to last, of which only some still have a record.
type logBatch struct {
	base, last int64
	offsets    []int64
	control    bool
	padding    int // bytes of each value
	lz4        bool
}

// encode writes the batch in Kafka's format v2.
func (b logBatch) encode(t *testing.T) []byte {
	t.Helper()
	var recs []byte
	for _, o := range b.offsets {
		body := []byte{0} // attributes
		body = binary.AppendVarint(body, 0)
		body = binary.AppendVarint(body, o-b.base)
		key := []byte{0, 0, 0, 1} // of a control record: version, type
		body = append(binary.AppendVarint(body, int64(len(key))), key...)
		body = append(binary.AppendVarint(body, int64(b.padding)), make([]byte, b.padding)...)
		body = binary.AppendVarint(body, 0) // headers
		recs = append(binary.AppendVarint(recs, int64(len(body))), body...)
	}
	attributes := uint16(0)
	if b.control {
		attributes |= 1<<5 | 1<<4
	}
	if b.lz4 {
		var z bytes.Buffer
		w := compress.Lz4.Codec().NewWriter(&z)
		if _, err := w.Write(recs); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		attributes, recs = attributes|uint16(compress.Lz4), z.Bytes()
	}
	be := binary.BigEndian
	tail := be.AppendUint16(nil, attributes)
	tail = be.AppendUint32(tail, uint32(b.last-b.base))
	tail = be.AppendUint64(tail, 0)
	tail = be.AppendUint64(tail, 0)
	tail = be.AppendUint64(tail, ^uint64(0)) // producer
	tail = be.AppendUint16(tail, ^uint16(0))
	tail = be.AppendUint32(tail, ^uint32(0))
	tail = be.AppendUint32(tail, uint32(len(b.offsets)))
	tail = append(tail, recs...)

	out := be.AppendUint64(nil, uint64(b.base))
	out = be.AppendUint32(out, uint32(9+len(tail)))
	out = be.AppendUint32(out, 0) // leader epoch
	out = append(out, 2)          // magic
	out = be.AppendUint32(out, crc32.Checksum(tail, crc32.MakeTable(crc32.Castagnoli)))
	return append(out, tail...)
}

// oldBroker serves such batches the way a broker does, and cuts an answer off
// at MaxBytes in the middle of a batch, even of the first one.
type oldBroker struct {
	t         *testing.T
	batches   []logBatch
	end       int64
	stable    int64
	throttled int // answers to come back empty, throttled
	asked     int
}

func (o *oldBroker) fetch(_ context.Context, req *kafka.FetchRequest) (*kafka.FetchResponse, error) {
	o.asked++
	res := &kafka.FetchResponse{HighWatermark: o.end, LastStableOffset: o.stable, Records: kafka.NewRecordReader()}
	if o.throttled > 0 {
		o.throttled--
		res.Throttle = time.Millisecond
		return res, nil
	}
	var raw []byte
	for _, b := range o.batches {
		if b.last >= req.Offset && b.base < o.stable {
			raw = append(raw, b.encode(o.t)...)
		}
	}
	raw = raw[:min(int64(len(raw)), req.MaxBytes)]
	var rs protocol.RecordSet // kafka-go's own decoder
	if _, err := rs.ReadFrom(bytes.NewReader(append(binary.BigEndian.AppendUint32(nil, uint32(len(raw))), raw...))); err != nil {
		return nil, err
	}
	if rs.Records != nil {
		res.Records = rs.Records
	}
	return res, nil
}

func TestFetchReadsOverWhatTheCleanerLeaves(t *testing.T) {
	full := func(base int64, n int) logBatch {
		b := logBatch{base: base, last: base + int64(n) - 1}
		for i := range n {
			b.offsets = append(b.offsets, base+int64(i))
		}
		return b
	}
	for _, tc := range []struct {
		name    string
		batches []logBatch
		end     int64
		want    []int64
		steps   float64
	}{
		{"a log without holes", []logBatch{full(0, 3), full(3, 2)}, 5, []int64{0, 1, 2, 3, 4}, 0},
		{"records missing inside a batch", []logBatch{{base: 0, last: 9, offsets: []int64{0, 4, 9}}, full(10, 1)}, 11, []int64{0, 4, 9, 10}, 0},
		{"whole batches missing", []logBatch{full(0, 1), full(50, 1)}, 51, []int64{0, 50}, 0},
		{"a compressed batch with its tail gone, then more", []logBatch{{base: 0, last: 9, offsets: []int64{0, 2}, lz4: true}, full(10, 1)}, 11, []int64{0, 2, 10}, 0},
		{"a compressed batch with its tail gone at the end of the log", []logBatch{{base: 0, last: 9, offsets: []int64{0, 2}, lz4: true}}, 10, []int64{0, 2}, 7},
		{"an empty batch between others", []logBatch{full(0, 1), {base: 1, last: 5}, full(6, 1)}, 7, []int64{0, 6}, 0},
		{"an empty batch at the end of the log", []logBatch{full(0, 1), {base: 1, last: 5}}, 6, []int64{0}, 5},
		{"an empty batch at its begin", []logBatch{{base: 0, last: 3}, full(4, 1)}, 5, []int64{4}, 0},
		{"nothing but empty batches", []logBatch{{base: 0, last: 3}, {base: 4, last: 7}}, 8, nil, 8},
		{"a control batch between others", []logBatch{full(0, 1), {base: 1, last: 1, offsets: []int64{1}, control: true}, full(2, 1)}, 3, []int64{0, 2}, 0},
		{"a control batch at the end of the log", []logBatch{full(0, 1), {base: 1, last: 1, offsets: []int64{1}, control: true}}, 2, []int64{0}, 1},
		{"a first batch larger than the fetch", []logBatch{{base: 0, last: 1, offsets: []int64{0, 1}, padding: 5000}, full(2, 1)}, 3, []int64{0, 1, 2}, 0},
		{"a later batch larger than the fetch", []logBatch{full(0, 1), {base: 1, last: 3, offsets: []int64{1, 3}, padding: 5000}, full(4, 1)}, 5, []int64{0, 1, 3, 4}, 0},
		{"a tail gone before a batch larger than the fetch", []logBatch{{base: 0, last: 4, offsets: []int64{0}}, {base: 5, last: 5, offsets: []int64{5}, padding: 5000}}, 6, []int64{0, 5}, 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := &oldBroker{t: t, batches: tc.batches, end: tc.end, stable: tc.end}
			got, steps := readWith(t, o)
			if !slices.Equal(got, tc.want) {
				t.Errorf("read %v, want %v", got, tc.want)
			}
			if steps != tc.steps {
				t.Errorf("%v steps over holes, want %v", steps, tc.steps)
			}
		})
	}
}

// readWith fetches from 0 to the end.
func readWith(t *testing.T, o *oldBroker) (offsets []int64, steps float64) {
	t.Helper()
	counter := prometheus.NewCounter(prometheus.CounterOpts{})
	f := fetcher{fetch: o.fetch, topic: "t", bytes: 500, wait: 4 * time.Millisecond, steps: counter}
	for at := int64(0); at < o.end; {
		b, err := f.next(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range b.Records {
			offsets = append(offsets, r.Offset)
		}
		if o.asked > 200 {
			t.Fatalf("does not get past offset %d", b.Next)
		}
		at = b.Next
	}
	return offsets, testutil.ToFloat64(counter)
}

func TestFetchDoesNotStepWhileTheBrokerHoldsRecordsBack(t *testing.T) {
	one := []logBatch{{base: 0, last: 0, offsets: []int64{0}}}
	t.Run("throttled", func(t *testing.T) {
		o := &oldBroker{t: t, batches: one, end: 1, stable: 1, throttled: 3}
		if got, steps := readWith(t, o); len(got) != 1 || steps != 0 {
			t.Errorf("read %v with %v steps", got, steps)
		}
	})
	t.Run("behind an open transaction", func(t *testing.T) {
		o := &oldBroker{t: t, batches: one, end: 1, stable: 0}
		f := fetcher{fetch: o.fetch, topic: "t", bytes: 500, wait: time.Millisecond}
		b, err := f.next(t.Context(), 0)
		if err != nil || b.Next != 0 || len(b.Records) != 0 {
			t.Errorf("moved to %d with %d records, %v", b.Next, len(b.Records), err)
		}
	})
}

func TestACorruptBatchIsAnErrorNotAHole(t *testing.T) {
	f := fetcher{topic: "t", bytes: 500, wait: time.Millisecond}
	f.fetch = func(context.Context, *kafka.FetchRequest) (*kafka.FetchResponse, error) {
		raw := logBatch{base: 0, last: 0, offsets: []int64{0}}.encode(t)
		raw[len(raw)-1] ^= 1
		var rs protocol.RecordSet
		_, err := rs.ReadFrom(bytes.NewReader(append(binary.BigEndian.AppendUint32(nil, uint32(len(raw))), raw...)))
		return &kafka.FetchResponse{HighWatermark: 1, LastStableOffset: 1, Records: rs.Records}, err
	}
	if b, err := f.next(t.Context(), 0); err == nil {
		t.Errorf("went on to %d", b.Next)
	}
}

func TestACursorOutsideTheLogGoesToItsBeginAndSaysSo(t *testing.T) {
	c := cluster(t)
	makeTopic(t, c, Topic{Name: "t", Partitions: 1})
	produce(t, c, "t", numbered(0, 10))
	cur := c.Cursor("t", 0, 1000)
	b, err := cur.Fetch(testContext(t))
	if err != nil || len(b.Records) != 10 {
		t.Fatalf("%d records, %v", len(b.Records), err)
	}
	if n := testutil.ToFloat64(c.metrics.offsetResets.WithLabelValues("t")); n != 1 {
		t.Errorf("%v resets counted", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := cur.Fetch(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a fetch with an ended context: %v", err)
	}
}
