package alerts

import (
	"strings"

	"weimang/alerts/escalate"
	"weimang/alerts/roster"
)

// unroutedReason says why a message went to the operator. The set is closed.
type unroutedReason string

const (
	noHousehold unroutedReason = "no-household" // not in the roster, or an area without homes
	noVillage   unroutedReason = "no-village"
	noChair     unroutedReason = "no-chair"
	noChannel   unroutedReason = "no-channel" // no channel exists that reaches whoever is there
	noAnswer    unroutedReason = "no-answer"  // nobody on the whole chain has answered
)

var unroutedReasons = []unroutedReason{noHousehold, noVillage, noChair, noChannel, noAnswer}

// unreachable says why nobody of a village can be told; people are those who
// should have been.
func (w *work) unreachable(home *roster.Household, people []string) unroutedReason {
	switch {
	case home.Unlisted || home.VillageID == "" && home.ID == "":
		return noHousehold
	case home.VillageID == "":
		return noVillage
	case len(people) == 0:
		return noChair
	default:
		return noChannel
	}
}

// warn tells the operator of an alert that nobody takes. It is told again day
// by day, until somebody answers.
func (w *work) warn(a *Alert, home *roster.Household) error {
	purpose, why := ToWarn, noAnswer
	var people []string
	reached := false
	all, err := w.tx.Tellings(a.ID)
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.Link >= 0 {
			people = append(people, t.To.PersonID)
			reached = reached || t.MessageID != "" && t.Status != TellingUnreachable
		}
	}
	if !reached {
		purpose, why = ToTell, w.unreachable(home, people)
	}
	if a.Place.Rests && len(a.Chain.Links) == 0 {
		// It ended before it began: perhaps there is somebody by now.
		return w.call(a, home, a.Chain.Occasion, escalate.Opened)
	}
	if reached {
		if err := w.did(a, EventExhausted, "", string(why)); err != nil {
			return err
		}
	}
	a.Place.Rests, a.Place.Since = true, w.now
	_, _, a.LookAt = a.Chain.Decide(a.Place, escalate.Heard{}, w.now)
	return w.tellOperator(a, purpose, home.VillageID, why)
}

// tellOperator tells whoever hears what has nobody else to go to. Two villages
// of an area may both want a chair: two messages, two recipients.
func (w *work) tellOperator(a *Alert, p Purpose, village string, why unroutedReason) error {
	to := Recipient{PersonID: w.opts.Fallback.ID, Role: roster.Operator}
	if village != "" {
		to.PersonID += "/" + village
	}
	w.count(func(m *metrics) { m.unrouted.WithLabelValues(string(why)).Inc() })
	if err := w.event(a, a.LastSeq, EventUnrouted, a.Latest().At, string(why)); err != nil {
		return err
	}
	if a.Latest() == a.Ending {
		p = ToEnd
	}
	return w.add(a, &Telling{Purpose: p, Severity: a.Severity, Link: -1, VillageID: village, DueAt: w.now, To: to})
}

// fallback is who the configuration names, if id is hers.
func (w *work) fallback(id string) *roster.Person {
	base, village, _ := strings.Cut(id, "/")
	if base != w.opts.Fallback.ID {
		return nil
	}
	p := w.opts.Fallback
	if village != "" {
		p.ID = id
	}
	return &p
}
