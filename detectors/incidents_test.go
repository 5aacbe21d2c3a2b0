package detectors

import (
	"slices"
	"testing"
	"time"

	"weimang/ingest"
)

// cut puts a report of the power grid into a log, known at a time.
func cut(log []ingest.Input, known time.Time, x ingest.Incident) []ingest.Input {
	x.Source = ingest.PowerGrid
	i := slices.IndexFunc(log, func(in ingest.Input) bool { return in.Clock.After(known) })
	return slices.Insert(slices.Clone(log), i, ingest.Input{AreaID: "tq", Clock: known, Incident: &x})
}

// darkHome is a village in which home 2 is without supply for a time.
func darkHome(until time.Time) []ingest.Input {
	v := &village{homes: 8, seed: 4, edit: func(home int, start time.Time, wh float64) float64 {
		if home == 2 && between(start, at(30, 9), until) {
			return 0
		}
		return wh
	}}
	return v.inputs(0, 35)
}

func TestACutToOneHomeSendsNobodyToItsDoor(t *testing.T) {
	work := ingest.Incident{
		ID: "pw-9", Class: ingest.ClassPlannedOutage, State: ingest.Accepted,
		Scope: ingest.Scope{Households: []string{homeID(2)}}, From: at(30, 9), Until: at(30, 15),
	}
	_, findings := watch(t, DefaultParams(), darkHome(at(30, 15)))
	if len(of(findings, homeID(2))) == 0 {
		t.Fatal("the test shows nothing: an unannounced darkness is not told")
	}
	_, findings = watch(t, DefaultParams(), cut(darkHome(at(30, 15)), at(29, 12), work))
	expect(t, of(findings, homeID(2)))
	notice := of(findings, "area:tq:pw-9")
	if len(notice) == 0 || !slices.Equal(notice[0].Households, []string{homeID(2)}) {
		t.Errorf("announced as %+v", notice)
	}

	// Who is still dark when it is over is told of then.
	_, findings = watch(t, DefaultParams(), cut(darkHome(at(31, 9)), at(29, 12), work))
	story := of(findings, homeID(2))
	if len(story) == 0 || !between(story[0].DecidedAt, at(30, 16.5), at(30, 17.5)) || story[0].Reason.Cause != CauseDark {
		t.Errorf("still dark after the work: %+v", story)
	}

	// And at once when the grid says that it is done, or the home was not meant.
	done := work
	done.State = ingest.Closed
	_, findings = watch(t, DefaultParams(), cut(cut(darkHome(at(31, 9)), at(29, 12), work), at(30, 12.75), done))
	if story := of(findings, homeID(2)); len(story) == 0 || !between(story[0].DecidedAt, at(30, 12.5), at(30, 13.5)) {
		t.Errorf("still dark though the work is done: %+v", story)
	}
	work.Scope.Households = []string{homeID(4)}
	_, findings = watch(t, DefaultParams(), cut(darkHome(at(30, 15)), at(29, 12), work))
	if story := of(findings, homeID(2)); len(story) == 0 || story[0].DecidedAt.After(at(30, 12)) {
		t.Errorf("dark while others are cut off: %+v", story)
	}
}

func TestACutWithoutAnEndExplainsADarkHomeForADay(t *testing.T) {
	fault := ingest.Incident{
		ID: "pw-10", Class: ingest.ClassOutage, State: ingest.Reported, Scope: ingest.Scope{Areas: []string{"tq"}}, From: at(30, 9),
	}
	_, findings := watch(t, DefaultParams(), cut(darkHome(at(33, 9)), at(30, 9.25), fault))
	story := of(findings, homeID(2))
	if len(story) == 0 || !between(story[0].DecidedAt, at(31, 9), at(31, 10)) {
		t.Errorf("dark for three days: %+v", story)
	}
}

func TestACutToOneHomeExplainsNoDarkArea(t *testing.T) {
	work := ingest.Incident{
		ID: "pw-7", Class: ingest.ClassPlannedOutage, State: ingest.Accepted,
		Scope: ingest.Scope{Households: []string{homeID(2)}}, From: at(40, 18.5), Until: at(40, 20.5),
	}
	_, findings := watch(t, DefaultParams(), cut(outageVillage(true).inputs(0, 45), at(39, 10), work))
	if dark := of(findings, "area:tq"); len(dark) != 2 || dark[0].Reason.Cause != CauseOutage || dark[0].IncidentID != "" {
		t.Errorf("outage: %+v", dark)
	}
}

func TestAnIncidentIsKeptWhileWhatItExplainsIsOpen(t *testing.T) {
	v := &village{homes: 8, seed: 4, edit: func(_ int, start time.Time, wh float64) float64 {
		if between(start, at(30, 9), at(39, 9)) {
			return 0
		}
		return wh
	}}
	work := ingest.Incident{
		ID: "pw-11", Class: ingest.ClassPlannedOutage, State: ingest.Accepted, Scope: ingest.Scope{Areas: []string{"tq"}},
		From: at(30, 9), Until: at(30, 12),
	}
	a, findings := watch(t, DefaultParams(), cut(v.inputs(0, 46), at(29, 12), work))
	dark := of(findings, "area:tq")
	if len(dark) != 2 || dark[1].State != Resolved || dark[1].IncidentID != "pw-11" {
		t.Errorf("nine days dark after a cut of three hours: %+v", dark)
	}
	if len(a.incidents) != 0 {
		t.Errorf("%d incidents kept when all is over", len(a.incidents))
	}
}

// Ingest writes again what it could not commit: a plan and its withdrawal are then
// in the log twice.
func TestReportsThatComeAgainSayNothingNew(t *testing.T) {
	plan := ingest.Incident{
		ID: "pw-11", Source: ingest.PowerGrid, Class: ingest.ClassPlannedOutage, State: ingest.Accepted,
		Scope: ingest.Scope{Areas: []string{"tq"}}, From: at(3, 9), Until: at(3, 15), Place: ingest.Place{Partition: 2, Next: 7},
	}
	off := plan
	off.State, off.Place.Next = ingest.Withdrawn, 9
	p := DefaultParams()
	say := func(a *Area, in ingest.Incident) []Finding {
		t.Helper()
		return apply(t, a, []ingest.Input{{AreaID: "tq", Clock: at(2, 12), Incident: &in}}).Findings
	}
	a := NewArea(&p, "tq")
	if opened, over := say(a, plan), say(a, off); len(opened) != 1 || len(over) != 1 || over[0].State != Resolved {
		t.Fatalf("announced as %+v, called off as %+v", opened, over)
	}
	a, _ = saveAndRestore(t, &p, a)
	if again := append(say(a, plan), say(a, off)...); len(again) != 0 {
		t.Errorf("said again: %+v", again)
	}
	// A report that is not known to be older counts as it comes.
	for name, place := range map[string]ingest.Place{"later": {Partition: 2, Next: 10}, "of another partition": {Partition: 1, Next: 3}, "of no known place": {}} {
		b, _ := saveAndRestore(t, &p, a)
		new := plan
		new.Place = place
		if opened := say(b, new); len(opened) != 1 || opened[0].State != Open {
			t.Errorf("%s: %+v", name, opened)
		}
	}
}
