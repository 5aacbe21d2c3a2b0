package fit

import (
	"context"
	"fmt"
	"math/rand/v2"
)

// Scores is what models say of the rows of a set.
type Scores struct {
	Classes int
	Log     []float32 // row × class, natural logarithms of probabilities
}

// Row is the logarithms of row i, one a class.
func (s *Scores) Row(i int) []float32 { return s.Log[i*s.Classes : (i+1)*s.Classes] }

// Margin is how much more likely class c is than class than in row i, as a
// logarithm.
func (s *Scores) Margin(i, c, than int) float32 {
	row := s.Row(i)
	return row[c] - row[than]
}

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

// CrossValidate scores every row by a model that was fitted to other homes
// only: the homes are dealt into folds by the seed, and the rows of a fold
// scored by the model of the others.
func CrossValidate(ctx context.Context, set *Set, classes []string, folds int, seed uint64, opt Options) (*Scores, error) {
	if err := set.check(len(classes)); err != nil {
		return nil, fmt.Errorf("cross-validate: %w", err)
	}
	groups := set.groups()
	if folds < 2 || folds > len(groups) {
		return nil, fmt.Errorf("cross-validate: %d folds of %d homes", folds, len(groups))
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	rng.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
	fold := make(map[int]int, len(groups))
	for i, g := range groups {
		fold[g] = i % folds
	}
	s := &Scores{Classes: len(classes), Log: make([]float32, set.Len()*len(classes))}
	for f := range folds {
		m, _, err := train(ctx, set, classes, opt, func(i int) bool { return fold[set.Group[i]] != f })
		if err != nil {
			return nil, fmt.Errorf("cross-validate: fold %d of %d: %w", f+1, folds, err)
		}
		for i, g := range set.Group {
			if fold[g] == f {
				m.LogProbabilities(s.Log[i*s.Classes:i*s.Classes], set.Row(i))
			}
		}
	}
	return s, nil
}
