package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"weimang/alerts"
	"weimang/alerts/roster"
)

// questionView is a question with the form that answers it.
type questionView struct {
	Class, Colour, Urgency string
	Label, Village, Where  string
	Lines                  []string
	Elapsed, Standing      string
	Problem                string // why what was filled in is not taken
	Form                   form
	Others                 []choice
	Back                   string // the household's page, where it was asked from there
}

// saidView is what is said after an answer, or instead of a question.
type saidView struct {
	Class    string
	Heading  string
	Text     string
	Standing string
	Others   []choice
	Back     string
}

// pageOrder is in what order further answers are offered: what matters in the end
// stands first.
var pageOrder = []alerts.Action{
	alerts.SayOutcome, alerts.SayVisited, alerts.Acknowledge, alerts.IAmWell, alerts.INeedHelp, alerts.SayAway, alerts.Pass, alerts.SayMute,
}

// subject is what is answered, from a message's link or from a household's page.
type subject struct {
	alert  *alerts.Alert
	notice alerts.Notice
	role   roster.Role // "" in a group
	action alerts.Action
	others []choice
	who    []alerts.Official
	back   string
}

// question shows what a message's link asks. It changes nothing: chat programs
// open links to show what is behind them.
func (h *handler) question(r *request) (view, error) {
	asked, err := h.service.Open(r.Context(), r.PathValue("token"))
	if asked != nil {
		r.speak(asked.Lang, h.texts)
	}
	if err != nil {
		return h.refuse(r, asked, err)
	}
	s := h.asked(r, asked)
	return h.ask(r, &s, url.Values{}, "", http.StatusOK)
}

// answer takes what is answered to a message's link.
func (h *handler) answer(r *request) (view, error) {
	token := r.PathValue("token")
	asked, err := h.service.Open(r.Context(), token)
	if asked != nil {
		r.speak(asked.Lang, h.texts)
	}
	if err != nil {
		return h.refuse(r, asked, err)
	}
	s := h.asked(r, asked)
	return h.take(r, &s, func(ans alerts.Response) error {
		if _, err := h.service.RespondByLink(r.Context(), token, ans); err != nil {
			return err
		}
		// What can be said next; that this has been answered is no error here.
		asked, err := h.service.Open(r.Context(), token)
		if asked != nil {
			s = h.asked(r, asked)
			err = nil
		}
		return err
	})
}

// asked is what a link is about.
func (h *handler) asked(r *request, asked *alerts.Asked) subject {
	s := subject{alert: asked.Alert, notice: asked.Notice, role: asked.Role, action: asked.Action, who: asked.Officials}
	for _, action := range pageOrder {
		for _, l := range asked.Further {
			if l.Action == action {
				s.others = append(s.others, choice{
					URL:  "/a/" + url.PathEscape(l.Token) + string(r.query),
					Word: h.words.Answer(r.lang, alerts.Notice{Role: asked.Role}, action),
				})
			}
		}
	}
	return s
}

// questionHere is question on a household's page.
func (h *handler) questionHere(r *request) (view, error) {
	s, err := h.here(r)
	if err != nil || s == nil {
		return h.notFoundOr(r, err)
	}
	return h.ask(r, s, url.Values{}, "", http.StatusOK)
}

// answerHere is answer on a household's page.
func (h *handler) answerHere(r *request) (view, error) {
	s, err := h.here(r)
	if err != nil || s == nil {
		return h.notFoundOr(r, err)
	}
	return h.take(r, s, func(ans alerts.Response) error {
		ans.Action = s.action
		a, err := h.service.RespondByView(r.Context(), r.PathValue("token"), r.PathValue("id"), ans)
		if err == nil {
			s.alert = a
			s.others = h.choices(r, a, a.HouseholdID, s.role)
			s.others = slices.DeleteFunc(s.others, func(c choice) bool { return strings.Contains(c.URL, "/"+string(s.action)) })
		}
		return err
	})
}

func (h *handler) notFoundOr(r *request, err error) (view, error) {
	if err != nil {
		return view{}, err
	}
	return h.notFound(r)
}

