package detectors

import (
	"errors"
	"time"
)

// Params are the few numbers detection depends on. The zero value is not
// usable; start from DefaultParams.
type Params struct {
	// UsualDelay is how long after its end a reading usually arrives. An
	// interval is decided once every home has reported it or this has passed.
	UsualDelay time.Duration
	// Window is how much later than UsualDelay a reading still counts as if
	// it had come in order.
	Window time.Duration
	// Skew is how far a meter's clock may run ahead of the run's clock.
	Skew time.Duration
	// PushFrom keeps a new site silent while it learns: transitions decided
	// on evidence before it never leave the page. Zero: push at once.
	PushFrom time.Time

	// Budgets are the ceilings on false alarms from which every threshold of
	// every home follows.
	Budgets Budgets

	// Life is the evidence (natural log of the likelihood ratio "nobody is
	// using anything" against "a day like any other") at which a silence is
	// yellow, orange and red.
	Life [3]float64
	// LifeHours is how long a silence must have lasted for orange and red.
	LifeHours [3]float64
	// BelowScore is how many of the home's own standard deviations its use
	// must lie below what its habits and its neighbours explain.
	BelowScore float64
	// BelowRatio is the minimum effect of a shortfall: use above stand-by
	// over what is expected.
	BelowRatio float64
	// AboveHours is the shortest run of strong use worth a message.
	AboveHours float64
	// AboveWatts is how far above the usual band strong use must lie.
	AboveWatts float64
	// MaxKW is the most that a home's connection carries.
	MaxKW float64
	// MinDays is the history a home needs before anything is said; FullDays
	// the history after which usual is no longer called a wide guess.
	MinDays, FullDays float64
}

// Budgets are false alarms per home and day that a site can bear, on homes in
// which nothing is wrong. Operators set these, not thresholds.
type Budgets struct {
	Visit  float64 // red and orange together
	Pushed float64 // everything that leaves the page
}

// DefaultBudgets give a chair of thirty homes one visit-level alarm a week and
// four messages.
var DefaultBudgets = Budgets{Visit: 0.005, Pushed: 0.02}

// DefaultParams were set by hand on the regular homes of the development data,
// towards 0.02 pushes and 0.005 visit-level pushes per home-day; they come to
// 0.018 and 0.0056, real absences included.
func DefaultParams() Params {
	return Params{
		Budgets:    DefaultBudgets,
		UsualDelay: 30 * time.Minute,
		Window:     96 * time.Hour,
		Skew:       15 * time.Minute,
		Life:       [3]float64{24, 42, 110},
		LifeHours:  [3]float64{4, 6, 30},
		BelowScore: 3.2, BelowRatio: 0.55,
		AboveHours: 3, AboveWatts: 1000,
		MaxKW:   60,
		MinDays: 3, FullDays: 14,
	}
}

// Validate explains what is wrong with p.
func (p Params) Validate() error {
	switch {
	case p.UsualDelay < 0 || p.UsualDelay > 72*time.Hour:
		return errors.New("usual delay must lie between 0 and 72 h")
	case p.Window < 24*time.Hour || p.Window > 168*time.Hour:
		return errors.New("window must lie between 24 h and 168 h")
	case p.Skew < 0 || p.Skew > 2*time.Hour:
		return errors.New("skew must lie between 0 and 2 h")
	case p.BelowRatio <= 0 || p.BelowRatio >= 1:
		return errors.New("below ratio must lie between 0 and 1")
	case p.Life[0] <= 0 || p.Life[1] < p.Life[0] || p.Life[2] < p.Life[1]:
		return errors.New("life thresholds must rise from yellow to red")
	case p.MaxKW <= 0:
		return errors.New("max kW must be above 0")
	case p.MinDays < 1:
		return errors.New("min days must be at least 1")
	}
	return nil
}
