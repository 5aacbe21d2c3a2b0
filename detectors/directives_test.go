package detectors

import (
	"errors"
	"slices"
	"testing"
	"time"

	"weimang/ingest"
)

// say puts directives into a log at their time of issue.
func say(log []ingest.Input, directives ...ingest.Directive) []ingest.Input {
	log = slices.Clone(log)
	for i := range directives {
		in := ingest.Input{AreaID: "tq", Clock: directives[i].IssuedAt, Directive: &directives[i]}
		at := slices.IndexFunc(log, func(x ingest.Input) bool { return x.Clock.After(in.Clock) })
		log = slices.Insert(log, at, in)
	}
	return log
}

func away(id string, issued, from, until time.Time) ingest.Directive {
	return ingest.Directive{ID: id, HouseholdID: homeID(3), Kind: ingest.Away, From: from, Until: until, IssuedAt: issued}
}

// stillVillage is one in which nobody moves at home 3 for a time.
func stillVillage(from, until time.Time) *village {
	return &village{homes: 8, seed: 2, edit: func(home int, start time.Time, wh float64) float64 {
		if home == 3 && between(start, from, until) {
			return 20
		}
		return wh
	}}
}

func TestAnAnnouncedAbsenceIsNoSilence(t *testing.T) {
	log := stillVillage(at(40, 7), at(44, 9)).inputs(0, 48)
	_, findings := watch(t, DefaultParams(), say(log, away("d1", at(39, 20), at(40, 0), at(44, 12))))
	expect(t, of(findings, homeID(3)))
}

func TestAnAlarmEndsWhenSomebodySaysThatThePersonIsAway(t *testing.T) {
	log := stillVillage(at(40, 7), at(44, 9)).inputs(0, 48)
	for name, from := range map[string]time.Time{"from now on": at(41, 12), "since the day before yesterday": at(39, 23)} {
		t.Run(name, func(t *testing.T) {
			_, findings := watch(t, DefaultParams(), say(log, away("d1", at(41, 12), from, at(44, 12))))
			story := of(findings, homeID(3))
			if len(story) < 2 {
				t.Fatalf("%+v", story)
			}
			end := story[len(story)-1]
			if end.State != Resolved || end.Reason.Cause != CauseAway || !end.Pushed {
				t.Fatalf("%+v", story)
			}
			if !between(end.DecidedAt, at(41, 12), at(41, 13.1)) || !end.Reason.Until.Equal(at(44, 12)) || end.At.Before(end.Onset) {
				t.Errorf("ended as %+v", end)
			}
		})
	}
}

func TestAfterAnAbsenceASilenceIsANewOne(t *testing.T) {
	log := stillVillage(at(40, 7), at(47, 9)).inputs(0, 48)
	_, findings := watch(t, DefaultParams(), say(log, away("d1", at(39, 20), at(40, 0), at(44, 12))))
	story := of(findings, homeID(3))
	if len(story) == 0 || !between(story[0].Onset, at(44, 12), at(45, 12)) || !between(story[0].At, at(44, 16), at(45, 20)) {
		t.Errorf("three days still after they should be back: %+v", story)
	}
}

func TestUseEndsAnAbsence(t *testing.T) {
	v := stillVillage(at(40, 7), at(41, 9))
	still := v.edit
	v.edit = func(home int, start time.Time, wh float64) float64 {
		if home == 3 && between(start, at(42, 7), at(46, 0)) {
			return 20
		}
		return still(home, start, wh)
	}
	// Back on day 41, three days early; on day 42 nobody moves any more.
	_, findings := watch(t, DefaultParams(), say(v.inputs(0, 46), away("d1", at(39, 20), at(40, 0), at(45, 0))))
	story := of(findings, homeID(3))
	if len(story) == 0 || story[0].Kind != NoSignOfLife || !between(story[0].At, at(42, 9), at(43, 12)) {
		t.Errorf("%+v", story)
	}
	// Who hears that the person is away, after that, knows better.
	_, findings = watch(t, DefaultParams(), say(v.inputs(0, 46),
		away("d1", at(39, 20), at(40, 0), at(45, 0)), away("d2", at(41, 22), at(41, 22), time.Time{})))
	expect(t, of(findings, homeID(3)))
}

func TestANeighbourWhoWatersThePlantsEndsNoAbsence(t *testing.T) {
	v := stillVillage(at(40, 7), at(44, 9))
	still := v.edit
	v.edit = func(home int, start time.Time, wh float64) float64 {
		if home == 3 && start.Equal(at(41, 10)) {
			return 450
		}
		return still(home, start, wh)
	}
	_, findings := watch(t, DefaultParams(), say(v.inputs(0, 48), away("d1", at(39, 20), at(40, 0), at(44, 12))))
	expect(t, of(findings, homeID(3)))
}

func TestAStoveLeftOnIsToldThoughNobodyIsThere(t *testing.T) {
	v := stillVillage(at(40, 7), at(44, 9))
	still := v.edit
	v.edit = func(home int, start time.Time, wh float64) float64 {
		if home == 3 && between(start, at(40, 7), at(40, 19)) {
			return 900 + wh/50 // no supply is the same to the last digit
		}
		return still(home, start, wh)
	}
	_, findings := watch(t, DefaultParams(), say(v.inputs(0, 48), away("d1", at(40, 6), at(40, 6), at(44, 12))))
	if story := of(findings, homeID(3)); len(story) == 0 || story[0].Kind != StuckOn {
		t.Errorf("%+v", story)
	}
}

