package evaluate

import (
	"math/rand/v2"

	"weimang/ingest"
)

// register turns exact energies into the readings of a meter: whole steps of
// its unit, the rest carried on to the next interval as a real register does.
type register struct {
	unit, rest float64
}

func newRegister(unit uint32, rng *rand.Rand) *register {
	return &register{unit: float64(unit), rest: rng.Float64() * float64(unit)}
}

// read is the reading of an interval in which wh were used.
func (r *register) read(wh float64) uint32 {
	r.rest += max(wh, 0)
	n := float64(uint32(r.rest / r.unit))
	r.rest -= n * r.unit
	return uint32(min(n*r.unit, float64(ingest.NoValue)/2))
}
