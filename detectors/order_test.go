package detectors

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"weimang/ingest"
)

// eventful is a village in which everything happens once.
func eventful(seed uint64) *village {
	return &village{homes: 8, seed: seed, edit: func(home int, start time.Time, wh float64) float64 {
		switch {
		case between(start, at(24, 18.5), at(24, 20.5)):
			return 0
		case home == 5 && between(start, at(24, 18), at(25, 9)):
			return 0
		case home == 3 && between(start, at(20, 7), at(22, 9)):
			return 20
		case home == 1 && between(start, at(26, 14), at(26, 22)):
			return wh + 750
		default:
			return wh
		}
	}}
}

// frozen is everything about an area that must not depend on the order of
// arrival: the settled states and the windows, without what was told of them.
func frozen(t testing.TB, a *Area) []byte {
	t.Helper()
	state, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	b, err := OrderFree(a.p, state)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOrderOfArrivalDoesNotMatter(t *testing.T) {
	p := DefaultParams()
	v := eventful(11)
	// Home 6 is silent for a day and a half, the area for a morning, and at
	// home 3 somebody says that nobody is there.
	log := without(v.inputs(0, 32), func(home string, start time.Time) bool {
		return home == homeID(6) && between(start, at(18, 9), at(19, 21)) || home != homeID(0) && between(start, at(23, 4), at(23, 11))
	})
	log = say(log, away("d1", at(21, 9), at(20, 12), at(23, 0)))
	inOrder, findings := watch(t, p, log)
	want := frozen(t, inOrder)
	for _, cause := range []Cause{CauseSilent, CauseAreaSilent, CauseAway} {
		if !slices.ContainsFunc(findings, func(f Finding) bool { return f.Reason.Cause == cause }) {
			t.Errorf("nothing is %s: the test shows too little", cause)
		}
	}

	rng := rand.New(rand.NewPCG(5, 6))
	type arrival struct {
		in ingest.Input
		at time.Time
	}
	var arrivals []arrival
	for _, in := range log {
		delay := time.Duration(0)
		switch x := rng.Float64(); {
		case in.Directive != nil: // what people say comes at once
		case in.Clock.After(at(28, 0)): // the end of the story is on time, so that both clocks agree
		case x < 0.02:
			delay = time.Duration(rng.Int64N(int64(95 * time.Hour)))
		case x < 0.1:
			delay = time.Duration(rng.Int64N(int64(3 * time.Hour)))
		}
		arrivals = append(arrivals, arrival{in, in.Clock.Add(delay)})
		if rng.Float64() < 0.05 {
			arrivals = append(arrivals, arrival{in, in.Clock.Add(delay + time.Duration(rng.Int64N(int64(time.Hour))))})
		}
	}
	slices.SortStableFunc(arrivals, func(x, y arrival) int { return x.at.Compare(y.at) })
	a := NewArea(&p, "tq")
	out := new(Output)
	for _, x := range arrivals {
		x.in.Clock = x.at
		if x.at.After(at(32, 0)) {
			x.in.Clock = at(32, 0)
		}
		if err := a.Apply(&x.in, out); err != nil {
			t.Fatal(err)
		}
	}
	if len(out.TooLate) != 0 {
		t.Fatalf("%d readings inside the window were refused", len(out.TooLate))
	}
	if out.Duplicates < 500 {
		t.Errorf("only %d duplicates counted", out.Duplicates)
	}
	for i, h := range a.homes {
		for copy := range copies {
			if !reflect.DeepEqual(copyOf(t, a, h, copy), copyOf(t, inOrder, inOrder.homes[i], copy)) {
				t.Errorf("home %s: copy %d differs", h.id, copy)
			}
		}
	}
	if got := frozen(t, a); !bytes.Equal(got, want) {
		t.Error("the encoded area differs")
	}
}

// saveAndRestore is what a restart makes of an area, and the checkpoint between.
func saveAndRestore(t testing.TB, p *Params, a *Area) (*Area, []byte) {
	t.Helper()
	b, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	restored, err := DecodeArea(p, b)
	if err != nil {
		t.Fatal(err)
	}
	return restored, b
}

func TestRestoredAreaGoesOnAsIfNothingHadHappened(t *testing.T) {
	p := DefaultParams()
	log := eventful(12).inputs(0, 32)
	whole, want := watch(t, p, log)
	for _, cut := range []int{1, 100, len(log) * 2 / 3, len(log)*3/4 + 5, len(log) - 1} {
		a, got := watch(t, p, log[:cut])
		restored, b := saveAndRestore(t, &p, a)
		again, err := restored.Encode()
		if err != nil || !bytes.Equal(b, again) {
			t.Fatalf("cut at %d: decoding and encoding changed the state (%v)", cut, err)
		}
		got = append(got, apply(t, restored, log[cut:]).Findings...)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("cut at %d: %d findings, want %d", cut, len(got), len(want))
		}
		x, _ := restored.Encode()
		y, _ := whole.Encode()
		if !bytes.Equal(x, y) {
			t.Errorf("cut at %d: final state differs", cut)
		}
	}
}

