package detectors

import "math"

// strengths are how strong a home's half-hours usually are, and what the last
// ones say for use at about a third of its usual strength. A person who is out
// leaves half-hours without use; whose heater has failed, half-hours of use
// that are all weaker than they were. The shape of what is usual tells one
// from the other, which sums over the day do not.
type strengths struct {
	Seen  [dayParts][strengthSteps]uint8 // half-hours by part of the day and strength
	Total uint16                         // of all that are in Seen
	Less  float32                        // decayed sum of the evidence of each half-hour
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
	var t strengthTable
	t.from(s, 0, step, step+weakerBy)
	s.Less = lessKeep*s.Less + float32(math.Log(t.weaker(part, step)))
	if !learns {
		return
	}
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

// strengthTable is the chance of each strength, not normalised, of those from
// a lowest one on: what is weaker than that says nothing.
type strengthTable struct {
	lowest int
	chance [dayParts][strengthSteps]float32
}

// from fills in the chances of the steps from first to last.
func (t *strengthTable) from(s *strengths, lowest, first, last int) {
	t.lowest = lowest
	for step := max(lowest, first); step <= last && step < strengthSteps; step++ {
		all := float32(0)
		for part := range s.Seen {
			all += float32(s.Seen[part][step])
		}
		guess := strengthPrior*all/max(float32(s.Total), 1) + strengthRare
		for part := range t.chance {
			t.chance[part][step] = float32(s.Seen[part][step]) + guess
		}
	}
}

// weaker is what one half-hour says: how often its strength would come were
// all use weaker, over how often it comes.
func (t *strengthTable) weaker(part, step int) float64 {
	const none = 0.01
	if step < t.lowest {
		return 1
	}
	chance := &t.chance[part]
	would := float32(none)
	first := step + weakerBy
	if step == 0 { // nothing stays nothing
		first = 0
	}
	for k := first; k <= step+weakerBy && k < strengthSteps; k++ {
		would += chance[k]
	}
	return min(weakerMax, max(weakerMin, float64(would/(chance[step]+none))))
}
