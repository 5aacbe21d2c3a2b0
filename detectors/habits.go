package detectors

import "math"

// habits are what is usual for a home, per half-hour of the local day: mean
// and variance of √W, exponentially forgotten; the first observations count
// fully, later ones as one in memory. On the root scale a lamp and a kettle
// both count, and the mean of the watts is Root² + Var.
type habits struct {
	Count [slotsADay]uint8  // observations, up to memory
	Root  [slotsADay]uint16 // in steps of 1/rootSteps
	Var   [slotsADay]uint16 // W, in steps of 1/varSteps
	Days  float32           // of readings seen
}

// Steps in which √W and its variance are kept: fine enough that a mean learned
// with a 28th part stands within 2 W at 400 W.
const (
	rootSteps = 256
	varSteps  = 16
)

// memory is the number of observations of one slot that count: 28 days of
// half-hours, 14 of quarter-hours.
const memory = 28

// A home of few days gets the wide band of a guess: the prior spread counts
// as priorSlot observations and fades as the days add up.
const (
	priorSlot   = 3
	priorSpread = 0.35 // of √W, as a share of it
	priorRoot   = 2    // and at the least, √W
)

func (h *habits) root(slot int) float64     { return float64(h.Root[slot]) / rootSteps }
func (h *habits) variance(slot int) float64 { return float64(h.Var[slot]) / varSteps }

// mean is the mean use of a slot, W.
func (h *habits) mean(slot int) float64 { return h.middle(slot) + h.variance(slot) }

// middle is the middle of the usual band, W.
func (h *habits) middle(slot int) float64 { r := h.root(slot); return r * r }

// meanHour is the mean use of an hour of the day, W.
func (h *habits) meanHour(hour int) float64 { return (h.mean(2*hour) + h.mean(2*hour+1)) / 2 }

// hour is the mean use of an hour of the day, W, and the mean of √W in it.
func (h *habits) hour(hour int) (mean, root float64) {
	r, s := h.root(2*hour), h.root(2*hour+1)
	return (r*r + h.variance(2*hour) + (s*s + h.variance(2*hour+1))) / 2, (r + s) / 2
}

// band is the usual band of a slot in W: a ninth of the days lie below low
// and as many above high. All are nought before the first observation.
func (h *habits) band(slot int) (low, mid, high float64) {
	if h.Count[slot] == 0 {
		return 0, 0, 0
	}
	n, root := float64(h.Count[slot]), h.root(slot)
	guess := priorSpread*root + priorRoot
	sd := math.Sqrt((n*h.variance(slot) + priorSlot*guess*guess) / (n + priorSlot))
	at := func(z float64) float64 { r := max(0, root+z*sd); return r * r }
	return at(-1.22), at(0), at(1.22)
}

// learn takes one interval into what is usual (West 1979 for the updating).
func (h *habits) learn(slot int, watts float64) {
	n := min(h.Count[slot]+1, memory)
	h.Count[slot] = n
	rate := 1 / float64(n)
	d := math.Sqrt(watts) - h.root(slot)
	h.Root[slot] = saturate((h.root(slot) + rate*d) * rootSteps)
	h.Var[slot] = saturate((1 - rate) * (h.variance(slot) + rate*d*d) * varSteps)
}
