package evaluate

import (
	"math"
	"time"

	"weimang/detectors"
)

// Events in which activity is lost over weeks.

const (
	kindDecline = "decline"
	declineFor  = 30 * 24 * time.Hour
	declineTo   = 0.4 // share of use above base at the end
)

func declineRecipes() []Recipe {
	decline := func(name, says string, headline bool, left func(part float64) float64) Recipe {
		return Recipe{
			Kind: kindDecline, Name: name, Says: says, Headline: headline, Own: []detectors.Kind{detectors.Decline},
			Length: declineFor, Windows: []time.Duration{declineFor / 3, declineFor * 2 / 3, declineFor}, Within: declineFor,
			onset: anyTime,
			inject: func(s *scene) {
				hum := s.base.hum(s.rng)
				s.alter(func(t tick, wh float64) float64 {
					use, rest := hum.split(wh)
					return rest + use*left(float64(t-s.onset)/float64(ticksIn(declineFor)))
				})
			},
		}
	}
	return []Recipe{
		decline("even", "use above base falls evenly to 40 % over 30 days", true, func(part float64) float64 {
			return 1 - (1-declineTo)*part
		}),
		decline("in-steps", "the same in four steps, every 6 days", false, func(part float64) float64 {
			return 1 - (1-declineTo)*math.Floor(part*5)/4
		}),
	}
}
