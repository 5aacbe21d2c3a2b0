package detectors

import (
	"slices"
	"testing"
	"time"

	"weimang/ingest"
)

// without leaves out the readings for which gone is true.
func without(log []ingest.Input, gone func(home string, start time.Time) bool) []ingest.Input {
	return slices.DeleteFunc(slices.Clone(log), func(in ingest.Input) bool {
		return in.Readings != nil && gone(in.Readings.HouseholdID, in.Readings.Start)
	})
}

// step is a transition as a story tells it.
type step struct {
	State    State
	Severity Severity
	Cause    Cause
	Pushed   bool
}

func steps(findings []Finding) (all []step) {
	for _, f := range findings {
		all = append(all, step{f.State, f.Severity, f.Reason.Cause, f.Pushed})
	}
	return all
}

func expect(t *testing.T, story []Finding, want ...step) {
	t.Helper()
	if !slices.Equal(steps(story), want) {
		t.Errorf("want %v", want)
		for _, f := range story {
			t.Errorf("got %s %s %v since %s at %s", f.Subject(), f.Kind, steps([]Finding{f})[0], f.Onset, f.At)
		}
		t.FailNow()
	}
}

func TestALoneSilentMeterIsSeenOnThePageFirstAndToldAfterADay(t *testing.T) {
	v := &village{homes: 8, seed: 31}
	log := without(v.inputs(0, 24), func(home string, start time.Time) bool {
		return home == homeID(3) && between(start, at(20, 9), at(22, 12))
	})
	a, findings := watch(t, DefaultParams(), log)
	story := of(findings, homeID(3))
	expect(
		t, story,
		step{Open, Blue, CauseSilent, false}, step{Update, Yellow, CauseSilent, true}, step{Resolved, Yellow, CauseDataBack, false},
	)
	for i, want := range []time.Time{at(20, 13), at(21, 9), at(22, 12.5)} {
		if !story[i].At.Equal(want) || story[i].Kind != SilentMeter || !story[i].Onset.Equal(at(20, 9)) {
			t.Errorf("transition %d: %+v, want at %s", i, story[i], want)
		}
	}
	if len(findings) != len(story) || a.Unheard() != 0 {
		t.Errorf("others: %+v, %d unheard", findings, a.Unheard())
	}
}

func TestTheNumberOfSilentMetersIsKnown(t *testing.T) {
	v := &village{homes: 8, seed: 31}
	a, _ := watch(t, DefaultParams(), without(v.inputs(0, 21), func(home string, start time.Time) bool {
		return home <= homeID(1) && start.After(at(20, 9))
	}))
	if a.Unheard() != 2 {
		t.Errorf("%d unheard, want 2", a.Unheard())
	}
}

// Two neighbours fewer, and nobody can say whether a meter is silent alone.
func TestASilentMeterNeedsNeighboursThatReport(t *testing.T) {
	v := &village{homes: 5, seed: 32}
	_, findings := watch(t, DefaultParams(), without(v.inputs(0, 24), func(home string, start time.Time) bool {
		return home == homeID(3) && start.After(at(20, 9))
	}))
	expect(t, findings)
}

func TestAMeterThatOftenPausesIsNoNews(t *testing.T) {
	v := &village{homes: 8, seed: 33}
	pauses := func(home string, start time.Time) bool {
		h := start.In(day0.Location()).Hour()
		return home == homeID(3) && (h >= 1 && h < 7 || h >= 12 && h < 18)
	}
	_, findings := watch(t, DefaultParams(), without(v.inputs(0, 12), pauses))
	for _, f := range findings {
		if f.At.After(at(4, 0)) {
			t.Errorf("its rhythm was known, and yet %+v", f)
		}
	}
	// For good, all the same.
	_, findings = watch(t, DefaultParams(), without(v.inputs(0, 15), func(home string, start time.Time) bool {
		return pauses(home, start) || home == homeID(3) && start.After(at(12, 10))
	}))
	last := findings[len(findings)-1]
	if last.State == Resolved || last.Severity != Yellow || !between(last.At, at(13, 10), at(13, 11)) {
		t.Errorf("in the end: %+v", last)
	}
}

// A tardy meter that delivers everything is not silent, and a silence that is
// filled in later is taken back once.
func TestLateDataTakesASilenceBack(t *testing.T) {
	v := &village{homes: 8, seed: 34}
	log := v.inputs(0, 24)
	for i := range log {
		if r := log[i].Readings; r.HouseholdID == homeID(3) && between(r.Start, at(20, 9), at(22, 9)) {
			log[i].Clock = at(22, 9)
		}
	}
	slices.SortStableFunc(log, func(x, y ingest.Input) int { return x.Clock.Compare(y.Clock) })
	_, findings := watch(t, DefaultParams(), log)
	expect(
		t, findings,
		step{Open, Blue, CauseSilent, false}, step{Update, Yellow, CauseSilent, true}, step{Resolved, Yellow, CauseCorrection, true},
	)
}

