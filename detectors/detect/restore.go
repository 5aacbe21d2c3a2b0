package detect

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"weimang/detectors"
	"weimang/ingest"
	"weimang/ingest/stream"
)

// restore brings back the partition's areas as they were saved. Inputs that
// are already in a state are known by their offset when they come again.
func (s *Service) restore(ctx context.Context, c *stream.Claim) (_ *partition, err error) {
	begin := time.Now()
	p := &partition{s: s, claim: c, areas: make(map[string]*area), points: make(map[string]*detectors.History)}
	defer func() {
		if err != nil {
			p.forget()
		}
	}()
	if s.opts.Now != nil {
		p.now = s.opts.Now()
	}
	if s.opts.History {
		p.out.Points = p.point
	}
	inputs, err := s.opts.Client.Partitions(ctx, ingest.TopicInputs)
	if err != nil {
		return nil, fmt.Errorf("restore partition %d: %w", c.Partition(), err)
	}
	p.of = inputs
	if s.opts.Sabotage == SkipRestore {
		return p, nil
	}
	n, err := s.opts.Client.Partitions(ctx, ingest.TopicCheckpoints)
	if err != nil {
		return nil, fmt.Errorf("restore partition %d: %w", c.Partition(), err)
	}
	saved := make(map[string]checkpoint)
	// Every partition is read: the number of partitions may have changed
	// since an area was saved.
	for i := range n {
		_, err := stream.ReadAll(ctx, s.opts.Client, ingest.TopicCheckpoints, i, func(r stream.Record) error {
			c.Alive()
			id := string(r.Key)
			if stream.Partition(r.Key, inputs) != c.Partition() {
				return nil
			}
			if len(r.Value) == 0 {
				delete(saved, id)
				return nil
			}
			cp, err := decodeCheckpoint(r.Value)
			if err != nil {
				return fmt.Errorf("area %s: %w", id, err)
			}
			if old, ok := saved[id]; !ok || cp.better(old, c.Partition()) {
				cp.state = slices.Clone(cp.state)
				saved[id] = cp
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("restore partition %d: %w", c.Partition(), err)
		}
	}
	_, ends, err := s.opts.Client.Bounds(ctx, ingest.TopicInputs)
	if err != nil {
		return nil, fmt.Errorf("restore partition %d: %w", c.Partition(), err)
	}
	elsewhere := make(map[int]int64) // partition: the first input there that is not in a state
	for id, cp := range saved {
		c.Alive()
		a, err := detectors.DecodeArea(&s.opts.Params, cp.state)
		if err != nil {
			return nil, fmt.Errorf("restore area %s: %w", id, err)
		}
		if cp.partition < len(ends) && cp.next > ends[cp.partition] {
			// The broker has lost the end of the log; what comes in its place
			// is new.
			s.log.Error("state is ahead of its log", "partition", cp.partition, "offset", cp.next, "end", ends[cp.partition])
			cp.next = ends[cp.partition]
		}
		p.areas[id] = &area{Area: a, partition: cp.partition, next: cp.next, heard: p.now}
		s.metrics.areas.Inc()
		s.metrics.homes.Add(float64(a.Homes()))
		s.metrics.unheard.Add(float64(a.Unheard()))
		if cp.partition != c.Partition() && cp.partition < len(ends) {
			from, ok := elsewhere[cp.partition]
			if !ok || cp.next < from {
				elsewhere[cp.partition] = cp.next
			}
		}
	}
	if err := p.follow(ctx, elsewhere); err != nil {
		return nil, fmt.Errorf("restore partition %d: %w", c.Partition(), err)
	}
	s.metrics.restore.Observe(time.Since(begin).Seconds())
	s.log.Info("partition restored", "partition", c.Partition(), "areas", len(p.areas), "offset", c.Position(), "seconds", time.Since(begin).Seconds())
	return p, nil
}

// follow takes in the rest of the logs that areas have left behind in other
// partitions, where they lay when there were fewer or more of them. What
// ingest writes to an area from then on is in this one.
func (p *partition) follow(ctx context.Context, elsewhere map[int]int64) error {
	for _, from := range slices.Sorted(maps.Keys(elsewhere)) {
		p.s.log.Warn("areas come from another partition", "partition", p.claim.Partition(), "from", from)
		_, err := stream.ReadFrom(ctx, p.s.opts.Client, ingest.TopicInputs, from, elsewhere[from], func(r stream.Record) error {
			p.claim.Alive()
			if a := p.areas[string(r.Key)]; a != nil && a.partition == from {
				p.take(&r, p.decode(&r))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, a := range p.areas {
		if a.partition != p.claim.Partition() {
			a.partition, a.next, a.dirty = p.claim.Partition(), 0, true
		}
	}
	return nil
}
