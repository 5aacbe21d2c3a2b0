package detectors

import "math"

// strengths are how strong a home's half-hours usually are, and what the last
// ones say for use at about a third of its usual strength. A person who is out
// leaves half-hours without use; whose heater has failed, half-hours of use
// that are all weaker than they were. The shape of what is usual tells one
// from the other, which sums over the day do not.
type strengths struct {
	usualStrengths
	Less float32 // decayed sum of the evidence of each half-hour
}

type usualStrengths struct {
	Seen  [dayParts][strengthSteps]uint8 // half-hours by part of the day and strength
	Total uint16                         // of all that are in Seen
}

const (
	// dayParts are four of six hours each, from midnight.
	dayParts     = 4
	slotsAPart   = slotsADay / dayParts
	strengthFrom = 20 // W above base, about a lamp
	// strengthSteps are half-octaves above that, the last without end.
	strengthSteps = 16
	// weakerBy is how many steps weaker use is taken to be: 2^−1.5 = 35 %.
	weakerBy = 3
	// What all parts of the day have shown counts as strengthPrior half-hours
	// of each, and what none has as strengthRare.
	strengthPrior, strengthRare = 20, 0.3
	// Bounds of what one half-hour can say: e^−2.5 and e.
	weakerMin, weakerMax = 0.0821, 2.718
	// lessKeep is exp(−0.5 h/16 h).
	lessKeep = 0.96923
)

// strengthOf is the step of a power above base, W.
func strengthOf(above float64) int {
	const root = 0x3504f3 // mantissa of √2
	bits := math.Float32bits(float32(1 + max(0, above)/strengthFrom))
	step := 2 * (int(bits>>23) - 127)
	if bits&0x7fffff >= root {
		step++
	}
	return min(step, strengthSteps-1)
}

// add takes in a half-hour.
func (s *strengths) add(slot int, above float64, learns bool) {
	part, step := slot/slotsAPart, strengthOf(above)
	s.Less = lessKeep*s.Less + float32(math.Log(s.weaker(part, step)))
	if learns {
		s.count(part, step)
	}
}

// count takes a strength into what is usual.
func (s *usualStrengths) count(part, step int) {
	s.Total++
	seen := &s.Seen[part]
	if seen[step]++; seen[step] < math.MaxUint8 {
		return
	}
	for i, n := range seen { // what is long ago counts half
		seen[i] = n / 2
		s.Total -= uint16(n - n/2)
	}
}

// chance is that of a strength in a part of the day, not normalised.
func (s *strengths) chance(part, step int) float32 {
	all := float32(0)
	for part := range s.Seen {
		all += float32(s.Seen[part][step])
	}
	return float32(s.Seen[part][step]) + (strengthPrior*all/max(float32(s.Total), 1) + strengthRare)
}

// weaker is what one half-hour says: how often its strength would come were
// all use weaker, over how often it comes.
func (s *strengths) weaker(part, step int) float64 {
	const none = 0.01
	would := float32(none)
	first := step + weakerBy
	if step == 0 { // nothing stays nothing
		first = 0
	}
	for k := first; k <= step+weakerBy && k < strengthSteps; k++ {
		would += s.chance(part, k)
	}
	return min(weakerMax, max(weakerMin, float64(would/(s.chance(part, step)+none))))
}
