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
		s.alter(func(_ tick, wh float64) float64 {
			above, rest := s.base.aboveBase(wh)
			return rest + remaining*above
		})
	}
	largest.Name = "largest-gone"
	largest.Says = "the strongest appliances are missing for 3 days: use above base is cut off where 35 % of it is left"
	largest.inject = func(s *scene) {
		limit := s.cutoff()
		hum, supply := s.base.hum(s.rng), newSupply(s.rng)
		s.alter(func(_ tick, wh float64) float64 {
			quiet, most := hum.next(), limit*supply.next()
			above, rest := s.base.aboveBase(wh)
			if above <= most {
				return rest + above
			}
			return quiet + most // not one level to the last digit
		})
	}
	part.Name = "afternoons"
	part.Says = "use above base falls to 35 % from 11:00 to 22:00 on 3 days"
	part.inject = func(s *scene) {
		s.alter(func(t tick, wh float64) float64 {
			above, rest := s.base.aboveBase(wh)
			if hour := t.in(s.home().loc).hour; hour < 11 || hour >= 22 {
				return rest + above
			}
			return rest + remaining*above
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
			a, _ := s.base.aboveBase(float64(wh))
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
