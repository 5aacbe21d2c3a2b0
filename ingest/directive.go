package ingest

import "time"

// DirectiveKind says what somebody has told Weimang about a home.
type DirectiveKind string

// Kinds of directives.
const (
	Away    DirectiveKind = "away"    // nobody is there; ends early when use returns
	Mute    DirectiveKind = "mute"    // do not tell of this home, whoever is there
	Outcome DirectiveKind = "outcome" // what a visit or a call has found

	// ConsentWithdrawn ends all watching of a home and has what is known of it
	// forgotten, at once; ConsentGiven lets it begin again, from nothing.
	ConsentWithdrawn DirectiveKind = "consent-withdrawn"
	ConsentGiven     DirectiveKind = "consent-given"
)

// DirectiveKinds lists the closed set.
var DirectiveKinds = []DirectiveKind{Away, Mute, Outcome, ConsentWithdrawn, ConsentGiven}

// OutcomeCause is what was found. The set is closed.
type OutcomeCause string

// Causes of outcomes.
const (
	OutcomeFalse     OutcomeCause = "false"      // all was well; so the home is taken to be as usual
	OutcomeAway      OutcomeCause = "away"       // nobody was there, and that was in order
	OutcomeAppliance OutcomeCause = "appliance"  // something was broken or left on
	OutcomePower     OutcomeCause = "power"      // the home was without supply
	OutcomeIllness   OutcomeCause = "illness"    // the person needed help
	OutcomeMeter     OutcomeCause = "meter"      // the meter or its data was wrong
	OutcomeNewNormal OutcomeCause = "new-normal" // this is how the person lives now
	OutcomeOther     OutcomeCause = "other"
	OutcomeRetracted OutcomeCause = "retracted" // the outcome of this id was said by mistake
)

// OutcomeCauses lists the closed set.
var OutcomeCauses = []OutcomeCause{
	OutcomeFalse, OutcomeAway, OutcomeAppliance, OutcomePower, OutcomeIllness, OutcomeMeter, OutcomeNewNormal, OutcomeOther,
	OutcomeRetracted,
}

// Directive is what a person has said about a household, as its area's log
// carries it: ids, a class and times. Names and words stay in the store.
// A later directive with the same ID replaces an earlier one; one whose Until
// is not after its From takes it back, as does an outcome of OutcomeRetracted.
type Directive struct {
	ID          string
	HouseholdID string
	Kind        DirectiveKind
	From        time.Time // Away, Mute
	Until       time.Time // Away, Mute; zero: an absence with an open end
	Outcome     OutcomeCause
	IssuedAt    time.Time
}