// here is what is answered on a household's page; nil where who looks may not see
// the home, or has nothing so to answer.
func (h *handler) here(r *request) (*subject, error) {
	ro, err := h.units(r.Context())
	if err != nil {
		return nil, err
	}
	home, role, err := h.seen(r, ro, r.PathValue("id"))
	if err != nil || home == nil {
		return nil, err
	}
	recent, err := h.reader.AlertsOf(r.Context(), home.ID, alertsKept)
	if err != nil {
		return nil, err
	}
	a := caseAlert(recent)
	action := alerts.Action(r.PathValue("action"))
	if a == nil || !mayAnswer(a, action, role) {
		return nil, nil
	}
	ro.add(home)
	ro.roles[home.ID] = role
	return &subject{
		alert: a, notice: h.notice(r, ro, a, a.Latest()), role: role, action: action, back: householdURL(home.ID, r),
	}, nil
}

// take reads an answer, has it taken, and thanks.
func (h *handler) take(r *request, s *subject, respond func(alerts.Response) error) (view, error) {
	if !h.ours(r.Request) {
		return h.say(r, http.StatusForbidden, "cannot-answer", "other-site")
	}
	filled, err := filledIn(r.Request)
	var ans alerts.Response
	if err == nil {
		ans, err = read(s.action, filled, h.today(r, s))
	}
	if err == nil && s.who != nil {
		ans.Digits = filled.Get("digits")
		if i := slices.IndexFunc(s.who, func(o alerts.Official) bool { return o.Mark == filled.Get("who") }); i < 0 {
			err = unfit{"choose-who"}
		} else {
			ans.PersonID = s.who[i].PersonID
		}
	}
	done := s.action
	if err == nil {
		err = respond(ans)
	}
	var u unfit
	switch {
	case err == nil:
		return h.thank(r, s, done)
	case errors.As(err, &u):
		return h.ask(r, s, filled, r.t.fill(u.key, longestText, longestShort), http.StatusUnprocessableEntity)
	case errors.Is(err, alerts.ErrIncomplete):
		return h.ask(r, s, filled, r.t["bad-form"], http.StatusUnprocessableEntity)
	case errors.Is(err, alerts.ErrWho):
		return h.ask(r, s, filled, r.t["wrong-digits"], http.StatusForbidden)
	case errors.Is(err, alerts.ErrTries):
		return h.say(r, http.StatusTooManyRequests, "cannot-answer", "too-many")
	default:
		return h.refuse(r, nil, err)
	}
}

// today is the beginning of the day where the home is, by the clock by which
// people answer.
func (h *handler) today(r *request, s *subject) time.Time {
	now := r.wall.In(s.notice.Zone)
	return time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
}

// ask is the page with the form.
func (h *handler) ask(r *request, s *subject, filled url.Values, problem string, status int) (view, error) {
	a, n := s.alert, s.notice
	v := questionView{
		Class: a.Severity.String(), Colour: h.words.Severity(r.lang, a.Severity), Urgency: h.words.Urgency(r.lang, a.Severity),
		Label: tidy(n.Label), Village: tidy(n.Village), Standing: h.standsFor(r, s), Problem: problem,
		Form: h.newForm(r, s.action, filled, h.today(r, s)), Others: s.others, Back: s.back,
	}
	if s.back != "" {
		v.Form.Alert = a.ID
	}
	if s.who != nil {
		v.Form.Who = h.whoIsThere(r, s.who, filled.Get("who"))
	}
	if a.Open() {
		v.Elapsed = h.elapsed(r, a)
	} else {
		v.Class, v.Colour, v.Urgency = "fine", h.words.Event(r.lang, alerts.EventResolved), ""
	}
	switch s.role {
	case roster.Resident: // asked how she is, and no more
		v.Class, v.Colour, v.Urgency, v.Elapsed, v.Label, v.Village = "fine", "", "", "", "", ""
	case roster.Kin: // the text says what to do first, and who does not live there calls
		v.Urgency = ""
		if lead, ok := r.t["kin-"+string(s.action)]; ok {
			v.Form.Lead, v.Form.Confirm = lead, h.words.Answer(r.lang, alerts.Notice{Role: s.role}, s.action)
		}
	}
	where := []string{tidy(n.Name), tidy(n.Address)}
	v.Where = strings.Join(slices.DeleteFunc(where, func(s string) bool { return s == "" }), " · ")
	var err error
	if v.Lines, err = h.matter(r, s); err != nil {
		return view{}, err
	}
	return view{template: "question.html", status: status, title: v.Form.Lead, data: v}, nil
}