func TestAnAbsenceIsNotLearned(t *testing.T) {
	log := stillVillage(at(40, 0), at(44, 0)).inputs(0, 44)
	before, _ := watch(t, DefaultParams(), log[:len(log)-8*48*4])
	after, _ := watch(t, DefaultParams(), say(log, away("d1", at(39, 20), at(40, 0), at(46, 0))))
	was, is := before.homes[3].live.Habits, after.homes[3].live.Habits
	was.Days, is.Days = 0, 0
	if was != is {
		t.Error("the habits of an absent person have changed")
	}
}

func TestTheMeterOfAnAbsentHomeMayBeSilent(t *testing.T) {
	v := &village{homes: 8, seed: 51}
	log := without(v.inputs(0, 28), func(home string, start time.Time) bool {
		return home == homeID(3) && start.After(at(20, 9))
	})
	_, findings := watch(t, DefaultParams(), say(log, away("d1", at(20, 9), at(20, 9), at(24, 0))))
	story := of(findings, homeID(3))
	expect(t, story, step{Open, Blue, CauseSilent, false}, step{Update, Yellow, CauseSilent, true})
	if !story[0].Onset.Equal(at(24, 0)) || !story[1].At.Equal(at(25, 0)) {
		t.Errorf("%+v", story)
	}
}

func TestAMutedHomeIsNotToldOf(t *testing.T) {
	log := stillVillage(at(40, 7), at(47, 9)).inputs(0, 48)
	mute := away("d1", at(41, 12), at(41, 12), at(44, 12))
	mute.Kind = ingest.Mute
	_, findings := watch(t, DefaultParams(), say(log, mute))
	story := of(findings, homeID(3))
	i := slices.IndexFunc(story, func(f Finding) bool { return f.State == Resolved })
	if i < 1 || story[i].Reason.Cause != CauseMuted || len(story) < i+2 {
		t.Fatalf("%+v", story)
	}
	if next := story[i+1]; next.State != Open || next.At.Before(at(44, 12)) {
		t.Errorf("told of again: %+v", next)
	}
}

func TestADirectiveIsReplacedByItsSuccessor(t *testing.T) {
	log := stillVillage(at(40, 7), at(44, 9)).inputs(0, 48)
	taken := away("d1", at(40, 6), at(40, 0), at(40, 0)) // she stays, after all
	_, findings := watch(t, DefaultParams(), say(log, away("d1", at(39, 20), at(40, 0), at(44, 12)), taken))
	if len(of(findings, homeID(3))) == 0 {
		t.Error("an absence that was taken back muted the home")
	}
}

func TestWhatAVisitFoundDecidesWhatIsLearned(t *testing.T) {
	log := stillVillage(at(40, 7), at(44, 9)).inputs(0, 43)
	tell := func(d ...ingest.Directive) []Finding {
		_, findings := watch(t, DefaultParams(), say(log, d...))
		return of(findings, homeID(3))
	}
	found := func(cause ingest.OutcomeCause) ingest.Directive {
		return ingest.Directive{ID: "o1", HouseholdID: homeID(3), Kind: ingest.Outcome, Outcome: cause, IssuedAt: at(41, 12)}
	}
	story := tell(found(ingest.OutcomeNewNormal))
	i := slices.IndexFunc(story, func(f Finding) bool { return f.State == Resolved })
	if i < 0 || story[i].Reason.Cause != CauseNewUsual || !between(story[i].At, at(41, 12), at(41, 13)) {
		t.Errorf("a new normal: %+v", story)
	}
	for kind, learns := range map[Kind]bool{Impossible: true, SilentMeter: true, NotBack: false, StuckOn: false} {
		st := homeState{Episode: episode{Open: true, Kind: code(Kinds, kind), First: 5000}}
		st.Episode.Onset = 4990
		if new(said).learns(&st, 5010) != learns {
			t.Errorf("%s open: learns %v", kind, !learns)
		}
	}
	for cause, learns := range map[ingest.OutcomeCause]bool{ingest.OutcomeFalse: true, ingest.OutcomeIllness: false} {
		st := homeState{Episode: episode{Open: true, Kind: code(Kinds, NoSignOfLife), First: 5000}}
		st.Episode.Onset = 4990
		var s said
		s.found(outcome{ID: 1, At: 5010, Issued: 5010, Cause: code(ingest.OutcomeCauses, cause)})
		if s.learns(&st, 5005) {
			t.Errorf("%s: learned before it was said", cause)
		}
		if s.learns(&st, 5011) != learns {
			t.Errorf("%s: learns %v", cause, !learns)
		}
	}
}

func TestADirectiveForAnUnknownHomeIsRefused(t *testing.T) {
	p := DefaultParams()
	a := NewArea(&p, "tq")
	d := away("d1", at(1, 0), at(1, 0), at(2, 0))
	var rejection *ingest.Rejection
	if err := a.Apply(&ingest.Input{AreaID: "tq", Clock: at(1, 0), Directive: &d}, new(Output)); !errors.As(err, &rejection) || rejection.Field != "household_id" {
		t.Errorf("got %v", err)
	}
}

// Whatever the interval: half an hour of strong use is a visitor, two hours
// are somebody who is back.
func TestUseAddsUpAlikeForAllIntervals(t *testing.T) {
	for _, length := range []tick{1, 2, 4} {
		ends := func(strong tick) bool {
			st, p := new(homeState), &period{From: 5000, Until: openPeriod, Issued: 5000}
			for end := tick(5004); end < 5060; end += length {
				st.Life.Prev = 0
				if end > 5008 && end <= 5008+strong {
					st.Life.Prev = levelHigh
				}
				if st.usedAway(&observation{end: end, length: length}, end, p) {
					return true
				}
			}
			return false
		}
		if ends(max(2, length)) || !ends(8) {
			t.Errorf("intervals of %d quarter-hours: ended by the shortest use %v, by two hours of it %v", length, ends(max(2, length)), ends(8))
		}
	}
}
