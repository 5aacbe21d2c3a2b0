package detectors

import (
	"bytes"
	"reflect"
	"slices"
	"testing"
	"time"

	"weimang/ingest"
)

func consentSaid(kind ingest.DirectiveKind, issued time.Time) ingest.Directive {
	return ingest.Directive{ID: string(kind) + issued.String(), HouseholdID: homeID(3), Kind: kind, IssuedAt: issued}
}

func TestWithdrawnConsentEndsWhatWasToldAndForgetsTheHome(t *testing.T) {
	p := DefaultParams()
	log := say(stillVillage(at(40, 7), at(44, 9)).inputs(0, 48), consentSaid(ingest.ConsentWithdrawn, at(42, 12)))
	a := NewArea(&p, "tq")
	out := apply(t, a, log)
	story := of(out.Findings, homeID(3))
	if len(story) < 2 {
		t.Fatalf("the test shows nothing: %+v", story)
	}
	end := story[len(story)-1]
	if end.State != Resolved || end.Reason.Cause != CauseConsentWithdrawn || !end.Pushed || !end.DecidedAt.Equal(at(42, 12)) {
		t.Errorf("ended as %+v", end)
	}
	if a.homeOf(homeID(3)) >= 0 || a.Homes() != 7 || out.Unwanted != 48+48+48+48+48+24 {
		t.Errorf("%d homes, %d readings passed over", a.Homes(), out.Unwanted)
	}
	b, err := a.Encode()
	if err != nil || bytes.Count(b, []byte(homeID(3))) != 1 { // only that it does not want to be watched
		t.Errorf("the state still speaks of the home, %v", err)
	}
	restored, _ := saveAndRestore(t, &p, a)
	if !restored.withdrawn(homeID(3)) {
		t.Error("a restart has forgotten that it does not want to be watched")
	}
}

func TestConsentGivenAgainBeginsFromNothing(t *testing.T) {
	v := stillVillage(at(40, 7), at(40, 7))
	log := say(v.inputs(0, 20), consentSaid(ingest.ConsentWithdrawn, at(10, 12)), consentSaid(ingest.ConsentGiven, at(12, 12)))
	// What was said first is read again, as after a crash.
	again := consentSaid(ingest.ConsentWithdrawn, at(10, 12))
	log = append(log, ingest.Input{AreaID: "tq", Clock: at(20, 0), Directive: &again})
	a, _ := watch(t, DefaultParams(), log)
	i := a.homeOf(homeID(3))
	if i < 0 {
		t.Fatal("it is not watched")
	}
	if days := a.homes[i].live.Habits.Days; days < 7 || days > 7.6 {
		t.Errorf("watched for %g days", days)
	}
}

func TestConsentWithdrawnBeforeTheFirstReadingHolds(t *testing.T) {
	no := consentSaid(ingest.ConsentWithdrawn, at(0, 0.25))
	log := append([]ingest.Input{{AreaID: "tq", Clock: no.IssuedAt, Directive: &no}}, stillVillage(at(40, 7), at(40, 7)).inputs(1, 3)...)
	a, _ := watch(t, DefaultParams(), log)
	if a.homeOf(homeID(3)) >= 0 || a.Homes() != 7 {
		t.Error("it is watched")
	}
}

func TestAnOutcomeSaidByMistakeIsTakenBack(t *testing.T) {
	issued := func(id string, cause ingest.OutcomeCause, at time.Time) ingest.Directive {
		return ingest.Directive{ID: id, HouseholdID: homeID(3), Kind: ingest.Outcome, Outcome: cause, IssuedAt: at}
	}
	log := stillVillage(at(40, 7), at(44, 9)).inputs(0, 48)
	_, asItWas := watch(t, DefaultParams(), log)
	normal := issued("o1", ingest.OutcomeNewNormal, at(42, 12))
	_, closed := watch(t, DefaultParams(), say(log, normal))
	usual := func(f Finding) bool { return f.Reason.Cause == CauseNewUsual }
	if !slices.ContainsFunc(closed, usual) {
		t.Fatalf("the test shows nothing: %+v", closed)
	}
	took := issued("o1", ingest.OutcomeRetracted, at(42, 12.25)) // before the next readings
	_, mended := watch(t, DefaultParams(), say(log, normal, took))
	if story, want := of(mended, homeID(3)), of(asItWas, homeID(3)); len(want) == 0 || !reflect.DeepEqual(story, want) {
		t.Errorf("the silence is told as\n%+v\nwant\n%+v", story, want)
	}
}

func TestTheLastWordAboutAnOutcomeCountsInWhateverOrderTheyCome(t *testing.T) {
	first := outcome{ID: 7, At: 5000, Issued: 5000, Cause: 1}
	second := outcome{ID: 7, At: 5010, Issued: 5010, Cause: retracted}
	other := outcome{ID: 9, At: 5005, Issued: 5005, Cause: 2}
	want := said{Outcomes: [2]outcome{other, {ID: 7, At: 5000, Issued: 5010, Cause: retracted}}}
	for name, order := range map[string][]outcome{
		"as said": {first, other, second}, "backwards": {second, other, first}, "repeated": {first, second, other, first, other, second},
	} {
		var s said
		for _, o := range order {
			s.found(o)
		}
		if s != want {
			t.Errorf("%s: %+v", name, s.Outcomes)
		}
	}
}
