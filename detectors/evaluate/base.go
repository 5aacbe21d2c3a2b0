package evaluate

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// base is what a home uses when nobody uses anything, learned from its quiet
// nights: how its readings spread, and how one follows another. A refrigerator
// gives them a rhythm, which an autoregression of second order carries; the
// spread is kept as it is by drawing on the normal scale and mapping through
// the quantiles (a Gaussian copula; Nelsen, An Introduction to Copulas, 2006).
// Values are Wh per reading.
type base struct {
	knots  [len(knotAt)]float64
	a1, a2 float64 // autoregression
	noise  float64 // its standard deviation
	mid    float64
	top    float64 // the highest that is still base
	limit  float64 // clearly above base: somebody uses something
}

// knotAt are the quantiles that describe the spread; the rare reading of a
// quiet night with a light on stays out.
var knotAt = [...]float64{0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98}

const (
	nightFrom, nightUntil = 1, 5 // local hours
	weekTicks             = 7 * dayTicks
	// Clear of base is limitShare of the highest quiet reading more, and at
	// least limitWatts.
	limitShare, limitWatts = 0.5, 50.0
	// Base does not swing further than to twice its middle, or by spreadWatts:
	// what does is a heater in homes that are never quiet.
	spreadWatts = 200.0
)

// night is the readings of one night, in order.
type night struct {
	wh   []float64
	high float64 // its highest reading
}

// learnBases learns the base of every week from its own nights and those of
// three weeks before and after it.
func (h *home) learnBases() {
	h.bases = h.bases[:0]
	hours := h.step.hours()
	for t := h.start; t < h.end() || len(h.bases) == 0; t += weekTicks {
		h.bases = append(h.bases, newBase(quiet(h.nights(t-3*weekTicks, t+4*weekTicks), hours), hours))
	}
}

// baseAt is the base of the week of a time.
func (h *home) baseAt(t tick) *base {
	return h.bases[min(max(int((t-h.start)/weekTicks), 0), len(h.bases)-1)]
}

func (h *home) nights(from, until tick) []night {
	from, until = max(from, h.start), min(until, h.end())
	var all []night
	var now night
	day := -1
	want := 0.8 * (nightUntil - nightFrom) / h.step.hours()
	flush := func() {
		if float64(len(now.wh)) >= want {
			now.high = slices.Max(now.wh)
			all = append(all, now)
		}
		now = night{}
	}
	for i := h.index(from + h.step - 1); i < len(h.wh) && h.at(i) < until; i++ {
		l := h.at(i).in(h.loc)
		if l.hour < nightFrom || l.hour >= nightUntil {
			continue
		}
		if l.day != day {
			flush()
			day = l.day
		}
		if measured(h.wh[i]) {
			now.wh = append(now.wh, float64(h.wh[i]))
		}
	}
	flush()
	return all
}

// quiet keeps the nights in which nothing was used but what always is: those
// whose highest reading is about that of the quietest quarter.
func quiet(nights []night, hours float64) []night {
	if len(nights) == 0 {
		return nil
	}
	highs := make([]float64, len(nights))
	for i := range nights {
		highs[i] = nights[i].high
	}
	slices.Sort(highs)
	limit := 1.1*quantile(highs, 0.25) + 5*hours
	return slices.DeleteFunc(slices.Clone(nights), func(n night) bool { return n.high > limit })
}

func newBase(nights []night, hours float64) *base {
	var all []float64
	for _, n := range nights {
		all = append(all, n.wh...)
	}
	b := &base{noise: 1}
	if len(all) == 0 {
		b.limit = limitWatts * hours
		return b
	}
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	b.mid = quantile(sorted, 0.5)
	// What swings further is left out and not cut off: a value at the cut
	// would come again and again.
	most := b.mid + max(b.mid, spreadWatts*hours)
	n, _ := slices.BinarySearch(sorted, most+1)
	sorted = sorted[:n]
	for i, p := range knotAt {
		b.knots[i] = quantile(sorted, p)
	}
	b.mid = quantile(sorted, 0.5)
	b.top = b.knots[len(knotAt)-1]
	b.limit = b.top + max(limitShare*b.top, limitWatts*hours)
	b.follow(nights, sorted)
	return b
}

// follow fits the autoregression to the readings' normal scores (Yule-Walker).
func (b *base) follow(nights []night, sorted []float64) {
	var c0, c1, c2, n0, n1, n2 float64
	for _, n := range nights {
		z := make([]float64, len(n.wh))
		for i, v := range n.wh {
			z[i] = normalScore(sorted, v)
		}
		for i := range z {
			c0, n0 = c0+z[i]*z[i], n0+1
			if i >= 1 {
				c1, n1 = c1+z[i]*z[i-1], n1+1
			}
			if i >= 2 {
				c2, n2 = c2+z[i]*z[i-2], n2+1
			}
		}
	}
	if c0 == 0 || n2 == 0 {
		return
	}
	r1, r2 := c1/n1/(c0/n0), c2/n2/(c0/n0)
	r1 = min(max(r1, -0.95), 0.97)
	// Inside the triangle of what is stationary.
	r2 = min(max(r2, 2*r1*r1-1+0.02), 0.97)
	b.a1 = r1 * (1 - r2) / (1 - r1*r1)
	b.a2 = (r2 - r1*r1) / (1 - r1*r1)
	b.noise = math.Sqrt(max(1-b.a1*r1-b.a2*r2, 0.01))
}

// normalScore is where v stands among sorted values, on the normal scale.
func normalScore(sorted []float64, v float64) float64 {
	lo, _ := slices.BinarySearch(sorted, v)
	hi, _ := slices.BinarySearchFunc(sorted, v, func(a, b float64) int { return cmp.Or(cmp.Compare(a, b), -1) })
	p := (float64(lo+hi) / 2) / float64(len(sorted))
	p = min(max(p, 0.5/float64(len(sorted))), 1-0.5/float64(len(sorted)))
	return math.Sqrt2 * math.Erfinv(2*p-1)
}

// hum draws readings of a base, one after the other.
type hum struct {
	b      *base
	rng    *rand.Rand
	z1, z2 float64
}

func (b *base) hum(rng *rand.Rand) *hum {
	u := &hum{b: b, rng: rng}
	for range 48 { // until where it began no longer matters
		u.step()
	}
	return u
}

func (u *hum) step() {
	z := u.b.a1*u.z1 + u.b.a2*u.z2 + u.b.noise*u.rng.NormFloat64()
	u.z1, u.z2 = z, u.z1
}

// next is the energy of the next interval, Wh, not yet rounded.
func (u *hum) next() float64 {
	u.step()
	p := 0.5 * math.Erfc(-u.z1/math.Sqrt2)
	k := &u.b.knots
	switch {
	case p <= knotAt[0]:
		return k[0]
	case p >= knotAt[len(knotAt)-1]:
		return k[len(k)-1]
	}
	i, _ := slices.BinarySearch(knotAt[:], p)
	f := (p - knotAt[i-1]) / (knotAt[i] - knotAt[i-1])
	return k[i-1] + f*(k[i]-k[i-1])
}

// quantile of sorted values, between two of them in proportion.
func quantile(sorted []float64, p float64) float64 {
	x := p * float64(len(sorted)-1)
	i := int(x)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (x-float64(i))*(sorted[i+1]-sorted[i])
}
