package detectors

import (
	"slices"
	"strings"
	"time"

	"weimang/ingest"
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

	clock         time.Time // largest clock of any input
	ticks         clockTicks
	watermark     tick         // newest interval end accepted
	pos           [copies]tick // every interval that ends by pos[live] is decided
	view          [copies]areaState
	grid          markGrid
	public        published
	unheardPublic published // of the area's silence
	incidents     []incident
	consents      []consent // by household
	shortest      tick      // interval of any home
	lateUntil     tick      // until when live keeps a copy near itself, 0: not now
	changed       tick      // end of the first interval at or before pos[live] that may have become another, 0: none
	again         bool      // live is deciding again what it had decided
	scan          int       // homes before it have reported the interval after pos[live]

	moved   bool // live has moved since publish spoke
	holding bool // an opening is held back while history is filled in
	fill    backfill

	passing []*home // those of which the roster has dates, see findPassing
	joined  tick    // who has come or gone by it has in live

	last    int   // place of the home that reported last
	room    *room // while an input is applied
	unheard int   // homes silent among neighbours that are not
}

// clockTicks is the clock in ticks, and what it makes of readings by their ends.
type clockTicks struct {
	now     tick
	skewed  tick // of the future after it
	overdue tick // due by it
	old     tick // back-fill before it
}

func (a *Area) setClock(now time.Time) {
	a.clock = now
	due := now.Add(-a.p.UsualDelay)
	a.ticks = clockTicks{
		now: tickOf(now), skewed: tickOf(now.Add(a.p.Skew)),
		overdue: tickOf(due), old: tickOf(due.Add(-backfillAge)),
	}
}

// Output collects what inputs lead to.
type Output struct {
	Findings []Finding
	// Handovers are entries for the logs of other areas, to which homes have
	// moved. They must be written before the area is saved.
	Handovers []ingest.Input
	// History is wanted when Points is not nil: it is called with every
	// interval decided, and with those of a home decided again from its
	// earliest late reading on.
	Points func(areaID, householdID string, p UsePoint)
	// Features is wanted by what fits the models: it is called with every
	// interval that is decided for the first time.
	Features func(householdID string, f *Features)
	// TooLate are readings older than what can still change.
	TooLate []*ingest.Readings
	// Duplicates counts readings that changed nothing; Rollovers and Backward
	// what registers did.
	Duplicates, Rollovers, Backward uint64
	// Unwanted counts entries of readings of households that have withdrawn
	// their consent.
	Unwanted uint64
	// Peaks and Stuck count readings taken for missing because they cannot be.
	Peaks, Stuck uint64
}

func (o *Output) tooLate(r *ingest.Readings) {
	refused := *r
	refused.Wh = slices.Clone(r.Wh)
	o.TooLate = append(o.TooLate, &refused)
}

func (o *Output) register(e registerEvents) {
	o.Rollovers += e.rollover
	o.Backward += e.backward
}

func (o *Output) impossible(c Cause) {
	switch c {
	case CausePeak:
		o.Peaks++
	case CauseStuckValue:
		o.Stuck++
	}
}

// NewArea is an area of which nothing is known yet. p must outlive it.
func NewArea(p *Params, id string) *Area {
	a := &Area{p: p, id: id, zones: make(map[string]*zone), grid: gridOf(p), shortest: longestInterval}
	a.setClock(time.Time{})
	return a
}

// ID is the area's id.
func (a *Area) ID() string { return a.id }

// Watermark is the end of the newest reading taken, UTC.
func (a *Area) Watermark() time.Time { return a.watermark.time() }

// Homes is the number of households seen, or named by the roster.
func (a *Area) Homes() int { return len(a.homes) }

// Apply takes the next input of the area's log and keeps nothing of it. An
// error is an *ingest.Rejection: the household's zone does not exist, the
// readings are no intervals of the contract or end after the clock, a handover
// cannot be read; of the input only the clock is then taken.
func (a *Area) Apply(in *ingest.Input, out *Output) error {
	defer a.giveBack()
	// To the millisecond, as the log and a checkpoint carry it.
	if now := in.Clock.Truncate(time.Millisecond); now.After(a.clock) {
		a.setClock(now)
	}
	if a.holding { // what was held back for long enough comes before what is new
		a.publish(out)
	}
	switch {
	case in.Readings != nil:
		if err := a.applyReadings(in.Readings, out); err != nil {
			return err
		}
	case in.Incident != nil:
		a.applyIncident(in.Incident)
	case in.Directive != nil:
		if err := a.applyDirective(in.Directive, out); err != nil {
			return err
		}
	case in.Residence != nil:
		if err := a.applyResidence(in.Residence, out); err != nil {
			return err
		}
	case in.Handover != nil:
		if err := a.applyHandover(in.Handover, out); err != nil {
			return err
		}
	}
	a.advance(out)
	return a.pass(out)
}

