package evaluate

import (
	"cmp"
	"math"
	"slices"
)

// Estimate is a figure with its 95 % interval from resampling homes.
type Estimate struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Delay is a quantile of delays, in hours; nil means not while the cases were
// watched.
type Delay struct {
	Hours *float64 `json:"hours"`
	Low   *float64 `json:"low"`
	High  *float64 `json:"high"`
}

// resample draws homes with replacement: draws[b][i] is how often home i
// stands in sample b. Everything is judged on the same samples.
func resample(homes, samples int, seed uint64) [][]int {
	rng := dice(seed, "resample")
	draws := make([][]int, samples)
	for b := range draws {
		draws[b] = make([]int, homes)
		for range homes {
			draws[b][rng.IntN(homes)]++
		}
	}
	return draws
}

// byHome is delays of the cases of each home.
type byHome [][]tick

// share of the cases that took at most a time.
func (d byHome) share(limit tick, draws [][]int) Estimate {
	n, hit := make([]float64, len(d)), make([]float64, len(d))
	for i, delays := range d {
		for _, v := range delays {
			n[i]++
			if v <= limit {
				hit[i]++
			}
		}
	}
	return fraction(hit, n, draws)
}

// fraction is the sum of hits over the sum of tries, homes resampled.
func fraction(hit, n []float64, draws [][]int) Estimate {
	over := func(weight func(i int) float64) float64 {
		a, b := 0.0, 0.0
		for i := range n {
			a, b = a+weight(i)*hit[i], b+weight(i)*n[i]
		}
		if b == 0 {
			return 0
		}
		return a / b
	}
	values := make([]float64, len(draws))
	for b, draw := range draws {
		values[b] = over(func(i int) float64 { return float64(draw[i]) })
	}
	e := Estimate{Value: over(func(int) float64 { return 1 })}
	e.Low, e.High = e.Value, e.Value
	if len(values) > 0 {
		slices.Sort(values)
		e.Low, e.High = quantile(values, 0.025), quantile(values, 0.975)
	}
	return e
}

// quantileOf is the shortest time within which a share p of the cases was
// over.
func (d byHome) quantileOf(p float64, draws [][]int) Delay {
	type one struct {
		delay tick
		home  int
	}
	var all []one
	for i, delays := range d {
		for _, v := range delays {
			all = append(all, one{v, i})
		}
	}
	slices.SortFunc(all, func(a, b one) int { return cmp.Compare(a.delay, b.delay) })
	at := func(weight func(i int) int) tick {
		total := 0
		for _, o := range all {
			total += weight(o.home)
		}
		need, got := int(math.Ceil(p*float64(total)-1e-9)), 0
		for _, o := range all {
			if got += weight(o.home); got >= need && got > 0 {
				return o.delay
			}
		}
		return never
	}
	value := at(func(int) int { return 1 })
	samples := make([]tick, len(draws))
	for b, draw := range draws {
		samples[b] = at(func(i int) int { return draw[i] })
	}
	out := Delay{Hours: hoursOrNever(value)}
	out.Low, out.High = out.Hours, out.Hours
	if n := len(samples); n > 0 {
		slices.Sort(samples)
		out.Low, out.High = hoursOrNever(samples[int(0.025*float64(n))]), hoursOrNever(samples[min(int(0.975*float64(n)), n-1)])
	}
	return out
}

func hoursOrNever(t tick) *float64 {
	if t >= never {
		return nil
	}
	h := t.hours()
	return &h
}
