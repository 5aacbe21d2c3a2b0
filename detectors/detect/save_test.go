package detect

import (
	"fmt"
	"testing"
	"time"

	"weimang/ingest/stream"
)

// dueOf runs ticks of a partition of many areas, all of which change in every
// interval, and returns how long after its first change an area was saved, at
// most and at least, and how many were saved at one tick.
func dueOf(t *testing.T, areas int, interval time.Duration) (longest, shortest time.Duration, most int) {
	t.Helper()
	const every = 2 * time.Minute
	begun := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	p := &partition{areas: make(map[string]*area), held: unknown, wall: begun, tick: begun}
	for i := range areas {
		id := fmt.Sprint(i)
		p.areas[id] = &area{id: id}
	}
	shortest = time.Hour
	var next, committed int64
	for now := begun; now.Before(begun.Add(2 * time.Hour)); now = now.Add(time.Second) {
		p.wall = now
		if now.Sub(begun)%interval == 0 {
			for i := range areas {
				p.changed(p.areas[fmt.Sprint(i)], &stream.Record{Offset: next})
				next++
			}
		}
		n, _ := p.due(every)
		most = max(most, n)
		for _, a := range p.unsaved[:n] {
			longest, shortest = max(longest, now.Sub(a.saved.at)), min(shortest, now.Sub(a.saved.at))
			a.saved = unsavedSince{}
		}
		p.unsaved = p.unsaved[n:]
		to := p.handled(next)
		if to < committed {
			t.Fatalf("after %d offset %d is committed", committed, to)
		}
		committed = to
		for _, a := range p.areas {
			if a.saved.dirty && a.saved.offset < committed {
				t.Fatalf("%d is committed, and area %s saved until %d", committed, a.id, a.saved.offset)
			}
		}
	}
	return longest, shortest, most
}

func TestAreasAreSavedOneAfterTheOther(t *testing.T) {
	const tick = 2 * time.Minute / ticks
	for _, interval := range []time.Duration{time.Second, time.Minute, 15 * time.Minute} {
		longest, shortest, most := dueOf(t, 400, interval)
		if longest > 2*time.Minute+tick || shortest < time.Minute || most > 50 {
			t.Errorf("changed every %v: saved after %v to %v, %d of 400 at once", interval, shortest, longest, most)
		}
	}
}

// In a replay two minutes are a long time.
func TestAreasAreSavedSoonerWhereMuchComes(t *testing.T) {
	begun := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	p := &partition{areas: make(map[string]*area), held: unknown, wall: begun, tick: begun}
	for i := range 100 {
		id := fmt.Sprint(i)
		p.areas[id] = &area{id: id}
		p.changed(p.areas[id], &stream.Record{})
	}
	saved := 0
	for p.applied < muchLog*5/4 {
		p.applied += 1 << 18
		if n, _ := p.due(2 * time.Minute); n > 0 {
			if n > 13 || p.applied < muchLog/2 {
				t.Fatalf("%d areas after %d bytes", n, p.applied)
			}
			saved += n
			p.unsaved = p.unsaved[n:]
		}
	}
	if saved != 100 {
		t.Errorf("%d of 100 areas were saved by time %v and %d bytes", saved, p.wall.Sub(begun), p.applied)
	}
}

// An area that is set aside holds the group's offset where its first input
// stands.
func TestNothingIsCommittedBehindWhatIsSetAside(t *testing.T) {
	p := &partition{held: 7}
	if n := p.handled(100); n != 7 {
		t.Errorf("committed %d", n)
	}
	p.unsaved = []*area{{saved: unsavedSince{dirty: true, offset: 5}}}
	if n := p.handled(100); n != 5 {
		t.Errorf("committed %d", n)
	}
}
