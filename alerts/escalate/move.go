package escalate

import "time"

// Move is what a chain does next. The set is closed.
type Move string

// Moves of a chain.
const (
	Stay  Move = "stay"  // somebody is being waited for
	Next  Move = "next"  // the next link is told
	Again Move = "again" // the chain begins again
	Rest  Move = "rest"  // the end is reached; it begins again later, or the operator is to be told again
	Warn  Move = "warn"  // the chain has ended for good without an answer: the operator is told
)

// Reason is why a chain moves, or stays. The set is closed; it stands in the
// history and in metrics.
type Reason string

// Reasons.
const (
	Opened      Reason = "opened"      // nobody has been told yet
	InTime      Reason = "in-time"     // there is time left to answer
	NoAnswer    Reason = "no-answer"   // the time to answer has passed
	Undelivered Reason = "undelivered" // nobody of the link could be reached
	Declined    Reason = "declined"    // everybody of the link has said that she cannot
	OffDuty     Reason = "off-duty"    // everybody of the link is off, and nobody stands in
	Graver      Reason = "graver"      // it has become graver
	NotHeard    Reason = "not-heard"   // who had said that she sees to it has not been heard of
	Unwell      Reason = "unwell"      // the resident has asked for help
	Ended       Reason = "ended"       // the chain has ended
	Waiting     Reason = "waiting"     // for the chain to begin again
)

// Reasons lists the closed set.
var Reasons = []Reason{Opened, InTime, NoAnswer, Undelivered, Declined, OffDuty, Graver, NotHeard, Unwell, Ended, Waiting}

// Place is where a chain stands.
type Place struct {
	Link  int       // that was told last; -1: none yet
	Round int       // how often it has begun again
	Since time.Time // when the link's time to answer began
	Rests bool      // the end was reached; Since is when
}

// Heard is what became of the link that was told last.
type Heard struct {
	Told        int // people to be told
	Unreachable int // of them: no channel reaches them
	Off         int // of them: off duty without stand-in
	Declined    int // of them: cannot
}

// Decide is the next move of a chain and why, and for Stay and Rest until when.
func (c *Chain) Decide(at Place, heard Heard, now time.Time) (Move, Reason, time.Time) {
	last := at.Link >= len(c.Links)-1
	switch {
	case len(c.Links) == 0 && !at.Rests:
		return Warn, Ended, time.Time{}
	case at.Rests:
		if until := at.Since.Add(c.pause(at.Round)); now.Before(until) {
			return Rest, Waiting, until
		}
		if at.Round+1 < c.Rounds {
			return Again, NoAnswer, time.Time{}
		}
		return Warn, NoAnswer, time.Time{}
	case at.Link < 0 && !last:
		return Next, Opened, time.Time{}
	}
	why := c.why(at, heard, now)
	switch {
	case why == InTime && c.Links[at.Link].Wait == 0:
		return Stay, InTime, time.Time{} // nobody is waited for
	case why == InTime:
		return Stay, InTime, at.Since.Add(c.Links[at.Link].Wait)
	case !last:
		return Next, why, time.Time{}
	case at.Round+1 < c.Rounds:
		return Rest, why, now.Add(c.Again)
	default:
		return Warn, why, time.Time{}
	}
}

// why is the reason to leave a link, or InTime.
func (c *Chain) why(at Place, heard Heard, now time.Time) Reason {
	gone := heard.Unreachable + heard.Off + heard.Declined
	switch {
	case heard.Told == 0 || heard.Off == heard.Told:
		return OffDuty
	case gone >= heard.Told && heard.Declined > 0:
		return Declined
	case gone >= heard.Told:
		return Undelivered
	case c.Links[at.Link].Wait > 0 && !now.Before(at.Since.Add(c.Links[at.Link].Wait)):
		return NoAnswer
	default:
		return InTime
	}
}

// aDay is how long the operator is left alone with an alert that nobody takes.
const aDay = 24 * time.Hour

// pause is how long a chain rests after a round.
func (c *Chain) pause(round int) time.Duration {
	if round+1 < c.Rounds {
		return c.Again
	}
	return aDay
}
