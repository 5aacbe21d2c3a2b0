package alerts

import (
	"time"

	"weimang/alerts/roster"
	"weimang/detectors"
)

// Purpose is what somebody is told something for. The set is closed.
type Purpose string

// Purposes of what is told.
const (
	ToTell     Purpose = "alert"     // it has come up, or become graver; to the resident: are you well?
	ToTakeOver Purpose = "take-over" // those before on the chain have not answered
	ToRemind   Purpose = "remind"    // she has said that she sees to it, and nothing was heard since
	ToRelease  Purpose = "release"   // somebody else sees to it now
	ToEnd      Purpose = "end"       // it is over by itself
	ToAsk      Purpose = "ask"       // it is over by itself: what was it?
	ToFollowUp Purpose = "follow-up" // the day has come on which somebody wanted to look again
	ToWarn     Purpose = "nobody"    // nobody on the whole chain has answered: to the operator
)

// Purposes lists the closed set.
var Purposes = []Purpose{ToTell, ToTakeOver, ToRemind, ToRelease, ToEnd, ToAsk, ToFollowUp, ToWarn}

// Action is what somebody answers to a message. The set is closed.
type Action string

// Actions that an answer can be.
const (
	Acknowledge Action = "acknowledge" // I see to it
	Pass        Action = "pass"        // I cannot: call the next
	IAmWell     Action = "well"        // the resident: all is well
	INeedHelp   Action = "help"        // the resident: somebody should come
	SayAway     Action = "away"        // nobody is there, until a date
	SayMute     Action = "mute"        // do not tell of this home until a date
	SayOutcome  Action = "outcome"     // what was found; closes the alert, or names a day to look again
	SayVisited  Action = "visited"     // somebody was there; what she found comes later
)

// Actions lists the closed set.
var Actions = []Action{Acknowledge, Pass, IAmWell, INeedHelp, SayAway, SayMute, SayOutcome, SayVisited}

// Outcome is what an alert turned out to be. The set is closed.
type Outcome string

// Outcomes that people say.
const (
	Emergency Outcome = "emergency" // somebody was in danger
	NeedsHelp Outcome = "help"      // somebody needed help: handed to whom
	Appliance Outcome = "appliance" // something was broken or left on
	Wiring    Outcome = "wiring"    // a fuse, a line, the supply
	WasAway   Outcome = "away"      // nobody was there
	AtFamily  Outcome = "family"    // the person was with family
	Technical Outcome = "technical" // the meter or its data
	FalseCall Outcome = "false"     // all was well, at home
)

// Outcomes that the system gives, so that no alert closes without one.
const (
	Unasked    Outcome = "unasked"    // nobody had been told of it, so nobody is asked
	Unanswered Outcome = "unanswered" // it was over by itself, and nobody said what it was
	Superseded Outcome = "superseded" // another alert of the home goes on with it
	Erased     Outcome = "erased"     // the household was erased
)

// Outcomes lists those that people say, in the order in which they are asked.
var Outcomes = []Outcome{FalseCall, WasAway, AtFamily, Appliance, Wiring, NeedsHelp, Emergency, Technical}

// Notice is everything a text is written from.
type Notice struct {
	Finding  *detectors.Finding
	Purpose  Purpose        // "" is ToTell, or ToEnd for a finding that resolves
	Role     roster.Role    // of whom it is written for; "" is an official of the village
	Label    string         // of the household; "" for an area's notice
	Name     string         // of who lives there; "" where there is no permission to tell it
	Address  string         // of the home; "" as with Name
	Village  string         // name
	Homes    []string       // area's notice: labels of the village's homes there
	Zone     *time.Location // in which times are told; nil is UTC
	Now      time.Time      // against which "today" is told; zero is Finding.DecidedAt
	Fallback bool           // for the operator, since the village has no chair

	// What has become of the alert.
	StandsIn  roster.Role   // for whose holder, off duty, this is told; "" is nobody's
	Waited    time.Duration // ToTakeOver, ToWarn: since those before were told
	Holder    roster.Role   // ToRelease: who sees to it now
	HeldSince time.Time     // ToRemind: since when she sees to it
	Outcome   Outcome       // ToFollowUp: what was found
	HandedTo  string        // ToFollowUp: who was to mend or help, in the village's words
	Helped    bool          // the resident has asked for help
	Answers   []Action      // what can be answered, in the order of its keys 1, 2, …
}

// Text is a worded notice. Body is some short lines that can be read aloud.
type Text struct {
	Title string
	Body  string
}

// Short is a notice as SMS or read aloud by a machine: an approved template of
// the vendor, and what stands in its variables.
type Short struct {
	Template string  `json:"template"` // name in the catalogue; configuration maps it to the vendor's code
	Params   []Param `json:"params"`   // in the template's order
	Text     string  `json:"text"`     // as it reads with the variables in
}

// Param is a variable of a template.
type Param struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Wording words notices (see folder message).
type Wording interface {
	// Text is the long form.
	Text(lang roster.Lang, n Notice) (Text, error)
	// Bundle tells several homes in one message; digest says that it is the
	// day's summary of what could wait.
	Bundle(lang roster.Lang, ns []Notice, digest bool) (Text, error)
	// Short and ShortBundle fit into one SMS of 70 characters.
	Short(lang roster.Lang, n Notice) (Short, error)
	ShortBundle(lang roster.Lang, ns []Notice, digest bool) (Short, error)
	// Answer is the word on the button of an action.
	Answer(lang roster.Lang, n Notice, a Action) string
}
