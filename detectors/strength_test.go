package detectors

import (
	"math"
	"testing"
)

func TestStrengthStepsAreHalfOctaves(t *testing.T) {
	for step := range strengthSteps {
		from := strengthFrom * (math.Exp2(float64(step)/2) - 1)
		if got := strengthOf(from + 0.01); got != step {
			t.Errorf("%.2f W above base is of step %d, want %d", from+0.01, got, step)
		}
	}
	if strengthOf(-50) != 0 || strengthOf(60_000) != strengthSteps-1 {
		t.Error("what is below base or absurd leaves the steps")
	}
}

// A kettle every third half-hour for weeks; then weaker kettles, or none.
func TestWeakerUseIsToldFromNoUse(t *testing.T) {
	var usual strengths
	day := func(s *strengths, kettle float64, learns bool) {
		for slot := range slotsADay {
			above := 0.0
			if slot%3 == 0 {
				above = kettle
			}
			s.add(slot, above, learns)
		}
	}
	for range 40 {
		day(&usual, 1500, true)
	}
	weaker, out, same := usual, usual, usual
	day(&weaker, 500, false)
	day(&out, 0, false)
	day(&same, 1500, false)
	if same.Less >= 0 || weaker.Less <= 0 {
		t.Errorf("as usual %.1f, weaker %.1f: want below and above 0", same.Less, weaker.Less)
	}
	if out.Less >= weaker.Less {
		t.Errorf("nobody in %.1f, weaker %.1f: the first should say less", out.Less, weaker.Less)
	}
}

func TestStrengthsForgetWithoutOverflow(t *testing.T) {
	var s strengths
	for range 1000 {
		s.add(0, 0, true)
	}
	if n := s.Seen[0][0]; n < 100 || n == math.MaxUint8 {
		t.Errorf("%d half-hours are remembered", n)
	}
}