// matter is what it is about, as who is asked should read it.
func (h *handler) matter(r *request, s *subject) ([]string, error) {
	if s.role != roster.Kin && s.role != roster.Resident {
		line, err := h.words.Sentence(r.lang, s.notice)
		return []string{line}, err
	}
	text, err := h.words.Text(r.lang, s.notice)
	return strings.Split(text.Body, "\n"), err
}

// standsFor is how things stand, for who is asked. A resident is not told who is
// looked for because of her.
func (h *handler) standsFor(r *request, s *subject) string {
	if s.role == roster.Resident {
		return ""
	}
	return h.stands(r, s.alert, s.notice.Zone)
}

// whoIsThere asks in a group who answers: by her role, and by her surname where
// two have the same.
func (h *handler) whoIsThere(r *request, all []alerts.Official, chosen string) []option {
	out := make([]option, 0, len(all))
	for _, o := range all {
		name := h.words.Role(r.lang, o.Role)
		same := 0
		for _, other := range all {
			if other.Role == o.Role {
				same++
			}
		}
		if surname := surname(tidy(o.Name)); same > 1 && surname != "" {
			name = r.t.fill("called", name, surname)
		}
		out = append(out, option{Value: o.Mark, Name: name, Chosen: chosen == o.Mark})
	}
	return out
}

// thank says what happens next.
func (h *handler) thank(r *request, s *subject, done alerts.Action) (view, error) {
	v := saidView{Class: "fine", Heading: r.t["thanks"], Text: h.words.Pages(r.lang).Thanks[done], Others: s.others, Back: s.back}
	v.Standing = h.standsFor(r, s)
	return view{template: "said.html", status: http.StatusOK, title: v.Heading, data: v}, nil
}

// refuse says in a friendly way why there is nothing to answer, and how things
// stand where that is hers to know.
func (h *handler) refuse(r *request, asked *alerts.Asked, err error) (view, error) {
	p := h.words.Pages(r.lang)
	v := saidView{Class: "dark", Heading: r.t["cannot-answer"]}
	var status int
	switch {
	case errors.Is(err, alerts.ErrForged):
		status, v.Text = http.StatusForbidden, p.Unknown
	case errors.Is(err, alerts.ErrNotYours), errors.Is(err, alerts.ErrUnknownAlert):
		status, v.Text = http.StatusForbidden, p.NotYours
	case errors.Is(err, alerts.ErrExpired):
		status, v.Text = http.StatusGone, p.Expired
	case errors.Is(err, alerts.ErrNotOpen):
		status, v.Heading, v.Text = http.StatusConflict, r.t["no-need"], p.Closed
	case errors.Is(err, alerts.ErrAnswered):
		status, v.Heading, v.Text = http.StatusConflict, r.t["no-need"], p.Used
	default:
		return view{}, err
	}
	if asked != nil {
		s := h.asked(r, asked)
		v.Others, v.Standing = s.others, h.standsFor(r, &s)
		if holder := asked.Alert.Holder.Role; s.who != nil && holder != "" && errors.Is(err, alerts.ErrAnswered) {
			v.Text = h.words.Answered(r.lang, holder) // not by who reads this, maybe
		}
	}
	return view{template: "said.html", status: status, title: v.Heading, data: v}, nil
}

// say is a page with one sentence, under a heading of the page's texts.
func (h *handler) say(r *request, status int, heading, text string) (view, error) {
	v := saidView{Class: "dark", Heading: r.t[heading], Text: r.t[text]}
	return view{template: "said.html", status: status, title: v.Heading, data: v}, nil
}
