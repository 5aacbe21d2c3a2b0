package detectors

import (
	"time"

	"weimang/ingest"
)

// around is what an interval comes to over the homes of an area.
type around struct {
	longest         tick // of the intervals that were heard
	daily           int  // homes with a day of history and more
	heard           int  // homes that hardly ever read nothing
	reporting, dark int  // of them those that tell whether the area is dark, and that are
	roll            roll

	// What each home is compared with: itself is taken out.
	counted        int     // homes of a day of history and more
	use, usual     float64 // theirs above stand-by, Wh over a day
	lows           int     // homes whose low half-hours are known
	low            float64 // how many of them are low beyond what is usual
	sharers        int     // homes whose day has ended, and was an ordinary one
	shares         float64 // sum of ln of that day's use
	alone, areaLit bool    // most others are heard; the area is no reason for a home to read nothing
}

// step decides the interval that ends at end for all homes: what their meters
// say, what that is beside the neighbours, and what it means.
func (a *Area) step(end tick, out *Output) {
	n := a.read(end, out)
	if n.longest != 0 {
		a.decide(end, &n, out)
	}
	a.takeBack()
}

// decide is what follows when at least one home was heard.
func (a *Area) decide(end tick, n *around, out *Output) {
	view := &a.view[live]
	view.lookAround(end, n.longest, n.reporting, n.dark)
	view.Silence.judge(end, &n.roll)
	n.alone = !view.Silence.Episode.Open && n.roll.mostHeard()
	n.areaLit = n.heard >= minNeighbours
	a.compare(end, n)
	a.judge(end, n, out)
}

// read takes the interval from the meters and drops what cannot be.
func (a *Area) read(end tick, out *Output) (n around) {
	view, room := &a.view[live], a.lend()
	for i, h := range a.homes {
		// What a late reading has not changed has been told before.
		told := out
		if a.again && (h.changed == 0 || end < h.changed) {
			told = nil
		}
		o, st := &room.seen[i], &h.live
		if o.gone = !h.here(end); o.gone {
			o.end, o.length, o.wh = end, 0, 0
			continue
		}
		if st.Habits.Days >= 1 {
			n.daily++
		}
		r, event := h.at(end, live)
		if told != nil {
			told.register(event)
		}
		r, odd := st.check(a.p, end, r, event.backward > 0)
		if told != nil {
			told.impossible(odd)
		}
		o.end, o.length, o.wh = end, 0, 0
		if r.length != 0 {
			if r.quality.ProvesLife() {
				st.take(o, r, h.zoneAt(end-r.length).at(end-r.length, a.p.Holidays))
				n.longest = max(n.longest, r.length)
				n.count(view, st, o)
			}
			a.point(told, h, o, r)
		}
		n.roll.call(&st.Silence, o)
	}
	return n
}

// take describes an interval of which the use is known.
func (st *homeState) take(o *observation, r reading, when moment) {
	o.length, o.wh = r.length, float64(r.wh)
	o.moment = when
	hours := r.length.hoursSince(0)
	o.watts = o.wh / hours
	o.usualWh = st.Habits.mean(o.slot) * hours
}

// count asks a home whether the area is dark.
func (n *around) count(view *areaState, st *homeState, o *observation) {
	if st.Life.ZeroShare >= usuallyZero || st.Habits.Days <= 1 {
		return
	}
	n.heard++
	switch {
	case o.wh != 0:
		n.reporting++
	case !view.darkAlone(&st.Life, o.end-o.length):
		n.reporting++
		n.dark++
	}
}

// compare says who is not heard, and sums up what each home will be compared
// with, so that all are compared at the same moment. Homes count from their
// first whole day on, not from when they were first heard of: what is decided
// must not depend on that.
func (a *Area) compare(end tick, n *around) {
	dark := a.view[live].Dark
	a.unheard = 0
	for i, h := range a.homes {
		o, st := &a.room.seen[i], &h.live
		if o.gone {
			continue
		}
		a.listen(h, o, end, n.alone)
		if h.since != 0 && st.Silence.Seen == 0 {
			a.miss(h, end, n.alone && n.daily >= minNeighbours)
		}
		hours := o.length.hoursSince(0)
		base := st.Quiet.mid() * hours
		above := max(0, o.wh-base)
		if !dark && st.Habits.Days >= 1 {
			n.counted++
			if o.length != 0 {
				st.Share.average(o.length, above, max(0, o.usualWh-base))
			}
			n.use += float64(st.Share.Use)
			n.usual += float64(st.Share.Usual)
		}
		beyond, known := st.Life.more(st)
		n.low += beyond
		n.lows += known
		if o.length == 0 {
			continue
		}
		o.dayEnded = st.Slow.gather(o.day, hours, above, o.watts > inUseAbove(st.Quiet.mid()))
		if o.dayEnded && st.Slow.Known {
			n.shares += float64(st.Slow.Share)
			n.sharers++
		}
	}
}

// judge runs the detectors over the homes that were heard, and makes one
// matter of what they say.
func (a *Area) judge(end tick, n *around, out *Output) {
	view := &a.view[live]
	for i, h := range a.homes {
		o, st := &a.room.seen[i], &h.live
		if o.length == 0 {
			continue
		}
		if view.Dark {
			if o.wh != 0 || !view.darkAlone(&st.Life, end) {
				st.Life.ZeroSince = 0
			}
			st.Dark, st.Unusual = o.wh == 0, true
			continue
		}
		o.among(n, st)
		o.learns = h.said.learns(st, end)
		o.sight = &a.room.sight
		var f *Features
		if out != nil && out.Features != nil && !a.again {
			f = &Features{At: end.time()}
		}
		st.observe(a.p, o, f)
		if o.dayEnded {
			observeDecline(a.p, st, o, n.sharesBut(st))
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

// among puts a home beside its neighbours.
func (o *observation) among(n *around, st *homeState) {
	o.areaLit = n.areaLit
	o.others = others{}
	if n.areaLit {
		o.others = others{
			homes: n.counted,
			use:   n.use - float64(st.Share.Use), usual: n.usual - float64(st.Share.Usual),
		}
		if st.Habits.Days >= 1 {
			o.others.homes--
		}
	}
	o.lowNeighbours = 0
	if n.lows >= minNeighbours {
		own, known := st.Life.more(st)
		o.lowNeighbours = (n.low - own) / max(float64(n.lows-known), 1)
	}
}

// sharesBut is the mean of the neighbours' shares of the day that has ended; 0:
// too few have one.
func (n *around) sharesBut(st *homeState) float64 {
	if n.sharers < minNeighbours || !st.Slow.Known {
		return 0
	}
	return (n.shares - float64(st.Slow.Share)) / float64(n.sharers-1)
}

// point hands an interval and its usual band to the history.
func (a *Area) point(out *Output, h *home, o *observation, r reading) {
	if out == nil || out.Points == nil {
		return
	}
	hours := r.length.hoursSince(0)
	low, mid, high := h.live.Habits.band(h.zoneAt(o.end-r.length).at(o.end-r.length, a.p.Holidays).slot)
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
