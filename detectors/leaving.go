package detectors

import (
	"slices"
)

// findPassing lists the homes that come, go, or have meters or zones that do.
func (a *Area) findPassing() {
	a.passing = a.passing[:0]
	for _, h := range a.homes {
		if h.passes() {
			a.passing = append(a.passing, h)
		}
	}
}

// passes reports whether the home or one of its meters comes or goes, or its zone
// changes: what it learns does not follow from its readings alone.
func (h *home) passes() bool {
	return h.res != nil && (h.res.stays != nil || h.res.zones != nil || h.res.join != nil) ||
		slices.ContainsFunc(h.meters, func(m *meter) bool { return m.spans != nil })
}

// leftBeforeMark reports whether a home that goes on elsewhere has left between
// settled and the mark: what it was then is in neither, and computed once more.
func (a *Area) leftBeforeMark() bool {
	return slices.ContainsFunc(a.passing, func(h *home) bool {
		return h.res != nil && slices.ContainsFunc(h.res.stays, func(s stay) bool {
			return s.to != "" && s.Until > a.pos[settled] && s.Until <= a.pos[mark]
		})
	})
}

// pass says what is to be said of homes that have gone, gives them to the areas
// to which they have moved, and forgets what nothing can change any more.
func (a *Area) pass(out *Output) error {
	if len(a.passing) == 0 {
		return nil
	}
	now := a.ticks.now
	for _, h := range a.passing {
		if h.res == nil {
			continue
		}
		for i := range h.res.stays {
			if s := &h.res.stays[i]; s.to != "" && s.Until <= now {
				if err := a.release(h, s, out); err != nil {
					return err
				}
			}
		}
		h.res.anew = false
		if s := h.gone(now); s != nil && s.to == "" {
			a.leave(h, s, out)
		}
	}
	a.forgetGone(now)
	return nil
}

// leave closes what is open of a home that has left.
func (a *Area) leave(h *home, s *stay, out *Output) {
	if !h.public.Open {
		return
	}
	ep := h.live.Episode
	ep.Open, ep.Onset, ep.EndCause = false, h.public.Onset, code(Causes, CauseLeft)
	ep.End = max(s.Until, ep.Onset+1)
	a.tellHome(h, &ep, out)
}

// kept is the time after which something may still change. Where everybody has
// gone no reading comes any more that would move it; the clock does.
func (a *Area) kept(now tick) tick {
	if slices.ContainsFunc(a.homes, func(h *home) bool {
		last := h.gone(now)
		return last == nil || last != &h.res.stays[len(h.res.stays)-1]
	}) {
		return a.pos[settled]
	}
	return max(a.pos[settled], now-a.grid.behind-a.grid.step)
}

// forgetGone drops the homes, meters, stays and zones of before what may still
// change.
func (a *Area) forgetGone(now tick) {
	kept := a.kept(now)
	over := func(h *home) bool {
		s := h.gone(now)
		return s != nil && s == &h.res.stays[len(h.res.stays)-1] && s.Until <= kept && s.done()
	}
	dropped := false
	for _, h := range a.passing {
		dropped = h.prune(a.pos[settled]) || dropped
	}
	if slices.ContainsFunc(a.passing, over) {
		a.homes = slices.DeleteFunc(a.homes, over)
		a.scan, a.last = 0, 0
		dropped = true
	}
	if dropped {
		a.findPassing()
	}
}

// prune drops what lies before settled: meters that were exchanged, stays and
// zones that are over, dates that have passed, and the state with which the home
// has come. It reports whether that was anything.
func (h *home) prune(settledTo tick) bool {
	dropped := false
	for i := 0; i < len(h.meters); i++ {
		m := h.meters[i]
		if m.spans == nil {
			continue
		}
		for len(m.spans) > 1 && m.spans[0].Until <= settledTo {
			m.spans, dropped = m.spans[1:], true
		}
		switch s := m.spans[0]; {
		case s.From <= settledTo && s.Until == never:
			m.spans, dropped = nil, true
		case s.Until <= settledTo && len(h.meters) > 1: // a home without a meter is none
			h.meters, dropped = slices.Delete(h.meters, i, i+1), true
			i--
		}
	}
	r := h.res
	if r == nil {
		return dropped
	}
	for len(r.stays) > 1 && r.stays[0].Until <= settledTo && r.stays[0].done() {
		r.stays, dropped = r.stays[1:], true
	}
	if len(r.stays) == 1 && r.stays[0].From <= settledTo && r.stays[0].Until == never {
		if h.since != 0 {
			h.since = max(h.since, r.stays[0].From)
		}
		r.stays, dropped = nil, true
	}
	for len(r.zones) > 0 && r.zones[0].from <= settledTo {
		h.zone, r.zones, dropped = r.zones[0].zone, r.zones[1:], true
	}
	if len(r.zones) == 0 {
		r.zones = nil
	}
	if r.join != nil && r.join.at <= settledTo {
		r.join, dropped = nil, true
	}
	if r.stays == nil && r.zones == nil && r.join == nil && r.took == (handed{}) {
		h.res, dropped = nil, true
	}
	return dropped
}
