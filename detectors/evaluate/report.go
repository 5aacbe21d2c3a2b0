package evaluate

import "weimang/detectors"

// Report is everything an evaluation found. Times are hours unless they say
// otherwise, rates are per home and day, shares lie between 0 and 1.
type Report struct {
	Settings  Settings `json:"settings"`
	Homes     Homes    `json:"homes"`
	Detectors Rule     `json:"detectors"`
	Peers     []Rule   `json:"peers,omitempty"`
	// Bound is the time until the person would next have used something, for
	// the recipes in which nobody does: no detector can be sooner.
	Bound []Bound `json:"bound,omitempty"`
	// Hindsight is what a rule on the length of silence could reach that knew
	// the year beforehand.
	Hindsight []Hindsight `json:"hindsight,omitempty"`
	Curve     []Point     `json:"curve,omitempty"`

	Cases    int   `json:"cases"`
	NoRoom   int   `json:"no_room"`  // cases left out: the home's data are too short, or no moment fits
	Readings int64 `json:"readings"` // that the detectors were given, cases included
}

// Settings are all that the figures depend on beside the readings.
type Settings struct {
	Seed       uint64  `json:"seed"`
	WarmupDays float64 `json:"warmup_days"`
	Cases      int     `json:"cases_per_home_and_recipe"`
	CurveCases int     `json:"curve_cases_per_home_and_recipe"`
	AreaSize   int     `json:"area_size"`
	Bootstrap  int     `json:"bootstrap"`
	Minutes    int     `json:"coarsened_to_minutes,omitempty"`
	Budgets    Budgets `json:"budgets"`
	// CurveBudgets are the pushed ones of the operating curve.
	CurveBudgets []float64 `json:"curve_budgets,omitempty"`
}

// Budgets are false alarms per home-day: all that are pushed, and those of
// them that are red or orange.
type Budgets struct {
	Pushed float64 `json:"pushed"`
	Visits float64 `json:"red_or_orange"`
}

func budgetsOf(b detectors.Budgets) Budgets { return Budgets{Pushed: b.Pushed, Visits: b.Visit} }

// Homes says on whom it was tried.
type Homes struct {
	Judged  []string       `json:"judged"`
	Given   bool           `json:"given"` // by a list; otherwise picked by rule
	LeftOut []LeftOut      `json:"left_out,omitempty"`
	Unknown int            `json:"meters_not_in_roster,omitempty"`
	Areas   []AreaOfReport `json:"areas"`
}

// LeftOut is why homes were not judged.
type LeftOut struct {
	Why   string `json:"why"`
	Homes int    `json:"homes"`
}

// AreaOfReport is an area in which homes were judged.
type AreaOfReport struct {
	ID              string `json:"area_id"`
	Homes           int    `json:"homes"`
	Judged          int    `json:"judged"`
	IntervalMinutes int    `json:"interval_minutes"`
}

// Rule is the detectors together, or one rule of a peer.
type Rule struct {
	Name      string    `json:"name"`
	Says      string    `json:"says,omitempty"`
	Source    string    `json:"source,omitempty"`
	Untouched Untouched `json:"untouched"`
	Scores    []Score   `json:"scores"`
}

// Untouched is what was said of homes in which nothing is known to have
// happened.
type Untouched struct {
	HomeDays float64  `json:"home_days"` // measured, after the warm-up
	Pushes   Estimate `json:"pushes"`
	Visits   Estimate `json:"visits"`
	// Without those about the homes' own silences of a day and more, over the
	// same home-days.
	PushesOutside Estimate `json:"pushes_outside_silences"`
	VisitsOutside Estimate `json:"visits_outside_silences"`
	Silences      int      `json:"silences"`
	SilentDays    float64  `json:"silent_days"`

	Early  Early      `json:"early"`
	ByKind []KindRate `json:"by_kind,omitempty"`
	Spread Spread     `json:"spread"`
}

// Early is the same in the days 3 to 42 of each home's readings.
type Early struct {
	HomeDays float64  `json:"home_days"`
	Pushes   Estimate `json:"pushes"`
	Visits   Estimate `json:"visits"`
}

// KindRate is how often a kind was named on untouched homes.
type KindRate struct {
	Kind          detectors.Kind `json:"kind"`
	Pushes        float64        `json:"pushes"`
	Visits        float64        `json:"visits"`
	PushesOutside float64        `json:"pushes_outside_silences"`
}

// Spread is how the pushes per day differ between homes.
type Spread struct {
	OverBudget      float64    `json:"share_over_push_budget"`
	OverVisitBudget float64    `json:"share_over_visit_budget"`
	Quartiles       [3]float64 `json:"quartiles"`
	Worst           string     `json:"worst_home"`
	WorstRate       float64    `json:"worst_rate"`
}

// Score is how a recipe's cases were found.
type Score struct {
	Kind      string `json:"kind"`
	Recipe    string `json:"recipe"`
	Headline  bool   `json:"headline"`
	Says      string `json:"says"`
	Cases     int    `json:"cases"`
	InSilence int    `json:"cases_in_silence"` // that begin while the home is silent anyway
	// HeadlineHours is which of the windows stands for the recipe.
	HeadlineHours float64 `json:"headline_hours"`

	Pushed Found  `json:"pushed"`
	Visit  *Found `json:"red_or_orange,omitempty"`
	// Own is the share that was called by its own kind within the whole time
	// watched, OwnWithin the same within the windows.
	Own       *Estimate      `json:"own_kind,omitempty"`
	OwnWithin []WithinHours  `json:"own_kind_within,omitempty"`
	Named     map[string]int `json:"named_first,omitempty"` // kind of the first push that counts
}

// Found is when cases were found.
type Found struct {
	Within []WithinHours `json:"within"`
	Median Delay         `json:"median"`
	P90    Delay         `json:"p90"`
}

// WithinHours is the share found within a time of the onset.
type WithinHours struct {
	Hours float64  `json:"hours"`
	Share Estimate `json:"share"`
}

// Bound is the earliest that anybody could have known, of one recipe's cases.
type Bound struct {
	Kind   string `json:"kind"`
	Recipe string `json:"recipe"`
	Cases  int    `json:"cases"`
	Found
}

// Point is one budget of the operating curve, or one peer.
type Point struct {
	Name      string      `json:"name"`
	Peer      bool        `json:"peer,omitempty"`
	Budgets   Budgets     `json:"budgets,omitzero"`
	Pushes    Estimate    `json:"pushes"`
	Visits    Estimate    `json:"visits"`
	VisitsOut Estimate    `json:"visits_outside_silences"`
	PushesOut Estimate    `json:"pushes_outside_silences"`
	Kinds     []KindPoint `json:"kinds"`
}

// KindPoint is the headline recipe of a kind at a point of the curve.
type KindPoint struct {
	Kind   string   `json:"kind"`
	Hours  float64  `json:"within_hours"`
	Share  Estimate `json:"share"`
	Own    Estimate `json:"share_own_kind"`
	Median Delay    `json:"median"`
}
