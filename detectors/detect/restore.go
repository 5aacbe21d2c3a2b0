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

// shelf is what a restore finds in weimang.checkpoints: of each area of one
// partition of the log the checkpoint to go on from.
type shelf struct {
	claim  *stream.Claim
	of     layout
	best   map[string]*checkpoint
	newest label // the one with the latest stamp of all
	// erased are areas of which the own partition ends with a tombstone: what
	// was left of them in others, when partitions were added, is none.
	erased map[string]bool
}

// read goes through one partition of the checkpoints, the own one first, and
// returns its end.
func (s *shelf) read(ctx context.Context, client *stream.Client, partition int) (end int64, err error) {
	var latest stamp // so far in this partition
	return stream.ReadAll(ctx, client, ingest.TopicCheckpoints, partition, func(r stream.Record) error {
		s.claim.Alive()
		if stream.Partition(r.Key, s.of.Inputs) != s.claim.Partition() {
			return nil
		}
		own := s.of.beside() && partition == s.claim.Partition()
		old := s.best[string(r.Key)]
		switch {
		case len(r.Value) == 0:
			if old != nil && old.at.partition == partition {
				delete(s.best, string(r.Key))
			}
			s.erased[string(r.Key)] = s.erased[string(r.Key)] || own
			return nil
		case own:
			delete(s.erased, string(r.Key))
		case s.erased[string(r.Key)]:
			return nil
		}
		c := decodeCheckpoint(&r)
		c.late = c.compare(latest) < 0
		if !c.late {
			latest = c.stamp
		}
		if c.err == nil && c.compare(s.newest.stamp) >= 0 {
			s.newest = c.label
		}
		if old != nil && old.err == nil && c.err != nil {
			// A state that can be read, and the log since, come to the same.
			old.again, old.stale = true, true
			return nil
		}
		if old != nil && !c.better(old, s.claim.Partition()) {
			old.stale = old.stale || c.late
			return nil
		}
		c.again, c.stale = c.late, c.late
		c.state = slices.Clone(c.state)
		s.best[string(r.Key)] = &c
		return nil
	})
}

// restore brings back the partition's areas as they were saved. Inputs that
// are already in a state are known by their offset when they come again.
//
// An area's checkpoint lies in the partition of its log's number, and nothing
// else is read, unless areas may have been saved while there were more
// partitions or fewer.
func (s *Service) restore(ctx context.Context, c *stream.Claim) (_ *partition, err error) {
	begin := time.Now()
	p := &partition{
		s: s, claim: c, areas: make(map[string]*area), points: make(map[string]*detectors.History),
		next: c.Position(), held: unknown, wall: begin, tick: begin, compared: begin,
	}
	defer func() {
		if err != nil {
			p.forget()
			err = fmt.Errorf("restore partition %d: %w", c.Partition(), err)
		}
	}()
	if s.opts.Now != nil {
		p.now = s.opts.Now()
	}
	if s.opts.History {
		p.out.Points = p.point
	}
	if p.layout, err = s.layout(ctx); err != nil {
		return nil, err
	}
	found := shelf{claim: c, of: p.layout, best: make(map[string]*checkpoint), erased: make(map[string]bool)}
	if p.layout.beside() {
		if p.end, err = found.read(ctx, s.opts.Client, c.Partition()); err != nil {
			return nil, err
		}
	}
	if !p.layout.beside() || found.newest.layout != p.layout {
		for i := range p.layout.Checkpoints {
			if p.layout.beside() && i == c.Partition() {
				continue
			}
			if _, err := found.read(ctx, s.opts.Client, i); err != nil {
				return nil, err
			}
		}
	}
	if p.stamp, err = p.succeed(found.newest.stamp); err != nil {
		return nil, err
	}
	if s.opts.Sabotage == SkipRestore {
		found.best = nil
	}
	if err := p.shelve(ctx, found.best); err != nil {
		return nil, err
	}
	s.metrics.restore.Observe(time.Since(begin).Seconds())
	s.log.Info("partition restored", "partition", c.Partition(), "areas", len(p.areas), "offset", c.Position(), "seconds", time.Since(begin).Seconds())
	return p, nil
}

func (s *Service) layout(ctx context.Context) (l layout, err error) {
	if l.Inputs, err = s.opts.Client.Partitions(ctx, ingest.TopicInputs); err == nil {
		l.Checkpoints, err = s.opts.Client.Partitions(ctx, ingest.TopicCheckpoints)
	}
	return l, err
}

// beside reports whether an area's checkpoint lies in the partition of the same
// number as its log.
func (l layout) beside() bool { return l.Inputs == l.Checkpoints }

// succeed is the stamp of who comes after the newest that was found. A smaller
// generation than that is either a claim that is over, or one of a group that
// has begun anew: the broker knows.
func (p *partition) succeed(newest stamp) (stamp, error) {
	mine := stamp{newest.Epoch, p.claim.Generation, 0}
	switch {
	case mine.Generation == newest.Generation:
		mine.Save = newest.Save
	case mine.Generation < newest.Generation:
		if err := p.claim.Confirm(); err != nil {
			return stamp{}, err
		}
		mine.Epoch++
	}
	return mine, nil
}

