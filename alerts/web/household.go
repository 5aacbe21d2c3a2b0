package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"weimang/alerts"
	"weimang/alerts/roster"
	"weimang/detectors"
)

const (
	eventsShown = 40
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

func (h *handler) household(r request) (view, error) {
	ctx := r.Context()
	id := r.PathValue("id")
	home, err := h.reader.Household(ctx, id)
	if err != nil {
		return view{}, err
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
	villages, err := h.reader.Villages(ctx)
	if err != nil {
		return view{}, err
	}
	ro := &directory{byID: map[string]*roster.Household{id: home}, villages: map[string]string{}}
	for _, v := range villages {
		ro.villages[v.ID] = v.Name
	}
	v := householdView{Label: home.Title(), Village: ro.villages[home.VillageID], Class: "fine", Colour: r.t["fine"], State: r.t["state-fine"]}
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
	if err := h.draw(r, home, onset, severity, &v); err != nil {
		return view{}, err
	}
	if v.Events, err = h.events(r, ro, home); err != nil {
		return view{}, err
	}
	return view{template: "household.html", status: http.StatusOK, title: v.Label, data: v}, nil
}

// describe puts the open alert into words.
func (h *handler) describe(r request, ro *directory, a *alerts.Alert, v *householdView) error {
	text, err := h.words.Text(r.lang, h.notice(r, ro, a, a.Finding))
	if err != nil {
		return err
	}
	v.Class, v.Colour, v.State = a.Severity.String(), h.words.Severity(r.lang, a.Severity), h.words.Urgency(r.lang, a.Severity)
	v.Lines = strings.Split(text.Body, "\n")
	v.Elapsed = h.elapsed(r, a)
	return nil
}

// describeArea says so when the home is as usual as far as anybody knows, but
// its area has no power or sends nothing.
func (h *handler) describeArea(r request, home *roster.Household, v *householdView) error {
	open, err := h.reader.OpenAlerts(r.Context())
	if err != nil {
		return err
	}
	for i := range open {
		a := &open[i]
		switch {
		case !a.Area() || a.AreaID != home.AreaID:
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
func (h *handler) draw(r request, home *roster.Household, onset time.Time, severity detectors.Severity, v *householdView) error {
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

// events tells what happened to the household, the latest first.
func (h *handler) events(r request, ro *directory, home *roster.Household) ([]eventView, error) {
	es, err := h.reader.Events(r.Context(), home.ID, eventsShown)
	if err != nil {
		return nil, err
	}
	zone := home.Location(h.opts.Zone)
	out := make([]eventView, 0, len(es))
	// Deliveries are told with the transition they belong to: they happened by
	// the wall clock, which a replay's day is not. They come after it in time,
	// so before it in this list.
	type transition struct {
		alert string
		seq   int
	}
	told := map[transition][]string{}
	for i := range es {
		e := &es[i]
		at := transition{e.AlertID, e.Seq}
		v := eventView{When: h.words.When(r.lang, e.At, r.now, zone)}
		switch e.Kind {
		case alerts.EventTold, alerts.EventUndelivered:
			told[at] = append(told[at], r.t.fill("ev-"+string(e.Kind), roleName(r.t, e.Detail)))
			continue
		case alerts.EventUnrouted:
			told[at] = append(told[at], r.t["ev-unrouted"])
			continue
		case alerts.EventSuperseded:
			v.What = r.t["ev-superseded"]
		case alerts.EventOpened, alerts.EventUpdated, alerts.EventResolved:
			v.What = r.t["ev-"+string(e.Kind)]
			v.Told = told[at]
			slices.Reverse(v.Told)
			if e.Finding == nil {
				break
			}
			v.Class = e.Finding.Severity.String()
			if e.Kind == alerts.EventResolved {
				v.Class = "fine"
			}
			a := &alerts.Alert{HouseholdID: home.ID, VillageID: home.VillageID}
			if v.Sentence, err = h.words.Sentence(r.lang, h.notice(r, ro, a, e.Finding)); err != nil {
				return nil, err
			}
		default:
			continue
		}
		out = append(out, v)
	}
	return out, nil
}

// roleName is the role in a delivery's detail ("chair/console") in words.
func roleName(t texts, detail string) string {
	role, _, _ := strings.Cut(detail, "/")
	if s, ok := t["role-"+role]; ok {
		return s
	}
	return t["role-other"]
}
