package web

import (
	"strings"
	"time"

	"weimang/alerts"
	"weimang/detectors"
)

// need is what a case needs. The set is closed.
type need int

const (
	needsSomebody need = iota
	isSeenTo
	waitsForADay
	waitsForAWord
	needsNobody
)

// needOf is what the case of a household needs.
func needOf(a *alerts.Alert) need {
	switch a.Stage {
	case alerts.Calling:
		return needsSomebody
	case alerts.Held:
		return isSeenTo
	case alerts.InHand:
		return waitsForADay
	case alerts.Asking:
		return waitsForAWord
	case alerts.Closed:
		return needsNobody // it is known what it is, though use is not as usual yet
	default:
		if a.Severity == detectors.Blue || a.Silenced != "" {
			return needsNobody
		}
		return needsSomebody // nobody has been called: it is of before there were cases
	}
}

// overdue reports whether somebody who said that she sees to it has not been heard
// of in her time, nobody on the whole chain has answered, or the day to look again
// has passed.
func overdue(a *alerts.Alert, now time.Time) bool {
	switch a.Stage {
	case alerts.Calling:
		return a.Place.Rests || a.Place.Round > 0
	case alerts.Held:
		return a.Reminded > 0 || a.Chain != nil && now.After(a.HeldAt.Add(a.Chain.Held))
	case alerts.InHand:
		return now.After(a.FollowUpAt)
	default:
		return false
	}
}

// later orders what is late first.
func later(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// standing says in one line how a case stands: who sees to it, by role, what it
// was, when somebody looks again. "" is that it has only come up.
func (h *handler) standing(r *request, a *alerts.Alert, zone *time.Location) string {
	var parts []string
	switch {
	case a.Stage == alerts.Held:
		parts = append(parts, r.t.fill("stands-held", h.words.Role(r.lang, a.Holder.Role), h.words.When(r.lang, a.HeldAt, r.wall, zone)))
	case a.Stage == alerts.Calling && a.Chain != nil && a.Chain.Held > 0, a.Stage == alerts.Asking:
		parts = append(parts, h.words.Stage(r.lang, a.Stage))
	case a.Stage == alerts.Noted && a.Silenced != "":
		parts = append(parts, h.words.Silence(r.lang, a.Silenced))
	}
	if a.Outcome != "" && a.Stage != alerts.Calling && a.Stage != alerts.Held {
		parts = append(parts, r.t.fill("stands-outcome", h.words.Outcome(r.lang, a.Outcome)))
	}
	if a.Stage == alerts.InHand {
		parts = append(parts, r.t.fill("stands-again", h.date(r, a.FollowUpAt.In(zone))))
	}
	return strings.Join(parts, r.t["list"])
}

// stands is standing as a sentence of its own.
func (h *handler) stands(r *request, a *alerts.Alert, zone *time.Location) string {
	line := h.standing(r, a, zone)
	if line == "" {
		return ""
	}
	return r.t.fill("stands", line)
}

// date is a day.
func (h *handler) date(r *request, t time.Time) string {
	return r.t.fill("day-month", int(t.Month()), t.Day(), t.Format("January"))
}
