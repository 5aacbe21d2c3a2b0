package evaluate

import (
	"time"

	"weimang/detectors"
)

// Events in which nobody uses anything any more: only base remains, for good.

const kindStill = "still"

var usualWindows = hoursOf(6, 12, 24, 36, 48)

func stillRecipes() []Recipe {
	own := []detectors.Kind{detectors.NoSignOfLife}
	still := Recipe{
		Kind: kindStill, Own: own, Length: 48 * time.Hour, Windows: usualWindows, Within: 12 * time.Hour, Quiet: true,
		inject: func(s *scene) {
			hum := s.base.hum(s.rng)
			s.alter(func(tick, float64) float64 { return hum.next() })
		},
	}
	random, bed, day, mid := still, still, still, still
	random.Name, random.Headline, random.onset = "any-time", true, anyTime
	random.Says = "from a random moment on only base remains"
	bed.Name, bed.onset = "in-bed", when(inBed)
	bed.Says = "the same, beginning between 23:00 and 5:00"
	day.Name, day.onset = "by-day", when(byDay)
	day.Says = "the same, beginning between 8:00 and 20:00"
	mid.Name, mid.onset = "in-use", when(inUse)
	mid.Says = "the same, beginning while something is on, which is off from then on"
	return []Recipe{random, bed, day, mid}
}
