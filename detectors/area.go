package detectors

import (
	"slices"
	"strings"
	"time"

	"weimang/ingest"
)

// Two copies of every state: settled stands where nothing can change any
// more, live where the newest decided interval ends. A late reading is put
// into the window and live is computed again from settled, so that the order
// of arrival does not matter.
const (
	settled = iota
	live
)

// settleStep is the grid on which settled moves, so that its place depends on
// the watermark alone; settleSlack is for clocks of several ingest processes
// that differ a little.
const (
	settleStep  = tick(6 * time.Hour / tickLen)
	settleSlack = tick(2 * time.Hour / tickLen)
)

// silentAfter is when an area stops waiting for a home.
const silentAfter = ticksADay

// Area is the homes behind one transformer: the unit of ownership, of
// comparison and of order. It is not safe for concurrent use.
type Area struct {
	p     *Params
	id    string
	homes []*home // by household id
	zones map[string]*zone

	clock     time.Time // largest clock of any input
	watermark tick      // newest interval end accepted
	pos       [2]tick   // every interval that ends by pos[live] is decided
	view      [2]areaState
	public    published
	incidents []incident
	grid      tick // shortest interval of any home
	dirty     bool // something at or before pos[live] has changed
	scan      int  // homes before it have reported the interval after pos[live]

	moved   bool // live has moved since publish spoke
	holding bool // an opening is held back while history is filled in

	obs []observation // scratch, one a home
}

// Output collects what inputs lead to.
type Output struct {
	Findings []Finding
	// History is wanted when Points is not nil: it is called with every
	// interval decided or decided again.
	Points func(areaID, householdID string, p UsePoint)
	// TooLate are readings older than what can still change.
	TooLate []*ingest.Readings
	// Duplicates counts readings that changed nothing; Rollovers and Backward
	// what registers did.
	Duplicates, Rollovers, Backward uint64
}

// NewArea is an area of which nothing is known yet. p must outlive it.
func NewArea(p *Params, id string) *Area {
	return &Area{p: p, id: id, zones: make(map[string]*zone), grid: 4}
}

// ID is the area's id.
func (a *Area) ID() string { return a.id }

// Homes is the number of households seen.
func (a *Area) Homes() int { return len(a.homes) }

// Apply takes the next input of the area's log and keeps nothing of it. An
// error is an *ingest.Rejection: the household's zone does not exist, or the
// reading ends after the clock; the input is then not applied.
func (a *Area) Apply(in *ingest.Input, out *Output) error {
	if in.Clock.After(a.clock) {
		a.clock = in.Clock
	}
	switch {
	case in.Readings != nil:
		if err := a.applyReadings(in.Readings, out); err != nil {
			return err
		}
	case in.Incident != nil:
		a.applyIncident(in.Incident)
		a.moved = true
	}
	a.advance(out)
	return nil
}

func (a *Area) applyReadings(r *ingest.Readings, out *Output) error {
	h, err := a.home(r)
	if err != nil {
		return err
	}
	m := h.meter(r.MeterID, a.pos[settled])
	length := ticksIn(r.Interval)
	first := tickOf(r.Start)
	last := first + tick(len(r.Wh))*length
	limit := tickOf(a.clock.Add(a.p.Skew))
	if last > limit {
		return ingest.Reject(ingest.Future, "", "a reading of meter %s ends %s after the clock", r.MeterID, time.Duration(last-limit)*tickLen)
	}
	a.watermark = max(a.watermark, last)
	a.settle(out)
	a.grid = min(a.grid, length)
	old := tickOf(a.clock.Add(-a.p.UsualDelay - backfillAge))
	late := false
	for i, wh := range r.Wh {
		end := first + tick(i+1)*length
		if end-length < a.pos[settled] {
			late = true
			continue
		}
		if m.win.from < a.pos[settled] {
			m.win.forget(a.pos[settled])
		}
		if !m.win.put(end, length, wh, r.Quality, r.Register) {
			out.Duplicates++
			continue
		}
		a.dirty = a.dirty || end <= a.pos[live]
		if end < old {
			h.filled = a.clock
		}
	}
	if late {
		refused := *r
		refused.Wh = slices.Clone(r.Wh)
		out.TooLate = append(out.TooLate, &refused)
	}
	return nil
}

