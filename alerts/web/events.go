package web

import (
	"slices"
	"strings"

	"weimang/alerts"
	"weimang/alerts/escalate"
	"weimang/alerts/roster"
)

// transition is what a delivery belongs to.
type transition struct {
	alert string
	seq   int
}

// events tells what happened to the household, the latest first. Kin read what was
// found and done, not who was called for it.
func (h *handler) events(r *request, ro *directory, home *roster.Household) ([]eventView, error) {
	es, err := h.reader.Events(r.Context(), home.ID, eventsShown)
	if err != nil {
		return nil, err
	}
	zone := home.Location(h.opts.Zone)
	out := make([]eventView, 0, len(es))
	// Deliveries are told with the transition they belong to: they happened by
	// the wall clock, which a replay's day is not. They come after it in time,
	// so before it in this list.
	told := map[transition][]string{}
	kin := ro.roles[home.ID] == roster.Kin
	for i := range es {
		e := &es[i]
		if e.Kind == alerts.EventCalled && e.Detail == string(escalate.Opened) {
			continue // who was told then stands with what was found
		}
		at := transition{e.AlertID, e.Seq}
		var v eventView
		switch e.Kind {
		case alerts.EventTold, alerts.EventUndelivered:
			told[at] = append(told[at], r.t.fill("ev-"+string(e.Kind), h.roleName(r, e.Detail)))
			continue
		case alerts.EventUnrouted:
			told[at] = append(told[at], r.t["ev-unrouted"])
			continue
		case alerts.EventOpened, alerts.EventUpdated, alerts.EventResolved:
			if v, err = h.transition(r, ro, home, e); err != nil {
				return nil, err
			}
			v.When = h.words.When(r.lang, e.At, r.now, zone)
			v.Told = told[at]
			slices.Reverse(v.Told)
		case alerts.EventSuperseded:
			v = eventView{What: h.words.Event(r.lang, e.Kind), When: h.words.When(r.lang, e.At, r.now, zone)}
		default:
			v = eventView{What: h.words.Event(r.lang, e.Kind), Sentence: h.detail(r, e), When: h.words.When(r.lang, e.At, r.wall, zone)}
		}
		if kin {
			if v.Told = nil; !kinReads(e.Kind) {
				continue
			}
		}
		out = append(out, v)
	}
	return out, nil
}

// transition is a step of the detectors in words.
func (h *handler) transition(r *request, ro *directory, home *roster.Household, e *alerts.Event) (v eventView, err error) {
	v.What = h.words.Event(r.lang, e.Kind)
	if e.Finding == nil {
		return v, nil
	}
	v.Class = e.Finding.Severity.String()
	if e.Kind == alerts.EventResolved {
		v.Class = "fine"
	}
	a := &alerts.Alert{HouseholdID: home.ID, VillageID: home.VillageID}
	v.Sentence, err = h.sentence(r, h.notice(r, ro, a, e.Finding))
	return v, err
}

// detail is what is added to an event of a case; "" is nothing.
func (h *handler) detail(r *request, e *alerts.Event) string {
	switch e.Kind {
	case alerts.EventCalled:
		return h.words.Reason(r.lang, escalate.Reason(e.Detail))
	case alerts.EventSilenced:
		return h.words.Silence(r.lang, alerts.Silence(e.Detail))
	case alerts.EventOutcome, alerts.EventClosed:
		if e.Detail != "" {
			return h.words.Outcome(r.lang, alerts.Outcome(e.Detail))
		}
	}
	return ""
}

// kinReads reports whether an event is one for kin.
func kinReads(k alerts.EventKind) bool {
	switch k {
	case alerts.EventOpened, alerts.EventUpdated, alerts.EventResolved, alerts.EventAcknowledged, alerts.EventWell, alerts.EventHelp,
		alerts.EventAway, alerts.EventVisited, alerts.EventOutcome, alerts.EventFollowUp, alerts.EventReopened, alerts.EventClosed:
		return true
	default:
		return false
	}
}

// roleName is the role in a delivery's detail ("chair/console") in words.
func (h *handler) roleName(r *request, detail string) string {
	role, _, _ := strings.Cut(detail, "/")
	if !slices.Contains(roster.Roles, roster.Role(role)) {
		return r.t["role-other"]
	}
	return h.words.Role(r.lang, roster.Role(role))
}
