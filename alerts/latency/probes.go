package latency

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"weimang/alerts"
	"weimang/detectors"
	"weimang/ingest"
	"weimang/ingest/stream"
)

// probe is one thing whose way to an alert is timed. Times are zero until it
// has come so far.
type probe struct {
	sent, acked, found, alerted time.Time
}

// probes are all that were sent, by the finding they lead to.
type probes struct {
	mu      sync.Mutex
	byID    map[string]*probe
	missing int           // sent and not alerted yet
	change  chan struct{} // holds a value when one has arrived
}

func newProbes() *probes {
	return &probes{byID: make(map[string]*probe), change: make(chan struct{}, 1)}
}

// send notes a probe, sends it, and notes the acknowledgement. The id is an
// incident's or a household's.
func (ps *probes) send(id string, produce func() error) (*probe, error) {
	p := &probe{}
	ps.mu.Lock()
	ps.byID[id] = p
	ps.missing++
	p.sent = time.Now()
	ps.mu.Unlock()
	if err := produce(); err != nil {
		return nil, err
	}
	at := time.Now()
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p.acked = at
	return p, nil
}

// seen notes that a finding has come as far as a topic. Only the first counts.
func (ps *probes) seen(f *detectors.Finding, topic string, at time.Time) {
	id := f.HouseholdID
	switch {
	case f.State != detectors.Open:
		return
	case f.Kind == detectors.Announced:
		id = f.IncidentID
	case f.Kind != detectors.Impossible:
		return
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p := ps.byID[id]
	if p == nil {
		return
	}
	switch {
	case topic == ingest.TopicFindings && p.found.IsZero():
		p.found = at
	case topic == ingest.TopicAlerts && p.alerted.IsZero():
		p.alerted = at
		ps.missing--
		select {
		case ps.change <- struct{}{}:
		default:
		}
	}
}

// lost is how many are on their way, and the ids of some.
func (ps *probes) lost() (int, []string) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	var ids []string
	for id, p := range ps.byID {
		if p.alerted.IsZero() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ps.missing, ids[:min(3, len(ids))]
}

// arrived waits until none is on its way.
func (ps *probes) arrived(ctx context.Context, within time.Duration) error {
	late := time.NewTimer(within)
	defer late.Stop()
	for {
		n, some := ps.lost()
		if n == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-late.C:
			return fmt.Errorf("%d of %d probes have not become an alert within %v of the last one: %s", n, len(ps.byID), within, strings.Join(some, ", "))
		case <-ps.change:
		}
	}
}

// way sums up some probes, all of which have arrived.
func (ps *probes) way(list []*probe) Way {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	w := Way{Probes: len(list)}
	of := func(from, until func(*probe) time.Time) Spread {
		took := make([]time.Duration, len(list))
		for i, p := range list {
			// Another connection may be quicker than the acknowledgement.
			took[i] = max(0, until(p).Sub(from(p)))
		}
		return spread(took)
	}
	sent := func(p *probe) time.Time { return p.sent }
	acked := func(p *probe) time.Time { return p.acked }
	alerted := func(p *probe) time.Time { return p.alerted }
	found := func(p *probe) time.Time {
		if p.found.IsZero() || p.found.After(p.alerted) { // the reader of findings was the slower one
			return p.alerted
		}
		return p.found
	}
	w.FromAck, w.FromSend = of(acked, alerted), of(sent, alerted)
	w.ToFinding, w.ToAlert = of(acked, found), of(found, alerted)
	return w
}

// watch reads a topic from its present end on and notes the probes in it,
// until ctx ends.
func (ps *probes) watch(ctx context.Context, c *stream.Client, topic string) (wait func() error, err error) {
	ends, err := c.EndOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	var all sync.WaitGroup
	errs := make([]error, len(ends))
	for p, end := range ends {
		all.Go(func() { errs[p] = ps.follow(ctx, c.Cursor(topic, p, end)) })
	}
	return func() error {
		all.Wait()
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		return nil
	}, nil
}

func (ps *probes) follow(ctx context.Context, cur *stream.Cursor) error {
	for {
		b, err := cur.Fetch(ctx)
		at := time.Now()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		for i := range b.Records {
			value := b.Records[i].Value
			if cur.Topic() == ingest.TopicAlerts {
				var out alerts.Published
				if err := json.Unmarshal(value, &out); err != nil {
					return fmt.Errorf("a record of %s: %w", cur.Topic(), err)
				}
				value = out.Finding
			}
			f, err := detectors.DecodeFinding(value)
			if err != nil {
				return fmt.Errorf("a record of %s: %w", cur.Topic(), err)
			}
			ps.seen(f, cur.Topic(), at)
		}
	}
}
