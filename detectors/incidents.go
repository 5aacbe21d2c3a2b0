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

// applyIncident takes in a report or its next state; the last state wins.
func (a *Area) applyIncident(in *ingest.Incident) {
	i := slices.IndexFunc(a.incidents, func(x incident) bool { return x.ID == in.ID })
	if i < 0 {
		a.incidents = append(a.incidents, incident{Incident: *in})
		return
	}
	a.incidents[i].Incident = *in
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
		f.IncidentID = x.ID
		f.Reason.From, f.Reason.Until = x.From, x.Until
		a.say(out, &f, &before, &x.public)
	}
	open := a.ticks.now - a.grid.behind - a.grid.step
	a.incidents = slices.DeleteFunc(a.incidents, func(x incident) bool {
		return !x.public.Open && tickOf(x.end().Add(explainSlack)) < open
	})
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
	explainSlack = 2 * time.Hour
)

// explains reports whether the incident accounts for darkness that began at t.
func (x *incident) explains(t time.Time) bool {
	if x.Source != ingest.PowerGrid || x.State == ingest.Withdrawn ||
		(x.Class != ingest.ClassPlannedOutage && x.Class != ingest.ClassOutage) {
		return false
	}
	return !t.Before(x.From.Add(-explainSlack)) && t.Before(x.end().Add(explainSlack))
}

// explanation is the first incident that accounts for darkness since t.
func (a *Area) explanation(t time.Time) *incident {
	for i := range a.incidents {
		if a.incidents[i].explains(t) {
			return &a.incidents[i]
		}
	}
	return nil
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
