package detectors

import (
	"encoding/binary"
	"time"
)

// Every state is kept in three copies. live stands where the newest decided
// interval ends, settled where nothing can change any more. Between them is a
// mark: live as it was at the last place of a grid. A late reading is put into
// the window, and live goes on from the newest copy before it, so that the order
// of arrival does not matter; settled moves on by becoming the mark. So every
// interval is decided once, unless something late makes it be decided again.
//
// Where late readings come, a fourth copy is kept for a while, near live, since
// most are late by hours.
const (
	settled = iota
	live
	mark
	near
	copies
)

// near is left every nearStep, as long as the last late reading is no more than
// nearFor old.
const (
	nearStep = ticksADay
	nearFor  = 2 * ticksADay
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

// kept are a home's copies but live, packed one after the other behind where the
// second and the third begin. That of a home of which nothing was known takes
// nothing.
type kept struct{ b []byte }

const keptHead = 4

func (k *kept) from(i int) int { return int(binary.LittleEndian.Uint16(k.b[2*i:])) }

func (k *kept) settledState() []byte {
	if k.b == nil {
		return nil
	}
	return k.b[keptHead:k.from(0)]
}

func (k *kept) markState() []byte {
	if k.b == nil {
		return nil
	}
	return k.b[k.from(0):k.from(1)]
}

func (k *kept) nearState() []byte {
	if k.b == nil {
		return nil
	}
	return k.b[k.from(1):]
}

// keep makes the copies what they are, in a slice of their own.
func (k *kept) keep(settledState, markState, nearState []byte) {
	n := keptHead + len(settledState)
	b := make([]byte, keptHead, n+len(markState)+len(nearState))
	binary.LittleEndian.PutUint16(b, uint16(n))
	binary.LittleEndian.PutUint16(b[2:], uint16(n+len(markState)))
	k.b = append(append(append(b, settledState...), markState...), nearState...)
}

// settledState makes st what the home's settled state is; false: it is damaged.
func (a *Area) settledState(h *home, st *homeState) bool {
	b := h.kept.settledState()
	if len(b) == 0 {
		*st = homeState{}
		return true
	}
	return unpackAlone(b, st, a.pos[settled])
}

// markState makes st what the home's mark is, and leaves in its meters' mark what
// they remember there; false: it cannot be read.
func (a *Area) markState(h *home, st *homeState) bool {
	if !a.settledState(h, st) {
		return false
	}
	b := h.kept.markState()
	if len(b) > 0 && isForeseen(b) {
		a.foresee(h, st, a.pos[mark])
	} else {
		a.replay(h, a.pos[mark], func(tick, reading) {})
	}
	if len(b) == 0 {
		*st = homeState{}
		return true
	}
	return unpackMark(b, st, a.pos[mark])
}

// marked reports whether there is a mark.
func (a *Area) marked() bool { return a.pos[mark] > a.pos[settled] }

// unmark forgets the mark, and what is near live with it.
func (a *Area) unmark() {
	a.pos[mark], a.pos[near] = a.pos[settled], a.pos[settled]
	for _, h := range a.homes {
		h.kept.keep(h.kept.settledState(), nil, nil)
	}
}

// isNear reports whether there is a copy near live.
func (a *Area) isNear() bool { return a.pos[near] > a.pos[mark] }

// forgetNear gives its room back.
func (a *Area) forgetNear() {
	a.pos[near] = a.pos[settled]
	for _, h := range a.homes {
		h.kept.keep(h.kept.settledState(), h.kept.markState(), nil)
	}
}

// mark keeps live, before it goes on, at the last place up to end, once settled
// has come to the mark before.
func (a *Area) mark(end tick) {
	if a.lateUntil != 0 {
		a.stayNear(end)
	}
	at := a.grid.last(end)
	if at <= a.pos[settled] || a.marked() {
		return
	}
	a.comeAndGo(at)
	a.pos[mark], a.view[mark] = at, a.view[live]
	a.pos[near] = at // it is as near
	r := a.borrow()
	for _, h := range a.homes {
		foreseen := !h.live.Unusual && !h.passes()
		h.live.Unusual = false
		if b := h.kept.settledState(); foreseen && len(b) > 0 {
			unpackJudged(b, &r.state, a.pos[settled])
		} else {
			a.settledState(h, &r.state)
		}
		r.packed = r.packed[:0]
		if h.live != (homeState{}) {
			r.packed = packMark(r.packed, &h.live, &r.state, foreseen, at)
		}
		h.kept.keep(h.kept.settledState(), r.packed, nil)
	}
}

// stayNear keeps live at the last place of its own up to end.
func (a *Area) stayNear(end tick) {
	at := end.floor(nearStep)
	switch {
	case end > a.lateUntil:
		a.lateUntil = 0
		a.forgetNear()
		return
	case at <= max(a.pos[mark], a.pos[near]):
		return
	}
	a.comeAndGo(at)
	a.pos[near], a.view[near] = at, a.view[live]
	r := a.borrow()
	for _, h := range a.homes {
		r.packed = r.packed[:0]
		if h.live != (homeState{}) {
			r.packed = packAlone(r.packed, &h.live, at)
		}
		h.kept.keep(h.kept.settledState(), h.kept.markState(), r.packed)
	}
}

// goBack makes live the newest copy that stands at a time or before it.
func (a *Area) goBack(to tick) {
	defer func() { a.joined = a.pos[live] - 1 }() // again what happens there
	if a.isNear() {
		if a.pos[near] <= to {
			a.fromNear()
			return
		}
		a.forgetNear()
	}
	if a.marked() {
		if a.pos[mark] <= to && a.fromMark() {
			return
		}
		a.unmark() // live leaves it again when it comes there
	}
	a.fromSettled()
}

// fromSettled makes live what is settled.
func (a *Area) fromSettled() {
	a.pos[live], a.view[live] = a.pos[settled], a.view[settled]
	a.joined = a.pos[live] - 1
	for _, h := range a.homes {
		a.settledState(h, &h.live)
		for _, m := range h.meters {
			m.states[live] = m.states[settled]
		}
	}
}

// fromNear makes live what is near it.
func (a *Area) fromNear() {
	a.pos[live], a.view[live] = a.pos[near], a.view[near]
	for _, h := range a.homes {
		h.live = homeState{}
		if b := h.kept.nearState(); len(b) > 0 {
			unpackAlone(b, &h.live, a.pos[near])
		}
		a.replay(h, a.pos[near], func(tick, reading) {})
		for _, m := range h.meters {
			m.states[live] = m.states[mark]
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
	newest := min(a.watermark, a.ticks.skewed)
	if newest-a.grid.behind < a.pos[settled]+a.grid.step && a.pos[settled] != 0 {
		return // as nearly always
	}
	to := a.grid.last(newest - a.grid.behind)
	if a.pos[settled] == 0 { // nothing was before the first reading
		a.start(to)
		a.begin()
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
		a.markPlain(to)
	}
	// A state saved under other parameters may have its mark elsewhere; settled
	// then comes there first, or waits for the next.
	if !a.marked() || a.pos[mark] > to {
		return
	}
	if !a.becomeMark() {
		a.markAgain()
		a.becomeMark()
	}
	a.forget(a.pos[settled])
}

// markAgain computes a mark that cannot be read once more. It is a fault of the
// program if that happens, but for states of another one.
func (a *Area) markAgain() {
	at, to := a.pos[mark], a.pos[live]
	a.unmark()
	a.goBack(a.pos[settled])
	a.again = true
	a.run(at, nil)
	a.markPlain(at)
	a.run(to, nil)
	a.again = false
}

// markPlain puts the mark where live stands; nothing is left to be foreseen.
func (a *Area) markPlain(at tick) {
	a.unmark()
	for _, h := range a.homes {
		h.live.Unusual = h.live != homeState{}
	}
	a.mark(at)
}

// becomeMark makes settled the mark; false: it cannot be read.
func (a *Area) becomeMark() bool {
	r, at := a.borrow(), a.pos[mark]
	r.packed, r.ends = r.packed[:0], r.ends[:0]
	for _, h := range a.homes {
		if !a.markState(h, &r.state) {
			return false
		}
		if len(h.kept.markState()) != 0 {
			r.packed = packAlone(r.packed, &r.state, at)
		}
		r.ends = append(r.ends, len(r.packed))
	}
	a.pos[settled], a.view[settled] = at, a.view[mark]
	begin := 0
	for i, h := range a.homes {
		h.kept.keep(r.packed[begin:r.ends[i]], nil, h.kept.nearState())
		begin = r.ends[i]
		for _, m := range h.meters {
			m.states[settled] = m.states[mark]
		}
	}
	return true
}

// forget drops the readings that end by upTo.
func (a *Area) forget(upTo tick) {
	c := &a.borrow().cells
	for _, h := range a.homes {
		for _, m := range h.meters {
			m.win.forget(upTo, c)
		}
	}
}
