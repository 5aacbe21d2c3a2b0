package detectors

import (
	"math"
	"testing"
	"time"
)

// A stove stays on from ten in the morning; another home heats every day from
// ten to four, as it always did.
func TestAStoveLeftOnIsToldAndAHeaterOfEveryDayIsNot(t *testing.T) {
	v := &village{homes: 8, seed: 42, edit: func(home int, start time.Time, wh float64) float64 {
		hour := start.In(at(20, 0).Location()).Hour()
		if home == 3 && between(start, at(24, 10), at(24, 18)) || home == 5 && hour >= 10 && hour < 16 {
			return wh + 600
		}
		return wh
	}}
	p := DefaultParams()
	a, out := NewArea(&p, "tq"), new(Output)
	tell(t, a, v.inputs(0, 26), out)
	told := false
	for _, f := range out.Findings {
		if f.Kind != StuckOn {
			continue
		}
		if f.Subject() != homeID(3) {
			t.Errorf("another home: %+v", f)
		}
		told = told || f.Pushed && !f.At.After(at(24, 14)) && !f.Onset.Before(at(24, 9)) && !f.Onset.After(at(24, 11))
	}
	if !told {
		t.Errorf("the stove was not told of within four hours: %+v", out.Findings)
	}
}

func TestHowOftenALevelHeld(t *testing.T) {
	var a aboveState
	for day := range 100 {
		a.Highest = 500
		if day%2 == 0 {
			a.Highest = 2000
		}
		a.pass(float64(day))
	}
	for watts, want := range map[float64]float64{100: 1, 400: 1, 1000: 0.5, 1500: 0.5, 9000: 0} {
		if got := a.held(watts); math.Abs(got-want) > 0.05 {
			t.Errorf("%v W held on %.2f of days, want %.2f", watts, got, want)
		}
	}
}

func TestADayOnWhichNobodyWasThereSaysNothingOfTheWeeks(t *testing.T) {
	var s slowState
	for day := range int32(20) {
		for hour := range 24 {
			busy := hour < 6 && day != 15
			s.gather(day+1, 1, 100, busy)
		}
		if want := day != 16; day > 0 && s.Known != want { // day 15 has just ended
			t.Errorf("the day before day %d counts: %t", day, s.Known)
		}
	}
}
