package evaluate

import (
	"math"
	"math/rand/v2"
)

func between(rng *rand.Rand, from, until float64) float64 { return from + (until-from)*rng.Float64() }

func logBetween(rng *rand.Rand, from, until float64) float64 {
	return from * math.Exp(rng.Float64()*math.Log(until/from))
}