func TestAnAlarmOutlastsTheSilenceOfItsMeter(t *testing.T) {
	v := &village{homes: 8, seed: 2, edit: func(home int, start time.Time, wh float64) float64 {
		if home == 3 && start.After(at(40, 7)) {
			return 20
		}
		return wh
	}}
	_, findings := watch(t, DefaultParams(), without(v.inputs(0, 45), func(home string, start time.Time) bool {
		return home == homeID(3) && start.After(at(41, 0))
	}))
	for _, f := range findings {
		if f.Kind != NoSignOfLife || f.State == Resolved {
			t.Errorf("a person who was not heard of before her meter fell silent: %+v", f)
		}
	}
	if len(findings) == 0 {
		t.Error("nothing was said")
	}
}

func TestAMeterThatIsGoneForGoodIsWaitedForTwoWeeks(t *testing.T) {
	v := &village{homes: 8, seed: 35}
	_, findings := watch(t, DefaultParams(), without(v.inputs(0, 40), func(home string, start time.Time) bool {
		return home == homeID(3) && start.After(at(20, 9))
	}))
	findings = of(findings, homeID(3))
	expect(
		t, findings,
		step{Open, Blue, CauseSilent, false}, step{Update, Yellow, CauseSilent, true}, step{Resolved, Yellow, CauseOver, false},
	)
	if end := findings[2].At; !between(end, at(34, 9), at(34, 11)) {
		t.Errorf("ended at %s", end)
	}
}

func TestASilentAreaIsOneNotice(t *testing.T) {
	v := &village{homes: 8, seed: 36}
	_, findings := watch(t, DefaultParams(), without(v.inputs(0, 24), func(home string, start time.Time) bool {
		return home != homeID(6) && between(start, at(20, 9), at(22, 12))
	}))
	expect(t, findings, step{Open, Yellow, CauseAreaSilent, true}, step{Resolved, Yellow, CauseDataBack, false})
	open := findings[0]
	if open.Subject() != "silent-area:tq" || open.HouseholdID != "" || open.Kind != SilentMeter || !open.At.Equal(at(20, 13)) ||
		!open.Onset.Equal(at(20, 9)) || open.Reason.Homes != 7 || open.Reason.OfHomes != 8 {
		t.Errorf("opened as %+v", open)
	}
	if !findings[1].At.Equal(at(22, 12.5)) {
		t.Errorf("ended as %+v", findings[1])
	}
}

// Behind one concentrator all meters fall silent together. Then only the
// clock of the log's other entries can tell.
func TestAnAreaOfWhichNothingComesIsToldByTheClock(t *testing.T) {
	v := &village{homes: 8, seed: 37}
	all := v.inputs(0, 24)
	log := without(all, func(_ string, start time.Time) bool { return between(start, at(20, 9), at(22, 12)) })
	i := slices.IndexFunc(log, func(in ingest.Input) bool { return in.Clock.After(at(20, 9)) })
	var clocks []ingest.Input
	for now := at(20, 10); now.Before(at(22, 12)); now = now.Add(time.Hour) {
		clocks = append(clocks, ingest.Input{AreaID: "tq", Clock: now})
	}
	log = slices.Insert(log, i, clocks...)
	_, findings := watch(t, DefaultParams(), log)
	expect(t, findings, step{Open, Yellow, CauseAreaSilent, true}, step{Resolved, Yellow, CauseDataBack, false})
	if f := findings[0]; !f.Onset.Equal(at(20, 9)) || !between(f.At, at(20, 13), at(20, 15)) || f.Reason.Homes != 8 {
		t.Errorf("opened as %+v", f)
	}
	if f := findings[1]; !between(f.At, at(22, 12), at(22, 13.5)) {
		t.Errorf("ended as %+v", f)
	}

	// What was kept back comes first, and fills the gap.
	i = slices.IndexFunc(log, func(in ingest.Input) bool { return in.Clock.After(at(22, 12)) })
	var kept []ingest.Input
	for _, in := range all {
		if between(in.Readings.Start, at(20, 9), at(22, 12)) {
			in.Clock = at(22, 12)
			kept = append(kept, in)
		}
	}
	_, findings = watch(t, DefaultParams(), slices.Insert(slices.Clone(log), i, kept...))
	expect(t, findings, step{Open, Yellow, CauseAreaSilent, true}, step{Resolved, Yellow, CauseCorrection, true})
}

// A dark area may fall silent: two matters, none of which ends the other.
func TestADarkAreaMayFallSilent(t *testing.T) {
	v := outageVillage(true)
	_, findings := watch(t, DefaultParams(), without(v.inputs(0, 45), func(home string, start time.Time) bool {
		return home != homeID(7) && between(start, at(40, 19.5), at(41, 9))
	}))
	expect(t, of(findings, "silent-area:tq"), step{Open, Yellow, CauseAreaSilent, true}, step{Resolved, Yellow, CauseDataBack, false})
	if dark := of(findings, "area:tq"); len(dark) != 2 || dark[0].Kind != AreaDark {
		t.Errorf("the outage: %+v", dark)
	}
}
