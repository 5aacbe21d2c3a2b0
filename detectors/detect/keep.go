package detect

import (
	"context"
	"fmt"
	"slices"

	"weimang/ingest"
	"weimang/ingest/stream"
)

// Every change of the group ends all claims, but a member gets most of its
// partitions back. What it had of them in memory is still right when nobody has
// brought the partition on in between, and that shows in Kafka:
//
//   - The group's offset is what this member committed last. Another owner that
//     has committed anything would have moved it. One that has not is as if it
//     had never been: a state is a function of the log, and what it has said it
//     says again.
//   - The partition's checkpoints end where this member left them. So nobody has
//     saved anything either, a later owner or a zombie, and what a restore would
//     find is what is in memory.
//
// A zombie may still write once this has been looked at. That shows at the next
// save, see inspect.

// keep lays aside a partition of which everything is sent, saved and committed.
func (s *Service) keep(p *partition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[p.claim.Partition()] = p
}

// keepOnly forgets what was laid aside of partitions that are not among those.
func (s *Service) keepOnly(parts map[string][]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := range s.kept {
		if !slices.Contains(parts[ingest.TopicInputs], n) {
			delete(s.kept, n)
		}
	}
}

// regain returns the partition that was laid aside, if it can be shown that it
// is as it was left, or nil.
func (s *Service) regain(ctx context.Context, c *stream.Claim) (*partition, error) {
	s.mu.Lock()
	p := s.kept[c.Partition()]
	delete(s.kept, c.Partition())
	s.mu.Unlock()
	if p == nil || c.Start != p.next || c.Committed() != p.next {
		return nil, nil
	}
	now, err := s.layout(ctx)
	if err != nil {
		return nil, fmt.Errorf("regain partition %d: %w", c.Partition(), err)
	}
	_, end, err := s.opts.Client.BoundsOf(ctx, ingest.TopicCheckpoints, c.Partition())
	if err != nil {
		return nil, fmt.Errorf("regain partition %d: %w", c.Partition(), err)
	}
	if now != p.layout || !now.beside() || end != p.end {
		return nil, nil
	}
	p.claim = c
	if p.stamp, err = p.succeed(p.stamp); err != nil {
		return nil, err
	}
	for _, a := range p.areas {
		s.metrics.count(a, 1)
	}
	s.metrics.regained.Inc()
	s.log.Info("partition is as it was left, nothing is restored", "partition", c.Partition(), "areas", len(p.areas), "offset", c.Position())
	return p, nil
}
