package web

import (
	"net/http"
	"strings"
	"time"

	"weimang/alerts"
	"weimang/alerts/roster"
	"weimang/detectors"
)

const (
	eventsShown = 60
	alertsKept  = 5
	maxDays     = 7 // on the chart, when an alert began earlier than usual
)

// householdView is the data of a household's page.
type householdView struct {
	Label   string
	Village string
	Class   string
	Colour  string
	State   string   // urgency, or that all is well
	Lines   []string // of the open alert: what, why, what to do
	Elapsed string
	Case    *caseView
	Home    string // address of the first page
	Curve   bool   // may be shown
	Until   string // the data's end
	Heading string // of the chart
	Charts  []*chart
	Legend  legend
	Events  []eventView
}

type legend struct{ Gap, Onset bool }

type eventView struct {
	Class    string
	When     string
	What     string
	Sentence string
	Told     []string // who was told of it, and who could not be
}

func (h *handler) household(r *request) (view, error) {
	ctx := r.Context()
	id := r.PathValue("id")
	ro, err := h.units(ctx)
	if err != nil {
		return view{}, err
	}
	home, role, err := h.seen(r, ro, id)
	if err != nil {
		return view{}, err
	}
	if home == nil && r.who != nil {
		return h.notFound(r)
	}
	recent, err := h.reader.AlertsOf(ctx, id, alertsKept)
	if err != nil {
		return view{}, err
	}
	if home == nil {
		if len(recent) == 0 {
			return h.notFound(r)
		}
		home = &roster.Household{ID: id, AreaID: recent[0].AreaID} // an alert, but not in the roster
	}
	if r.who != nil && h.opts.Looked != nil {
		if err := h.opts.Looked(ctx, r.who.ID, id); err != nil {
			return view{}, err
		}
	}
	ro.add(home)
	ro.roles[id] = role
	v := householdView{
		Label: home.Title(), Village: ro.village(home.VillageID), Home: r.home,
		Class: "fine", Colour: r.t["fine"], State: r.t["state-fine"],
	}
	var onset time.Time
	var severity detectors.Severity
	if len(recent) > 0 && recent[0].Open() {
		a := &recent[0]
		if err := h.describe(r, ro, a, &v); err != nil {
			return view{}, err
		}
		onset, severity = a.Onset, a.Severity
	} else if err := h.describeArea(r, home, &v); err != nil {
		return view{}, err
	}
	if v.Case, err = h.caseOf(r, recent, home, role); err != nil {
		return view{}, err
	}
	if v.Curve, err = h.showsCurve(r, id, role); err != nil {
		return view{}, err
	}
	if v.Curve {
		if err := h.draw(r, home, onset, severity, &v); err != nil {
			return view{}, err
		}
	}
	if v.Events, err = h.events(r, ro, home); err != nil {
		return view{}, err
	}
	return view{template: "household.html", status: http.StatusOK, title: v.Label, data: v}, nil
}

// showsCurve reports whether who looks may see the curve of a home: the operator,
// and officials where the home has agreed. Kin read how things stand in words.
func (h *handler) showsCurve(r *request, id string, role roster.Role) (bool, error) {
	switch {
	case r.who == nil:
		return true, nil
	case !official(role):
		return false, nil
	case h.opts.Curve == nil:
		return true, nil
	default:
		return h.opts.Curve(r.Context(), id)
	}
}

// describe puts the open alert into words.
func (h *handler) describe(r *request, ro *directory, a *alerts.Alert, v *householdView) error {
	text, err := h.words.Text(r.lang, h.notice(r, ro, a, a.Finding))
	if err != nil {
		return err
	}
	v.Class, v.Colour, v.State = a.Severity.String(), h.words.Severity(r.lang, a.Severity), h.words.Urgency(r.lang, a.Severity)
	v.Lines = strings.Split(text.Body, "\n")
	if ro.roles[a.HouseholdID] == roster.Kin {
		v.State = "" // the text says what to do first
	}
	if n := needOf(a); n == waitsForADay || a.Stage == alerts.Closed {
		// Somebody has been there: nobody is sent again.
		line, err := h.sentence(r, h.notice(r, ro, a, a.Finding))
		if err != nil {
			return err
		}
		v.State, v.Lines = h.words.Stage(r.lang, a.Stage), []string{line}
	}
	v.Elapsed = h.elapsed(r, a)
	return nil
}

// describeArea says so when the home is as usual as far as anybody knows, but
// its area has no power or sends nothing.
func (h *handler) describeArea(r *request, home *roster.Household, v *householdView) error {
	open, err := h.reader.Cases(r.Context(), []string{home.AreaID})
	if err != nil {
		return err
	}
	for i := range open {
		a := &open[i]
		switch {
		case !a.Area() || a.AreaID != home.AreaID || !a.Open():
		case a.Kind == detectors.AreaDark:
			v.Class, v.Colour, v.State = "dark", r.t["no-power"], r.t["state-dark"]
			return nil
		case a.Kind == detectors.SilentMeter:
			v.Class, v.Colour, v.State = "dark", r.t["no-data"], r.t["state-silent"]
		}
	}
	return nil
}

// draw makes the charts: one for a phone, one for a desk.
func (h *handler) draw(r *request, home *roster.Household, onset time.Time, severity detectors.Severity, v *householdView) error {
	zone := home.Location(h.opts.Zone)
	now := r.now.In(zone)
	days := h.opts.Days
	if !onset.IsZero() {
		days = max(days, min(maxDays, 2+int(now.Sub(onset).Hours()/24)))
	}
	from := time.Date(now.Year(), now.Month(), now.Day()-days+1, 0, 0, 0, 0, zone)
	points, err := h.reader.Recent(r.Context(), home.ID, from, now)
	if err != nil {
		return err
	}
	v.Heading = r.t.fill("use-of", days)
	if !onset.IsZero() && onset.Before(from) {
		onset = time.Time{}
	}
	s := newSeries(points, from, now)
	if s.empty() {
		return nil
	}
	v.Until = r.t.fill("data-until", h.words.When(r.lang, s.until, now, zone))
	for _, size := range []size{narrow, wide} {
		c := s.chart(size, func(t time.Time) string { return r.t.fill("hour", t.Hour()) },
			func(t time.Time) string { return r.t.fill("day-month", int(t.Month()), t.Day(), t.Format("Jan")) })
		c.Unit = r.t["unit"]
		c.Label = r.t.fill("chart-label", home.Title(), days)
		said := ""
		if !onset.IsZero() {
			told := h.words.When(r.lang, onset, now, zone)
			c.mark(s, onset, severity.String(), r.t.fill("onset-mark", told))
			said = r.t.fill("chart-since", told)
		}
		c.Desc = r.t.fill("chart-desc", h.words.When(r.lang, from.Add(time.Minute), now, zone), h.words.When(r.lang, now, now, zone),
			h.words.KWh(r.lang, s.peak()), h.words.When(r.lang, s.until, now, zone), said)
		v.Legend = legend{Gap: len(c.Gaps) > 0, Onset: c.Onset != nil}
		v.Charts = append(v.Charts, c)
	}
	return nil
}
