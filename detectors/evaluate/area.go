package evaluate

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"weimang/detectors"
	"weimang/ingest"
)

// area is some homes behind one transformer, and what was reported of it.
type area struct {
	id      string
	homes   []*home
	judged  []int // of homes: those that cases and counts are about
	reports []report
	grid    tick // shortest interval of any home
	from    tick // start of the first reading
	until   tick // end of the last one
}

// report is an incident and when it became known.
type report struct {
	at       time.Time
	incident ingest.Incident
}

// newArea orders the homes by their meters, as a feed does: within an interval
// the order shows in what a finding knows of the newest reading.
func newArea(id string, homes []*home, judged func(*home) bool) *area {
	homes = slices.Clone(homes)
	slices.SortFunc(homes, func(a, b *home) int { return strings.Compare(a.meter, b.meter) })
	a := &area{id: id, homes: homes, grid: hourTicks, from: math.MaxInt64}
	for i, h := range homes {
		a.grid, a.from, a.until = min(a.grid, h.step), min(a.from, h.start), max(a.until, h.end())
		if judged(h) {
			a.judged = append(a.judged, i)
		}
	}
	return a
}

// curves says what the meters of an area read instead of what they did. Nil
// curves are as they were; all begin at from.
type curves struct {
	from   tick
	byHome [][]uint32
}

func (c *curves) value(i int, h *home, t tick) uint32 {
	if c != nil && t >= c.from && c.byHome[i] != nil {
		if n := int((t - c.from) / h.step); n < len(c.byHome[i]) {
			return c.byHome[i][n]
		}
	}
	return h.value(t)
}

// feed gives an area's state the readings that end after from, up to and
// including until, interval by interval, as a live feed would; the clock is
// the feed's own. It returns how many readings it gave.
func (a *area) feed(state *detectors.Area, from, until tick, instead *curves, out *detectors.Output) (int, error) {
	readings := ingest.Readings{Wh: make([]uint32, 1)}
	next, _ := slices.BinarySearchFunc(a.reports, from.time(), func(r report, t time.Time) int { return r.at.Compare(t) })
	n := 0
	for end := from - from%a.grid + a.grid; end <= until; end += a.grid {
		now := end.time()
		for ; next < len(a.reports) && a.reports[next].at.Before(now); next++ {
			r := &a.reports[next]
			clock := (end - a.grid).time()
			if clock.Before(r.at) {
				clock = r.at
			}
			if err := state.Apply(&ingest.Input{AreaID: a.id, Clock: clock, Incident: &r.incident}, out); err != nil {
				return n, fmt.Errorf("area %s: %w", a.id, err)
			}
		}
		for i, h := range a.homes {
			if end%h.step != 0 {
				continue
			}
			t := end - h.step
			wh := instead.value(i, h, t)
			if wh == absent {
				continue
			}
			n++
			readings.MeterID, readings.HouseholdID, readings.Zone = h.meter, h.id, h.zone
			readings.Start, readings.Interval, readings.Wh[0] = t.time(), h.step.duration(), wh
			readings.Quality = ingest.Valid
			if h.quality != nil && t >= h.start && t < h.end() {
				readings.Quality = h.quality[h.index(t)]
			}
			if err := state.Apply(&ingest.Input{AreaID: a.id, Clock: now, Readings: &readings}, out); err != nil {
				return n, fmt.Errorf("area %s: %w", a.id, err)
			}
		}
	}
	return n, nil
}

// push is what reached a phone about one home.
type push struct {
	at    tick // by the clock
	onset tick
	kind  detectors.Kind
	visit bool
}

// pushes of each home of the area, in the order in which they were decided.
func (a *area) pushes(found []detectors.Finding) [][]push {
	all := make([][]push, len(a.homes))
	index := make(map[string]int, len(a.homes))
	for i, h := range a.homes {
		index[h.id] = i
	}
	for i := range found {
		f := &found[i]
		if !f.Pushed || f.State == detectors.Resolved || f.HouseholdID == "" {
			continue
		}
		if h, ok := index[f.HouseholdID]; ok {
			all[h] = append(all[h], push{at: tickOf(f.DecidedAt), onset: tickOf(f.Onset), kind: f.Kind, visit: f.Severity.VisitLevel()})
		}
	}
	return all
}
