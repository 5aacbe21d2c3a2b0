package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"weimang/alerts"
	"weimang/alerts/roster"
	"weimang/detectors"
)

const (
	resolvedFor   = 3 * 24 * time.Hour // how long what is resolved stays on the page
	resolvedShown = 10
	homesShown    = 600 // beyond, homes that are as usual are only counted
)

// card is one alert as the first page shows it.
type card struct {
	Class    string // of the colour
	Colour   string // its name: never colour alone
	Urgency  string
	Title    string // label, or the area
	Village  string
	URL      string // "" when there is no page to go to
	Sentence string
	Elapsed  string
	Ended    string // when it was resolved
	Standing string // who sees to it, or when somebody looks again
	Late     string // "" or that it is late
}

// overview is the data of the first page.
type overview struct {
	Count    string
	People   []card // who needs somebody now
	Held     []card // somebody sees to it
	Again    []card // there is a day to look again
	Asked    []card // over by itself; what it was is still asked
	Notable  []card // good to know: blue, silenced, or said already what it is
	Areas    []card
	Resolved []card
	Villages []villageView
}

type villageView struct {
	Name  string
	Homes string // how many
	Areas []areaView
	More  string // homes that are not listed
}

type areaView struct {
	Name  string
	Homes []homeView
}

type homeView struct {
	Label string
	URL   string
	Class string
	State string
}

func (h *handler) overview(r *request) (view, error) {
	ro, err := h.directory(r)
	if err != nil {
		return view{}, err
	}
	var areas []string // nil: all
	limit := resolvedShown
	if r.who != nil {
		areas, limit = ro.areas(), 10*resolvedShown
	}
	cases, err := h.reader.Cases(r.Context(), areas)
	if err != nil {
		return view{}, err
	}
	ended, err := h.reader.ResolvedAlerts(r.Context(), areas, r.now.Add(-resolvedFor), limit)
	if err != nil {
		return view{}, err
	}
	var o overview
	byHome := map[string]detectors.Severity{}
	blind := map[string]string{} // by area: why its homes are not said to be as usual
	slices.SortStableFunc(cases, func(a, b alerts.Alert) int { return later(overdue(&a, r.wall), overdue(&b, r.wall)) })
	for i := range cases {
		a := &cases[i]
		if !ro.shows(r, a) {
			continue
		}
		c, err := h.card(r, ro, a, a.Latest())
		if err != nil {
			return view{}, err
		}
		if a.Area() {
			o.Areas = append(o.Areas, c)
			switch {
			case a.Kind == detectors.AreaDark:
				blind[a.AreaID] = "no-power"
			case a.Kind == detectors.SilentMeter && blind[a.AreaID] == "":
				blind[a.AreaID] = "no-data"
			}
			continue
		}
		if a.Open() {
			byHome[a.HouseholdID] = a.Severity
		}
		list := o.section(needOf(a))
		*list = append(*list, c)
	}
	for i := range ended {
		a := &ended[i]
		if a.Ending == nil || !ro.shows(r, a) || len(o.Resolved) == resolvedShown {
			continue // superseded: the later alert tells it
		}
		c, err := h.card(r, ro, a, a.Ending)
		if err != nil {
			return view{}, err
		}
		o.Resolved = append(o.Resolved, c)
	}
	switch n := len(o.People); n {
	case 0:
		o.Count = r.t["calm"]
	case 1:
		o.Count = r.t["count-one"]
	default:
		o.Count = r.t.fill("count-many", n)
	}
	o.Villages = h.villageViews(r, ro, byHome, blind)
	return view{template: "overview.html", status: http.StatusOK, title: r.t["now"], data: o}, nil
}

// areas are those of the homes.
func (ro *directory) areas() []string {
	areas := []string{}
	for area := range ro.byArea {
		areas = append(areas, area)
	}
	slices.Sort(areas)
	return areas
}

// shows reports whether an alert is one for who looks. Notices of an area are for
// those who work for its village.
func (ro *directory) shows(r *request, a *alerts.Alert) bool {
	switch {
	case r.who == nil:
		return true
	case !a.Area():
		return ro.byID[a.HouseholdID] != nil
	default:
		return slices.ContainsFunc(ro.homes, func(home roster.Household) bool {
			return home.AreaID == a.AreaID && official(ro.roles[home.ID])
		})
	}
}

func (o *overview) section(n need) *[]card {
	switch n {
	case needsSomebody:
		return &o.People
	case isSeenTo:
		return &o.Held
	case waitsForADay:
		return &o.Again
	case waitsForAWord:
		return &o.Asked
	default:
		return &o.Notable
	}
}

