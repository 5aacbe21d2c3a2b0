package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"weimang/alerts"
	"weimang/alerts/message"
	"weimang/alerts/roster"
)

// Limits of a form. The texts are in characters.
const (
	longestBody  = 16 << 10 // bytes
	longestText  = 200
	longestShort = 60
	furthestDay  = 366 // days from today
)

// otherDay is the choice of a day that stands in a field of its own.
const otherDay = "date"

// form is what an answer asks for besides its button, and what was filled in.
type form struct {
	Action  alerts.Action
	Lead    string // the question
	Confirm string // the button
	Post    string // where it goes

	Who       []option // in a group: who answers
	Until     []option
	LookAgain []option
	Outcomes  []option
	Kinds     []option // how she looked in
	Texts     []area
	Wrote     bool // the texts are not empty
	HandedTo  string
	Date      string // of Until or LookAgain
	First     string // day that can be chosen
	Last      string
	Alert     string // on a household's page: which alert is answered
}

type option struct {
	Value, Name string
	Chosen      bool
}

// pick is an option of a field.
type pick struct {
	Field string
	option
}

func pickOf(field string, o option) pick { return pick{field, o} }

// area is a text of several words.
type area struct {
	Name, Label, Value string
}

// newForm is the form of an action, with what was filled in before.
func (h *handler) newForm(r *request, action alerts.Action, filled url.Values, today time.Time) form {
	p := h.words.Pages(r.lang)
	f := form{
		Action: action, Lead: p.Questions[action], Confirm: p.Confirm[action], Post: r.URL.EscapedPath() + string(r.query),
		Date:  tidy(filled.Get("date")),
		First: today.Format(time.DateOnly), Last: today.AddDate(0, 0, furthestDay).Format(time.DateOnly),
	}
	switch action {
	case alerts.SayAway, alerts.SayMute:
		until := chosenDay(filled, "until")
		f.Until = append(days(p.Dates, 0, until), option{otherDay, p.OtherDate, until == otherDay})
	case alerts.SayVisited:
		f.visit(r, filled, roster.AtTheDoor)
	case alerts.SayOutcome:
		for _, o := range alerts.Outcomes {
			f.Outcomes = append(f.Outcomes, option{string(o), h.words.Outcome(r.lang, o), filled.Get("outcome") == string(o)})
		}
		f.HandedTo = tidy(filled.Get("handed"))
		again := chosenDay(filled, "again")
		f.LookAgain = append([]option{{"", p.Never, again == ""}}, days(p.Dates, 1, again)...)
		f.LookAgain = append(f.LookAgain, option{otherDay, p.OtherDate, again == otherDay})
		f.visit(r, filled, "")
	}
	return f
}

func days(all []message.DateWords, from int, chosen string) (out []option) {
	for _, d := range all {
		if v := strconv.Itoa(d.Days); d.Days >= from {
			out = append(out, option{v, d.Name, chosen == v})
		}
	}
	return out
}

// visit asks for what was found.
func (f *form) visit(r *request, filled url.Values, usual roster.VisitKind) {
	kind := filled.Get("kind")
	if kind == "" {
		kind = string(usual)
	}
	for _, k := range []roster.VisitKind{roster.AtTheDoor, roster.ByPhone} {
		f.Kinds = append(f.Kinds, option{string(k), r.t["kind-"+string(k)], kind == string(k)})
	}
	for _, name := range []string{"situation", "difficulty", "measure"} {
		f.Texts = append(f.Texts, area{name, r.t[name], tidy(filled.Get(name))})
		f.Wrote = f.Wrote || tidy(filled.Get(name)) != ""
	}
}

// unfit is why a form cannot be used: a text of the page.
type unfit struct{ key string }

func (u unfit) Error() string { return "the form is not filled in: " + u.key }

