package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
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
}

// overview is the data of the first page.
type overview struct {
	Count    string
	People   []card
	Notable  []card // blue: good to know
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

// directory is what a page needs to know of the homes.
type directory struct {
	homes    []roster.Household
	byID     map[string]*roster.Household
	byArea   map[string][]string // labels
	villages map[string]string   // names
}

func (h *handler) directory(ctx context.Context) (*directory, error) {
	homes, err := h.reader.Households(ctx)
	if err != nil {
		return nil, err
	}
	villages, err := h.reader.Villages(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(homes, func(a, b roster.Household) int { return natural(a.Title(), b.Title()) })
	r := &directory{homes: homes, byID: map[string]*roster.Household{}, byArea: map[string][]string{}, villages: map[string]string{}}
	for i := range homes {
		r.byID[homes[i].ID] = &homes[i]
		r.byArea[homes[i].AreaID] = append(r.byArea[homes[i].AreaID], homes[i].Title())
	}
	for _, v := range villages {
		r.villages[v.ID] = v.Name
	}
	return r, nil
}

func (h *handler) overview(r request) (view, error) {
	ctx := r.Context()
	ro, err := h.directory(ctx)
	if err != nil {
		return view{}, err
	}
	open, err := h.reader.OpenAlerts(ctx)
	if err != nil {
		return view{}, err
	}
	ended, err := h.reader.ResolvedAlerts(ctx, r.now.Add(-resolvedFor), resolvedShown)
	if err != nil {
		return view{}, err
	}
	var o overview
	byHome := map[string]detectors.Severity{}
	blind := map[string]string{} // by area: why its homes are not said to be as usual
	for i := range open {
		a := &open[i]
		c, err := h.card(r, ro, a, a.Finding)
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
		if a.Severity == detectors.Blue {
			o.Notable = append(o.Notable, c)
		} else {
			o.People = append(o.People, c)
		}
		byHome[a.HouseholdID] = a.Severity
	}
	for i := range ended {
		a := &ended[i]
		if a.Ending == nil {
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

func (h *handler) card(r request, ro *directory, a *alerts.Alert, f *detectors.Finding) (card, error) {
	n := h.notice(r, ro, a, f)
	sentence, err := h.words.Sentence(r.lang, n)
	if err != nil {
		return card{}, err
	}
	c := card{
		Class: a.Severity.String(), Colour: h.words.Severity(r.lang, a.Severity), Urgency: h.words.Urgency(r.lang, a.Severity),
		Title: n.Label, Village: ro.villages[a.VillageID], Sentence: sentence,
	}
	if a.Area() {
		c.Title, c.Urgency = h.words.Kind(r.lang, a.Kind), ""
	} else {
		c.URL = householdURL(a.HouseholdID, r)
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
func (h *handler) elapsed(r request, a *alerts.Alert) string {
	d := r.now.Sub(a.Onset)
	if d < 15*time.Minute || a.Kind == detectors.Announced {
		return ""
	}
	return r.t.fill("since-for", h.words.Elapsed(r.lang, d))
}

// notice is what an alert's text is written from, told against the page's now.
func (h *handler) notice(r request, ro *directory, a *alerts.Alert, f *detectors.Finding) alerts.Notice {
	n := alerts.Notice{Finding: f, Zone: h.opts.Zone, Now: r.now, Village: ro.villages[a.VillageID]}
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

// villageViews lists all homes by village and area, each with its state.
func (h *handler) villageViews(r request, ro *directory, byHome map[string]detectors.Severity, blind map[string]string) []villageView {
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
		v := villageView{Name: ro.villages[id], Homes: plural(r.t, "homes", n)}
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

func householdURL(id string, r request) string {
	return "/household/" + url.PathEscape(id) + string(r.query)
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
