package detectors

import (
	"errors"
	"time"

	"weimang/ingest/calendar"
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

	// Model is what was fitted over many homes.
	Model *Model
	// Holidays tells rest days from workdays; nil knows weekends only.
	Holidays *calendar.Calendar
	// MaxKW is the most a connection can carry: more is a fault of the meter.
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

// DefaultParams detects with the fitted model and the default budgets.
func DefaultParams() Params {
	return Params{
		Budgets:    DefaultBudgets,
		Model:      DefaultModel(),
		UsualDelay: 30 * time.Minute,
		Window:     96 * time.Hour,
		Skew:       15 * time.Minute,
		MaxKW:      60,
		MinDays:    3, FullDays: 14,
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
	case p.Budgets.Pushed <= 0 || p.Budgets.Pushed > 1:
		return errors.New("the budget of pushes must lie between 0 and 1 per home and day")
	case p.Budgets.Visit <= 0 || p.Budgets.Visit > p.Budgets.Pushed:
		return errors.New("the budget of visits must be above 0 and no more than that of pushes")
	case p.Model == nil:
		return errors.New("no model")
	case p.MaxKW <= 0:
		return errors.New("max kW must be above 0")
	case p.MinDays < 1:
		return errors.New("min days must be at least 1")
	}
	return nil
}
