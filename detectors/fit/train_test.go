package fit

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"weimang/detectors"
)

var abc = []string{"a", "b", "c"}

// truth is known coefficients, on inputs as they are: class × (inputs + 1).
type truth [][]float64

func (w truth) draw(rng *rand.Rand, x []float32) int {
	score := make([]float64, len(w))
	for c := range w {
		score[c] = w[c][len(x)]
		for i, v := range x {
			score[c] += w[c][i] * float64(v)
		}
	}
	softmax(score)
	u := rng.Float64()
	for c, p := range score {
		if u -= p; u < 0 {
			return c
		}
	}
	return len(w) - 1
}

// known is rows of 20 homes whose classes follow known coefficients.
func known(n int, w truth) *Set {
	rng := rand.New(rand.NewPCG(1, 2))
	set := new(Set)
	x := make([]float32, len(w[0])-1)
	for i := range n {
		for j := range x {
			x[j] = float32(float64(j)*10 + float64(j+1)*rng.NormFloat64())
		}
		set.Add(x, w.draw(rng, x), i%20, 1)
	}
	return set
}

// threeClasses add up to nought, as a penalised fit does.
var threeClasses = truth{{1, -0.5, 4}, {-1, 0.2, -1}, {0, 0.3, -3}}

func quick() Options {
	opt := DefaultOptions()
	opt.L2, opt.Tolerance, opt.Slowest = 1e-9, 1e-7, 0
	return opt
}

func mustTrain(t *testing.T, set *Set, classes []string, opt Options) (*detectors.Softmax, Stats) {
	t.Helper()
	m, st, err := Train(t.Context(), set, classes, opt)
	if err != nil {
		t.Fatal(err)
	}
	return m, st
}

func TestTrainFindsTheCoefficientsThatMadeTheData(t *testing.T) {
	m, st := mustTrain(t, known(60_000, threeClasses), abc, quick())
	if !st.Converged {
		t.Errorf("did not converge: %+v", st)
	}
	for c := 1; c < 3; c++ { // only differences between classes mean anything
		for i := range 2 {
			got := float64((m.W[c][i] - m.W[0][i]) / m.Scale[i])
			if want := threeClasses[c][i] - threeClasses[0][i]; math.Abs(got-want) > 0.06 {
				t.Errorf("class %s input %d: %.3f, made with %.3f", abc[c], i, got, want)
			}
		}
	}
	// What it says of a row is what the coefficients say.
	x := []float32{0.5, 9}
	got := logProbabilities(m, nil, x)
	want := make([]float64, 3)
	for c, w := range threeClasses {
		want[c] = w[0]*0.5 + w[1]*9 + w[2]
	}
	softmax(want)
	for c := range want {
		if p := math.Exp(float64(got[c])); math.Abs(p-want[c]) > 0.02 {
			t.Errorf("probability of %s: %.3f, made with %.3f", abc[c], p, want[c])
		}
	}
}

func TestTheGradientIsTheSlopeOfTheLoss(t *testing.T) {
	set := known(shardRows+100, threeClasses) // more than one shard
	rng := rand.New(rand.NewPCG(3, 4))
	set.Weight = make([]float32, set.Len())
	rows := make([]int, set.Len())
	for i := range rows {
		rows[i], set.Weight[i] = i, rng.Float32()
	}
	weight, err := weights(set, rows, abc, true)
	if err != nil {
		t.Fatal(err)
	}
	m := standard(set, rows, weight)
	m.Classes = abc
	l := newLoss(set, rows, weight, m, 0.1, 2)
	w, g, unused := make([]float64, l.size()), make([]float64, l.size()), make([]float64, l.size())
	for i := range w {
		w[i] = rng.NormFloat64()
	}
	if _, err := l.at(t.Context(), w, g); err != nil {
		t.Fatal(err)
	}
	const h = 1e-5
	for i := range w {
		was := w[i]
		w[i] = was + h
		up, _ := l.at(t.Context(), w, unused)
		w[i] = was - h
		down, _ := l.at(t.Context(), w, unused)
		w[i] = was
		if slope := (up - down) / (2 * h); math.Abs(slope-g[i]) > 1e-8 {
			t.Errorf("weight %d: gradient %.10f, slope %.10f", i, g[i], slope)
		}
	}
}

