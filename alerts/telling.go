package alerts

import (
	"fmt"
	"slices"
	"time"

	"weimang/alerts/roster"
	"weimang/detectors"
)

// TellingStatus is where a telling stands. The set is closed.
type TellingStatus string

// Statuses of a telling.
const (
	TellingDue         TellingStatus = "due"
	TellingTold        TellingStatus = "told"        // it is in a message
	TellingDropped     TellingStatus = "dropped"     // it was not needed any more
	TellingUnreachable TellingStatus = "unreachable" // no channel reaches her
	TellingOff         TellingStatus = "off"         // she is off duty, and nobody stands in
	TellingDeclined    TellingStatus = "declined"    // she cannot
)

// Telling is what one person is to be told of one alert. What is due for a
// person at one time makes one message.
type Telling struct {
	N         int64
	ID        string
	AlertID   string
	Seq       int // transition
	Round     int // of the chain
	Link      int // of the chain; -1: not of the chain
	To        Recipient
	StandsIn  roster.Role // the role of who is off duty; "" for herself
	VillageID string      // of an area's notice: which homes it names
	Purpose   Purpose
	Severity  detectors.Severity
	Via       []string // channels that the policy asks for, the best first
	OnlyVia   bool     // over no other channel: she is told over the others at the same time
	Digest    bool     // waits for the day's summary
	CreatedAt time.Time
	DueAt     time.Time
	Status    TellingStatus
	MessageID string
	Tried     []string // channels that did not reach her
}

// tellingID is the identity of a telling: a transition and whom it is for; and
// what for and when, if it is not the first word about it.
func tellingID(t *Telling) string {
	id := TransitionID(t.AlertID, t.Seq) + ":" + t.To.PersonID
	if t.OnlyVia {
		id += ":" + t.Via[0]
	}
	if t.Purpose == ToTell && t.Round == 0 || t.Purpose == ToEnd {
		return id
	}
	return fmt.Sprintf("%s:%s.%d", id, t.Purpose, t.CreatedAt.UnixMilli())
}

// contact is where to reach a person next, of the contacts that can be used:
// the best that was not tried yet; nil when there is none left.
func (t *Telling) contact(usable []roster.Contact) *roster.Contact {
	var best *roster.Contact
	rank := len(t.Via) + 1
	for i := range usable {
		c := &usable[i]
		r := slices.Index(t.Via, c.Channel)
		if r < 0 {
			r = len(t.Via) // as she likes it herself
		}
		if slices.Contains(t.Tried, c.Channel) || t.OnlyVia && r == len(t.Via) || r >= rank {
			continue
		}
		best, rank = c, r
	}
	return best
}
