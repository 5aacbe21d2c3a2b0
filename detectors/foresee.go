package detectors

import (
	"reflect"
	"slices"

	"weimang/ingest"
)

// learned are the parts of a state that follow from the readings alone where
// nothing unusual happens: what a home learns, and its last half-hours. They are
// most of a state, and to learn them again needs no model.
var learned = []reflect.Type{
	reflect.TypeFor[habits](), reflect.TypeFor[quarter](), reflect.TypeFor[quiet](), reflect.TypeFor[levelHabits](),
	reflect.TypeFor[usualStrengths](), reflect.TypeFor[lastHalves](),
}

// foresee takes what is learned in st from settled to a place where nothing
// unusual has happened between (Unusual), as judge would.
func (a *Area) foresee(h *home, st *homeState, to tick) {
	f := &a.borrow().foresight
	f.begin(a, h.zone, to)
	a.replay(h, to, func(end tick, r reading) { f.learn(a.p, st, end, r) })
}

// replay reads the home's meters again, from settled to a place: what they
// remember there is left in their mark.
func (a *Area) replay(h *home, to tick, take func(end tick, r reading)) {
	grid := tick(longestInterval)
	for _, m := range h.meters {
		m.states[mark] = m.states[settled]
		if m.win.grid != 0 {
			grid = min(grid, m.win.grid)
		}
	}
	first := a.pos[settled] + grid
	if len(h.meters) != 1 || h.passes() {
		var join *moved
		if h.res != nil && h.res.join != nil && h.res.join.at >= a.pos[settled] && h.res.join.at <= to {
			join = h.res.join
		}
		for end := first; end <= to+grid; end += grid {
			if join != nil && join.at < end {
				for _, m := range h.meters {
					m.states[mark] = join.meter(m.id)
				}
				join = nil
			}
			if end <= to && h.here(end) {
				r, _ := h.at(end, mark)
				take(end, r)
			}
		}
		return
	}
	// As nearly always: what its window holds, one after the other.
	m := h.meters[0]
	memory, c := &m.states[mark], cursor{cellCode: firstCells}
	for i, end := 0, first; end <= to && i < int(m.win.n); i, end = i+1, end+grid {
		m.win.read(&c, i)
		r := m.win.reading(c.flags, c.wh)
		if r.length == 0 {
			continue
		}
		memory.Seen = end
		if r.reg {
			r, _ = memory.Register.energy(end, r)
		}
		take(end, r)
	}
}

// foresight is what foreseeing needs, the same for all homes of a zone.
type foresight struct {
	zone     *zone
	from, to tick
	begins   []moment // of intervals, by their ticks after from; of day 0: not asked yet
	o        observation
}

func (f *foresight) begin(a *Area, z *zone, to tick) {
	if from := a.pos[settled]; f.zone != z || f.from != from || f.to != to {
		f.zone, f.from, f.to = z, from, to
		f.begins = slices.Grow(f.begins[:0], int(to-from))[:to-from]
		clear(f.begins)
	}
}

// learn takes in an interval: observe without its detectors.
func (f *foresight) learn(p *Params, st *homeState, end tick, r reading) {
	if r.length == 0 || r.wh == ingest.NoValue || !r.quality.ProvesLife() {
		return
	}
	o, begin := &f.o, &f.begins[end-r.length-f.from]
	if begin.day == 0 {
		*begin = f.zone.at(end-r.length, p.Holidays)
	}
	o.end, o.length, o.moment = end, r.length, *begin
	o.watts = float64(r.wh) / r.length.hoursSince(0)
	h, q, d := &st.Habits, &st.Quiet, &st.Day
	st.Quarter.halves(o, func(half halfHour) {
		q.add(half.slot, half.watts)
		if q.known() {
			st.Levels.learn(half.slot, q.level(half.watts), half.rest)
			d.Strong.count(half.slot/slotsAPart, strengthOf(half.watts-q.mid()))
		}
		d.turn(h, &half)
	})
	h.learn(o.slot, o.watts)
	if o.length == 4 {
		h.learn((o.slot+1)%slotsADay, o.watts)
	}
	h.Days += float32(o.length) / float32(ticksADay)
}
