package detectors

import "math"

// shareState is use above stand-by, exponentially averaged over a day, beside
// what is usual for the same hours: what neighbours are compared by.
type shareState struct {
	Use, Usual float32 // Wh, decayed sums
}

// lifted is the rise of the neighbours' use, log, from which a day counts as
// one on which this home, too, should need more.
const lifted = 0.25

// aliveWithin is how recently a home must have shown life.
const aliveWithin = 6 * ticksAnHour

// average adds one interval to the decayed sums. It runs for every home
// before any is judged, so that neighbours are compared at the same moment.
func (b *shareState) average(length tick, use, usual float64) {
	keep := shareKeep[length]
	b.Use = b.Use*keep + float32(use)
	b.Usual = b.Usual*keep + float32(usual)
}

// shareKeep is exp(−length/24 h).
var shareKeep = [...]float32{1: 0.98964, 2: 0.97938, 4: 0.95919}

// logRatio is ln(use/usual) over a day, calmed by a constant of 20 W so that
// two small numbers do not make a large ratio.
func logRatio(use, usual float64) float64 {
	const c = 20 * 24
	return math.Log((use + c) / (usual + c))
}

// belowRatio is the minimum effect of a shortfall: use over usual of the day.
const belowRatio = 0.75

// notRising tells a home that stays at its ordinary level, or falls, on a day
// on which its neighbours, whom it follows, need far more than they usually
// do: such days are rare, and among them one without a rise is rarer still.
func (st *homeState) notRising(p *Params, o *observation) {
	d, sig := &st.Day, &st.Signals[sigBelow]
	rise := o.neighbours - float64(d.AreaMean)
	sd := math.Sqrt(float64(d.AA) + 0.005)
	due := d.beta() * rise
	missing := -float64(o.day.X[lookAlone])
	switch {
	case !o.judged || d.N < dayPrior*3:
		return
	case rise < lifted || rise < risenSD*sd || due < lifted/2 || missing < missingSD || float64(o.day.X[lookUse]) > 0.5:
		return
	case o.end-st.Life.LastLife > aliveWithin || sig.Severity >= Orange:
		return
	}
	cause := CauseNotRising
	use, usual := st.lastHours(dayHours)
	if use < belowRatio*usual {
		cause = CauseBelowArea
	}
	onset := o.end - dayHours*ticksAnHour/2
	if sig.Severity != 0 {
		onset = sig.Onset
	}
	*sig = signal{
		Severity: Orange, Cause: code(Causes, cause), Onset: onset, At: o.end, Hours: dayHours,
		Value: float32(use), Usual: float32(usual), Neighbours: float32(math.Exp(rise)),
	}
}

const (
	risenSD   = 1.2 // the area's rise, in standard deviations of its days
	missingSD = 1.3 // what this home lacks, in its own
)
