package evaluate

import (
	"math/rand/v2"
	"time"

	"weimang/detectors"
)

// Events in which what was on stays on, then only base remains.

const kindFrozen = "frozen"

// frozenFor is how long what was on stays on.
const frozenFor = 24 * time.Hour

func frozenRecipes() []Recipe {
	frozen := Recipe{
		Kind: kindFrozen, Own: []detectors.Kind{detectors.Frozen, detectors.NoSignOfLife},
		Length: 48 * time.Hour, Windows: usualWindows, Within: 36 * time.Hour,
	}
	level, lamp, heater := frozen, frozen, frozen
	level.Name, level.Headline, level.onset = "as-it-was", true, when(inUse)
	level.Says = "what was on at the onset stays on for 24 h, then only base remains"
	level.inject = func(s *scene) {
		was := float64(s.home().value(s.onset))
		s.freeze(was - s.base.mid)
	}
	lamp.Name, lamp.onset = "lamp", anyTime
	lamp.Says = "a lamp or television of 60 to 150 W stays on for 24 h, then only base remains"
	lamp.inject = func(s *scene) { s.freeze((60 + 90*s.rng.Float64()) * s.home().step.hours()) }
	heater.Name, heater.onset = "heater", anyTime
	heater.Says = "a heater of 0.5 to 2 kW runs without a break for 24 h, then only base remains"
	heater.inject = func(s *scene) { s.freeze((500 + 1500*s.rng.Float64()) * s.home().step.hours()) }
	return []Recipe{level, lamp, heater}
}

// freeze keeps on what uses wh an interval.
func (s *scene) freeze(wh float64) {
	hum, supply := s.base.hum(s.rng), newSupply(s.rng)
	off := s.onset + ticksIn(frozenFor)
	s.alter(func(t tick, _ float64) float64 {
		v := hum.next()
		if t < off {
			v += wh * supply.next()
		}
		return v
	})
}

// supply is the voltage's slow wander, as it shows in the power of anything
// that is on: about one in a hundred, slowly.
type supply struct {
	rng *rand.Rand
	z   float64
}

func newSupply(rng *rand.Rand) *supply { return &supply{rng: rng, z: rng.NormFloat64()} }

func (v *supply) next() float64 {
	const hold = 0.8
	v.z = hold*v.z + 0.6*v.rng.NormFloat64()
	return max(1+0.01*v.z, 0)
}
