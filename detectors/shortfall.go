package detectors

import "math"

// spans are the time constants of the shortfall's two views: the quick one
// sees an appliance that failed this morning, the slow one a home that eats
// and heats less.
var spans = [2]tick{8 * 4, 24 * 4}

// belowState compares use above stand-by, exponentially averaged over each
// span, with what is usual for the same hours.
type belowState struct {
	Use, Usual [2]float32 // Wh, decayed sums
	// Moments of x (home over its usual, log) and a (neighbours over theirs,
	// log): how this home strays, and how far it follows its neighbours.
	N                        float32 // days
	MeanX, MeanA, XX, XA, AA [2]float32
}

// lifted is the rise of the neighbours' use, log, from which a day counts as
// one on which this home, too, should need more.
const lifted = 0.15

// aliveWithin is how recently a home must have shown life.
const aliveWithin = 6 * 4

// momentDays is the memory of the moments; the prior counts as priorDays.
const (
	momentDays = 28
	priorDays  = 4
)

// priorSD is how far a home strays from its usual, log, before it is known.
var priorSD = [len(spans)]float64{0.5, 0.35}

// average adds one interval to the decayed sums. It runs for every home
// before any is judged, so that neighbours are compared at the same moment.
func (b *belowState) average(length tick, use, usual float64) {
	for i, span := range spans {
		keep := float32(math.Exp(-float64(length) / float64(span)))
		b.Use[i] = b.Use[i]*keep + float32(use)
		b.Usual[i] = b.Usual[i]*keep + float32(usual)
	}
}

// logRatio is ln(use/usual), calmed by a constant of 20 W so that two small
// numbers do not make a large ratio.
func logRatio(use, usual float64, span tick) float64 {
	c := 20 * span.hoursSince(0)
	return math.Log((use + c) / (usual + c))
}

// restart forgets a deficit that a silence has accounted for.
func (b *belowState) restart() {
	for i := range spans {
		b.Use[i] = b.Usual[i] * float32(math.Exp(float64(b.MeanX[i])))
	}
}

// observeBelow judges whether a home uses less than its habits and its
// neighbours explain: regression of the home's log ratio on the area's, with
// exponentially forgotten moments (West 1979 for the updating), and the
// residual in units of its own spread.
func observeBelow(p *Params, st *homeState, o *observation) signal {
	b, sig := &st.Below, st.Signals[sigBelow]
	days := float64(o.length) / float64(ticksADay)
	worst, at := 0.0, 0
	var ratio, lift float64
	for i, span := range spans {
		x := logRatio(float64(b.Use[i]), float64(b.Usual[i]), span)
		a := o.neighbours[i]
		beta := max(0, min(1.5, float64(b.XA[i])/(float64(b.AA[i])+0.02)))
		n := float64(b.N)
		own := max(0, float64(b.XX[i])-beta*float64(b.XA[i]))
		sd := math.Sqrt((n*own + priorDays*priorSD[i]*priorSD[i]) / (n + priorDays))
		da := a - float64(b.MeanA[i])
		rest := x - float64(b.MeanX[i]) - beta*da
		score := -rest / max(sd, 0.12)
		if i == 0 {
			score-- // the quick view strays more; it must be surer
		}
		if da >= lifted && x < float64(b.MeanX[i]) {
			score++ // the neighbours need more and this home has less: that it failed is likelier
		}
		if score > worst {
			worst, at, ratio, lift = score, i, math.Exp(rest), da
		}
		if sig.Severity == 0 || o.end-sig.Onset > learnAnyway {
			rate := days / min(momentDays, max(1, n))
			dx := x - float64(b.MeanX[i])
			b.MeanX[i] += float32(rate * dx)
			b.MeanA[i] += float32(rate * da)
			b.XX[i] += float32(rate * (dx*dx - float64(b.XX[i])))
			b.XA[i] += float32(rate * (dx*da - float64(b.XA[i])))
			b.AA[i] += float32(rate * (da*da - float64(b.AA[i])))
		}
	}
	b.N = min(momentDays, b.N+float32(days))
	if !o.judged {
		return signal{}
	}
	// A silence is not a shortfall: that life goes on is the point of it.
	alive := o.end-st.Life.LastLife <= aliveWithin
	on := alive && worst >= p.BelowScore*o.caution && ratio <= p.BelowRatio && b.N >= 7
	switch {
	case on:
		severity, cause := Yellow, CauseBelow
		if lift >= lifted {
			severity, cause = Orange, CauseBelowArea
		}
		if severity <= sig.Severity {
			return sig
		}
		onset := sig.Onset
		if onset == 0 {
			onset = o.end - spans[at]
		}
		hours := spans[at].hoursSince(0)
		use, usual := st.LastDay.sum(int(hours))
		return signal{
			Severity: severity, Cause: code(Causes, cause), Onset: onset, At: o.end, Hours: float32(hours),
			Value: float32(use), Usual: float32(usual), Neighbours: float32(math.Exp(lift)),
		}
	case sig.Severity != 0 && worst < p.BelowScore/2:
		return signal{}
	default:
		return sig
	}
}
