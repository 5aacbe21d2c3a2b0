package web

import (
	"net/url"
	"slices"
	"time"

	"weimang/alerts"
	"weimang/alerts/roster"
)

// visitsFor is how far back visits are shown.
const visitsFor = 365 * 24 * time.Hour

// caseView is what people do about a household's alert.
type caseView struct {
	Stage    string
	Standing string
	HandedTo string
	Late     string
	Visits   []visitView
	Answers  []choice
}

type visitView struct {
	What  string // how and when
	Found []string
}

// choice is something that can be answered, on a page of its own.
type choice struct {
	URL, Word string
}

// caseOf is how the household's case stands, nil where there was none lately.
// What was said at the door is read by those who work for the home.
func (h *handler) caseOf(r *request, recent []alerts.Alert, home *roster.Household, role roster.Role) (*caseView, error) {
	visits, err := h.reader.Visits(r.Context(), r.by(), home.ID, r.wall.Add(-visitsFor))
	if err != nil {
		return nil, err
	}
	a := caseAlert(recent)
	if a == nil && len(visits) == 0 {
		return nil, nil
	}
	zone := home.Location(h.opts.Zone)
	v := &caseView{Stage: r.t["no-case"]}
	if a != nil {
		v.Stage, v.Standing = h.words.Stage(r.lang, a.Stage), h.standing(r, a, zone)
		if v.Standing == v.Stage {
			v.Standing = ""
		}
		if overdue(a, r.wall) {
			v.Late = r.t["late"]
		}
		if a.HandedTo != "" && role != "" {
			v.HandedTo = r.t.fill("stands-handed", tidy(a.HandedTo))
		}
		v.Answers = h.choices(r, a, home.ID, role)
	}
	for _, visit := range visits {
		v.Visits = append(v.Visits, h.visit(r, visit, zone, role))
	}
	return v, nil
}

func (h *handler) visit(r *request, visit roster.Visit, zone *time.Location, role roster.Role) visitView {
	v := visitView{What: r.t.fill("visit-"+string(visit.Kind), h.words.When(r.lang, visit.At, r.wall, zone))}
	if !official(role) {
		return v
	}
	for _, f := range [][2]string{{"situation", visit.Situation}, {"difficulty", visit.Difficulty}, {"measure", visit.Measure}} {
		if said := tidy(f[1]); said != "" {
			v.Found = append(v.Found, r.t.fill("found-text", r.t[f[0]], said))
		}
	}
	return v
}

// caseAlert is the latest alert whose case is not closed, or the latest; nil is
// none that was ever a case.
func caseAlert(recent []alerts.Alert) *alerts.Alert {
	for i := range recent {
		if a := &recent[i]; isCase(a) && a.Stage != alerts.Closed && a.Stage != alerts.Noted {
			return a
		}
	}
	if len(recent) == 0 || !isCase(&recent[0]) {
		return nil
	}
	return &recent[0]
}

// isCase reports whether somebody is waited for, or has answered: not so at a site
// whose policy is to tell the chair and to leave it at that.
func isCase(a *alerts.Alert) bool {
	switch a.Stage {
	case alerts.Calling:
		return a.Chain != nil && a.Chain.Held > 0
	case alerts.Closed:
		return a.Outcome != alerts.Unasked
	case alerts.Noted, alerts.Held, alerts.InHand, alerts.Asking:
		return true
	default:
		return false // of before there were cases
	}
}

// onThePage are what can be answered on a household's page, in its order.
var onThePage = []alerts.Action{alerts.Acknowledge, alerts.SayOutcome, alerts.SayAway, alerts.SayMute}

// choices are what who looks may answer to a case.
func (h *handler) choices(r *request, a *alerts.Alert, id string, role roster.Role) []choice {
	if r.who == nil {
		return nil // the operator answers for nobody
	}
	var out []choice
	for _, action := range onThePage {
		hers := a.Stage == alerts.Held && a.Holder.PersonID == r.who.ID
		if !mayAnswer(a, action, role) || hers && action == alerts.Acknowledge {
			continue
		}
		out = append(out, choice{
			URL:  r.base + "/household/" + url.PathEscape(id) + "/" + string(action) + string(r.query),
			Word: h.words.Answer(r.lang, alerts.Notice{Role: role}, action),
		})
	}
	return out
}

// mayAnswer reports whether somebody in a role may answer so to a case that
// stands so. The service has the last word.
func mayAnswer(a *alerts.Alert, action alerts.Action, role roster.Role) bool {
	switch {
	case !slices.Contains(onThePage, action), action == alerts.SayMute && !official(role):
		return false
	case a.Stage == alerts.Closed:
		return action == alerts.SayOutcome && (a.Outcome == alerts.Unanswered || a.Outcome == alerts.Unasked)
	case action == alerts.Acknowledge:
		return a.Stage == alerts.Calling || a.Stage == alerts.Held
	default:
		return true
	}
}
