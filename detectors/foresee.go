package detectors

import "math"

// foresee takes st from one place to another as if every reading between had
// been ordinary: only habits are learned, which are most of a state and need no
// model. The state of that time is packed as how it differs from this; both
// times the same readings lie in the window. What the meters remember is not
// guessed: it follows from the readings, and is in their mark.
func (a *Area) foresee(h *home, st *homeState, from, to tick) {
	grid := longestInterval
	for _, m := range h.meters {
		m.states[mark] = m.states[settled]
		if m.win.grid != 0 {
			grid = min(grid, int(m.win.grid))
		}
	}
	o := &a.enter().foreseen
	for end := from + tick(grid); end <= to; end += tick(grid) {
		r, _ := h.at(end, mark)
		if r.length == 0 || !r.quality.ProvesLife() {
			continue
		}
		o.end = end
		st.take(o, r, h.zone.at(end-r.length, a.p.Holidays))
		st.ordinary(o)
	}
}

// ordinary learns an interval and judges nothing.
func (st *homeState) ordinary(o *observation) {
	h, q, d := &st.Habits, &st.Quiet, &st.Day
	if o.day != st.Slow.Day {
		if st.Slow.Day != 0 {
			st.Tails.pass()
		}
		st.Slow.Day = o.day
	}
	st.Dark = o.wh == 0
	st.Silence.Seen = uint32(o.end)
	st.Quarter.halves(o, func(half halfHour) {
		q.add(half.slot, half.watts)
		if q.known() {
			level := q.level(half.watts)
			st.Levels.learn(half.slot, level, half.rest)
			st.Life.Prev, st.Life.Before = uint8(level), st.Life.Prev
			d.Strong.count(half.slot/slotsAPart, strengthOf(half.watts-q.mid()))
			if half.slot%2 == 1 && h.Days >= 3 {
				d.N = min(d.N+1, math.MaxInt32)
			}
		}
		d.turn(h, &half)
	})
	h.learn(o.slot, o.watts)
	if o.length == 4 {
		h.learn((o.slot+1)%slotsADay, o.watts)
	}
	h.Days += float32(o.length) / float32(ticksADay)
}