// shelve makes areas of what was found. Their states stay encoded, but for one
// of each version: a program that cannot read them must not go on.
func (p *partition) shelve(ctx context.Context, best map[string]*checkpoint) error {
	own := p.claim.Partition()
	ends := make(map[int]stream.Stretch) // of the log's partitions that areas come from
	versions := make(map[byte]bool)
	for _, id := range slices.Sorted(maps.Keys(best)) {
		p.claim.Alive()
		c := best[id]
		a := &area{
			id: id, raw: c.state, homes: c.Homes, unheard: c.Silent, watermark: c.watermark(), size: len(c.state),
			partition: c.partition, next: c.next, heard: p.now, from: c.at, save: unknown,
		}
		p.areas[id] = a
		p.stateBytes += int64(a.size)
		p.s.metrics.count(a, 1)
		if c.err != nil {
			p.setAside(a, c.err)
			continue
		}
		if !c.labelled || !versions[c.state[0]] {
			versions[c.state[0]] = true
			if err := p.wake(a); err != nil {
				return err
			}
		}
		if _, ok := ends[c.partition]; !ok && c.partition < p.layout.Inputs {
			start, end, err := p.s.opts.Client.BoundsOf(ctx, ingest.TopicInputs, c.partition)
			if err != nil {
				return err
			}
			ends[c.partition] = stream.Stretch{First: start, End: end}
		}
		if end := ends[c.partition].End; c.partition < p.layout.Inputs && c.next > end {
			// The broker has lost the end of the log; what comes in its place
			// is new.
			p.s.log.Error("state is ahead of its log", "area", id, "partition", c.partition, "offset", c.next, "end", end)
			a.next = end
		}
		if c.again && c.partition == own {
			// What was committed since may not be in it.
			p.next = min(p.next, a.next)
		}
	}
	p.claim.SeekTo(p.next)
	p.gaps(best, ends)
	elsewhere := make(map[int]int64) // partition: the first input there that is not in a state
	for id, c := range best {
		a := p.areas[id]
		if a.broken {
			continue
		}
		if c.partition != own && c.partition < p.layout.Inputs {
			from, ok := elsewhere[c.partition]
			if !ok || a.next < from {
				elsewhere[c.partition] = a.next
			}
		}
		if a.strayed = c.partition != own || p.layout.beside() && c.at.partition != own; a.strayed {
			p.strayed++
		}
		if a.strayed || c.stale {
			p.again(a)
		}
	}
	return p.follow(ctx, elsewhere)
}

// moveIn saves areas that have come from other partitions before anything of
// their log in this one is read. Whoever takes the partition over would follow
// them to where their old logs then end, and hear what is in both logs in another
// order than this member has told it in.
func (p *partition) moveIn(ctx context.Context) error {
	if p.strayed == 0 { // as nearly always
		return nil
	}
	if err := p.send(ctx); err != nil {
		return fmt.Errorf("findings of areas that partition %d has taken over: %w", p.claim.Partition(), err)
	}
	if err := p.save(ctx, p.next, len(p.unsaved)); err != nil {
		return fmt.Errorf("save areas that partition %d has taken over: %w", p.claim.Partition(), err)
	}
	return nil
}

// gaps says which areas have missed inputs, since weimang.inputs no longer holds
// all that came after they were saved.
func (p *partition) gaps(best map[string]*checkpoint, logs map[int]stream.Stretch) {
	var missed []string
	var first, start int64
	for _, id := range slices.Sorted(maps.Keys(best)) {
		a, c := p.areas[id], best[id]
		begin, ok := logs[a.partition]
		from := a.next
		if a.partition == p.claim.Partition() && !c.again {
			from = max(from, p.claim.Committed()) // until there it is in the states
		}
		if ok && !a.broken && from < begin.First {
			if len(missed) == 0 || from < first {
				first, start = from, begin.First
			}
			missed = append(missed, id)
		}
	}
	if len(missed) == 0 {
		return
	}
	p.s.metrics.gaps.Add(float64(len(missed)))
	p.s.log.Error("inputs were deleted before they were seen: these areas go on without them",
		"partition", p.claim.Partition(), "areas", len(missed), "some", missed[:min(len(missed), 5)],
		"offset", first, "log_start", start)
}

// follow takes in the rest of the logs that areas have left behind in other
// partitions, where they lay when there were fewer or more of them. What
// ingest writes to an area from then on is in this one.
func (p *partition) follow(ctx context.Context, elsewhere map[int]int64) error {
	for _, from := range slices.Sorted(maps.Keys(elsewhere)) {
		p.s.log.Warn("areas come from another partition", "partition", p.claim.Partition(), "from", from)
		_, err := stream.ReadFrom(ctx, p.s.opts.Client, ingest.TopicInputs, from, elsewhere[from], func(r stream.Record) error {
			p.claim.Alive()
			if a := p.areas[string(r.Key)]; a != nil && !a.broken && a.partition == from {
				return p.take(&r, p.decode(&r))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, a := range p.areas {
		if a.partition != p.claim.Partition() && !a.broken {
			a.partition, a.next = p.claim.Partition(), 0
		}
	}
	return nil
}
