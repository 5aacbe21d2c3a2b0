package fit

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"weimang/detectors"
)

// Scores is what models say of the rows of a set.
type Scores struct {
	Classes int
	Log     []float32 // row × class, natural logarithms of probabilities
}

// Row is the logarithms of row i, one a class.
func (s *Scores) Row(i int) []float32 { return s.Log[i*s.Classes : (i+1)*s.Classes] }

// LogLoss is the mean negative log probability of the right class over the
// rows that have a weight, every class weighing the same if balanced.
func (s *Scores) LogLoss(set *Set, balanced bool) float64 {
	sum, weight := make([]float64, s.Classes), make([]float64, s.Classes)
	for i, y := range set.Y {
		w := set.weight(i)
		sum[y] -= w * float64(s.Row(i)[y])
		weight[y] += w
	}
	loss, total := 0.0, 0.0
	for c := range sum {
		if weight[c] == 0 {
			continue
		}
		if balanced {
			sum[c], weight[c] = sum[c]/weight[c], 1
		}
		loss, total = loss+sum[c], total+weight[c]
	}
	return loss / total
}

// Deal deals groups 0 to groups-1 into folds, by the seed: the fold of each.
func Deal(groups, folds int, seed uint64) []int {
	fold := make([]int, groups)
	for i, g := range rand.New(rand.NewPCG(seed, 1)).Perm(groups) {
		fold[g] = i % folds
	}
	return fold
}

// CrossValidate scores every row by a model that was fitted to other homes
// only, those of other folds, and returns these models too, by fold. fold is
// that of each group.
func CrossValidate(ctx context.Context, set *Set, classes []string, fold []int, opt Options) (*Scores, []*detectors.Softmax, error) {
	if err := set.check(len(classes)); err != nil {
		return nil, nil, fmt.Errorf("cross-validate: %w", err)
	}
	opt.Start = nil // it may have seen every home
	folds := 0
	for _, f := range fold {
		folds = max(folds, f+1)
	}
	for i, g := range set.Group {
		if g < 0 || g >= len(fold) {
			return nil, nil, fmt.Errorf("cross-validate: row %d is of group %d, which is in no fold", i, g)
		}
	}
	s := &Scores{Classes: len(classes), Log: make([]float32, set.Len()*len(classes))}
	models := make([]*detectors.Softmax, folds)
	for f := range folds {
		m, _, err := train(ctx, set, classes, opt, func(i int) bool { return fold[set.Group[i]] != f })
		if err != nil {
			return nil, nil, fmt.Errorf("cross-validate: fold %d of %d: %w", f+1, folds, err)
		}
		for i, g := range set.Group {
			if fold[g] == f {
				logProbabilities(m, s.Log[i*s.Classes:i*s.Classes], set.Row(i))
			}
		}
		models[f] = m
	}
	return s, models, nil
}

// logProbabilities appends the natural logarithm of each class's probability
// to dst.
func logProbabilities(m *detectors.Softmax, dst, x []float32) []float32 {
	n := len(dst)
	most := math.Inf(-1)
	for _, w := range m.W {
		s := float64(w[len(x)])
		for i, v := range x {
			s += float64(w[i]) * float64((v-m.Mean[i])/m.Scale[i])
		}
		most = max(most, s)
		dst = append(dst, float32(s))
	}
	sum := 0.0
	for _, s := range dst[n:] {
		sum += math.Exp(float64(s) - most)
	}
	all := most + math.Log(sum)
	for i := n; i < len(dst); i++ {
		dst[i] = float32(float64(dst[i]) - all)
	}
	return dst
}
