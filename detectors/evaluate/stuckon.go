package evaluate

import (
	"fmt"
	"time"

	"weimang/detectors"
)

// Events in which something strong runs on while life goes on.

const kindStuckOn = "stuck-on"

func stuckRecipes() []Recipe {
	var all []Recipe
	for _, kw := range []float64{1.2, 0.8, 2} {
		all = append(all, Recipe{
			Kind: kindStuckOn, Name: fmt.Sprintf("%.1f-kw", kw), Headline: kw == 1.2,
			Says: fmt.Sprintf("%.1f kW more for 8 h", kw),
			Own:  []detectors.Kind{detectors.StuckOn}, Length: 8 * time.Hour, Windows: hoursOf(1, 2, 4, 8), Within: 4 * time.Hour,
			onset: anyTime,
			inject: func(s *scene) {
				v := newSupply(s.rng)
				extra := kw * 1000 * s.home().step.hours()
				s.alter(func(_ tick, wh float64) float64 { return wh + extra*v.next() })
			},
		})
	}
	return all
}
