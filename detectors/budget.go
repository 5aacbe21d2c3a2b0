package detectors

import "math"

// A detector's score means something once it is known how often chance alone
// brings one as high: the rate of false alarms per home and day. Beyond a
// level U the highest scores of excursions fall off as an exponential
// (peaks over threshold; Coles, An Introduction to Statistical Modeling of
// Extreme Values, 2001, ch. 4, with shape 0): rate(s) = Often · exp(−(s−U)/Mean).

// Detectors that share the budgets.
const (
	detLife = iota
	detFrozen
	detBelow
	detAbove
	detNight
	detDecline
	detStill
	detectors
)

// Tail is a detector's upper tail, pooled over homes.
type Tail struct {
	U     float64 `json:"u"`     // from which scores are counted
	Often float64 `json:"often"` // excursions beyond U per home-day
	Mean  float64 `json:"mean"`  // of how far beyond U they reach
}

// End is the score below which an excursion beyond U is over.
func (t *Tail) End() float64 {
	if t.U > 0 {
		return max(t.U-t.Mean, t.U/2)
	}
	return t.U - t.Mean
}

// allotments are each detector's part of the budgets. Silence is told as a
// matter for a visit or not at all: an absence that is told twice costs twice.
// What is slow or may have many causes is never a matter for a visit.
var allotments = [detectors]struct{ pushed, visit float64 }{
	detLife:    {0.15, 0.60},
	detStill:   {0.02, 0.08},
	detFrozen:  {0.03, 0.03},
	detBelow:   {0.22, 0},
	detAbove:   {0.17, 0},
	detNight:   {0.06, 0},
	detDecline: {0.08, 0},
}

// tails are what a home's own history says of every detector's tail.
type tails struct {
	Days float32 // watched, slowly forgotten
	Of   [detectors]tail
}

// tail is one detector's.
type tail struct {
	Over   float32 // excursions beyond U in the days watched
	Excess float32 // sum of how far they reached
	Peak   float32 // how far the present excursion has reached beyond U, 0: none
}

// How much the pooled tail weighs against the home's own, and how slowly that
// is forgotten. Weeks cannot tell what happens once in 200 days.
const (
	priorHomeDays = 60
	priorSlowDays = 720 // of the decline, of which a home shows a few a year
	priorPeaks    = 5
	tailDays      = 180
	farPeak       = 4 // excess of one excursion that counts, in pooled means
)

// pass lets a day go by.
func (t *tails) pass() {
	const keep = 1 - 1.0/tailDays
	t.Days = t.Days*keep + 1
	for i := range t.Of {
		t.Of[i].Over *= keep
		t.Of[i].Excess *= keep
	}
}

// judge takes in a detector's score and tells the rate of its like.
func (t *tails) judge(p *Params, detector int, score float64) float64 {
	pool, own := &p.Model.Tails[detector], &t.Of[detector]
	switch {
	case score > pool.U:
		own.Peak = max(own.Peak, float32(score-pool.U))
	case own.Peak != 0 && score < pool.End():
		own.Over++
		own.Excess += min(own.Peak, float32(farPeak*pool.Mean))
		own.Peak = 0
	}
	if score <= pool.U {
		return math.Inf(1)
	}
	prior := float64(priorHomeDays)
	if detector == detDecline {
		prior = priorSlowDays
	}
	often := (pool.Often*prior + float64(own.Over)) / (prior + float64(t.Days))
	mean := (pool.Mean*priorPeaks + float64(own.Excess)) / (priorPeaks + float64(own.Over))
	return often * math.Exp(-(score-pool.U)/mean)
}

// excuse keeps what is going on from counting as a false alarm of this home's,
// but for a detector that looks at weeks.
func (t *tails) excuse() {
	for i := range t.Of {
		if i != detDecline {
			t.Of[i].Peak = 0
		}
	}
}

// severity is what a rate of false alarms is worth under the budgets.
func (p *Params) severity(detector int, rate float64) Severity {
	part := &allotments[detector]
	switch {
	case rate <= p.Budgets.Visit*part.visit:
		return Orange
	case rate <= p.Budgets.Pushed*part.pushed:
		return Yellow
	default:
		return 0
	}
}

// ordinary reports whether a score is ordinary again.
func (p *Params) ordinary(detector int, rate float64) bool {
	return rate > 10*p.Budgets.Pushed*allotments[detector].pushed
}
