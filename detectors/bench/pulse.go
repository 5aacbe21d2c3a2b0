package bench

import (
	"context"
	"fmt"
	"sync"
	"time"

	"weimang/detectors"
	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// pulse tells from outside when each partition of weimang.inputs is worked on.
// An area of its own in each has one planned outage, whose end is put off
// again and again by a second: each time is a finding, which says by that
// second how far its partition has come.
type pulse struct {
	site    *site
	areas   []string // by partition
	from    time.Time
	cancel  context.CancelFunc
	reading sync.WaitGroup

	mu    sync.Mutex
	sent  []int // beats, by partition
	seen  []int
	at    []time.Time // when the last one seen came
	pause []time.Duration
	err   error
}

// newPulse begins to read the findings. The outages are long after the feed.
func newPulse(ctx context.Context, s *site, o *WorkersOptions) (*pulse, error) {
	village, err := o.village()
	if err != nil {
		return nil, err
	}
	p := &pulse{
		site: s, areas: areasOf(o.Partitions), from: village.Options().Start.UTC().Truncate(time.Second).AddDate(10, 0, 0),
		sent: make([]int, o.Partitions), seen: make([]int, o.Partitions),
		at: make([]time.Time, o.Partitions), pause: make([]time.Duration, o.Partitions),
	}
	_, ends, err := s.client.Bounds(ctx, ingest.TopicFindings)
	if err != nil {
		return nil, err
	}
	ctx, p.cancel = context.WithCancel(ctx)
	for i, end := range ends {
		p.reading.Go(func() { p.read(ctx, s.client.Cursor(ingest.TopicFindings, i, end)) })
	}
	return p, nil
}

// areasOf is an area in each partition.
func areasOf(partitions int) []string {
	areas := make([]string, partitions)
	for i, left := 0, partitions; left > 0; i++ {
		id := fmt.Sprintf("pulse-%d", i)
		if at := stream.Partition([]byte(id), partitions); areas[at] == "" {
			areas[at] = id
			left--
		}
	}
	return areas
}

// stop ends the reading.
func (p *pulse) stop() {
	p.cancel()
	p.reading.Wait()
}

// read notes the beats among the findings of a partition. An area's findings
// lie in the same partition as its log, since both have as many.
func (p *pulse) read(ctx context.Context, cur *stream.Cursor) {
	for {
		b, err := cur.Fetch(ctx)
		now := time.Now()
		if ctx.Err() != nil {
			return
		}
		p.mu.Lock()
		for i := range b.Records {
			var f *detectors.Finding
			if f, err = detectors.DecodeFinding(b.Records[i].Value); err != nil {
				break
			}
			if f.AreaID == p.areas[cur.Partition()] {
				p.note(cur.Partition(), int(f.Reason.Until.Sub(p.from)/time.Second), now)
			}
		}
		p.err = err
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// note takes a beat in. One that was seen before is work done twice, and no
// progress.
func (p *pulse) note(partition, beat int, now time.Time) {
	if beat <= p.seen[partition] {
		return
	}
	p.pause[partition] = max(p.pause[partition], now.Sub(p.at[partition]))
	p.seen[partition], p.at[partition] = beat, now
}

// beat makes the next record for a partition's log.
func (p *pulse) beat(partition int) (stream.Record, error) {
	p.mu.Lock()
	p.sent[partition]++
	until := p.from.Add(time.Duration(p.sent[partition]) * time.Second)
	p.mu.Unlock()
	// Without a clock of its own: an area's clock never goes back.
	value, err := contract.EncodeInputs(p.areas[partition], []ingest.Input{{Incident: &ingest.Incident{
		ID: "pulse", Source: ingest.PowerGrid, Class: ingest.ClassPlannedOutage, State: ingest.Accepted, From: p.from, Until: until,
	}}})
	return stream.Record{Key: []byte(p.areas[partition]), Value: value}, err
}

// through sends one beat to each partition and waits until all are seen: then
// everything that was written before it is worked off.
func (p *pulse) through(ctx context.Context) error {
	for i := range p.areas {
		rec, err := p.beat(i)
		if err != nil {
			return err
		}
		if err := p.site.producer.Produce(ctx, ingest.TopicInputs, []stream.Record{rec}); err != nil {
			return err
		}
	}
	return p.caught(ctx)
}

// caught waits until all beats sent by now are seen.
func (p *pulse) caught(ctx context.Context) error {
	p.mu.Lock()
	sent := append([]int(nil), p.sent...)
	p.mu.Unlock()
	return until(ctx, time.Millisecond, func(context.Context) (bool, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		for i, n := range sent {
			if p.seen[i] < n {
				return false, p.err
			}
		}
		return true, nil
	})
}

// reset begins to look for pauses.
func (p *pulse) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.pause)
}

// pauses are the longest since reset, by partition: the times between two
// beats that came one after the other.
func (p *pulse) pauses() []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]time.Duration(nil), p.pause...)
}
