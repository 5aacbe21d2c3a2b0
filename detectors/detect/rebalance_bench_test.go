package detect

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"weimang/detectors"
	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
	"weimang/ingest/stream/streamtest"
)

// BenchmarkRebalance measures for how long a partition stands still when members
// of the group come and go: 16 partitions, 4,000 homes in areas of 25, each with
// a full window of half-hours, the group's default times. A reading comes to each
// partition every 20 ms, and what is measured is the longest time in which no
// input of a partition was handled. Run it with -benchtime 1x, without -short.
func BenchmarkRebalance(b *testing.B) {
	if testing.Short() {
		b.Skip("takes a minute")
	}
	for b.Loop() {
		r := newRebalance(b)
		ctx, cancel := context.WithCancel(b.Context())
		r.members(ctx, 1)
		r.fill()
		r.settle()
		var feeding sync.WaitGroup
		feeding.Go(func() { r.feed(ctx) })
		for _, step := range []struct {
			name string
			n    int
		}{{"1to2", 2}, {"2to4", 4}, {"4to3", 3}} {
			mean, longest := r.pause(func() { r.members(ctx, step.n) })
			b.ReportMetric(float64(mean.Milliseconds()), step.name+"-mean-ms")
			b.ReportMetric(float64(longest.Milliseconds()), step.name+"-max-ms")
		}
		cancel()
		feeding.Wait()
		r.running.Wait()
	}
}

const rebalanced = 16 // partitions

type rebalance struct {
	b       *testing.B
	on      streamtest.Cluster
	homes   map[int][]string // areas by partition
	client  *stream.Client
	clock   time.Time
	running sync.WaitGroup

	mu   sync.Mutex
	svcs []*Service
	stop []context.CancelFunc
}

func newRebalance(b *testing.B) *rebalance {
	r := &rebalance{b: b, on: streamtest.Start(b, stream.StartEmbedded), homes: make(map[int][]string)}
	r.client = r.connect()
	if err := r.client.EnsureTopics(b.Context(), stream.Topics(rebalanced, stream.Retention{})); err != nil {
		b.Fatal(err)
	}
	for i, n := 0, 0; n < 160; i++ {
		id := fmt.Sprintf("tq-%d", i)
		if p := stream.Partition([]byte(id), rebalanced); len(r.homes[p]) < 10 {
			r.homes[p] = append(r.homes[p], id)
			n++
		}
	}
	r.clock = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	return r
}

func (r *rebalance) connect() *stream.Client {
	c, err := stream.NewClient(stream.Config{Brokers: r.on.Brokers, Prefix: r.on.Prefix})
	if err != nil {
		r.b.Fatal(err)
	}
	r.b.Cleanup(c.Close)
	return c
}

// members brings the group to n members, by starting some or stopping the first.
func (r *rebalance) members(ctx context.Context, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.svcs) > n {
		r.stop[0]()
		r.svcs, r.stop = r.svcs[1:], r.stop[1:]
	}
	for len(r.svcs) < n {
		c := r.connect()
		svc, err := New(Options{Client: c, Producer: stream.NewProducer(c), Params: detectors.DefaultParams()})
		if err != nil {
			r.b.Fatal(err)
		}
		ctx, stop := context.WithCancel(ctx)
		r.running.Go(func() { _ = svc.Run(ctx) })
		r.svcs, r.stop = append(r.svcs, svc), append(r.stop, stop)
	}
}

// reading is an interval of some homes of an area.
func (r *rebalance) reading(area string, homes int) stream.Record {
	var entries []ingest.Input
	for h := range homes {
		entries = append(entries, ingest.Input{Clock: r.clock.Add(30 * time.Minute), Readings: &ingest.Readings{
			MeterID: fmt.Sprintf("m-%s-%d", area, h), HouseholdID: fmt.Sprintf("h-%s-%d", area, h), Start: r.clock,
			Interval: 30 * time.Minute, Wh: []uint32{uint32(20 + (r.clock.Hour()*37+h*11)%300)},
		}})
	}
	value, err := contract.EncodeInputs(area, entries)
	if err != nil {
		r.b.Error(err)
	}
	return stream.Record{Key: []byte(area), Value: value}
}

// fill gives every home a full window.
func (r *rebalance) fill() {
	p := stream.NewProducer(r.client)
	for range 272 {
		var recs []stream.Record
		for _, areas := range r.homes {
			for _, id := range areas {
				recs = append(recs, r.reading(id, 25))
			}
		}
		if err := p.Produce(r.b.Context(), ingest.TopicInputs, recs); err != nil {
			r.b.Fatal(err)
		}
		r.clock = r.clock.Add(30 * time.Minute)
	}
}

// feed sends one home's reading to each partition every 20 ms.
func (r *rebalance) feed(ctx context.Context) {
	p := stream.NewProducer(r.client)
	for n := 0; ctx.Err() == nil; n++ {
		var recs []stream.Record
		for _, areas := range r.homes {
			recs = append(recs, r.reading(areas[n%len(areas)], 1))
		}
		if n%100 == 99 {
			r.clock = r.clock.Add(30 * time.Minute)
		}
		_ = p.Produce(ctx, ingest.TopicInputs, recs)
		time.Sleep(20 * time.Millisecond)
	}
}

// position is how far each partition is handled.
func (r *rebalance) position() (at [rebalanced]int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.svcs {
		s.mu.Lock()
		for p, n := range s.positions {
			at[p] = max(at[p], n)
		}
		s.mu.Unlock()
	}
	return at
}

// settle waits until the group has its size and has handled everything.
func (r *rebalance) settle() {
	for {
		ends, err := r.client.EndOffsets(r.b.Context(), ingest.TopicInputs)
		if err != nil {
			r.b.Fatal(err)
		}
		at, behind := r.position(), 0
		for p, end := range ends {
			if at[p] < end {
				behind++
			}
		}
		if behind == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// pause returns for how long the partitions stood still at most, in the mean and
// the longest, in the 15 s after a change.
func (r *rebalance) pause(change func()) (mean, longest time.Duration) {
	var moved [rebalanced]time.Time
	var still [rebalanced]time.Duration
	last, begun := r.position(), time.Now()
	for p := range moved {
		moved[p] = begun
	}
	change()
	for time.Since(begun) < 15*time.Second {
		at, now := r.position(), time.Now()
		for p := range at {
			if at[p] > last[p] {
				last[p], moved[p] = at[p], now
			}
			still[p] = max(still[p], now.Sub(moved[p]))
		}
		time.Sleep(time.Millisecond)
	}
	for _, d := range still {
		mean += d / rebalanced
		longest = max(longest, d)
	}
	return mean, longest
}
