package evaluate

import (
	"math/rand/v2"
	"time"

	"weimang/detectors"
)

// Events in which a heater or an air conditioner keeps cycling on its
// thermostat, and nobody uses anything else.

const kindThermostat = "thermostat"

func thermostatRecipes() []Recipe {
	cycling := func(name, says string, headline bool, periodFrom, periodUntil, dutyFrom, dutyUntil, kwFrom, kwUntil float64) Recipe {
		return Recipe{
			Kind: kindThermostat, Name: name, Says: says, Headline: headline,
			Own:    []detectors.Kind{detectors.Frozen, detectors.NoSignOfLife},
			Length: 72 * time.Hour, Windows: usualWindows, Within: 36 * time.Hour, onset: anyTime,
			inject: func(s *scene) {
				// Few people have the longest period: drawn evenly on a log scale.
				c := newCycle(s.rng, logBetween(s.rng, periodFrom, periodUntil), between(s.rng, dutyFrom, dutyUntil))
				watts := 1000 * between(s.rng, kwFrom, kwUntil)
				hum, v := s.base.hum(s.rng), newSupply(s.rng)
				minutes := s.home().step.duration().Minutes()
				s.alter(func(tick, float64) float64 {
					return hum.next() + watts*v.next()*c.on(minutes)/60
				})
			},
		}
	}
	return []Recipe{
		cycling("cycling", "0.6 to 2 kW cycle on a thermostat for 72 h, every 12 to 120 minutes, on for 25 to 70 % of it, nothing else", true, 12, 120, 0.25, 0.7, 0.6, 2),
		cycling("fast", "the same with a period of 8 to 20 minutes: half-hours hardly differ", false, 8, 20, 0.25, 0.7, 0.6, 2),
		cycling("slow", "the same with a period of 90 to 200 minutes: on in one reading, off in the next", false, 90, 200, 0.25, 0.7, 0.6, 2),
	}
}

// cycle switches on and off; each period differs from the last by some 8 %.
type cycle struct {
	rng          *rand.Rand
	period, duty float64 // minutes, share on
	isOn         bool
	left         float64 // minutes until it switches
}

func newCycle(rng *rand.Rand, period, duty float64) *cycle {
	c := &cycle{rng: rng, period: period, duty: duty, isOn: rng.Float64() < duty}
	c.left = c.spell() * rng.Float64()
	return c
}

func (c *cycle) spell() float64 {
	mean := c.period * (1 - c.duty)
	if c.isOn {
		mean = c.period * c.duty
	}
	return mean * max(1+0.08*c.rng.NormFloat64(), 0.3)
}

// on is for how many of the next minutes it is on.
func (c *cycle) on(minutes float64) (on float64) {
	for minutes > 0 {
		part := min(minutes, c.left)
		if c.isOn {
			on += part
		}
		minutes -= part
		if c.left -= part; c.left <= 0 {
			c.isOn = !c.isOn
			c.left = c.spell()
		}
	}
	return on
}