// home is the household of r, made when it is new.
func (a *Area) home(r *ingest.Readings) (*home, error) {
	i, ok := slices.BinarySearchFunc(a.homes, r.HouseholdID, func(h *home, id string) int { return strings.Compare(h.id, id) })
	if ok {
		return a.homes[i], nil
	}
	z, err := a.zoneOf(r.Zone)
	if err != nil {
		return nil, ingest.Reject(ingest.BadField, "zone", "household %s: %v", r.HouseholdID, err)
	}
	h := &home{id: strings.Clone(r.HouseholdID), zone: z}
	a.homes = slices.Insert(a.homes, i, h)
	a.obs = make([]observation, len(a.homes))
	a.scan = 0
	return h, nil
}

func (a *Area) zoneOf(name string) (*zone, error) {
	if z, ok := a.zones[name]; ok {
		return z, nil
	}
	z, err := newZone(name)
	if err != nil {
		return nil, err
	}
	a.zones[strings.Clone(name)] = z
	return z, nil
}

// meter is the home's meter of that id, made when it is new.
func (h *home) meter(id string, from tick) *meter {
	for _, m := range h.meters {
		if m.id == id {
			return m
		}
	}
	m := &meter{id: strings.Clone(id), win: window{from: from}}
	h.meters = append(h.meters, m)
	slices.SortFunc(h.meters, func(x, y *meter) int { return strings.Compare(x.id, y.id) })
	return m
}

// settle moves settled to where no accepted reading can change anything, and
// forgets the readings before it.
func (a *Area) settle(out *Output) {
	newest := min(a.watermark, tickOf(a.clock.Add(a.p.Skew)))
	to := (newest - ticksIn(a.p.UsualDelay+a.p.Window) - settleSlack).floor(settleStep)
	if a.pos[settled] == 0 { // nothing was before the first reading
		a.pos = [2]tick{to, to}
		for _, h := range a.homes {
			for _, m := range h.meters {
				m.win.forget(to)
			}
		}
	}
	if to <= a.pos[settled] {
		return
	}
	if a.dirty {
		a.recompute(out)
	}
	a.run(live, to, out)
	a.run(settled, to, nil)
	for _, h := range a.homes {
		for _, m := range h.meters {
			m.win.forget(to)
		}
	}
	a.forgetIncidents(to)
}

// advance decides every interval that is complete or has waited long enough,
// computes again what late data has changed, and says what is new.
func (a *Area) advance(out *Output) {
	if a.dirty {
		a.recompute(out)
	}
	overdue := min(a.watermark, tickOf(a.clock.Add(-a.p.UsualDelay)))
	for {
		next := a.pos[live].floor(a.grid) + a.grid
		if next > a.watermark || (next > overdue && !a.complete(next)) {
			break
		}
		a.run(live, next, out)
	}
	if a.moved || a.holding {
		a.publish(out)
	}
}

// complete reports whether every home that is still heard of has reported the
// interval that ends at end. Homes found complete are not asked again.
func (a *Area) complete(end tick) bool {
	for ; a.scan < len(a.homes); a.scan++ {
		for _, m := range a.homes[a.scan].meters {
			if m.win.newest < end && m.win.newest > end-silentAfter {
				return false
			}
		}
	}
	return true
}

// recompute brings live from settled to where it stood.
func (a *Area) recompute(out *Output) {
	to := a.pos[live]
	a.pos[live], a.view[live] = a.pos[settled], a.view[settled]
	for _, h := range a.homes {
		h.states[live] = h.states[settled]
		for _, m := range h.meters {
			m.last[live] = m.last[settled]
		}
	}
	a.dirty, a.moved = false, true
	a.run(live, to, out)
}

