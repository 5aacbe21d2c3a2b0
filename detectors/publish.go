package detectors

import "weimang/ingest"

// publish says what has changed since it last spoke.
func (a *Area) publish(out *Output) {
	a.moved, a.holding = false, false
	now := a.ticks.now
	for _, h := range a.homes {
		ep := &h.live.Episode
		if h.silenced(now) {
			continue
		}
		if ep.Open && !h.public.Open && (h.fill.goesOn(a.clock) || a.withoutSupply(h, ep)) || a.tooSoon(ep, h.rhythm) {
			a.holding = true
			continue
		}
		a.tellHome(h, ep, out)
	}

	view := &a.view[live]
	if ep := &view.Episode; ep.Open && !a.public.Open && ep.At < a.ticks.old && a.fill.goesOn(a.clock) {
		a.holding = true
		return
	}
	before := a.public
	if state, cause, changed := a.public.next(&view.Episode); changed {
		f := a.finding(&view.Episode, &before, &a.public, state, cause)
		f.Reason.Homes, f.Reason.OfHomes = int(view.Homes), int(view.OfHomes)
		if x := a.explanation(f.Onset); x != nil {
			f.IncidentID = x.ID
			f.Reason.From, f.Reason.Until = x.From, x.Until
			if state != Resolved && x.Class == ingest.ClassPlannedOutage { // a fault is not announced by being known
				f.Reason.Cause = CausePlanned
			}
		}
		if state == Resolved {
			f.Reason.Homes = a.notBack()
		}
		a.say(out, &f, &before, &a.public)
	}
}

// tellHome says what is new about a home's episode.
func (a *Area) tellHome(h *home, ep *episode, out *Output) {
	before := h.public
	state, cause, changed := h.public.next(ep)
	if !changed {
		return
	}
	if cause == CauseCorrection {
		if p := h.said.excuse(&before, a.pos[live]); p != nil {
			cause = p.cause()
		}
	}
	f := a.finding(ep, &before, &h.public, state, cause)
	if p := h.said.excuse(&before, a.pos[live]); p != nil && (cause == CauseAway || cause == CauseMuted) {
		f.Reason.Until = p.end()
	}
	a.about(h, &f)
	if state == Resolved {
		f.Reason.Hours = ep.End.hoursSince(ep.Onset)
	}
	a.say(out, &f, &before, &h.public)
}

// notBack counts the homes without supply.
func (a *Area) notBack() int {
	n := 0
	for _, h := range a.homes {
		if st := &h.live; st.Dark && st.Life.ZeroShare < usuallyZero && h.here(a.pos[live]) {
			n++
		}
	}
	return n
}

// about makes a finding one about a home. Of one that was never heard the newest
// reading behind it is its neighbours'.
func (a *Area) about(h *home, f *Finding) {
	f.MeterID, f.HouseholdID = h.meters[len(h.meters)-1].id, h.id
	for _, m := range h.meters {
		if m.holds(a.pos[live]) {
			f.MeterID = m.id
			break
		}
	}
	if newest := h.newest(); newest != 0 {
		f.DataUntil = newest.time()
	}
}

// finding is a transition in the words of the outside.
func (a *Area) finding(ep *episode, before, after *published, state State, cause Cause) Finding {
	f := Finding{
		AreaID: a.id, Kind: Kinds[after.Kind], Severity: after.Severity, State: state,
		Episode: after.Number, Seq: int(after.Seq),
		Onset: ep.Onset.time(), At: ep.At.time(), DecidedAt: a.clock,
		DataUntil: min(a.watermark, a.ticks.skewed).time(),
		Value:     kWh(ep.Value), Usual: kWh(ep.Usual),
		Reason: Reason{
			Cause: cause, Hours: float64(ep.Hours), Neighbours: round(float64(ep.Neighbours), 2), Rate: float64(ep.Rate), Warmup: ep.Warmup,
		},
	}
	for i, k := range signalKinds {
		if ep.Also&(1<<i) != 0 {
			f.Reason.Also = append(f.Reason.Also, k)
		}
	}
	if state == Resolved {
		f.At = ep.End.time()
		f.Reason.Also = nil
	}
	if cause == CauseCorrection || (cause == CauseAway || cause == CauseMuted) && ep.End <= after.Onset {
		f.Onset, f.At = after.Onset.time(), a.pos[live].time()
	}
	return f
}

// say decides whether a complete transition leaves the page, and puts it out.
func (a *Area) say(out *Output, f *Finding, before, after *published) {
	f.Pushed = a.pushes(f, before)
	after.Pushed = f.Pushed || before.Pushed && f.State != Open
	out.Findings = append(out.Findings, *f)
}

// pushes decides whether a transition leaves the page: yellow and above when
// it opens or rises; its end when somebody may be on her way, or when what was
// said has turned out wrong or an outage that was to come is called off.
func (a *Area) pushes(f *Finding, before *published) bool {
	switch {
	case f.At.Before(a.p.PushFrom):
		return false
	case f.State != Resolved:
		return f.Severity >= Yellow
	case !before.Pushed:
		return false
	case f.Kind == Announced:
		return f.At.Before(f.Reason.From) // called off
	default:
		return f.Reason.Cause == CauseCorrection || f.Severity.VisitLevel()
	}
}

func kWh(wh float32) float64 { return round(float64(wh)/1000, 3) }

func round(x float64, digits int) float64 {
	scale := 1.0
	for range digits {
		scale *= 10
	}
	if x < 0 {
		return -float64(int64(-x*scale+0.5)) / scale
	}
	return float64(int64(x*scale+0.5)) / scale
}
