package fit

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestCrossValidateScoresAHomeByOthersOnly(t *testing.T) {
	// Each home has a tell-tale of its own, of which nothing can be learned
	// from others, so that its rows are guessed at.
	rng := rand.New(rand.NewPCG(7, 8))
	set := new(Set)
	const homes, inputs = 12, 24
	for home := range homes {
		for range 60 {
			y := rng.IntN(2)
			x := make([]float32, inputs)
			x[2*home+y] = 1
			set.Add(x, y, home, 1)
		}
	}
	opt := DefaultOptions()
	m, _ := mustTrain(t, set, abc[:2], opt)
	seen := &Scores{Classes: 2}
	for i := range set.Len() {
		seen.Log = logProbabilities(m, seen.Log, set.Row(i))
	}
	unseen, models, err := CrossValidate(t.Context(), set, abc[:2], Deal(homes, 4, 1), opt)
	if err != nil {
		t.Fatal(err)
	}
	if len(models) != 4 {
		t.Errorf("%d models of 4 folds", len(models))
	}
	if loss := seen.LogLoss(set, false); loss > 0.1 {
		t.Errorf("on homes that it has seen the loss is %.3f", loss)
	}
	if loss := unseen.LogLoss(set, false); loss < math.Ln2-0.02 {
		t.Errorf("on homes that it has not seen the loss is %.3f, less than that of guessing: %.3f", loss, math.Ln2)
	}
}

func TestCrossValidationAgreesWithTrainingWhereHomesAreAlike(t *testing.T) {
	set := known(12_000, threeClasses)
	_, st := mustTrain(t, set, abc, quick())
	s, _, err := CrossValidate(t.Context(), set, abc, Deal(20, 5, 1), quick())
	if err != nil {
		t.Fatal(err)
	}
	if loss := s.LogLoss(set, false); math.Abs(loss-st.Loss) > 0.005 || loss < st.Loss {
		t.Errorf("cross-validated %.4f, trained %.4f", loss, st.Loss)
	}
	for i := range set.Len() {
		sum := 0.0
		for _, p := range s.Row(i) {
			sum += math.Exp(float64(p))
		}
		if math.Abs(sum-1) > 1e-5 {
			t.Fatalf("row %d: probabilities add up to %g", i, sum)
		}
	}
}

func TestLogLossCountsClassesAlikeWhenBalanced(t *testing.T) {
	set := &Set{Y: []int{0, 0, 0, 1, 1}, Weight: []float32{1, 1, 1, 1, 0}}
	s := &Scores{Classes: 2, Log: []float32{-1, 0, -1, 0, -1, 0, 0, -3, 0, -100}}
	if got := s.LogLoss(set, false); got != 1.5 {
		t.Errorf("%g, not 1.5", got)
	}
	if got := s.LogLoss(set, true); got != 2 {
		t.Errorf("balanced %g, not 2", got)
	}
}

func TestDealSpreadsHomesEvenlyAndBySeed(t *testing.T) {
	a, b := Deal(38, 5, 1), Deal(38, 5, 2)
	var n [5]int
	for _, f := range a {
		n[f]++
	}
	if n != [5]int{8, 8, 8, 7, 7} {
		t.Errorf("folds of %v homes", n)
	}
	if slices.Equal(a, b) || !slices.Equal(a, Deal(38, 5, 1)) {
		t.Error("not by the seed")
	}
}

func TestCrossValidateSaysWhatItCannotScore(t *testing.T) {
	set := known(100, threeClasses)
	if _, _, err := CrossValidate(t.Context(), set, abc, Deal(19, 5, 1), quick()); err == nil || !strings.Contains(err.Error(), "row 19 is of group 19, which is in no fold") {
		t.Errorf("%v", err)
	}
	// A class that only one home has cannot be learned from the others.
	for i := range set.Y {
		set.Y[i] = 0
		if set.Group[i] == 3 {
			set.Y[i] = 1
		}
	}
	if _, _, err := CrossValidate(t.Context(), set, abc[:2], Deal(20, 5, 1), quick()); err == nil || !strings.Contains(err.Error(), `no row is of class "b"`) {
		t.Errorf("%v", err)
	}
}
