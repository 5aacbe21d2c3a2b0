package detectors

import (
	"time"

	"weimang/ingest"
)

// step decides the interval that ends at end for all homes.
func (a *Area) step(which int, end tick, out *Output) {
	view := &a.view[which]
	heard, reporting, dark, longest := 0, 0, 0, tick(0)
	for i, h := range a.homes {
		// What a late reading has not changed has been told before.
		told := out
		if which != live || a.again && (h.changed == 0 || end < h.changed) {
			told = nil
		}
		r, events := h.at(end, which)
		if told != nil {
			told.Rollovers += events[registerRollover]
			told.Backward += events[registerBackward]
		}
		r, odd := h.states[which].check(a.p, end, r, events[registerBackward] > 0)
		if told != nil {
			told.impossible(odd)
		}
		o := &a.obs[i]
		*o = observation{end: end, length: r.length}
		if r.length == 0 || !r.quality.ProvesLife() {
			if r.length != 0 {
				a.point(told, h, o, r)
			}
			o.length = 0
			continue
		}
		longest = max(longest, r.length)
		o.slot, o.rest = h.zone.slot(end, r.length), h.zone.restDay(end-r.length, a.p.Holidays)
		o.wh = float64(r.wh)
		o.watts = o.wh / r.length.hoursSince(0)
		o.usualWh = h.states[which].Habits.mean(o.slot) * r.length.hoursSince(0)
		if h.states[which].Life.ZeroShare < usuallyZero && h.states[which].Habits.Days > 1 {
			heard++
			if r.wh != 0 {
				reporting++
			} else if !view.darkAlone(&h.states[which].Life, end-r.length) {
				reporting++
				dark++
			}
		}
		a.point(told, h, o, r)
	}
	if longest == 0 {
		return
	}
	view.lookAround(end, longest, reporting, dark)
	a.listen(which, end)

	// Homes count from their first whole day on, not from when they were
	// first heard of: what is decided must not depend on that.
	counted := 0
	var use, usual float64
	if !view.Dark {
		for i, h := range a.homes {
			st := &h.states[which]
			if st.Habits.Days < 1 {
				continue
			}
			counted++
			if o := &a.obs[i]; o.length != 0 {
				base := st.Quiet.mid() * o.length.hoursSince(0)
				st.Share.average(o.length, max(0, o.wh-base), max(0, o.usualWh-base))
			}
			use += float64(st.Share.Use)
			usual += float64(st.Share.Usual)
		}
	}
	low, lows := a.lowShare(which)
	shares, sharers := 0.0, 0.0
	for i, h := range a.homes {
		o, st := &a.obs[i], &h.states[which]
		if o.length != 0 {
			base := st.Quiet.mid()
			o.dayEnded = st.Slow.gather(h.zone.day(end-o.length), o.length.hoursSince(0), max(0, o.wh-base*o.length.hoursSince(0)), o.watts > inUseAbove(base))
			if o.dayEnded && st.Slow.Known {
				shares, sharers = shares+float64(st.Slow.Share), sharers+1
			}
		}
	}
	for i, h := range a.homes {
		o, st := &a.obs[i], &h.states[which]
		if o.length == 0 {
			continue
		}
		if view.Dark {
			if o.wh != 0 || !view.darkAlone(&st.Life, end) {
				st.Life.ZeroSince = 0
			}
			st.Dark = o.wh == 0
			continue
		}
		if heard >= minNeighbours {
			o.areaLit = true
			others := float64(counted)
			if st.Habits.Days >= 1 {
				others--
			}
			o.neighbours = logRatio((use-float64(st.Share.Use))/others, (usual-float64(st.Share.Usual))/others)
		}
		if lows >= minNeighbours {
			own, n := st.Life.more(st)
			o.lowNeighbours = (low - own) / max(float64(lows-n), 1)
		}
		o.learns = h.said.learns(st, end)
		var f *Features
		if out != nil && out.Features != nil && which == live && !a.again {
			f = &Features{At: end.time()}
		}
		st.observe(a.p, o, f)
		if o.dayEnded {
			area := 0.0
			if others := sharers - 1; others >= minNeighbours-1 && st.Slow.Known {
				area = (shares - float64(st.Slow.Share)) / others
			}
			observeDecline(a.p, st, o, area)
		}
		if f != nil {
			f.Silent = end.hoursSince(st.Life.LastLife)
			f.Scores = st.scores(o)
			out.Features(h.id, f)
		}
		view.rollCall(st, o)
		if !h.said.heed(st, o, end) {
			st.arbitrate(end, a.p.FullDays)
		}
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
