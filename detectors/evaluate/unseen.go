package evaluate

import (
	"math/rand/v2"
	"time"

	"weimang/detectors"
)

// Events of the meter and of its supply.

const (
	kindSilentMeter = "silent-meter"
	kindNotBack     = "not-back"
	kindImpossible  = "impossible"
)

// outageFor is how long the area is without supply before it is back.
const outageFor = 2 * time.Hour

func meterRecipes() []Recipe {
	usual := Recipe{Length: 48 * time.Hour, Windows: usualWindows, Within: 36 * time.Hour, Headline: true, onset: anyTime}
	silent, back, peaks, stuck := usual, usual, usual, usual

	silent.Kind, silent.Name, silent.Own = kindSilentMeter, "lone", []detectors.Kind{detectors.SilentMeter}
	silent.Says = "this meter's readings stop while the neighbours' come"
	silent.inject = func(s *scene) {
		for i := range s.copy {
			s.copy[i] = absent
		}
	}

	back.Kind, back.Name, back.Own = kindNotBack, "after-2h", []detectors.Kind{detectors.NotBack}
	back.Says = "the area is without supply for 2 h, then has it again, and this home has not"
	back.lead, back.onset, back.Quiet = outageFor, onTheHour, true
	back.inject = func(s *scene) { s.outage() }

	peaks.Kind, peaks.Name, peaks.Own = kindImpossible, "peaks", []detectors.Kind{detectors.Impossible}
	peaks.Says = "one reading in eight says 45 to 59 kW"
	peaks.inject = func(s *scene) {
		first := true
		s.alter(func(_ tick, wh float64) float64 {
			if first || s.rng.Float64() < 0.125 {
				first = false
				return 1000 * between(s.rng, 45, 59) * s.home().step.hours()
			}
			return wh
		})
	}

	stuck.Kind, stuck.Name, stuck.Own = kindImpossible, "stuck-value", []detectors.Kind{detectors.Impossible}
	stuck.Says = "one value to the last digit for 2 days"
	stuck.Headline, stuck.onset = false, when(inUse)
	stuck.inject = func(s *scene) {
		was := s.home().value(s.onset)
		for i, v := range s.copy {
			if measured(v) {
				s.copy[i] = was
			}
		}
	}
	return []Recipe{silent, back, peaks, stuck}
}

// onTheHour draws a moment at which any interval begins.
func onTheHour(h *home, rng *rand.Rand, from, until tick) (tick, bool) {
	t, ok := anyTime(h, rng, from, until)
	t += (hourTicks - t%hourTicks) % hourTicks
	return t, ok && t < until
}

// outage takes the supply of the area until the onset, and of the copy for
// good.
func (s *scene) outage() {
	dark := func(curve []uint32, until int) {
		for i := range curve[:min(until, len(curve))] {
			if measured(curve[i]) {
				curve[i] = 0
			}
		}
	}
	s.shared = make([][]uint32, len(s.homes))
	for i, h := range s.homes {
		curve := h.span(s.from, s.until)
		dark(curve, int((s.onset-s.from)/h.step))
		if i == s.self {
			s.control = curve
			continue
		}
		s.shared[i] = curve
	}
	dark(s.copy, len(s.copy))
}
