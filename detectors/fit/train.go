package fit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"

	"weimang/detectors"
)

// Options configures Train. Start from DefaultOptions.
type Options struct {
	// L2 is the penalty: half of it times the sum of the squared weights,
	// constants left out, is added to the mean loss of a row. 0: none.
	L2 float64
	// Iterations is after how many of them a fit ends at the latest.
	Iterations int
	// Tolerance is the slope of the loss at which it counts as minimal.
	Tolerance float64
	// Slowest is the part of the loss that ten iterations must take away for
	// it to be worth going on. 0: always.
	Slowest float64
	// Balance lets every class weigh the same in all.
	Balance bool
	// Start is a model of the same shape to begin with, nil: none. It saves
	// time and, within the tolerance, changes nothing.
	Start   *detectors.Softmax
	Workers int // changes no figure; 0 is one a core
}

// DefaultOptions are mild: with some ten thousand rows the penalty only holds
// what the rows do not tell.
func DefaultOptions() Options {
	return Options{L2: 1e-4, Iterations: 300, Tolerance: 1e-5, Slowest: 1e-4}
}

// Validate explains what is wrong with o.
func (o *Options) Validate() error {
	switch {
	case !(o.L2 >= 0) || math.IsInf(o.L2, 1):
		return fmt.Errorf("a penalty of %g", o.L2)
	case o.Iterations < 1:
		return errors.New("iterations must be at least 1")
	case !(o.Tolerance > 0):
		return fmt.Errorf("a tolerance of %g", o.Tolerance)
	case !(o.Slowest >= 0 && o.Slowest < 1):
		return fmt.Errorf("a slowest decrease of %g", o.Slowest)
	case o.Workers < 0:
		return fmt.Errorf("%d workers", o.Workers)
	}
	return nil
}

// Train fits a model to the rows of a set that have a weight. Every class must
// have some. The same set and options give the same model, bit by bit, for
// any number of workers.
func Train(ctx context.Context, set *Set, classes []string, opt Options) (*detectors.Softmax, Stats, error) {
	m, st, err := train(ctx, set, classes, opt, func(int) bool { return true })
	if err != nil {
		return nil, st, fmt.Errorf("fit: %w", err)
	}
	return m, st, nil
}

// train fits a model to the rows that are taken.
func train(ctx context.Context, set *Set, classes []string, opt Options, taken func(row int) bool) (*detectors.Softmax, Stats, error) {
	if err := opt.Validate(); err != nil {
		return nil, Stats{}, err
	}
	if err := set.check(len(classes)); err != nil {
		return nil, Stats{}, err
	}
	if opt.Workers == 0 {
		opt.Workers = runtime.GOMAXPROCS(0)
	}
	var rows []int
	for i := range set.Len() {
		if set.weight(i) > 0 && taken(i) {
			rows = append(rows, i)
		}
	}
	weight, err := weights(set, rows, classes, opt.Balance)
	if err != nil {
		return nil, Stats{}, err
	}
	m := standard(set, rows, weight)
	m.Classes = classes
	l := newLoss(set, rows, weight, m, opt.L2, opt.Workers)
	w := make([]float64, l.size())
	if opt.Start != nil {
		if err := begin(w, opt.Start, m); err != nil {
			return nil, Stats{}, err
		}
	}
	st, err := minimise(w, func(x, g []float64) (float64, error) { return l.at(ctx, x, g) }, opt.Iterations, opt.Tolerance, opt.Slowest)
	if err != nil {
		return nil, st, err
	}
	stride := set.Inputs + 1
	for c := range classes {
		own := make([]float32, stride)
		for i := range own {
			own[i] = float32(w[c*stride+i])
		}
		m.W = append(m.W, own)
	}
	return m, st, nil
}

// begin writes the weights of another model as they are under the
// standardisation of m.
func begin(w []float64, start, m *detectors.Softmax) error {
	inputs := len(m.Mean)
	if len(start.W) != len(m.Classes) || len(start.Mean) != inputs || len(start.Scale) != inputs {
		return fmt.Errorf("a start of %d classes and %d inputs, want %d and %d", len(start.W), len(start.Mean), len(m.Classes), inputs)
	}
	for c, from := range start.W {
		own := w[c*(inputs+1) : (c+1)*(inputs+1)]
		own[inputs] = float64(from[inputs])
		for i := range inputs {
			slope := float64(from[i]) / float64(start.Scale[i])
			own[i] = slope * float64(m.Scale[i])
			own[inputs] += slope * float64(m.Mean[i]-start.Mean[i])
		}
	}
	return nil
}

// weights of rows, which add up to 1.
func weights(set *Set, rows []int, classes []string, balance bool) ([]float64, error) {
	byClass := make([]float64, len(classes))
	total := 0.0
	for _, i := range rows {
		byClass[set.Y[i]] += set.weight(i)
		total += set.weight(i)
	}
	factor := make([]float64, len(classes))
	for c, sum := range byClass {
		if sum == 0 {
			return nil, fmt.Errorf("no row is of class %q", classes[c])
		}
		factor[c] = 1 / total
		if balance {
			factor[c] = 1 / (sum * float64(len(classes)))
		}
	}
	weight := make([]float64, len(rows))
	for k, i := range rows {
		weight[k] = set.weight(i) * factor[set.Y[i]]
	}
	return weight, nil
}

// standard is a model without weights: mean and spread of each input. One
// that is the same in every row has the scale 1 and comes out as 0.
func standard(set *Set, rows []int, weight []float64) *detectors.Softmax {
	mean, square := make([]float64, set.Inputs), make([]float64, set.Inputs)
	for k, i := range rows {
		for j, v := range set.Row(i) {
			mean[j] += weight[k] * float64(v)
		}
	}
	for k, i := range rows {
		for j, v := range set.Row(i) {
			d := float64(v) - mean[j]
			square[j] += weight[k] * d * d
		}
	}
	m := new(detectors.Softmax)
	for j := range mean {
		scale := math.Sqrt(square[j])
		if scale <= 1e-6*max(1e-6, math.Abs(mean[j])) {
			scale = 1
		}
		m.Mean, m.Scale = append(m.Mean, float32(mean[j])), append(m.Scale, float32(scale))
	}
	return m
}
