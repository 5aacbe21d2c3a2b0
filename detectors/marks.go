package detectors

import "time"

// Every state is kept in three copies. live stands where the newest decided
// interval ends, settled where nothing can change any more. Between them is a
// mark: live as it was at the last place of a grid. A late reading is put into
// the window, and live goes on from the newest copy before it, so that the order
// of arrival does not matter; settled moves on by becoming the mark. So every
// interval is decided once, unless something late makes it be decided again.
const (
	settled = iota
	live
	mark
	copies
)

// settleSlack is for clocks of several ingest processes that differ a little.
const settleSlack = tick(2 * time.Hour / tickLen)

// markGrid is where marks stand. Settled moves on the same grid, so that its
// place depends on the watermark alone.
type markGrid struct {
	behind tick // how far settled is behind the watermark at the least
	step   tick // from place to place
}

// gridOf makes the step a little more than what settled is behind, in whole
// hours: there is never more than one place between settled and live. With more
// marks the step could be shorter, and windows with it; but a mark takes as much
// as the readings of two days.
func gridOf(p *Params) markGrid {
	behind := ticksIn(p.UsualDelay+p.Window) + settleSlack
	return markGrid{behind: behind, step: (behind + ticksAnHour).floor(ticksAnHour)}
}

// last is the last place up to a time.
func (g markGrid) last(to tick) tick { return to.floor(g.step) }

// kept are the settled state of a home and its mark, packed: a mark by what is
// foreseen from settled. A state of a home of which nothing was known takes
// nothing.
type kept struct {
	b       []byte
	settled uint16 // where the mark begins
}

func (k *kept) settledState() []byte { return k.b[:k.settled] }
func (k *kept) markState() []byte    { return k.b[k.settled:] }

// keep makes the copies what they are, by a slice of its own.
func (k *kept) keep(settledState, markState []byte) {
	b := make([]byte, 0, len(settledState)+len(markState))
	*k = kept{append(append(b, settledState...), markState...), uint16(len(settledState))}
}

// settledState makes st what the home's settled state is; false: it is damaged.
func (a *Area) settledState(h *home, st *homeState) bool {
	b := h.kept.settledState()
	if len(b) == 0 {
		*st = homeState{}
		return true
	}
	return unpackState(b, st, false, a.pos[settled])
}

// markState makes st what the home's mark is, and notes what its meters remember
// there; false: settled has been foreseen as another, when it was written.
func (a *Area) markState(h *home, st *homeState) bool {
	if !a.settledState(h, st) {
		return false
	}
	a.foresee(h, st, a.pos[settled], a.pos[mark])
	b := h.kept.markState()
	if len(b) == 0 {
		*st = homeState{}
		return true
	}
	return unpackState(b, st, true, a.pos[mark])
}

// marked reports whether there is a mark.
func (a *Area) marked() bool { return a.pos[mark] > a.pos[settled] }

// unmark forgets the mark.
func (a *Area) unmark() {
	a.pos[mark] = a.pos[settled]
	for _, h := range a.homes {
		h.kept.keep(h.kept.settledState(), nil)
	}
}

// mark keeps live, before it goes on, at the last place up to end, once settled
// has come to the mark before.
func (a *Area) mark(end tick) {
	at := a.grid.last(end)
	if at <= a.pos[settled] || a.marked() {
		return
	}
	a.pos[mark], a.view[mark] = at, a.view[live]
	r := a.enter()
	for _, h := range a.homes {
		a.settledState(h, &r.state)
		a.foresee(h, &r.state, a.pos[settled], at)
		r.packed = r.packed[:0]
		if h.live != (homeState{}) {
			r.packed = packState(r.packed, &h.live, &r.state, at)
		}
		h.kept.keep(h.kept.settledState(), r.packed)
	}
}

// goBack makes live the newest copy that stands at a time or before it.
func (a *Area) goBack(to tick) {
	if a.marked() {
		if a.pos[mark] <= to && a.fromMark() {
			return
		}
		a.unmark() // live leaves it again when it comes there
	}
	a.pos[live], a.view[live] = a.pos[settled], a.view[settled]
	for _, h := range a.homes {
		a.settledState(h, &h.live)
		for _, m := range h.meters {
			m.states[live] = m.states[settled]
		}
	}
}

// fromMark makes live the mark; false: it cannot be read.
func (a *Area) fromMark() bool {
	a.pos[live], a.view[live] = a.pos[mark], a.view[mark]
	for _, h := range a.homes {
		if !a.markState(h, &h.live) {
			return false
		}
		for _, m := range h.meters {
			m.states[live] = m.states[mark]
		}
	}
	return true
}

// start places every copy of an area of which nothing is known before at.
func (a *Area) start(at tick) {
	for i := range a.pos {
		a.pos[i] = at
	}
}

// settle moves settled to where no accepted reading can change anything, and
// forgets the readings before it.
func (a *Area) settle(out *Output) {
	newest := min(a.watermark, tickOf(a.clock.Add(a.p.Skew)))
	if newest-a.grid.behind < a.pos[settled]+a.grid.step && a.pos[settled] != 0 {
		return // as nearly always
	}
	to := a.grid.last(newest - a.grid.behind)
	if a.pos[settled] == 0 { // nothing was before the first reading
		a.start(to)
		a.forget(to)
	}
	if to <= a.pos[settled] {
		return
	}
	if a.changed != 0 {
		a.recompute(out)
	}
	if to > a.pos[live] { // after a long gap, in which there may be many places
		a.run(to, out)
		a.unmark()
		a.mark(to)
	}
	// A state saved under other parameters may have its mark elsewhere; settled
	// then comes there first, or waits for the next.
	if a.marked() && a.pos[mark] <= to && a.becomeMark() {
		a.forget(a.pos[settled])
	}
}

// becomeMark makes settled the mark; false: it cannot be read, and there is none.
func (a *Area) becomeMark() bool {
	r, at := a.enter(), a.pos[mark]
	r.packed, r.ends = r.packed[:0], r.ends[:0]
	for _, h := range a.homes {
		if !a.markState(h, &r.state) {
			a.unmark()
			return false
		}
		if len(h.kept.markState()) != 0 {
			r.packed = packState(r.packed, &r.state, nil, at)
		}
		r.ends = append(r.ends, len(r.packed))
	}
	a.pos[settled], a.view[settled] = at, a.view[mark]
	begin := 0
	for i, h := range a.homes {
		h.kept.keep(r.packed[begin:r.ends[i]], nil)
		begin = r.ends[i]
		for _, m := range h.meters {
			m.states[settled] = m.states[mark]
		}
	}
	return true
}

// forget drops the readings that end by upTo.
func (a *Area) forget(upTo tick) {
	c := &a.enter().cells
	for _, h := range a.homes {
		for _, m := range h.meters {
			m.win.forget(upTo, c)
		}
	}
}