func (h *handler) card(r *request, ro *directory, a *alerts.Alert, f *detectors.Finding) (card, error) {
	n := h.notice(r, ro, a, f)
	sentence, err := h.sentence(r, n)
	if err != nil {
		return card{}, err
	}
	c := card{
		Class: a.Severity.String(), Colour: h.words.Severity(r.lang, a.Severity), Urgency: h.words.Urgency(r.lang, a.Severity),
		Title: n.Label, Village: ro.village(a.VillageID), Sentence: sentence,
	}
	if a.Area() {
		c.Title, c.Urgency = h.words.Kind(r.lang, a.Kind), ""
	} else {
		c.URL = householdURL(a.HouseholdID, r)
		c.Standing = h.standing(r, a, n.Zone)
		if overdue(a, r.wall) {
			c.Late = r.t["late"]
		}
	}
	switch need := needOf(a); {
	case !a.Open():
		c.Class, c.Colour, c.Urgency = "fine", h.words.Event(r.lang, alerts.EventResolved), ""
	case a.Area(), need == needsSomebody, need == isSeenTo:
	default:
		c.Urgency = "" // somebody has been there
	}
	if n.Role == roster.Kin {
		c.Urgency = "" // the text says what to do first
	}
	if a.Open() {
		c.Elapsed = h.elapsed(r, a)
	} else {
		c.Ended = r.t.fill("resolved-at", h.words.When(r.lang, a.ResolvedAt, r.now, n.Zone))
	}
	return c, nil
}

// elapsed tells how long an alert has lasted, "" for what has only begun. An
// announcement has not begun with its onset.
func (h *handler) elapsed(r *request, a *alerts.Alert) string {
	d := r.now.Sub(a.Onset)
	if d < 15*time.Minute || a.Kind == detectors.Announced {
		return ""
	}
	return r.t.fill("since-for", h.words.Elapsed(r.lang, d))
}

// notice is what an alert's text is written from, told against the page's now.
func (h *handler) notice(r *request, ro *directory, a *alerts.Alert, f *detectors.Finding) alerts.Notice {
	n := alerts.Notice{Finding: f, Zone: h.opts.Zone, Now: r.now, Village: ro.village(a.VillageID), Role: ro.roles[a.HouseholdID], Purpose: alerts.ToTell}
	if a.Area() {
		n.Homes = ro.byArea[a.AreaID]
		return n
	}
	n.Label = a.HouseholdID
	if home := ro.byID[a.HouseholdID]; home != nil {
		n.Label, n.Zone = home.Title(), home.Location(h.opts.Zone)
	}
	return n
}

// sentence is what is unlike usual, as who looks should read it.
func (h *handler) sentence(r *request, n alerts.Notice) (string, error) {
	if n.Role != roster.Kin {
		return h.words.Sentence(r.lang, n)
	}
	text, err := h.words.Text(r.lang, n)
	first, _, _ := strings.Cut(text.Body, "\n") // what they are asked to do comes after it
	return first, err
}

// villageViews lists all homes by village and area, each with its state.
func (h *handler) villageViews(r *request, ro *directory, byHome map[string]detectors.Severity, blind map[string]string) []villageView {
	byVillage := map[string]map[string][]homeView{}
	count := map[string]int{}
	more := map[string]int{}
	for _, home := range ro.homes {
		count[home.VillageID]++
		v := homeView{Label: home.Title(), URL: householdURL(home.ID, r), Class: "fine", State: r.t["fine"]}
		switch s := byHome[home.ID]; {
		case s != 0:
			v.Class, v.State = s.String(), h.words.Severity(r.lang, s)
		case blind[home.AreaID] != "":
			v.Class, v.State = "dark", r.t[blind[home.AreaID]]
		case len(ro.homes) > homesShown:
			more[home.VillageID]++
			continue
		}
		if byVillage[home.VillageID] == nil {
			byVillage[home.VillageID] = map[string][]homeView{}
		}
		byVillage[home.VillageID][home.AreaID] = append(byVillage[home.VillageID][home.AreaID], v)
	}
	views := make([]villageView, 0, len(count))
	for id, n := range count {
		v := villageView{Name: ro.village(id), Homes: plural(r.t, "homes", n)}
		if id == "" {
			v.Name = r.t["no-village"]
		}
		if more[id] > 0 {
			v.More = r.t.fill("more-homes", more[id])
		}
		for area, homes := range byVillage[id] {
			name := r.t.fill("area", area)
			if area == "" {
				name = r.t["no-area"]
			}
			v.Areas = append(v.Areas, areaView{Name: name, Homes: homes})
		}
		slices.SortFunc(v.Areas, func(a, b areaView) int { return natural(a.Name, b.Name) })
		views = append(views, v)
	}
	slices.SortFunc(views, func(a, b villageView) int { return cmp.Or(natural(a.Name, b.Name), cmp.Compare(a.Homes, b.Homes)) })
	return views
}

func plural(t texts, key string, n int) string {
	if n == 1 {
		return t[key+"-one"]
	}
	return t.fill(key+"-many", n)
}

func householdURL(id string, r *request) string {
	return r.base + "/household/" + url.PathEscape(id) + string(r.query)
}

// natural compares labels as people sort them: "3组2号" before "3组12号".
func natural(a, b string) int {
	for a != "" && b != "" {
		da, db := digits(a), digits(b)
		if da > 0 && db > 0 {
			na, nb := trimZeros(a[:da]), trimZeros(b[:db])
			if c := cmp.Or(cmp.Compare(len(na), len(nb)), cmp.Compare(na, nb)); c != 0 {
				return c
			}
			a, b = a[da:], b[db:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

func trimZeros(s string) string {
	for len(s) > 1 && s[0] == '0' {
		s = s[1:]
	}
	return s
}