// The same story told by one meter of each home and by two, of which one
// sends quarter-hours.
func TestTwoMetersOfDifferentIntervalsAreOneHome(t *testing.T) {
	p := DefaultParams()
	log := eventful(17).inputs(0, 32)
	_, want := watch(t, p, log)
	var split []ingest.Input
	for _, in := range log {
		r := in.Readings
		half, quarters := *r, *r
		half.Wh = []uint32{r.Wh[0] / 3}
		rest := r.Wh[0] - half.Wh[0]
		quarters.MeterID, quarters.Interval, quarters.Wh = r.MeterID+"-2", 15*time.Minute, []uint32{rest / 2, rest - rest/2}
		for _, one := range []*ingest.Readings{&half, &quarters} {
			split = append(split, ingest.Input{AreaID: in.AreaID, Clock: in.Clock, Readings: one})
		}
	}
	_, got := watch(t, p, split)
	if len(got) != len(want) {
		t.Fatalf("%d findings, want %d", len(got), len(want))
	}
	for i := range want {
		// The first quarter-hour is half a reading, and habits remember it.
		if got[i].Kind != want[i].Kind || got[i].State != want[i].State || got[i].At.Sub(want[i].At).Abs() > time.Hour {
			t.Errorf("finding %d:\n%+v, want\n%+v", i, got[i], want[i])
		}
	}
}

// What had been decided before a meter or a home was heard of stays as it
// was: otherwise it depends on when its first reading came.
func TestNewMeterAndNewHomeChangeNothingBefore(t *testing.T) {
	p := DefaultParams()
	v := &village{homes: 8, seed: 18}
	var log []ingest.Input
	for _, in := range v.inputs(0, 26) {
		switch r := in.Readings; {
		case r.HouseholdID == homeID(2) && !r.Start.Before(at(18, 9)):
			r.MeterID += "-new"
		case r.HouseholdID == homeID(6) && r.Start.Before(at(18, 9)):
			continue
		}
		log = append(log, in)
	}
	inOrder, _ := watch(t, p, log)
	want := frozen(t, inOrder)
	var punctual, late []ingest.Input
	for _, in := range log {
		r := in.Readings
		if (r.HouseholdID == homeID(2) || r.HouseholdID == homeID(6)) && between(r.Start, at(18, 9), at(21, 9)) {
			in.Clock = at(21, 10)
			late = append(late, in)
		} else {
			punctual = append(punctual, in)
		}
	}
	i := slices.IndexFunc(punctual, func(in ingest.Input) bool { return in.Clock.After(at(21, 10)) })
	a, _ := watch(t, p, slices.Insert(punctual, i, late...))
	for i, h := range a.homes {
		for copy := range copies {
			if !reflect.DeepEqual(copyOf(t, a, h, copy), copyOf(t, inOrder, inOrder.homes[i], copy)) {
				t.Errorf("home %s: copy %d differs", h.id, copy)
			}
		}
	}
	if got := frozen(t, a); !bytes.Equal(got, want) {
		t.Error("the encoded area differs")
	}
}

// A grid worker's report is never published; a checkpoint with it must still
// be read back.
func TestAreaThatKnowsIncidentsIsRestored(t *testing.T) {
	p := DefaultParams()
	a, _ := watch(t, p, []ingest.Input{
		{AreaID: "tq", Clock: at(0, 1), Incident: &ingest.Incident{ID: "g-1", Source: ingest.SocialGrid, Class: "dispute", From: at(0, 1)}},
		{AreaID: "tq", Clock: at(0, 2), Incident: &ingest.Incident{
			ID: "pw-1", Source: ingest.PowerGrid, Class: ingest.ClassPlannedOutage, From: at(1, 0), Until: at(1, 2),
		}},
	})
	restored, _ := saveAndRestore(t, &p, a)
	if len(restored.incidents) != 2 || !restored.incidents[1].public.Open {
		t.Errorf("restored %+v", restored.incidents)
	}
}