func TestTheNumberOfWorkersChangesNoBit(t *testing.T) {
	set := known(5*shardRows+7, threeClasses)
	opt := quick()
	opt.Workers = 1
	one, stOne := mustTrain(t, set, abc, opt)
	opt.Workers = 2
	two, stTwo := mustTrain(t, set, abc, opt)
	if !reflect.DeepEqual(one, two) || stOne != stTwo {
		t.Errorf("one worker\n%+v %+v\ntwo\n%+v %+v", one, stOne, two, stTwo)
	}
}

func size(m *detectors.Softmax) float64 {
	sum := 0.0
	for _, w := range m.W {
		for _, v := range w[:len(w)-1] {
			sum += float64(v) * float64(v)
		}
	}
	return math.Sqrt(sum)
}

func TestAPenaltyShrinksTheWeights(t *testing.T) {
	set := known(4000, threeClasses)
	last := math.Inf(1)
	for _, l2 := range []float64{0, 0.01, 0.1, 1} {
		opt := quick()
		opt.L2 = l2
		m, _ := mustTrain(t, set, abc, opt)
		if s := size(m); !(s < 0.9*last) {
			t.Errorf("at %g the weights are %.3f, before %.3f", l2, s, last)
		} else {
			last = s
		}
	}
}

func TestClassesThatNothingConfusesDoNotBlowUp(t *testing.T) {
	set := new(Set)
	for i := range 400 {
		y := i % 2
		set.Add([]float32{float32(y)*10 + float32(i%7), 5}, y, i%4, 1) // the second never differs
	}
	for _, l2 := range []float64{0, 1e-3} {
		opt := DefaultOptions()
		opt.L2 = l2
		m, st := mustTrain(t, set, abc[:2], opt)
		if !st.Converged || !(st.Loss < 0.2) {
			t.Errorf("penalty %g: %+v", l2, st)
		}
		for i := range set.Len() {
			p := logProbabilities(m, nil, set.Row(i))
			if right := float64(p[set.Y[i]]); !(right > math.Log(0.5) && right <= 0) {
				t.Fatalf("penalty %g: row %d has %g for its class", l2, i, right)
			}
		}
		if m.W[0][1] != 0 || m.Scale[1] != 1 {
			t.Errorf("penalty %g: an input that never differs has the weight %g and scale %g", l2, m.W[0][1], m.Scale[1])
		}
	}
}

func TestBalanceLetsARareClassCountAsMuch(t *testing.T) {
	// The inputs tell nothing, so the probabilities are those of the classes.
	set := new(Set)
	for i := range 1000 {
		y := 0
		if i%10 == 0 {
			y = 1
		}
		set.Add([]float32{float32(i / 10 % 2)}, y, i%5, 1)
	}
	opt := quick()
	m, _ := mustTrain(t, set, abc[:2], opt)
	if p := math.Exp(float64(logProbabilities(m, nil, []float32{0})[1])); math.Abs(p-0.1) > 1e-3 {
		t.Errorf("as they come: %.4f, one in ten is of the class", p)
	}
	opt.Balance = true
	m, _ = mustTrain(t, set, abc[:2], opt)
	if p := math.Exp(float64(logProbabilities(m, nil, []float32{0})[1])); math.Abs(p-0.5) > 1e-3 {
		t.Errorf("balanced: %.4f, not one half", p)
	}
	// So many rows are worth as much as so much weight.
	opt.Balance = false
	for i, y := range set.Y {
		set.Weight[i] = float32(1 + 8*y)
	}
	m, _ = mustTrain(t, set, abc[:2], opt)
	if p := math.Exp(float64(logProbabilities(m, nil, []float32{0})[1])); math.Abs(p-0.5) > 1e-3 {
		t.Errorf("weighted: %.4f, not one half", p)
	}
}

