package evaluate

import (
	"math"
	"reflect"
	"testing"
)

func TestIntervalsComeFromResamplingHomes(t *testing.T) {
	// Two kinds of homes: found at once, or never. Cases of one home are no
	// news about another, so more cases a home do not narrow the interval.
	few, many := make(byHome, 20), make(byHome, 20)
	for i := range few {
		v := tick(4)
		if i%2 == 0 {
			v = never
		}
		few[i] = []tick{v}
		for range 50 {
			many[i] = append(many[i], v)
		}
	}
	draws := resample(20, 1000, 1)
	a, b := few.share(8, draws), many.share(8, draws)
	if a != b {
		t.Errorf("%+v with one case a home, %+v with fifty", a, b)
	}
	se := math.Sqrt(0.25 / 20)
	near(t, "lower end", a.Low, 0.5-1.96*se, 0.06)
	near(t, "upper end", a.High, 0.5+1.96*se, 0.06)
	if !reflect.DeepEqual(resample(20, 10, 1), resample(20, 10, 1)) || reflect.DeepEqual(resample(20, 10, 1), resample(20, 10, 2)) {
		t.Error("samples do not depend on the seed, or not on it alone")
	}
}

func TestADelayThatHalfOfTheCasesNeverReachHasNoMedian(t *testing.T) {
	for _, c := range []struct {
		name     string
		d        byHome
		p, hours float64 // hours < 0: never
	}{
		{"odd number", byHome{{4, 8}, {12}}, 0.5, 2},
		{"half are found", byHome{{4, 8}, {never, never}}, 0.5, 2},
		{"less than half", byHome{{4}, {never, never}}, 0.5, -1},
		{"nine of ten", byHome{{1, 2, 3, 4, 5, 6, 7, 8, 9, never}}, 0.9, 2.25},
		{"no case", byHome{{}}, 0.5, -1},
	} {
		got := c.d.quantileOf(c.p, nil)
		switch {
		case c.hours < 0 && got.Hours != nil:
			t.Errorf("%s: %.2f h", c.name, *got.Hours)
		case c.hours >= 0 && (got.Hours == nil || *got.Hours != c.hours):
			t.Errorf("%s: %v, want %.2f h", c.name, hoursText(got.Hours), c.hours)
		}
	}
}

func TestRatesAreSumsOverSums(t *testing.T) {
	if e := fraction([]float64{1, 0}, []float64{10, 90}, resample(2, 100, 1)); e.Value != 0.01 || e.Low != 0 || e.High != 0.1 {
		t.Errorf("%+v", e)
	}
	if e := fraction(nil, nil, nil); e.Value != 0 {
		t.Errorf("nothing of nothing is %+v", e)
	}
}
