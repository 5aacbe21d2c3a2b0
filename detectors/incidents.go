package detectors

import (
	"slices"
	"time"

	"weimang/ingest"
)

// incident is what an area knows of a report that concerns it.
type incident struct {
	ingest.Incident
	public published
	told   [2]int64 // From and Until as the world has heard them, Unix seconds
}

// applyIncident takes in a report or its next state; the last state wins, by the
// order of the reports.
func (a *Area) applyIncident(in *ingest.Incident) {
	i := slices.IndexFunc(a.incidents, func(x incident) bool { return x.ID == in.ID })
	if i < 0 {
		a.incidents = append(a.incidents, incident{Incident: *in})
		return
	}
	if !in.Place.Repeats(a.incidents[i].Place) {
		a.incidents[i].Incident = *in
	}
}

// announce says what is new about planned outages, and forgets incidents that
// can no longer matter to anything that can still change. Not the readings
// but the clock ends an announcement, so every input is an occasion.
func (a *Area) announce(out *Output) {
	if len(a.incidents) == 0 {
		return
	}
	for i := range a.incidents {
		x := &a.incidents[i]
		if x.Source != ingest.PowerGrid || x.Class != ingest.ClassPlannedOutage {
			continue
		}
		ep := x.announcement(a.clock)
		before, times := x.public, [2]int64{x.From.Unix(), x.Until.Unix()}
		state, cause, changed := x.public.next(&ep)
		switch {
		case state == Resolved:
			cause = CauseOver
		case !changed && ep.Open && times != x.told:
			state, cause, changed = Update, CauseAnnounced, true
			x.public.Seq++
		}
		if !changed {
			continue
		}
		x.told = times
		f := a.finding(&ep, &before, &x.public, state, cause)
		f.IncidentID, f.Households = x.ID, x.Scope.Households
		f.Reason.From, f.Reason.Until = x.From, x.Until
		a.say(out, &f, &before, &x.public)
	}
	open := a.ticks.now - a.grid.behind - a.grid.step
	a.incidents = slices.DeleteFunc(a.incidents, func(x incident) bool {
		return !x.public.Open && tickOf(x.end().Add(explainSlack)) < open && !a.stillExplained(&x)
	})
}

// stillExplained reports whether the incident accounts for something that has
// been told and is not over: its end is told with the same reason.
func (a *Area) stillExplained(x *incident) bool {
	for _, pub := range []*published{&a.public, &a.unheardPublic} {
		if pub.Open && x.explainsArea(pub.Onset.time()) {
			return true
		}
	}
	return false
}

// end is when the incident is over at the latest.
func (x *incident) end() time.Time {
	if x.Until.IsZero() {
		return x.From.Add(openEnd)
	}
	return x.Until
}

// openEnd is how long an incident without an end is taken to last;
// explainSlack how far darkness may stray from announced times.
const (
	openEnd      = 72 * time.Hour
	openEndHome  = 24 * time.Hour // the same for what is told of one home
	explainSlack = 2 * time.Hour
	lastLit      = time.Hour // until the last home has power again, and a reading of it has ended
)

// cuts reports whether the power grid says that supply fails, or will.
func (x *incident) cuts() bool {
	return x.Source == ingest.PowerGrid && x.State != ingest.Withdrawn &&
		(x.Class == ingest.ClassPlannedOutage || x.Class == ingest.ClassOutage)
}

// around reports whether t is a time of the incident, give or take
// explainSlack.
func (x *incident) around(t time.Time) bool {
	return !t.Before(x.From.Add(-explainSlack)) && t.Before(x.end().Add(explainSlack))
}

// explainsArea reports whether the incident accounts for the darkness of an area
// that began at t. One of single homes does not.
func (x *incident) explainsArea(t time.Time) bool {
	return x.cuts() && len(x.Scope.Households) == 0 && x.around(t)
}

// explanation is the first incident that accounts for darkness since t.
func (a *Area) explanation(t time.Time) *incident {
	for i := range a.incidents {
		if a.incidents[i].explainsArea(t) {
			return &a.incidents[i]
		}
	}
	return nil
}

// withoutSupply reports whether the power grid accounts for what is about to be
// told of a home: that it reads nothing, or is not heard. While the cut lasts the
// message would send somebody to a door behind which only the power is gone, and
// when it is over what is still so is told. A cut that has no end in sight
// explains a day: somebody in the dark for longer is to be looked after, whatever
// the reason.
func (a *Area) withoutSupply(h *home, ep *episode) bool {
	if len(a.incidents) == 0 { // as nearly always
		return false
	}
	if c := ep.cause(); c != CauseDark && c != CauseNotBack && c != CauseSilent {
		return false
	}
	onset := ep.Onset.time()
	for i := range a.incidents {
		x := &a.incidents[i]
		over := x.State == ingest.Closed || x.State == ingest.Handled || a.clock.After(x.end().Add(lastLit+a.p.UsualDelay)) || a.clock.After(onset.Add(openEndHome))
		if !x.cuts() || over || !x.around(onset) {
			continue
		}
		if named := x.Scope.Households; len(named) > 0 {
			if slices.Contains(named, h.id) {
				return true
			}
			continue
		}
		// Of the whole area: until it is lit again, or where it never was dark.
		if v := &a.view[live]; v.LitSince == 0 || v.LitSince.time().Before(x.From) {
			return true
		}
	}
	return false
}

// announcement is the episode of a planned outage: open from its arrival
// until its end, or until the grid calls it off or done.
func (x *incident) announcement(now time.Time) episode {
	ep := episode{Kind: code(Kinds, Announced), EndCause: code(Causes, CauseOver)}
	ep.Severity, ep.Cause = Yellow, code(Causes, CauseAnnounced)
	ep.Onset, ep.At, ep.First = tickOf(x.From), tickOf(now), tickOf(now)
	called := x.State == ingest.Withdrawn || x.State == ingest.Closed || x.State == ingest.Handled
	ep.Open, ep.End = !called && now.Before(x.end()), tickOf(now)
	if end := tickOf(x.end()); !called {
		ep.End = min(ep.End, end)
	}
	return ep
}
