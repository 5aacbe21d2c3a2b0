package detect

import (
	"context"
	"errors"
	"fmt"
	"time"

	"weimang/ingest"
	"weimang/ingest/stream"
)

// The changed areas of a partition are saved one after the other, in the order
// in which they changed, not all at once: a burst of writes would hold up the
// readings of every home. Each is left alone for half of CheckpointEvery, since
// more of its readings may come, and saved within the other half, a share of
// the partition's areas at each tick. Committed is only what all areas have
// saved, so a restart repeats at most CheckpointEvery and a tick.
//
// Where much comes in little time, as in a replay, the same goes by the bytes of
// the log instead: a restart repeats at most muchLog, or muchPerState times the
// bytes of the partition's states, whichever is more.
const (
	ticks        = 16 // in CheckpointEvery
	muchLog      = 64 << 20
	muchPerState = 8
	// saveBytes bounds what one request of a save holds in memory.
	saveBytes = 4 << 20
)

// unsavedSince says since when an area's changes are in no checkpoint.
type unsavedSince struct {
	dirty  bool
	offset int64     // everything before it is saved
	stood  time.Time // Kafka time of the first input that is not; zero: there is none
	at     time.Time // when that was applied; zero: to be saved at the next tick
	bytes  int64     // of the log applied until then, see partition.applied
}

// changed notes that an input has changed an area.
func (p *partition) changed(a *area, rec *stream.Record) {
	if a.saved.dirty {
		return
	}
	a.saved = unsavedSince{dirty: true, offset: rec.Offset, stood: rec.Time, at: p.wall, bytes: p.applied}
	p.unsaved = append(p.unsaved, a)
}

// due is how many of the areas that have changed are to be saved now. ok says
// whether it is time to look at all.
func (p *partition) due(every time.Duration) (n int, ok bool) {
	much := max(muchLog, muchPerState*p.stateBytes)
	hurry := p.applied-p.tickBytes >= much/ticks
	if !hurry && p.wall.Sub(p.tick) < every/ticks {
		return 0, false
	}
	p.tick, p.tickBytes = p.wall, p.applied
	share := (len(p.areas) + ticks/2 - 1) / (ticks / 2)
	for n < min(share, len(p.unsaved)) {
		u := p.unsaved[n].saved
		if p.wall.Sub(u.at) < every/2 && p.applied-u.bytes < much/2 {
			break
		}
		n++
	}
	return n, true
}

// save writes the first n of the areas that have changed, then commits what all
// areas have saved: everything before next, if none has changed since.
func (p *partition) save(ctx context.Context, next int64, n int) error {
	todo := p.unsaved[:n]
	for len(todo) > 0 {
		var recs []stream.Record
		size, some := 0, 0
		l := label{stamp: p.stamp}
		if p.strayed == 0 {
			l.layout = p.layout
		}
		p.stamp.Save++ // also of a write that fails: it may arrive all the same
		l.Save = p.stamp.Save
		for ; some < len(todo) && size < saveBytes; some++ {
			a := todo[some]
			rec, err := l.record(a)
			if err != nil {
				return fmt.Errorf("save area %s: %w", a.id, err)
			}
			recs = append(recs, rec)
			p.stateBytes += int64(len(rec.Value) - a.size)
			a.size, a.save = len(rec.Value), l.Save
			size += len(rec.Value)
		}
		between, err := p.write(ctx, recs)
		if err != nil {
			return err
		}
		for _, a := range todo[:some] {
			a.saved = unsavedSince{}
			if a.strayed {
				a.strayed = false
				p.strayed--
			}
		}
		p.unsaved, todo = p.unsaved[some:], todo[some:]
		p.s.metrics.checkpoints.Add(float64(some))
		p.s.metrics.checkpointBytes.Add(float64(size))
		p.claim.Alive()
		if err := p.inspect(ctx, between); err != nil {
			return err
		}
	}
	if p.wall.Sub(p.compared) >= p.s.opts.CheckpointEvery {
		if err := p.compare(ctx); err != nil {
			return err
		}
	}
	return p.claim.Commit(ctx, p.handled(next))
}

// handled is how far all areas have saved the log, of which everything before
// next is applied.
func (p *partition) handled(next int64) int64 {
	if len(p.unsaved) > 0 {
		next = min(next, p.unsaved[0].saved.offset)
	}
	if p.held >= 0 {
		next = min(next, p.held)
	}
	return next
}

