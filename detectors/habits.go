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
	// QuietMid and QuietHigh are the median and the eighth decile of the use
	// between one and five at night, W: what runs when nobody does anything.
	QuietMid, QuietHigh float32
	// Base is the first decile of the use at any hour, W: what no hand can
	// switch off. Air conditioning through hot nights lifts the quiet nights,
	// not this.
	Base   float32
	Nights uint16 // quiet-night readings seen, saturating
	// Level is how often the use is at each level, by slot and by whether the
	// reading before was low; Quiet the same over quiet nights.
	Level [2][slotsADay][levels - 1]float32
	Quiet [2][levels - 1]float32
	Days  float32 // of readings seen
}

// memory is the number of observations of one slot that count: 28 days of
// half-hours, 14 of quarter-hours.
const memory = 28

// logFloor keeps the logarithm finite and small uses apart from none, W.
const logFloor = 20

// Quiet night in local slots: 01:00 to 05:00.
const quietFrom, quietTo = 2, 10

// Levels of use, relative to the home's own quiet nights.
const (
	levelLow  = iota // no more than runs in a quiet night
	levelMid         // a lamp or a television more
	levelHigh        // something a hand has switched on
	levels
)

// lowCut is the use up to which a home looks as on a quiet night, W.
func (h *habits) lowCut() float64 {
	return min(1.1*float64(h.QuietHigh)+10, 3*float64(h.Base)+60)
}

func (h *habits) level(watts float64) int {
	cut := h.lowCut()
	switch {
	case watts <= cut:
		return levelLow
	case watts <= cut+max(80, 0.8*cut):
		return levelMid
	default:
		return levelHigh
	}
}

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

// learn takes one interval into what is usual. afterLow is the home's level
// one reading before.
func (h *habits) learn(slot int, watts float64, afterLow int) {
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
	h.learnBase(watts)
	if slot >= quietFrom && slot < quietTo {
		h.learnNight(watts, afterLow)
	}
	if h.Nights < 8 {
		return // levels mean nothing before there is a quiet night to compare with
	}
	level := h.level(watts)
	for k := range levels - 1 {
		hit := 0.0
		if level == k {
			hit = 1
		}
		p := &h.Level[afterLow][slot][k]
		*p += float32((hit - float64(*p)) / float64(min(n, memory)))
	}
}

// learnBase moves the first decile, slowly: a day has 48 readings.
func (h *habits) learnBase(watts float64) {
	if h.Base == 0 {
		h.Base = float32(watts)
	}
	step := max(0.5, 0.04*float64(h.Base))
	if watts > float64(h.Base) {
		h.Base += float32(step * 0.1)
	} else {
		h.Base = max(1, h.Base-float32(step*0.9))
	}
}

// learnNight moves the quiet quantiles by a step that shrinks with the nights
// seen (Robbins and Monro 1951) and the level frequencies of the night.
func (h *habits) learnNight(watts float64, afterLow int) {
	if h.Nights < math.MaxUint16 {
		h.Nights++
	}
	if h.Nights == 1 {
		h.QuietMid, h.QuietHigh = float32(watts), float32(watts)
	}
	step := (5 + 0.5*float64(h.QuietHigh)) * max(0.02, 1/math.Sqrt(float64(h.Nights)+1)*0.5)
	quantile := func(p *float32, q float64) {
		if watts > float64(*p) {
			*p += float32(step * q)
		} else {
			*p = max(0, *p-float32(step*(1-q)))
		}
	}
	quantile(&h.QuietMid, 0.5)
	quantile(&h.QuietHigh, 0.8)
	h.QuietHigh = max(h.QuietHigh, h.QuietMid)
	rate := max(1.0/200, 1/float64(h.Nights))
	level := h.level(watts)
	for k := range levels - 1 {
		hit := 0.0
		if level == k {
			hit = 1
		}
		p := &h.Quiet[afterLow][k]
		*p += float32((hit - float64(*p)) * rate)
	}
}

// probability of a level with additive smoothing, never nought.
func probability(p *[levels - 1]float32, level int, floor float64) float64 {
	x := 1.0
	if level < levels-1 {
		x = float64(p[level])
	} else {
		for _, q := range p {
			x -= float64(q)
		}
	}
	return floor + (1-levels*floor)*min(1, max(0, x))
}
