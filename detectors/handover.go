package detectors

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"

	"weimang/ingest"
)

// A home that moves is watched by its old area up to the date, beside the
// neighbours it had, and by the new one from then on. Readings of before the
// date go to the old area however late they come. It hands over what the home
// has come to at the date, and again when a late reading has made that another;
// the new area begins the home's steps with it. So nothing depends on which area
// has got further, or on what came first.

// handed is a handover that was given or taken.
type handed struct {
	Area    uint32 // from which it was taken, hashed; 0 of one given
	At      tick   // where the state stands; 0: none
	Version uint16
	Sum     uint32 // of what was given
}

// moved is what a home is at the end of a stay: with that its steps in the next
// area begin.
type moved struct {
	at     tick
	state  homeState
	meters []movedMeter
}

type movedMeter struct {
	id    string
	state meterState
}

// snapshot is what settled or live of the home holds, which stands at a time.
func (a *Area) snapshot(h *home, of int, at tick) *moved {
	m := &moved{at: at}
	if of == settled {
		a.settledState(h, &m.state)
	} else {
		m.state = h.live.clone()
	}
	if m.state != (homeState{}) {
		m.state.Unusual = true // or it would say where this area's mark stood
	}
	for _, own := range h.meters {
		m.meters = append(m.meters, movedMeter{own.id, own.states[of]})
	}
	return m
}

// meter is the state of one of its meters.
func (m *moved) meter(id string) meterState {
	for i := range m.meters {
		if m.meters[i].id == id {
			return m.meters[i].state
		}
	}
	return meterState{}
}

// enter makes settled or live of the home what it has come with.
func (a *Area) enter(h *home, m *moved, to int) {
	if to == settled {
		h.kept.keep(packAlone(nil, &m.state, a.pos[settled]), nil, nil)
	} else {
		h.live = m.state.clone()
	}
	for _, own := range h.meters {
		own.states[to] = m.meter(own.id)
	}
}

// comeAndGo begins the steps of the homes that come by a time up to which live is
// about to be, and keeps what those are that go.
func (a *Area) comeAndGo(upTo tick) {
	for _, h := range a.passing {
		if h.res == nil {
			continue
		}
		j, from := h.res.join, a.joined
		for i := range h.res.stays {
			s := &h.res.stays[i]
			if s.to == "" || s.Until <= from || s.Until > upTo {
				continue
			}
			if j != nil && j.at > from && j.at <= s.Until {
				a.enter(h, j, live)
				j = nil
			}
			s.left, s.anew = a.snapshot(h, live, s.Until), true
		}
		if j != nil && j.at > from && j.at <= upTo {
			a.enter(h, j, live)
		}
	}
	a.joined = max(a.joined, upTo)
}

// begin brings the homes that came before an area's first reading to its begin.
func (a *Area) begin() {
	for _, h := range a.homes {
		if h.res == nil || h.res.join == nil || h.res.join.at > a.pos[settled] {
			continue
		}
		a.enter(h, h.res.join, settled)
		a.enter(h, h.res.join, live)
	}
	a.joined = a.pos[settled]
}

// release gives a home to the area in which it goes on after a stay: once live
// has come to its end, or the usual delay has passed since, and then again
// whenever it has become another.
func (a *Area) release(h *home, s *stay, out *Output) error {
	if a.pos[live] < s.Until && a.ticks.overdue < s.Until {
		return nil
	}
	if s.gave.At != 0 && (s.left != nil && !s.anew && !h.res.anew || s.Until <= a.pos[settled]) {
		return nil // as nearly always; or nothing can change any more, but be forgotten
	}
	s.anew = false
	left := s.left
	switch j := h.res.join; {
	case left != nil:
	case j != nil && j.at > a.pos[live]: // it moves on before its first step here
		left = j
	default: // no reading has come by which live would come to it
		left = a.snapshot(h, live, s.Until)
	}
	next := s.gave
	if next.At == 0 {
		next.At = max(s.Until, left.at)
	}
	e := encoder{b: []byte{stateVersion}}
	a.encodeMoved(&e, h, left, next.At)
	word := encoder{}
	word.fixed(h.wasSaid())
	var told published
	if h.res.took.At < next.At { // unless it has come back, it is the other area that speaks from now on
		told = h.public
	}
	if next.Sum = checksum(slices.Concat(e.b, word.b)); next == s.gave && !told.Open {
		return nil
	}
	next.Version++
	if told.Open {
		h.public.Open, h.public.Pushed = false, false
	}
	e.fixed(told)
	e.fixed(h.fill)
	e.fixed(h.rhythm)
	e.b = append(e.b, word.b...)
	e.uint(uint64(h.since))
	e.fixed(checksum(e.b))
	if e.err != nil {
		return fmt.Errorf("hand over household %s: %w", h.id, e.err)
	}
	s.gave = next
	out.Handovers = append(out.Handovers, ingest.Input{AreaID: s.to, Clock: a.clock, Handover: &ingest.Handover{
		HouseholdID: h.id, From: a.id, At: next.At.time(), Version: int(next.Version), State: e.b,
	}})
	return nil
}

