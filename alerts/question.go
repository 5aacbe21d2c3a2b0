package alerts

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"weimang/alerts/roster"
)

// Question is what one message asks of one alert.
type Question struct {
	N         int64
	AlertID   string
	MessageID string
	PersonID  string   // "" where several read the message: who answers says who she is
	Actions   []Action // in the order of the keys 1, 2, …
	AskedAt   time.Time
	ExpiresAt time.Time
	UsedAt    time.Time // when it was answered last; zero: not yet
	Used      []Action  // what was answered, each action at most once
}

// further are actions that a message has no room to offer, and its pages do. They
// are numbered behind the actions of the question: a new one goes to the end.
var further = []Action{Acknowledge, SayVisited, SayOutcome, SayAway, SayMute, Pass}

// Answers are all actions that can be answered to a question, in the order of
// its links: those of the message, and what can be said besides. A resident is
// asked for no more than her message asks.
func (q *Question) Answers() []Action {
	all := slices.Clone(q.Actions)
	if slices.Contains(all, IAmWell) {
		return all
	}
	for _, a := range further {
		if !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	return all
}

// leadsOn reports whether more can be said after an action: who sees to an alert
// has yet to say what it was, and who could not go may go after all. What says
// what it was ends the question.
func (a Action) leadsOn() bool {
	return a == Acknowledge || a == SayVisited || a == Pass || a == IAmWell
}

// validFor is how long a link in a message answers. The case may last longer;
// each further message brings new ones.
const validFor = 7 * 24 * time.Hour

// takes reports whether an action can still be answered: each once, and none after
// one that has said what it was.
func (q *Question) takes(action Action) bool {
	return !slices.ContainsFunc(q.Used, func(a Action) bool { return a == action || !a.leadsOn() })
}

// Reasons why a link, a code or a key answers nothing.
var (
	ErrForged   = errors.New("the link is not one of ours")
	ErrExpired  = errors.New("the link has expired")
	ErrAnswered = errors.New("the question has been answered")
	ErrNoCode   = errors.New("there is no such answer to what was asked last")
	ErrWho      = errors.New("the last digits are not those of her number")
	ErrTries    = errors.New("too many wrong digits for one question")
)

// ask adds to a message what can be answered to it.
func (w *work) ask(m *Message, p *roster.Person, items []item) error {
	brief := slices.Contains(w.opts.Brief, m.Channel)
	if len(items) > 1 || m.Digest {
		if !brief {
			return nil // the page lists the homes
		}
		notices := make([]Notice, len(items))
		for i, it := range items {
			notices[i] = it.notice
		}
		short, err := w.wording.ShortBundle(m.Lang, notices, m.Digest)
		m.Short = &short
		return err
	}
	n := items[0].notice
	if len(n.Answers) > 0 {
		q := Question{
			AlertID: m.AlertID, MessageID: m.ID, PersonID: p.ID, Actions: n.Answers, AskedAt: w.now, ExpiresAt: w.now.Add(validFor),
		}
		if slices.Contains(w.opts.Groups, m.Channel) {
			q.PersonID = ""
		}
		if err := w.tx.AddQuestion(&q); err != nil {
			return err
		}
		for i, action := range n.Answers {
			answer := Answer{Key: strconv.Itoa(i + 1), Label: w.wording.Answer(m.Lang, n, action)}
			if len(w.opts.LinkKey) > 0 && w.opts.BaseURL != "" {
				answer.URL = strings.TrimSuffix(w.opts.BaseURL, "/") + "/a/" + signLink(w.opts.LinkKey, q.N, i)
			}
			m.Answers = append(m.Answers, answer)
		}
	}
	if !brief {
		return nil
	}
	short, err := w.wording.Short(m.Lang, n)
	m.Short = &short
	return err
}

// Keyed is an answer by key: who may have said something, and in answer to what.
type Keyed struct {
	MessageID string   // that it answers; "" where the vendor does not say
	People    []string // whom the number, or the user id, reaches
	Said      string   // a key, or the words of an SMS
	Via       string   // channel
}

// RespondByKey answers by a digit in an SMS, on a telephone or of a button: what
// a message asked, or else what those people were asked last. The answer is the
// only digit of what was said.
func (s *Service) RespondByKey(ctx context.Context, k Keyed) (*Alert, error) {
	key := keyIn(k.Said)
	if key == 0 {
		return nil, ErrNoCode
	}
	var a *Alert
	err := s.update(ctx, func(w *work) error {
		q, err := w.asked(k)
		switch {
		case err != nil:
			return err
		case q == nil || key > len(q.Actions):
			return ErrNoCode
		case w.now.After(q.ExpiresAt):
			return ErrExpired
		case !q.takes(q.Actions[key-1]):
			return ErrAnswered
		}
		r := Response{AlertID: q.AlertID, PersonID: q.PersonID, Action: q.Actions[key-1], Via: k.Via}
		if r.Action == SayOutcome {
			return ErrNoCode // there is more to say than a digit can
		}
		if a, err = w.respond(r); err != nil {
			return err
		}
		return w.tx.UseQuestion(q.N, r.Action, w.now)
	})
	if err != nil {
		return nil, err
	}
	s.Nudge()
	return a, nil
}

// asked is the question that somebody answers by key, or nil.
func (w *work) asked(k Keyed) (q *Question, err error) {
	if k.MessageID != "" {
		return w.tx.QuestionOf(k.MessageID)
	}
	for _, id := range k.People {
		last, err := w.tx.LastQuestion(id, w.now)
		if err != nil {
			return nil, err
		}
		if last != nil && (q == nil || last.AskedAt.After(q.AskedAt)) {
			q = last
		}
	}
	return q, nil
}

// keyIn is the only digit of what somebody has written, full width or not; 0 is
// none, or more than one.
func keyIn(said string) (key int) {
	for _, r := range said {
		if r >= '０' && r <= '９' {
			r += '0' - '０'
		}
		if r < '0' || r > '9' {
			continue
		}
		if key != 0 || r == '0' {
			return 0
		}
		key = int(r - '0')
	}
	return key
}
