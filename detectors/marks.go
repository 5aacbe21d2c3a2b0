package detectors

import "time"

// Every state is kept in five copies. live stands where the newest decided
// interval ends, settled where nothing can change any more. Between them are
// marks: live as it was at the last places of a grid. A late reading
// is put into the window, and live goes on from the newest copy before it, so
// that the order of arrival does not matter; settled moves on by becoming the
// mark it reaches. So every interval is decided once, unless something late
// makes it be decided again.
const (
	settled = iota
	live
	mark   // the first of marks
	copies = mark + marks

	// More would keep fewer readings in the windows, and more states in memory.
	marks = 3
)

// settleSlack is for clocks of several ingest processes that differ a little.
const settleSlack = tick(2 * time.Hour / tickLen)

// markGrid is where marks stand. Settled moves on the same grid, so that its
// place depends on the watermark alone.
type markGrid struct {
	behind tick // how far settled is behind the watermark at the least
	step   tick // from place to place
}

// gridOf makes the step a little more than its part of what settled is behind,
// in whole hours: there are never more places between settled and live than
// marks.
func gridOf(p *Params) markGrid {
	behind := ticksIn(p.UsualDelay+p.Window) + settleSlack
	return markGrid{behind: behind, step: (behind/marks + ticksAnHour).floor(ticksAnHour)}
}

// slot is the copy that holds the mark of a place.
func (g markGrid) slot(at tick) int { return mark + int(at/g.step)%marks }

// next is the first place after a time.
func (g markGrid) next(after tick) tick { return after.floor(g.step) + g.step }

// mark keeps live, before it goes on, at the places up to end that it has
// come to.
func (a *Area) mark(end tick) {
	if end < a.nextMark {
		return
	}
	// After a long gap the last places are enough.
	for at := max(a.nextMark, a.grid.next(end)-marks*a.grid.step); at <= end; at += a.grid.step {
		a.comeAndGo(at)
		a.keep(a.grid.slot(at), live, at)
	}
	a.nextMark = a.grid.next(end)
}

// keep makes one copy what another is, which stands at a place.
func (a *Area) keep(to, from int, at tick) {
	a.pos[to], a.view[to] = at, a.view[from]
	for _, h := range a.homes {
		h.states[to] = h.states[from]
		for _, m := range h.meters {
			m.states[to] = m.states[from]
		}
	}
}

// goBack makes live the newest copy that stands at a time or before it.
func (a *Area) goBack(to tick) {
	from := settled
	for i := mark; i < copies; i++ {
		if a.pos[i] > a.pos[from] && a.pos[i] <= to {
			from = i
		}
	}
	a.keep(live, from, a.pos[from])
	a.joined = a.pos[live] - 1 // again what happens there
	a.nextMark = a.grid.next(a.pos[live])
}

// start places every copy of an area of which nothing is known before at.
func (a *Area) start(at tick) {
	for i := range a.pos {
		a.pos[i] = at
	}
	a.nextMark = a.grid.next(at)
}

// settle moves settled to where no accepted reading can change anything, and
// forgets the readings before it.
func (a *Area) settle(out *Output) {
	newest := min(a.watermark, tickOf(a.clock.Add(a.p.Skew)))
	if newest-a.grid.behind < a.pos[settled]+a.grid.step && a.pos[settled] != 0 {
		return // as nearly always
	}
	to := (newest - a.grid.behind).floor(a.grid.step)
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
	if to > a.pos[live] {
		a.run(to, out)
	}
	// A state saved under other parameters may lack a mark; settled then waits
	// for the next.
	if i := a.grid.slot(to); a.pos[i] == to {
		a.keep(settled, i, to)
		a.forget(to)
	}
}

// forget drops the readings that end by upTo.
func (a *Area) forget(upTo tick) {
	for _, h := range a.homes {
		for _, m := range h.meters {
			m.win.forget(upTo)
		}
	}
}