// checksum tells damage, and whether a home has become another.
func checksum(b []byte) uint32 { return crc32.ChecksumIEEE(b) }

// encodeMoved writes what a home is at a time: its zone, its state, its meters
// with what they read after it.
func (a *Area) encodeMoved(e *encoder, h *home, left *moved, at tick) {
	e.str(h.zoneAt(at).loc.String())
	e.bytes(packAlone(nil, &left.state, at))
	meters := h.metersAt(at)
	e.uint(uint64(len(meters)))
	for _, m := range meters {
		e.str(m.id)
		e.fixed(left.meter(m.id))
		e.spans(cutOver(m.spans, at))
		rest := newWindow(at, noCut)
		for end, ok := m.win.oldest(at); ok; end, ok = m.win.oldest(end) {
			if m.holds(end) { // of a later stay, and not the other area's
				continue
			}
			a.put(&rest, end, m.win.at(end))
		}
		rest.encode(e)
	}
}

// metersAt are the home's meters but those that were exchanged before a time;
// if there is no other, the last of these. The ones left out are forgotten at
// some time, and what is handed over must not depend on when.
func (h *home) metersAt(at tick) []*meter {
	var meters []*meter
	var last *meter
	for _, m := range h.meters {
		switch over := cutOver(m.spans, at); {
		case over == nil:
			meters = append(meters, m)
		case last == nil || over[len(over)-1].Until > last.spans[len(last.spans)-1].Until:
			last = m
		}
	}
	if meters == nil {
		return []*meter{last}
	}
	return meters
}

// noCut is the step of a window whose code never begins anew.
const noCut = tick(1 << 15)

// put puts one reading into a window.
func (a *Area) put(w *window, end tick, r reading) bool {
	o := opening{w: w, a: a}
	defer o.close()
	return o.put(end, r.length, r.wh, r.quality, r.reg)
}

// cutOver is when a meter was at its home, if that was over before a time; nil:
// always, as far as the area it leaves can say.
func cutOver(spans []span, at tick) []span {
	if spans == nil || spans[len(spans)-1].Until >= at {
		return nil
	}
	return spans
}

// arrival is a home as its old area has given it.
type arrival struct {
	zone   *zone
	state  homeState
	meters []*meter // their state in live, their readings after the date
	public published
	fill   backfill
	rhythm rhythm
	said   said
	since  tick
}

// unpackHome reads what release wrote.
func (a *Area) unpackHome(x *ingest.Handover) (*arrival, error) {
	damaged := func(err error) error {
		return ingest.Reject(ingest.BadField, "state", "household %s of area %s: %v", x.HouseholdID, x.From, err)
	}
	if len(x.State) == 0 || x.State[0] != stateVersion {
		return nil, damaged(ErrStateVersion)
	}
	body := len(x.State) - 4
	if body < 1 || binary.LittleEndian.Uint32(x.State[body:]) != checksum(x.State[:body]) {
		return nil, damaged(errDamaged)
	}
	d := decoder{b: x.State[1:body], version: x.State[0]}
	in := new(arrival)
	var err error
	if in.zone, err = a.zoneOf(d.str()); err != nil {
		return nil, damaged(err)
	}
	if at := tickOf(x.At); !unpackAlone(d.bytes(), &in.state, at) {
		d.err = errDamaged
	}
	for n := d.uint(); n > 0 && d.err == nil; n-- {
		m := &meter{id: d.str()}
		m.states[live] = d.meterState()
		m.spans = d.spans()
		d.window(&m.win, tickOf(x.At), noCut)
		in.meters = append(in.meters, m)
	}
	in.public = d.published()
	d.fixed(&in.fill)
	d.fixed(&in.rhythm)
	d.fixed(&in.said)
	in.since = d.tick()
	if d.err != nil || len(d.b) != 0 || !in.sound(tickOf(x.At)) {
		return nil, damaged(errDamaged)
	}
	return in, nil
}

