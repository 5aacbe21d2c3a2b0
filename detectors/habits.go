package detectors

import "math"

// habits are what is usual for a home, per half-hour of the local day, as
// exponentially forgotten means: the first observations count fully, later
// ones as one in memory.
type habits struct {
	Count [slotsADay]uint8 // observations, up to memory
	Mean  [slotsADay]float32
	// LogMean and LogVar describe ln(W + logFloor); the band follows from them.
	LogMean [slotsADay]float32
	LogVar  [slotsADay]float32
	Days    float32 // of readings seen
}

// memory is the number of observations of one slot that count: 28 days of
// half-hours, 14 of quarter-hours.
const memory = 28

// logFloor keeps the logarithm finite and small uses apart from none, W.
const logFloor = 20

// band is the usual band of a slot in W: a ninth of the days lie below low
// and as many above high. All are nought before the first observation.
func (h *habits) band(slot int) (low, mid, high float64) {
	if h.Count[slot] == 0 {
		return 0, 0, 0
	}
	// A home of few days gets the wide band of a guess: the prior spread
	// (a factor of two) fades as the days add up.
	n := float64(h.Count[slot])
	sd := math.Sqrt((n*float64(h.LogVar[slot]) + 3*0.5) / (n + 3))
	m := float64(h.LogMean[slot])
	at := func(z float64) float64 { return max(0, math.Exp(m+z*sd)-logFloor) }
	return at(-1.22), at(0), at(1.22)
}

// learn takes one interval into what is usual.
func (h *habits) learn(slot int, watts float64) {
	n := min(int(h.Count[slot])+1, memory)
	h.Count[slot] = uint8(n)
	rate := 1 / float64(n)
	lerp := func(p *float32, to float64) { *p += float32(rate * (to - float64(*p))) }
	lerp(&h.Mean[slot], watts)
	l := math.Log(watts + logFloor)
	d := l - float64(h.LogMean[slot])
	lerp(&h.LogMean[slot], l)
	if n > 1 {
		lerp(&h.LogVar[slot], d*(l-float64(h.LogMean[slot])))
	}
}
