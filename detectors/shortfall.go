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
// do. How often chance brings that depends on how often there are such days:
// where they are rare, so is a home that misses one.
func (st *homeState) notRising(p *Params, o *observation) {
	d, sig := &st.Day, &st.Signals[sigBelow]
	rise := o.neighbours - float64(d.AreaMean)
	due := d.beta() * rise
	risen := rise >= lifted && due >= lifted/2
	hit := float32(0)
	if risen {
		hit = 1
	}
	d.Lifted += (hit - d.Lifted) / dayMemory
	if !risen || !o.judged || !d.seen() || d.N < dayPrior*3 || o.end-st.Life.LastLife > aliveWithin {
		return
	}
	missing := -float64(o.likeDay.X[lookAlone])
	share := (float64(d.Lifted)*float64(min(d.N, dayMemory)) + liftedPrior*liftedHours) / (float64(min(d.N, dayMemory)) + liftedHours)
	rate := share * missingOften * math.Exp(-(missing-1)/missingMean)
	severity := Yellow
	if rate <= p.Budgets.Visit*missingVisit {
		severity = Orange
	}
	if missing < 1 || rate > p.Budgets.Pushed*missingPart || severity <= sig.Severity {
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
		Severity: severity, Cause: code(Causes, cause), Onset: onset, At: o.end, Hours: dayHours,
		Value: float32(use), Usual: float32(usual), Neighbours: float32(math.Exp(rise)), Rate: float32(rate),
	}
}

const (
	// Of the hours of the last weeks, liftedPrior are on days on which the
	// neighbours need more, until liftedHours of a home tell.
	liftedPrior, liftedHours = 0.03, 240
	// On such a day missingOften homes in one lack more than a standard
	// deviation of their own days, and exponentially fewer lack more.
	missingOften, missingMean = 0.16, 0.42
	// Its parts of the budgets.
	missingPart, missingVisit = 0.25, 0.05
)