func (in *arrival) sound(at tick) bool {
	ok := at > 0 && at < lastTick && at%longestInterval == 0 && len(in.meters) > 0 && in.state.sound() && in.public.sound() && in.said.sound()
	for _, m := range in.meters {
		ok = ok && m.id != "" && soundSpans(m.spans)
	}
	return ok
}

// blank reports whether a state knows nothing yet.
func (st *homeState) blank() bool {
	return st.Habits.Days == 0 && st.Silence.Seen == 0 && st.Episode.First == 0
}

// applyHandover takes in a home from the area in which it was. What it is told
// again, or too late, it leaves alone. An error is an *ingest.Rejection.
func (a *Area) applyHandover(x *ingest.Handover, out *Output) error {
	in, err := a.unpackHome(x)
	if err != nil || a.withdrawn(x.HouseholdID) {
		return err
	}
	at, h := tickOf(x.At), a.find(x.HouseholdID)
	if h == nil {
		if a.pos[settled] != 0 && at <= a.pos[settled] {
			return nil // it has been here, and has left: its roster would have come before
		}
		h = a.add(x.HouseholdID, in.zone)
	}
	r := h.rare()
	next := handed{Area: hash(x.From), At: at, Version: uint16(min(x.Version, 1<<16-1))} //nolint:gosec // bounded
	first := at > r.took.At
	if again := next.Area == r.took.Area && at == r.took.At && next.Version > r.took.Version; !first && !again {
		return nil
	}
	r.took, r.anew = next, true
	if h.since == 0 && r.stays == nil { // it is here before the roster has said so
		r.stays = []stay{{span: span{at, never}}}
	}
	if in.since != 0 && (h.since == 0 || in.since < h.since) {
		h.since = in.since
	}
	a.takeOver(h, in, first, out)
	a.takeReadings(h, in, at, out)
	if (first || at > a.pos[settled]) && !in.state.blank() {
		a.takeState(h, in, at)
	}
	a.scan = 0
	a.findPassing()
	return nil
}

// takeOver takes what was said of a home, and to it. Of what comes again it is
// what has come to the other area since.
func (a *Area) takeOver(h *home, in *arrival, first bool, out *Output) {
	if in.public.Open && h.public.Open { // of one home there is one alert: the one it came with
		a.tellHome(h, &episode{}, out)
	}
	if in.public.Open || in.public.Number > h.public.Number {
		h.public = in.public
	}
	if in.fill.Last > h.fill.Last {
		h.fill = in.fill
	}
	if first {
		h.rhythm = in.rhythm
	}
	for _, p := range in.said.Periods {
		if p.ID != 0 {
			h.say().put(p, a.pos[settled])
		}
	}
	for _, o := range in.said.Outcomes {
		if o.At != 0 {
			h.say().found(o)
		}
	}
}

// takeReadings takes the home's meters, and what they read after the date and
// the old area was sent. Its own of equal rank came later and stand.
func (a *Area) takeReadings(h *home, in *arrival, at tick, out *Output) {
	limit := a.ticks.skewed
	for _, m := range in.meters {
		if m.win.newest > limit {
			continue // by a clock that is not this area's
		}
		a.watermark = max(a.watermark, m.win.newest)
		if m.win.grid != 0 {
			a.shortest = min(a.shortest, m.win.grid)
		}
	}
	if a.watermark != 0 {
		a.settle(out)
	}
	for _, m := range in.meters {
		known := slices.ContainsFunc(h.meters, func(own *meter) bool { return own.id == m.id })
		own := a.meterOf(h, m.id)
		if !known {
			own.spans = m.spans
		}
		for end, ok := m.win.oldest(max(at, a.pos[settled])); ok && end <= limit; end, ok = m.win.oldest(end) {
			r := m.win.at(end)
			if old := own.win.at(end); end-r.length < a.pos[settled] || old.length != 0 && old.quality.Rank() >= r.quality.Rank() {
				continue
			}
			if a.put(&own.win, end, r) && end <= a.pos[live] {
				a.changeHome(h, end)
			}
		}
	}
}

// takeState makes the home's steps here begin with the state it has come with.
// Where that lies before what is settled, they begin there.
func (a *Area) takeState(h *home, in *arrival, at tick) {
	j := &moved{at: at, state: in.state}
	for _, m := range in.meters {
		j.meters = append(j.meters, movedMeter{m.id, m.states[live]})
	}
	h.res.join = j
	switch {
	case a.pos[settled] == 0: // nothing has been stepped yet
	case at <= a.pos[settled]:
		a.enter(h, j, settled)
		a.changeHome(h, a.pos[settled]+1)
	case at <= a.pos[live]:
		a.changeHome(h, at)
	}
}
