package evaluate

import (
	"time"

	"weimang/detectors"
)

// Events in which the day loses its shape.

const kindReversed = "reversed"

func reversedRecipes() []Recipe {
	lost := Recipe{
		Kind: kindReversed, Own: []detectors.Kind{detectors.NightLife},
		Length: 168 * time.Hour, Windows: hoursOf(24, 48, 96, 168), Within: 96 * time.Hour, onset: anyTime, ahead: 24 * time.Hour,
	}
	shifted, restless := lost, lost
	shifted.Name, shifted.Headline = "shifted", true
	shifted.Says = "day and night change places for a week"
	shifted.inject = func(s *scene) {
		// From half a day ahead, so that nothing has been read before.
		s.reorder(func(i, n int) int { return i + int(12*hourTicks/s.home().step) })
	}
	restless.Name = "restless"
	restless.Says = "the day's use is spread evenly over its 24 hours for a week"
	restless.inject = func(s *scene) {
		day := int(dayTicks / s.home().step)
		var order []int
		s.reorder(func(i, _ int) int {
			if i%day == 0 {
				order = s.rng.Perm(day)
			}
			return i - i%day + order[i%day]
		})
	}
	return []Recipe{shifted, restless}
}

// reorder reads at interval i after the onset what was used at another.
// Where that is missing, base stands in; where i is missing, it stays so.
func (s *scene) reorder(source func(i, n int) int) {
	h := s.home()
	hum := s.base.hum(s.rng)
	i, n := 0, int((s.until-s.onset)/h.step)
	s.alter(func(tick, float64) float64 {
		j := source(i, n)
		i++
		quiet := hum.next()
		if v := h.value(s.onset + tick(j)*h.step); measured(v) {
			return float64(v)
		}
		return quiet
	})
}
