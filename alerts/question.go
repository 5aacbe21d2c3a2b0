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

// RespondByKey answers what somebody was asked last, by the key of the answer: a
// digit in an SMS or on a telephone.
func (s *Service) RespondByKey(ctx context.Context, personID, key, via string) (*Alert, error) {
	var a *Alert
	err := s.update(ctx, func(w *work) error {
		q, err := w.tx.LastQuestion(personID, w.now)
		if err != nil {
			return err
		}
		i, bad := strconv.Atoi(strings.TrimSpace(key))
		if q == nil || bad != nil || i < 1 || i > len(q.Actions) {
			return ErrNoCode
		}
		r := Response{AlertID: q.AlertID, PersonID: personID, Action: q.Actions[i-1], Via: via}
		if r.Action == SayOutcome {
			return ErrNoCode // there is more to say than a digit can
		}
		if a, err = w.respond(r); err != nil {
			return err
		}
		return w.tx.UseQuestion(q.N, r.Action, w.now)
	})
	s.Nudge()
	return a, err
}
