package fit

import (
	"context"
	"math"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"weimang/detectors"
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

// abreast is how many rows go through the weights together, so that each
// weight is fetched once for all of them.
const abreast = 4

type part struct {
	sum      float64
	gradient []float64
	x        [abreast][]float64 // standardised inputs of some rows
	score    [abreast][]float64
}

func newLoss(set *Set, rows []int, weight []float64, m *detectors.Softmax, l2 float64, workers int) *loss {
	l := &loss{set: set, rows: rows, weight: weight, classes: len(m.Classes), l2: l2, workers: workers}
	for i := range set.Inputs {
		l.mean = append(l.mean, float64(m.Mean[i]))
		l.inverse = append(l.inverse, 1/float64(m.Scale[i]))
	}
	l.parts = make([]part, (len(rows)+shardRows-1)/shardRows)
	for i := range l.parts {
		p := &l.parts[i]
		p.gradient = make([]float64, l.size())
		for r := range abreast {
			p.x[r], p.score[r] = make([]float64, set.Inputs), make([]float64, l.classes)
		}
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
	until := min((n+1)*shardRows, len(l.rows))
	for k := n * shardRows; k < until; k += abreast {
		l.some(p, k, min(k+abreast, until), w)
	}
}

// some adds up to abreast rows.
func (l *loss) some(p *part, from, until int, w []float64) {
	stride := l.set.Inputs + 1
	for r := range abreast {
		if from+r >= until { // the end of a shard: what stands there counts for nothing
			continue
		}
		row, x := l.set.Row(l.rows[from+r]), p.x[r]
		for i, v := range row {
			x[i] = (float64(v) - l.mean[i]) * l.inverse[i]
		}
	}
	for c := range l.classes {
		own := w[c*stride : (c+1)*stride]
		s := dots(own[:stride-1], &p.x)
		for r := range abreast {
			p.score[r][c] = s[r] + own[stride-1]
		}
	}
	for r := range abreast {
		score := p.score[r]
		if from+r >= until {
			clear(score)
			continue
		}
		y, weight := l.set.Y[l.rows[from+r]], l.weight[from+r]
		right := score[y]
		p.sum += weight * (softmax(score) - right)
		score[y]--
		for c := range score {
			score[c] *= weight
		}
	}
	for c := range l.classes {
		own := p.gradient[c*stride : (c+1)*stride]
		d := [abreast]float64{p.score[0][c], p.score[1][c], p.score[2][c], p.score[3][c]}
		addAll(own[:stride-1], &p.x, &d)
		own[stride-1] += d[0] + d[1] + d[2] + d[3]
	}
}

// dots is the products of w with each of x.
func dots(w []float64, x *[abreast][]float64) (s [abreast]float64) {
	x0, x1, x2, x3 := x[0][:len(w)], x[1][:len(w)], x[2][:len(w)], x[3][:len(w)]
	var s0, s1, s2, s3 float64
	for i, v := range w {
		s0 += v * x0[i]
		s1 += v * x1[i]
		s2 += v * x2[i]
		s3 += v * x3[i]
	}
	return [abreast]float64{s0, s1, s2, s3}
}

// addAll adds each of x times its d to g.
func addAll(g []float64, x *[abreast][]float64, d *[abreast]float64) {
	x0, x1, x2, x3 := x[0][:len(g)], x[1][:len(g)], x[2][:len(g)], x[3][:len(g)]
	d0, d1, d2, d3 := d[0], d[1], d[2], d[3]
	for i := range g {
		g[i] += d0*x0[i] + d1*x1[i] + (d2*x2[i] + d3*x3[i])
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