func (a *Area) applyReadings(r *ingest.Readings, out *Output) error {
	length, first := ticksIn(r.Interval), tickOf(r.Start)
	switch {
	case length != 1 && length != 2 && length != 4 || r.Interval != time.Duration(length)*tickLen:
		return ingest.Reject(ingest.BadInterval, "interval_s", "an interval of %s", r.Interval)
	case first < epoch || first%length != 0 || !r.Start.Equal(first.time()):
		return ingest.Reject(ingest.BadTime, "ts", "%s is not the start of an interval of %s", r.Start.UTC().Format(time.RFC3339), r.Interval)
	}
	last := first + tick(len(r.Wh))*length
	if limit := a.ticks.skewed; last > limit {
		return ingest.Reject(ingest.Future, "", "a reading of meter %s ends %s after the clock", r.MeterID, time.Duration(last-limit)*tickLen)
	}
	if a.withdrawn(r.HouseholdID) {
		out.Unwanted++
		return nil
	}
	if last <= a.pos[settled] && a.find(r.HouseholdID) == nil {
		out.tooLate(r) // and no reason to watch a home that has left
		return nil
	}
	h, err := a.home(r)
	if err != nil {
		return err
	}
	a.heard(h, r)
	m := a.meterOf(h, r.MeterID)
	a.watermark = max(a.watermark, last)
	a.settle(out)
	a.shortest = min(a.shortest, length)
	old := last < a.ticks.old
	late := false
	w := opening{w: &m.win, a: a}
	for i, wh := range r.Wh {
		end := first + tick(i+1)*length
		if end-length < a.pos[settled] {
			late = true
			continue
		}
		if !w.put(end, length, wh, r.Quality, r.Register) {
			out.Duplicates++
			continue
		}
		if end <= a.pos[live] {
			a.changeHome(h, end)
		}
		if h.res != nil {
			h.res.anew = true
		}
		if old {
			h.fill.more(a.clock)
			a.fill.more(a.clock)
		}
	}
	w.close()
	if late {
		out.tooLate(r)
	}
	return nil
}

// home is the household of r, made when it is new.
func (a *Area) home(r *ingest.Readings) (*home, error) {
	if a.last++; a.last < len(a.homes) && a.homes[a.last].id == r.HouseholdID {
		return a.homes[a.last], nil // as in a feed of one interval after the other
	}
	i, ok := a.place(r.HouseholdID)
	if a.last = i; ok {
		return a.homes[i], nil
	}
	z, err := a.zoneOf(r.Zone)
	if err != nil {
		return nil, ingest.Reject(ingest.BadField, "zone", "household %s: %v", r.HouseholdID, err)
	}
	return a.add(r.HouseholdID, z), nil
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

// meterOf is the home's meter of that id, made when it is new.
func (a *Area) meterOf(h *home, id string) *meter {
	for _, m := range h.meters {
		if m.id == id {
			return m
		}
	}
	m := h.newMeter()
	m.id, m.win = strings.Clone(id), newWindow(a.pos[settled], a.grid.step)
	h.meters = append(h.meters, m)
	slices.SortFunc(h.meters, func(x, y *meter) int { return strings.Compare(x.id, y.id) })
	return m
}

// newMeter is room for a meter: for the first, as nearly always the only one, in
// the home itself.
func (h *home) newMeter() *meter {
	if len(h.meters) == 0 {
		h.meter = meter{}
		return &h.meter
	}
	return new(meter)
}

// advance decides every interval that is complete or has waited long enough,
// computes again what late data has changed, and says what is new.
func (a *Area) advance(out *Output) {
	if a.changed != 0 {
		a.recompute(out)
	}
	overdue := min(a.watermark, a.ticks.overdue)
	for {
		next := a.pos[live].floor(a.shortest) + a.shortest
		if next > a.watermark || (next > overdue && !a.complete(next)) {
			break
		}
		a.run(next, out)
	}
	if a.moved || a.holding {
		a.publish(out)
	}
	a.publishSilence(out)
	a.announce(out)
}

// complete reports whether every home that is still heard of has reported the
// interval that ends at end. Homes found complete are not asked again. An area of
// which nothing is decided yet does not know its homes: were the first to report
// all it waits for, each of the others would be late.
func (a *Area) complete(end tick) bool {
	if !slices.ContainsFunc(a.homes, (*home).decided) {
		return false
	}
	for ; a.scan < len(a.homes); a.scan++ {
		for _, m := range a.homes[a.scan].meters {
			if m.win.newest < end && m.win.newest > end-silentAfter && m.holds(end) {
				return false
			}
		}
	}
	return true
}

// change notes that the interval that ends at end, or one after it, may be
// another than live has decided.
func (a *Area) change(end tick) {
	if a.changed == 0 || end < a.changed {
		a.changed = end
	}
}

// recompute brings live to where it stood from the newest copy that what has
// changed cannot have touched.
func (a *Area) recompute(out *Output) {
	to := a.pos[live]
	a.goBack(a.changed - 1)
	a.changed, a.moved = 0, true
	a.lateUntil = to + nearFor
	a.again = true
	a.run(to, out)
	a.again = false
	for _, h := range a.homes {
		h.changed = 0
	}
}

// run steps live through every interval up to and including to.
func (a *Area) run(to tick, out *Output) {
	first, last := a.pos[live].floor(a.shortest)+a.shortest, to
	if to-a.pos[live] > ticksADay { // nothing is decided without a reading
		first, last = max(first, a.oldest(a.pos[live]).floor(a.shortest)), min(to, a.newest())
	}
	for t := first; t <= last; t += a.shortest {
		a.mark(t - 1)
		a.comeAndGo(t - 1)
		a.step(t, out)
	}
	a.mark(to)
	a.comeAndGo(to)
	if to > a.pos[live] {
		a.pos[live] = to
		a.scan, a.moved = 0, true
	}
}

// oldest is the end of the oldest reading of any home after a time; the same
// time a century later when there is none.
func (a *Area) oldest(after tick) tick {
	n := after + 36525*ticksADay
	for _, h := range a.homes {
		for _, m := range h.meters {
			if end, ok := m.win.oldest(after); ok {
				n = min(n, end)
			}
		}
	}
	return n
}

// newest is the end of the newest reading of any home.
func (a *Area) newest() tick {
	n := tick(0)
	for _, h := range a.homes {
		n = max(n, h.newest())
	}
	return n
}
