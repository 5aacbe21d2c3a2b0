package evaluate

import (
	"slices"
	"time"

	"weimang/detectors"
)

// Events in which life goes on with less.

const kindShortfall = "shortfall"

// remaining is the share of use above base that is left.
const remaining = 0.35

func shortfallRecipes() []Recipe {
	short := Recipe{
		Kind: kindShortfall, Own: []detectors.Kind{detectors.Shortfall},
		Length: 72 * time.Hour, Windows: usualWindows, Within: 36 * time.Hour, onset: anyTime,
	}
	scaled, largest, part := short, short, short
	scaled.Name, scaled.Headline = "scaled", true
	scaled.Says = "use above base falls to 35 % for 3 days"
	scaled.inject = func(s *scene) {
		hum := s.base.hum(s.rng)
		s.alter(func(_ tick, wh float64) float64 {
			use, rest := hum.split(wh)
			return rest + remaining*use
		})
	}
	largest.Name = "largest-gone"
	largest.Says = "the strongest appliances are missing for 3 days: use above base is cut off where 35 % of it is left"
	largest.inject = func(s *scene) {
		limit, hum, supply := s.cutoff(), s.base.hum(s.rng), newSupply(s.rng)
		s.alter(func(_ tick, wh float64) float64 {
			use, rest := hum.split(wh)
			return rest + min(use, limit*supply.next())
		})
	}
	part.Name = "afternoons"
	part.Says = "use above base falls to 35 % from 11:00 to 22:00 on 3 days"
	part.inject = func(s *scene) {
		hum := s.base.hum(s.rng)
		s.alter(func(t tick, wh float64) float64 {
			use, rest := hum.split(wh)
			if hour := t.in(s.home().loc).hour; hour < 11 || hour >= 22 {
				return wh
			}
			return rest + remaining*use
		})
	}
	return []Recipe{scaled, largest, part}
}

// cutoff is the level above base below which the remaining share of the last
// four weeks' use above base lies.
func (s *scene) cutoff() float64 {
	h := s.home()
	var above []float64
	total := 0.0
	for _, wh := range h.span(s.onset-28*dayTicks, s.onset) {
		if measured(wh) {
			a := max(float64(wh)-s.base.mid, 0)
			above = append(above, a)
			total += a
		}
	}
	slices.Sort(above)
	// Raising the cut to the next value adds the step for all that are above.
	got, level := 0.0, 0.0
	for i, a := range above {
		step := (a - level) * float64(len(above)-i)
		if got+step >= remaining*total {
			return level + (remaining*total-got)/float64(len(above)-i)
		}
		got, level = got+step, a
	}
	return level
}