func TestARowWithoutWeightTeachesNothing(t *testing.T) {
	set := known(3000, threeClasses)
	plain, _ := mustTrain(t, set, abc, quick())
	set.Add([]float32{1e6, -1e6}, 1, 0, 0)
	more, _ := mustTrain(t, set, abc, quick())
	if !reflect.DeepEqual(plain, more) {
		t.Error("it changed the model")
	}
}

func TestTrainSaysWhatItCannotFit(t *testing.T) {
	good := func() *Set { return known(100, threeClasses) }
	for _, c := range []struct {
		name    string
		spoil   func(*Set, *Options)
		classes []string
		says    string
	}{
		{"no rows", func(s *Set, _ *Options) { *s = Set{} }, abc, "fit: there are no rows"},
		{"one class", func(s *Set, _ *Options) { clear(s.Y) }, abc[:1], "fit: 1 classes leave nothing to tell apart"},
		{"a class without rows", func(*Set, *Options) {}, append(abc, "d"), `fit: no row is of class "d"`},
		{"a class that is not named", func(s *Set, _ *Options) { s.Y[7] = 3 }, abc, "fit: row 7 is of class 3 of 3"},
		{"no number", func(s *Set, _ *Options) { s.X[9] = float32(math.NaN()) }, abc, "fit: input 1 of row 4 is NaN"},
		{"half a row", func(s *Set, _ *Options) { s.X = s.X[:len(s.X)-1] }, abc, "fit: 199 numbers are no 100 rows of 2"},
		{"a negative weight", func(s *Set, _ *Options) { s.Weight[3] = -1 }, abc, "fit: row 3 weighs -1"},
		{"no groups", func(s *Set, _ *Options) { s.Group = nil }, abc, "fit: 100 rows, 0 groups, 100 weights"},
		{"a negative penalty", func(_ *Set, o *Options) { o.L2 = -1 }, abc, "fit: a penalty of -1"},
		{"no iterations", func(_ *Set, o *Options) { o.Iterations = 0 }, abc, "fit: iterations must be at least 1"},
		{"no tolerance", func(_ *Set, o *Options) { o.Tolerance = 0 }, abc, "fit: a tolerance of 0"},
		{"negative workers", func(_ *Set, o *Options) { o.Workers = -1 }, abc, "fit: -1 workers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, opt := good(), DefaultOptions()
			c.spoil(set, &opt)
			if _, _, err := Train(t.Context(), set, c.classes, opt); err == nil || err.Error() != c.says {
				t.Errorf("%v, not %s", err, c.says)
			}
		})
	}
}

func TestTrainEndsWhenItIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Train(ctx, known(100, threeClasses), abc, DefaultOptions()); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestIterationsThatAreUsedUpAreTold(t *testing.T) {
	opt := quick()
	opt.Iterations = 2
	if _, st := mustTrain(t, known(500, threeClasses), abc, opt); st.Converged || st.Iterations != 2 {
		t.Errorf("%+v", st)
	}
}

// The size that the day model is fitted at: 300,000 hours, 119 inputs, 9 classes.
func BenchmarkTrainDay(b *testing.B) {
	rng := rand.New(rand.NewPCG(5, 6))
	w := make(truth, 9)
	for c := range w {
		w[c] = make([]float64, 120)
		for i := range w[c] {
			w[c][i] = 0.2 * rng.NormFloat64()
		}
	}
	set := new(Set)
	x := make([]float32, 14)
	var row []float32
	for i := range 300_000 {
		for j := range x {
			x[j] = float32(min(max(rng.NormFloat64()*1.5, -6), 6))
		}
		row = detectors.Quadratic(row, x)
		set.Add(row, w.draw(rng, row), i%38, 1)
	}
	classes := []string{"0", "1", "2", "3", "4", "5", "6", "7", "8"}
	for b.Loop() {
		_, st, err := Train(b.Context(), set, classes, DefaultOptions())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(st.Evaluations), "evaluations")
		b.ReportMetric(st.Loss, "loss")
	}
}