// run steps one copy through every interval up to and including to.
func (a *Area) run(which int, to tick, out *Output) {
	for t := a.pos[which].floor(a.grid) + a.grid; t <= to; t += a.grid {
		a.step(which, t, out)
	}
	if to > a.pos[which] {
		a.pos[which] = to
		if which == live {
			a.scan, a.moved = 0, true
		}
	}
}

// step decides the interval that ends at end for all homes.
func (a *Area) step(which int, end tick, out *Output) {
	reporting, dark, longest := 0, 0, tick(0)
	var scratch [registerFirst + 1]uint64
	for i, h := range a.homes {
		r := h.at(end, which, &scratch)
		o := &a.obs[i]
		*o = observation{end: end, length: r.length}
		if r.length == 0 || !r.quality.ProvesLife() {
			if r.length != 0 && which == live {
				a.point(out, h, o, r)
			}
			o.length = 0
			continue
		}
		longest = max(longest, r.length)
		o.slot = h.zone.slot(end, r.length)
		o.wh = float64(r.wh)
		o.watts = o.wh / r.length.hoursSince(0)
		o.usualWh = float64(h.states[which].Habits.Mean[o.slot]) * r.length.hoursSince(0)
		if h.states[which].Life.ZeroShare < usuallyZero && h.states[which].Habits.Days > 1 {
			reporting++
			if r.wh == 0 {
				dark++
			}
		}
		if which == live {
			a.point(out, h, o, r)
		}
	}
	if which == live && out != nil {
		out.Rollovers += scratch[registerRollover]
		out.Backward += scratch[registerBackward]
	}
	if longest == 0 {
		return
	}
	view := &a.view[which]
	view.lookAround(end, longest, reporting, dark)

	var use, usual [len(spans)]float64
	if !view.Dark {
		for i, h := range a.homes {
			st := &h.states[which]
			if o := &a.obs[i]; o.length != 0 && st.Habits.Days >= 1 {
				base := float64(st.Habits.QuietMid) * o.length.hoursSince(0)
				st.Below.average(o.length, max(0, o.wh-base), max(0, o.usualWh-base))
			}
			for k := range spans {
				use[k] += float64(st.Below.Use[k])
				usual[k] += float64(st.Below.Usual[k])
			}
		}
	}
	for i, h := range a.homes {
		o, st := &a.obs[i], &h.states[which]
		if o.length == 0 {
			continue
		}
		if view.Dark {
			st.Dark, st.Life.ZeroSince, st.Above.Since = o.wh == 0, 0, 0
			continue
		}
		if reporting >= minNeighbours {
			o.areaLit = true
			for k, span := range spans {
				others := float64(len(a.homes) - 1)
				o.neighbours[k] = logRatio((use[k]-float64(st.Below.Use[k]))/others, (usual[k]-float64(st.Below.Usual[k]))/others, span)
			}
		}
		st.observe(a.p, o)
		view.rollCall(st, o)
		st.arbitrate(end, a.p.FullDays)
	}
}

// point hands an interval and its usual band to the history.
func (a *Area) point(out *Output, h *home, o *observation, r reading) {
	if out == nil || out.Points == nil {
		return
	}
	hours := r.length.hoursSince(0)
	low, mid, high := h.states[live].Habits.band(h.zone.slot(o.end, r.length))
	p := UsePoint{
		Start: (o.end - r.length).time(), Interval: time.Duration(r.length) * tickLen,
		Low: low * hours / 1000, Mid: mid * hours / 1000, High: high * hours / 1000,
	}
	if r.quality == ingest.Missing {
		p.NoData = true
	} else {
		p.KWh = float64(r.wh) / 1000
	}
	out.Points(a.id, h.id, p)
}
