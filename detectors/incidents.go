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

// forgetIncidents drops what can no longer matter to anything that can still
// change.
func (a *Area) forgetIncidents(settled tick) {
	a.incidents = slices.DeleteFunc(a.incidents, func(x incident) bool {
		last := x.Until
		if last.IsZero() {
			last = x.From.Add(openEnd)
		}
		return !x.public.Open && tickOf(last.Add(explainSlack)) < settled
	})
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
	until := x.Until
	if until.IsZero() {
		until = x.From.Add(openEnd)
	}
	return !t.Before(x.From.Add(-explainSlack)) && t.Before(until.Add(explainSlack))
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
// until its end.
func (x *incident) announcement(now time.Time) episode {
	ep := episode{Kind: code(Kinds, Announced), EndCause: code(Causes, CauseOver)}
	ep.Severity, ep.Cause = Yellow, code(Causes, CauseAnnounced)
	ep.Onset, ep.At, ep.First = tickOf(x.From), tickOf(now), tickOf(now)
	until := x.Until
	if until.IsZero() {
		until = x.From.Add(openEnd)
	}
	over := x.State == ingest.Withdrawn || x.State == ingest.Closed || x.State == ingest.Handled || !now.Before(until)
	ep.Open, ep.End = !over, ep.Onset+1
	return ep
}
