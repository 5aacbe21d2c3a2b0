package alerts

import (
	"time"

	"weimang/alerts/escalate"
)

// Stage is where a case stands. The set is closed.
type Stage string

// Stages of a case.
const (
	Noted   Stage = "noted"   // on the page; nobody is called: it is blue, or silenced
	Calling Stage = "calling" // the chain goes from one to the next until somebody answers
	Held    Stage = "held"    // somebody sees to it, and what she finds is waited for
	InHand  Stage = "in-hand" // what it was is known, and there is a day to look again
	Asking  Stage = "asking"  // over by itself; somebody has been asked, once, what it was
	Closed  Stage = "closed"  // has its outcome
)

// Stages lists the closed set.
var Stages = []Stage{Noted, Calling, Held, InHand, Asking, Closed}

// Silence is why nobody is told of an alert for now. The set is closed.
type Silence string

// Reasons of silence.
const (
	AreaIsDark   Silence = "area-dark"   // the outage explains it; who is not back afterwards is told
	AreaIsSilent Silence = "area-silent" // no meter of the area reports
	Flapping     Silence = "flapping"    // the same was over a short while ago
)

// Silences lists the closed set.
var Silences = []Silence{AreaIsDark, AreaIsSilent, Flapping}

// Case is what people do about an alert. Times are wall times.
type Case struct {
	Stage      Stage
	Chain      *escalate.Chain // frozen when the alert opened; nil: nobody was called yet
	Place      escalate.Place  // on the chain
	ToldAt     time.Time       // when somebody was first to be told; zero: nobody yet
	Holder     Recipient       // who sees to it; zero: nobody
	HeldAt     time.Time
	Reminded   int
	Helped     bool    // the resident has asked for help
	Silenced   Silence // why nobody is told; "" while somebody may be
	Outcome    Outcome // "" until it is known
	HandedTo   string  // who mends or helps, in the village's words
	FollowUpAt time.Time
	ClosedAt   time.Time // zero until closed
	LookAt     time.Time // when the next thing is due; zero: nothing is
	Continues  string    // the alert that this one took over from
}

// done ends the case; what was to happen next is off.
func (c *Case) done(o Outcome, now time.Time) {
	c.Stage, c.Outcome, c.ClosedAt, c.LookAt, c.Silenced = Closed, o, now, time.Time{}, ""
}
