package detectors

import (
	"math"
	"testing"
	"time"

	"weimang/ingest"
)

func TestAPeakIsNeitherLifeNorLearned(t *testing.T) {
	v := &village{homes: 8, seed: 41}
	usual, _ := watch(t, DefaultParams(), v.inputs(0, 24))
	v.edit = func(home int, start time.Time, wh float64) float64 {
		if home == 3 && start.Equal(at(20, 3)) {
			return 31_000 // 62 kW
		}
		return wh
	}
	p := DefaultParams()
	a, out := NewArea(&p, "tq"), new(Output)
	tell(t, a, v.inputs(0, 24), out)
	expect(t, out.Findings, step{Open, Blue, CausePeak, false}, step{Resolved, Blue, CauseDataBack, false})
	open, end := out.Findings[0], out.Findings[1]
	if open.Kind != Impossible || !open.Onset.Equal(at(20, 3)) || !between(end.At, at(21, 3), at(21, 4)) {
		t.Errorf("%+v\n%+v", open, end)
	}
	if out.Peaks != 1 {
		t.Errorf("%d peaks counted", out.Peaks)
	}
	slot := a.homes[3].zone.at(tickOf(at(20, 3)), nil).slot
	if x, y := a.homes[3].live.Habits.mean(slot), usual.homes[3].live.Habits.mean(slot); math.Abs(x-y) > 20 {
		t.Errorf("usual at three in the night is %v W now, was %v W", x, y)
	}
}

// A home of kettles does not draw 16 kW; should it go on doing so, it is
// believed.
func TestAJumpIsBelievedInTheEnd(t *testing.T) {
	p := DefaultParams()
	st := &homeState{Signals: new([signals]signal)}
	odd := 0
	for i := range 100 {
		wh := uint32(300)
		if i >= 10 {
			wh = 8000
		}
		if _, cause := st.check(&p, tick(1000+2*i), reading{length: 2, wh: wh}, false); cause == CausePeak {
			odd++
		}
	}
	if odd < 10 || odd > 48 {
		t.Errorf("%d of 90 jumps were impossible, want some hours' and not more than a day's", odd)
	}
}

func TestAValueStuckToTheLastDigitIsNoReading(t *testing.T) {
	v := &village{homes: 8, seed: 42, edit: func(home int, start time.Time, wh float64) float64 {
		if home == 3 && between(start, at(20, 6), at(23, 6)) {
			return 437
		}
		return wh
	}}
	p := DefaultParams()
	a, out := NewArea(&p, "tq"), new(Output)
	tell(t, a, v.inputs(0, 26), out)
	if out.Stuck != 96 {
		t.Errorf("%d readings counted, want those of the last two days of three", out.Stuck)
	}
	blue, told := false, false
	for _, f := range out.Findings {
		if f.Subject() != homeID(3) {
			t.Errorf("another home: %+v", f)
		}
		blue = blue || f.Kind == Impossible && f.Severity == Blue && f.Onset.Equal(at(20, 6))
		told = told || f.Kind == SilentMeter && f.Pushed && f.Reason.Cause == CauseStuckValue
	}
	if !blue || !told {
		t.Errorf("on the page: %v; the chair told why the home is not seen: %v", blue, told)
	}
}

func TestWhatRepeatsByNatureIsNotStuck(t *testing.T) {
	p := DefaultParams()
	for name, wh := range map[string]func(i int) uint32{
		"nothing at all":                   func(int) uint32 { return 0 },
		"a router":                         func(i int) uint32 { return []uint32{5, 6}[min(1, i/300)] },
		"a meter of 100 Wh steps":          func(i int) uint32 { return []uint32{100, 200}[min(1, i%70/69)] },
		"the same since it was first seen": func(int) uint32 { return 240 },
	} {
		st := &homeState{Signals: new([signals]signal)}
		for i := range 1000 {
			if _, cause := st.check(&p, tick(1000+2*i), reading{length: 2, wh: wh(i)}, false); cause != "" {
				t.Fatalf("%s: %s at reading %d", name, cause, i)
			}
		}
	}
}

// A home in which one value often stays for most of a day gets more time.
func TestLongRunsOfOneValueAreLearned(t *testing.T) {
	p := DefaultParams()
	st := &homeState{Signals: new([signals]signal)}
	first := 0
	for i := range 600 {
		wh := uint32(601)
		if i < 200 && i%40 > 30 {
			wh = uint32(100 + i)
		}
		if _, cause := st.check(&p, tick(1000+2*i), reading{length: 2, wh: wh}, false); cause != "" && first == 0 {
			first = i
		}
	}
	if first < 200+85 || first > 200+100 {
		t.Errorf("stuck at reading %d, want three times the usual thirty after the 200th", first)
	}
}

func TestARegisterThatStepsBackIsToldToTheOperator(t *testing.T) {
	v := &village{homes: 8, seed: 43}
	total := map[string]uint32{}
	log := v.inputs(0, 24)
	for i := range log {
		r := *log[i].Readings
		if r.Start.Equal(at(20, 10).UTC()) && r.HouseholdID == homeID(3) {
			total[r.HouseholdID] = 1_000 // another meter
		} else if total[r.HouseholdID] == 0 {
			total[r.HouseholdID] = 5_000_000
		}
		total[r.HouseholdID] += r.Wh[0]
		r.Wh, r.Register = []uint32{total[r.HouseholdID]}, true
		log[i].Readings = &r
	}
	_, findings := watch(t, DefaultParams(), log)
	expect(t, findings, step{Open, Blue, CauseBackward, false}, step{Resolved, Blue, CauseDataBack, false})
	if f := findings[0]; f.Kind != Impossible || !between(f.Onset, at(20, 9.5), at(20, 10.5)) {
		t.Errorf("opened as %+v", f)
	}
}

// A meter in a home of which nothing is known is judged by the limit alone.
func TestTheFirstReadingOfAHomeIsJudgedByTheConnection(t *testing.T) {
	p := DefaultParams()
	for _, c := range []struct {
		wh   uint32
		want Cause
	}{{29_000, ""}, {30_001, CausePeak}} {
		st := &homeState{Signals: new([signals]signal)}
		r, cause := st.check(&p, tickOf(day0.Add(time.Hour)), reading{length: 2, wh: c.wh}, false)
		if cause != c.want || (cause != "") != (r.quality == ingest.Missing) {
			t.Errorf("%d Wh in half an hour: %q, %+v", c.wh, cause, r)
		}
	}
}