// read reads what was filled in. today is the day where the home is.
func read(action alerts.Action, filled url.Values, today time.Time) (r alerts.Response, err error) {
	r.AlertID = filled.Get("alert")
	switch action {
	case alerts.SayAway, alerts.SayMute:
		// To the end of the day: she may come back late.
		if r.Until, err = day(chosenDay(filled, "until"), filled.Get("date"), today, 0); err == nil {
			r.Until = r.Until.AddDate(0, 0, 1)
		}
	case alerts.SayVisited:
		r.Visit, err = visitOf(filled, true)
	case alerts.SayOutcome:
		r.Outcome = alerts.Outcome(filled.Get("outcome"))
		if !slices.Contains(alerts.Outcomes, r.Outcome) {
			return r, unfit{"choose-outcome"}
		}
		if r.HandedTo, err = line(filled.Get("handed"), longestShort); err != nil {
			return r, err
		}
		if again := chosenDay(filled, "again"); again != "" {
			if r.FollowUp, err = day(again, filled.Get("date"), today, 1); err != nil {
				return r, err
			}
			r.FollowUp = r.FollowUp.Add(lookAgainAt)
		}
		r.Visit, err = visitOf(filled, false)
	}
	return r, err
}

// chosenDay is the choice of a day. Whoever fills in a date and leaves the choice
// beside it as it was means the date.
func chosenDay(filled url.Values, field string) string {
	if v := filled.Get(field); v != "" || filled.Get("date") == "" {
		return v
	}
	return otherDay
}

// lookAgainAt is the time of day at which a day to look again begins.
const lookAgainAt = 9 * time.Hour

// day is the beginning of the day that was chosen: one of those offered, or a
// date, from so many days after today.
func day(chosen, date string, today time.Time, first int) (time.Time, error) {
	switch chosen {
	case "":
		return time.Time{}, unfit{"choose-day"}
	case otherDay:
		d, err := time.ParseInLocation(time.DateOnly, strings.TrimSpace(date), today.Location())
		if err != nil || d.Before(today.AddDate(0, 0, first)) || d.After(today.AddDate(0, 0, furthestDay)) {
			return time.Time{}, unfit{"bad-day"}
		}
		return d, nil
	default:
		n, err := strconv.Atoi(chosen)
		if err != nil || n < first || n > furthestDay {
			return time.Time{}, unfit{"choose-day"}
		}
		return today.AddDate(0, 0, n), nil
	}
}

// visitOf is the visit that a form tells of: always, or where something is said
// of it.
func visitOf(filled url.Values, always bool) (*roster.Visit, error) {
	v := &roster.Visit{Kind: roster.VisitKind(filled.Get("kind"))}
	var err error
	for name, text := range map[string]*string{"situation": &v.Situation, "difficulty": &v.Difficulty, "measure": &v.Measure} {
		if *text, err = line(filled.Get(name), longestText); err != nil {
			return nil, err
		}
	}
	switch {
	case v.Kind == "" && v.Situation+v.Difficulty+v.Measure == "" && !always:
		return nil, nil
	case v.Kind != roster.ByPhone:
		v.Kind = roster.AtTheDoor
	}
	return v, nil
}

// line is somebody's words, tidied.
func line(s string, longest int) (string, error) {
	s = tidy(s)
	if utf8.RuneCountInString(s) > longest {
		return "", unfit{"too-long"}
	}
	return s, nil
}

// filled reads the body of a form, which is small.
func filledIn(r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, longestBody)
	if err := r.ParseForm(); err != nil {
		if tooBig := new(http.MaxBytesError); errors.As(err, &tooBig) {
			return nil, unfit{"too-long"}
		}
		return nil, unfit{"bad-form"}
	}
	return r.PostForm, nil
}

// ours reports whether a form comes from a page of ours. No request carries
// anything that a browser adds by itself, such as a cookie: who posts has the
// token, and could as well answer by it. So this keeps out no more than pages that
// have got hold of a token and let others press the button. A browser that says
// nothing of where a form comes from is let through; "null" is what it says where
// the page, like ours, has asked it not to tell (Referrer-Policy), over http.
func (h *handler) ours(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "":
	default:
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" || origin == "null" {
		return true
	}
	from, err := url.Parse(origin)
	if err != nil || from.Host == "" {
		return false
	}
	base, err := url.Parse(h.opts.BaseURL)
	return from.Host == r.Host || err == nil && from.Host == base.Host && from.Scheme == base.Scheme
}
