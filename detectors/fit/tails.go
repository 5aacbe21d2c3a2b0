package fit

import (
	"math"
	"slices"

	"weimang/detectors"
)

// An excursion is a time in which a detector's score is above a level: it ends
// where the score has fallen below the level by as much as excursions reach
// beyond it on average. farPeak of that is the most that one counts for, so
// that a holiday does not stand for chance. Both are as detectors count them.
const farPeak = 4

// Tails are the upper tails of the detectors' scores on untouched homes, at
// all times but in absences of a day and more. often is how many excursions per home-day each
// should begin with: what is rarer follows an exponential.
func (c *Collector) Tails(often []float64) []detectors.Tail {
	tracks, _ := c.inOrder()
	tails := make([]detectors.Tail, len(often))
	for k := range tails {
		var homes [][]float32
		days := 0.0
		for _, t := range tracks {
			if t.event != nil || len(t.score) == 0 {
				continue
			}
			one := make([]float32, len(t.score))
			for i := range one {
				one[i] = t.score[i][k]
				if t.absent(t.when[i]) {
					one[i] = float32(math.Inf(-1))
				}
			}
			homes = append(homes, one)
			days += t.days
		}
		tails[k] = tailOf(calmer(homes, days, often[k]), calmShare*days, often[k])
	}
	return tails
}

// calmShare of the homes make the tail: the noisiest fifth speak for
// themselves, since every home's own tail comes to count.
const calmShare = 0.8

// calmer leaves out the homes with the most excursions.
func calmer(homes [][]float32, days, often float64) [][]float32 {
	all := tailOf(homes, days, often)
	type noisy struct{ home, n int }
	order := make([]noisy, len(homes))
	for i := range homes {
		n, _ := excursions(homes[i:i+1], all)
		order[i] = noisy{i, n}
	}
	slices.SortStableFunc(order, func(a, b noisy) int { return a.n - b.n })
	calm := make([][]float32, 0, len(homes))
	for _, o := range order[:int(math.Ceil(calmShare*float64(len(homes))))] {
		calm = append(calm, homes[o.home])
	}
	return calm
}

// tailOf fits the tail of scores, which are in order of time, home by home.
func tailOf(homes [][]float32, days, often float64) detectors.Tail {
	if days == 0 {
		return detectors.Tail{U: math.MaxFloat32, Often: often, Mean: 1}
	}
	var values []float32
	for _, one := range homes {
		values = append(values, one...)
	}
	slices.Sort(values)
	// Absences are no scores; and the lower half of all times is no tail.
	known, _ := slices.BinarySearch(values, -math.MaxFloat32)
	values = values[(known+len(values))/2:]
	if len(values) == 0 {
		return detectors.Tail{U: math.MaxFloat32, Often: often, Mean: 1}
	}
	t := detectors.Tail{Mean: 1}
	// Where excursions end depends on their mean, which depends on where they
	// begin: both settle in a few rounds.
	for range 12 {
		t.U = begins(homes, values, often*days, t)
		n, mean := excursions(homes, t)
		t.Often = max(float64(n), 0.5) / days
		if n == 0 || math.Abs(mean-t.Mean) < 1e-3*t.Mean {
			break
		}
		t.Mean = max(mean, 0.01)
	}
	return t
}

// begins is the lowest level from which on no higher one is exceeded by more
// than most excursions. It is looked for from above, since far down all of a
// home's time is one excursion.
func begins(homes [][]float32, sorted []float32, most float64, t detectors.Tail) float64 {
	tooMany := func(rank int) bool {
		t.U = float64(sorted[len(sorted)-rank])
		n, _ := excursions(homes, t)
		return float64(n) > most
	}
	// Ranks from the highest score down, in steps of a quarter, then between.
	kept, next := 1, 1
	for next <= len(sorted) && !tooMany(next) {
		kept, next = next, next+next/4+1
	}
	next = min(next, len(sorted))
	for next-kept > 1 {
		if mid := (kept + next) / 2; tooMany(mid) {
			next = mid
		} else {
			kept = mid
		}
	}
	return float64(sorted[len(sorted)-kept])
}

// excursions of a tail's scores and how far they reach on average.
func excursions(homes [][]float32, t detectors.Tail) (n int, reach float64) {
	u, end, far := t.U, t.End(), farPeak*t.Mean
	for _, one := range homes {
		peak := math.Inf(-1)
		for _, s := range one {
			v := float64(s)
			switch {
			case v > u:
				if math.IsInf(peak, -1) {
					n++
				}
				peak = max(peak, v)
			case v < end && !math.IsInf(peak, -1):
				reach += min(peak-u, far)
				peak = math.Inf(-1)
			}
		}
		if !math.IsInf(peak, -1) {
			reach += min(peak-u, far)
		}
	}
	return n, reach / max(float64(n), 1)
}
