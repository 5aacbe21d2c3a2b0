package backtest

import (
	"time"

	"weimang/ingest"
	"weimang/ingest/feedfile"
	"weimang/ingest/intake"
)

// lookup is where the roster has the feed's meters, and who moves between which
// areas.
type lookup struct {
	roster     intake.Roster
	found      []*ingest.Home // by meter of the feed: the home found last
	inFeed     map[string]bool
	residences []ingest.Input
	moves      map[string]string // area: another to which, or from which, somebody moves
}

// lists is a roster that can be told to areas.
type lists interface {
	Meters() []string
	Residences(meters []string) []ingest.Input
}

func newLookup(roster intake.Roster, feed *feedfile.Feed) *lookup {
	l := &lookup{
		roster: roster, found: make([]*ingest.Home, len(feed.Meters())), inFeed: make(map[string]bool), moves: make(map[string]string),
	}
	if all, ok := roster.(lists); ok {
		l.residences = all.Residences(all.Meters())
	}
	for _, in := range l.residences {
		for _, s := range in.Residence.Stays {
			if s.To != "" {
				l.join(in.AreaID, s.To)
			}
		}
	}
	for _, id := range feed.Meters() {
		for row := range feed.Rows(id) {
			l.expect(id, row.Start)
			break
		}
	}
	return l
}

// expect notes at which households a meter is from its first reading on.
func (l *lookup) expect(meter string, t time.Time) {
	for {
		h, ok := l.roster.Lookup(meter, t)
		if ok {
			l.inFeed[h.HouseholdID] = true
			t = h.Until
		} else {
			t = h.From
		}
		if t.IsZero() {
			return
		}
	}
}

// at is the home of a meter at a time, with its area; nil: it has none.
func (l *lookup) at(meter int, id string, t time.Time) *ingest.Home {
	if h := l.found[meter]; h != nil && h.Holds(t) {
		return h
	}
	h, ok := l.roster.Lookup(id, t)
	if !ok {
		return nil
	}
	h.AreaID = intake.AreaOf(h)
	l.found[meter] = &h
	return &h
}

// together names the areas between which homes move by one of them: one worker
// has them all, so that what they hand over is in order.
func (l *lookup) together(area string) string {
	for l.moves[area] != "" {
		area = l.moves[area]
	}
	return area
}

func (l *lookup) join(x, y string) {
	if x, y = l.together(x), l.together(y); x != y {
		l.moves[x] = y
	}
}