func TestDamagedStateIsRefused(t *testing.T) {
	p := DefaultParams()
	a, _ := watch(t, p, eventful(13).inputs(0, 3))
	b, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(b); n += 97 {
		if _, err := DecodeArea(&p, b[:n]); err == nil {
			t.Fatalf("%d of %d bytes were taken for a state", n, len(b))
		}
	}
	b[0]++
	if _, err := DecodeArea(&p, b); err == nil {
		t.Error("a state of another version was taken")
	}
	for name, damage := range map[string]func(*Area){
		"no grid":                    func(a *Area) { a.shortest = 0 },
		"no end":                     func(a *Area) { a.pos[live] = 1 << 30 },
		"a kind that does not exist": func(a *Area) { a.homes[2].public.Kind = 99 },
		"a cause that does not": func(a *Area) {
			st := homeState{Signals: new([signals]signal)}
			st.Signals[1].Cause = 99
			a.homes[2].kept.keep(packAlone(nil, &st, a.pos[settled]), nil, nil)
		},
		"a home without a meter":   func(a *Area) { a.homes[2].meters = nil },
		"homes in no order":        func(a *Area) { a.homes[2].id = "z" },
		"a window of no grid":      func(a *Area) { a.homes[2].meters[0].win.grid = 3 },
		"a window that is cut off": func(a *Area) { a.homes[2].meters[0].win.n++ },
	} {
		a, _ := watch(t, p, eventful(13).inputs(0, 9))
		damage(a)
		b, err := a.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeArea(&p, b); err == nil {
			t.Errorf("a state with %s was taken", name)
		}
	}
}

func TestAGapOfYearsIsPassedOver(t *testing.T) {
	v := &village{homes: 8, seed: 20}
	a, _ := watch(t, DefaultParams(), append(v.inputs(0, 2), v.inputs(3650, 3652)...))
	if got := a.pos[live].time(); !got.Equal(at(3652, 0)) {
		t.Errorf("decided up to %s", got)
	}
	for _, h := range a.homes {
		if days := h.live.Habits.Days; days < 3.99 || days > 4 {
			t.Errorf("%s has learned from %v days", h.id, days)
		}
	}
}

func TestLateReadingTakesBackWhatWasSaid(t *testing.T) {
	v := &village{homes: 8, seed: 14, edit: func(home int, start time.Time, wh float64) float64 {
		if home == 3 && between(start, at(30, 7), at(31, 0)) {
			return 20
		}
		return wh
	}}
	log := v.inputs(0, 31)
	// The whole day comes again in one piece.
	truth := ingest.Readings{}
	for _, in := range (&village{homes: 8, seed: 14}).inputs(30, 31) {
		if in.Readings.HouseholdID != homeID(3) {
			continue
		}
		if truth.Wh == nil {
			truth = *in.Readings
			truth.Quality = ingest.Edited
			truth.Wh = nil
		}
		truth.Wh = append(truth.Wh, in.Readings.Wh[0])
	}
	log = append(log, ingest.Input{AreaID: "tq", Clock: at(31, 0), Readings: &truth})
	_, findings := watch(t, DefaultParams(), log)
	story := of(findings, homeID(3))
	if len(story) < 2 || story[0].State != Open || !story[0].Pushed {
		t.Fatalf("want an opening first, got %+v", story)
	}
	last := story[len(story)-1]
	if last.State != Resolved || last.Reason.Cause != CauseCorrection || !last.Pushed {
		t.Errorf("corrected values gave %+v", last)
	}
}

// A late reading of one home is no reason to tell the history of all again.
func TestHistoryIsToldAgainFromTheLateReadingOn(t *testing.T) {
	v := &village{homes: 8, seed: 25}
	var log []ingest.Input
	for _, in := range v.inputs(0, 10) {
		r := *in.Readings
		r.Wh, r.Register = []uint32{5_000_000}, true
		if !r.Start.Before(at(8, 0)) {
			r.Wh[0] = 1_000_000 // all meters were replaced
		}
		if r.HouseholdID != homeID(3) || !r.Start.Equal(at(9, 12)) {
			log = append(log, ingest.Input{AreaID: in.AreaID, Clock: in.Clock, Readings: &r})
		}
	}
	p := DefaultParams()
	a, out := NewArea(&p, "tq"), new(Output)
	tell(t, a, log, out)
	if out.Backward != 8 {
		t.Errorf("%d registers stepped back, want 8", out.Backward)
	}
	late := v.input(3, at(9, 12))
	late.Clock = at(10, 0)
	late.Readings.Wh, late.Readings.Register = []uint32{1_000_000}, true
	points := make(map[string]int)
	out = &Output{Points: func(_, household string, p UsePoint) {
		points[household]++
		if p.Start.Before(at(9, 12)) {
			t.Errorf("told again of %s", p.Start)
		}
	}}
	tell(t, a, []ingest.Input{late}, out)
	if len(points) != 1 || points[homeID(3)] != 24 || out.Backward != 0 {
		t.Errorf("told %v and %d steps back", points, out.Backward)
	}
}

func TestTooLateReadingsAreHandedBack(t *testing.T) {
	v := &village{homes: 8, seed: 16}
	log := v.inputs(0, 12)
	late := v.input(2, at(3, 12))
	late.Clock = at(12, 0)
	a, _ := watch(t, DefaultParams(), log)
	before, _ := a.Encode()
	out := apply(t, a, []ingest.Input{late})
	after, _ := a.Encode()
	if len(out.TooLate) != 1 || !bytes.Equal(before, after) {
		t.Errorf("a reading nine days old: %d handed back, state changed: %v", len(out.TooLate), !bytes.Equal(before, after))
	}
}