// write writes checkpoints to the partition beside the log's, and returns where
// somebody else has written there since.
func (p *partition) write(ctx context.Context, recs []stream.Record) (between []stream.Stretch, err error) {
	if !p.layout.beside() {
		return nil, p.s.opts.Producer.Produce(ctx, ingest.TopicCheckpoints, recs)
	}
	at, err := p.s.opts.Producer.Append(ctx, ingest.TopicCheckpoints, p.claim.Partition(), recs)
	if err != nil {
		return nil, err // part of it may lie behind p.end: the next save looks
	}
	p.compared = p.wall
	for _, s := range at {
		if s.First != p.end {
			between = append(between, stream.Stretch{First: p.end, End: s.First})
		}
		p.end = s.End
		for offset := s.First; offset < s.End; offset++ {
			p.areas[string(recs[0].Key)].from = place{p.claim.Partition(), offset}
			recs = recs[1:]
		}
	}
	return between, nil
}

// compare looks whether others have written to the partition's checkpoints, when
// this member has had nothing to write for a while.
func (p *partition) compare(ctx context.Context) error {
	if !p.layout.beside() {
		return nil
	}
	p.compared = p.wall
	_, end, err := p.s.opts.Client.BoundsOf(ctx, ingest.TopicCheckpoints, p.claim.Partition())
	if err != nil || end == p.end {
		return err
	}
	from := p.end
	p.end = end
	return p.inspect(ctx, []stream.Stretch{{First: from, End: end}})
}

// errSuperseded says that an owner of a later generation has saved areas here.
var errSuperseded = fmt.Errorf("a later owner has written checkpoints: %w", stream.ErrFenced)

// inspect reads checkpoints of others: of a member that has lost the partition and
// does not know it, or of a request of our own that was taken for lost. The
// topic's cleaner keeps the last of each area, so these areas are saved again.
func (p *partition) inspect(ctx context.Context, between []stream.Stretch) error {
	for _, s := range between {
		_, err := stream.ReadFrom(ctx, p.s.opts.Client, ingest.TopicCheckpoints, p.claim.Partition(), s.First, func(r stream.Record) error {
			if r.Offset >= s.End {
				return nil
			}
			return p.others(&r)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// others heeds a checkpoint that somebody else has written.
func (p *partition) others(r *stream.Record) error {
	a := p.areas[string(r.Key)]
	if a == nil || len(r.Value) == 0 { // a tombstone is somebody's wish
		return nil
	}
	c := decodeCheckpoint(r)
	if c.Epoch > p.stamp.Epoch || c.Epoch == p.stamp.Epoch && c.Generation > p.stamp.Generation {
		return errSuperseded
	}
	after := a.from.partition == r.Partition && r.Offset < a.from.offset
	if after || c.Epoch == p.stamp.Epoch && c.Generation == p.stamp.Generation && c.Save == a.save {
		return nil // ours comes after it, or it is ours once more
	}
	if c.Epoch == p.stamp.Epoch && c.Generation == p.stamp.Generation {
		p.s.log.Info("a checkpoint that was taken for lost has arrived; the area is saved once more", "area", a.id,
			"partition", r.Partition, "offset", r.Offset)
	} else {
		p.s.metrics.late.Inc()
		p.s.log.Warn("an area was saved by somebody who has lost it; it is saved once more", "area", a.id,
			"partition", r.Partition, "offset", r.Offset, "generation", c.Generation, "owner", p.stamp.Generation)
	}
	p.again(a)
	return nil
}

// again has an area saved that has not changed: the last checkpoint of it in
// the topic is not the one that should stay.
func (p *partition) again(a *area) {
	if a.saved.dirty || a.broken {
		return
	}
	a.saved = unsavedSince{dirty: true, offset: p.next, bytes: p.applied}
	p.unsaved = append(p.unsaved, a)
}

// finish is the last flush of a generation: what has been applied is sent,
// saved and committed, in this order, with the time the group leaves for it. It
// reports whether everything is.
func (p *partition) finish(c *stream.Claim) (all bool, err error) {
	ctx := c.FlushContext()
	if err := p.send(ctx); err != nil {
		return false, fmt.Errorf("last findings of partition %d: %w", c.Partition(), err)
	}
	switch err := p.save(ctx, p.next, len(p.unsaved)); {
	case errors.Is(err, stream.ErrFenced):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("last checkpoint of partition %d: %w", c.Partition(), err)
	}
	return len(p.unsaved) == 0 && p.held == unknown, nil
}
