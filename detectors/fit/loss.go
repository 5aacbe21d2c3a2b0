package fit

import (
	"context"
	"math"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// shardRows is how many rows are summed up on their own. The shards are fixed
// and their sums added in order, so that the number of workers changes no bit.
const shardRows = 2048

// loss is the mean negative log likelihood of some rows of a set, plus the
// penalty, as a function of the weights: class after class, each its inputs
// and then its constant.
type loss struct {
	set     *Set
	rows    []int     // those that count
	weight  []float64 // of each of rows; they add up to 1
	mean    []float64 // of each input
	inverse []float64 // of its scale
	classes int
	l2      float64
	workers int

	parts []part // by shard
}

type part struct {
	sum      float64
	gradient []float64
	x, score []float64 // of one row
}

func newLoss(set *Set, rows []int, weight []float64, m *Model, l2 float64, workers int) *loss {
	l := &loss{set: set, rows: rows, weight: weight, classes: len(m.Classes), l2: l2, workers: workers}
	for i := range set.Inputs {
		l.mean = append(l.mean, float64(m.Mean[i]))
		l.inverse = append(l.inverse, 1/float64(m.Scale[i]))
	}
	l.parts = make([]part, (len(rows)+shardRows-1)/shardRows)
	for i := range l.parts {
		l.parts[i] = part{gradient: make([]float64, l.size()), x: make([]float64, set.Inputs), score: make([]float64, l.classes)}
	}
	return l
}

func (l *loss) size() int { return l.classes * (l.set.Inputs + 1) }

// at is a function of minimise.
func (l *loss) at(ctx context.Context, w, gradient []float64) (float64, error) {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range min(l.workers, len(l.parts)) {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(l.parts) {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				l.shard(i, w)
			}
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	clear(gradient)
	sum := 0.0
	for i := range l.parts {
		sum += l.parts[i].sum
		add(gradient, l.parts[i].gradient, 1)
	}
	stride := l.set.Inputs + 1
	for c := range l.classes {
		own, g := w[c*stride:(c+1)*stride-1], gradient[c*stride:]
		sum += l.l2 / 2 * dot(own, own)
		add(g[:len(own)], own, l.l2)
	}
	return sum, nil
}

func (l *loss) shard(n int, w []float64) {
	p := &l.parts[n]
	p.sum = 0
	clear(p.gradient)
	stride := l.set.Inputs + 1
	for k := n * shardRows; k < min((n+1)*shardRows, len(l.rows)); k++ {
		row := l.set.Row(l.rows[k])
		for i := range p.x {
			p.x[i] = (float64(row[i]) - l.mean[i]) * l.inverse[i]
		}
		for c := range p.score {
			own := w[c*stride : (c+1)*stride]
			p.score[c] = dot(p.x, own[:len(p.x)]) + own[len(p.x)]
		}
		y, weight := l.set.Y[l.rows[k]], l.weight[k]
		right := p.score[y]
		p.sum += weight * (softmax(p.score) - right)
		for c, prob := range p.score {
			if c == y {
				prob--
			}
			d := weight * prob
			own := p.gradient[c*stride : (c+1)*stride]
			add(own[:len(p.x)], p.x, d)
			own[len(p.x)] += d
		}
	}
}

// softmax turns scores into probabilities and returns the logarithm of the
// sum of their exponentials.
func softmax(score []float64) float64 {
	most := score[0]
	for _, s := range score {
		most = max(most, s)
	}
	sum := 0.0
	for i, s := range score {
		score[i] = math.Exp(s - most)
		sum += score[i]
	}
	for i := range score {
		score[i] /= sum
	}
	return most + math.Log(sum)
}
