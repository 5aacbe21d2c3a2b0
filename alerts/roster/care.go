package roster

import "time"

// Consent is what somebody has agreed to, for a time. A home without consent
// to be watched is not watched.
type Consent struct {
	HouseholdID string
	Scope       Scope
	From        time.Time // zero: since ever
	Until       time.Time // zero: open; when it was withdrawn, or ended
	GivenBy     string    // resident, or kin who may speak for her: a role, no name
	RecordedAt  time.Time
}

// Scope is what a consent is to. The set is closed.
type Scope string

// Scopes of consent.
const (
	ToWatch Scope = "watch" // that the meter is watched
	ToName  Scope = "name"  // that who is told also hears the name and sees the address
	ToKin   Scope = "kin"   // that family is told
	ToCurve Scope = "curve" // that the curve of use is shown to the chair
)

// Scopes lists the closed set.
var Scopes = []Scope{ToWatch, ToName, ToKin, ToCurve}

// Step is a step of the screening by which a household comes onto the roster.
type Step string

// Steps of the screening, in order.
const (
	Proposed     Step = "proposed"     // by the village and the town
	FirstReview  Step = "first-review" // by the county
	PeerReview   Step = "peer-review"  // by neighbouring villages, or other departments
	DoorVisit    Step = "visit"        // somebody has been at the door
	Decided      Step = "decision"     // taken onto the roster, or not
	Discontinued Step = "discontinued" // taken off again, such as after a death or a move
)

// Steps lists the steps in order.
var Steps = []Step{Proposed, FirstReview, PeerReview, DoorVisit, Decided, Discontinued}

// Verdict is how a step of the screening ended.
type Verdict string

// Verdicts.
const (
	Yes Verdict = "yes"
	No  Verdict = "no"
)

// Screening is one step of a household's screening; the list is only appended
// to.
type Screening struct {
	HouseholdID string
	Step        Step
	Verdict     Verdict
	By          string // unit or role that decided: no name
	Reason      string // in the village's words; required
	At          time.Time
}

// Service is something that can be asked for: a meal, a repair, a talk.
type Service struct {
	ID       string
	UnitID   string // village or town that offers it
	Name     string
	Provider string // who does it, in the village's words
	Contact  string // telephone or the like; kept like a person's
}

// Order is a service that was asked for.
type Order struct {
	ID          string
	HouseholdID string
	ServiceID   string
	AlertID     string // that led to it; "" is none
	AskedAt     time.Time
	DoneAt      time.Time // zero: not yet
	Note        string
}

// Plan is one line of a household's plan: who does what, and how often.
type Plan struct {
	HouseholdID string
	PersonID    string // who helps; "" where ServiceID says it
	ServiceID   string // "" is none
	What        string // in the village's words
	EveryDays   int    // 0: when needed
	From, Until time.Time
}

// Visit is one entry of the household's file: what was found (situation), what
// is wanting (difficulty), what is done about it (measure). The three are in
// the village's words and kept like a name.
type Visit struct {
	ID          string
	HouseholdID string
	AlertID     string // "" for a visit without an alert
	PersonID    string // who went, or called
	Kind        VisitKind
	At          time.Time
	Situation   string
	Difficulty  string
	Measure     string
}

// VisitKind is how somebody looked in. The set is closed.
type VisitKind string

// Kinds of visits.
const (
	AtTheDoor VisitKind = "visit"
	ByPhone   VisitKind = "call"
	Mediation VisitKind = "mediation"
	Care      VisitKind = "care"
)

// VisitKinds lists the closed set.
var VisitKinds = []VisitKind{AtTheDoor, ByPhone, Mediation, Care}
