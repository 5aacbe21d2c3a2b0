package alerts

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"weimang/alerts/roster"
)

// Asked is what a link shows before anything is answered.
type Asked struct {
	Question  Question
	Action    Action // that the link answers
	Alert     *Alert
	Notice    Notice
	Role      roster.Role // of who is asked; "" in a group
	Lang      roster.Lang
	Further   []AnswerLink // what else can be answered now
	Officials []Official   // in a group: who may say that she answers
}

// AnswerLink is the token of the link of an action.
type AnswerLink struct {
	Action Action
	Token  string
}

// Official is somebody who may answer for an alert.
type Official struct {
	PersonID string
	Role     roster.Role
	Name     string
	Mark     string // stands for her on a page that a whole group can open
}

// Open reads a link without changing anything. With ErrExpired, ErrAnswered and
// ErrNotOpen it still says what was asked.
func (s *Service) Open(ctx context.Context, token string) (*Asked, error) {
	n, answer, err := openLink(s.opts.LinkKey, token)
	if err != nil {
		return nil, err
	}
	var out *Asked
	var state error
	err = s.store.Update(ctx, func(tx Tx) error {
		w := s.newWork(tx, s.opts.Now())
		out, state, err = w.open(n, answer)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open a link: %w", err)
	}
	return out, state
}

// open reads a question. state is why it cannot be answered, out nil where no
// more than that is to be said.
func (w *work) open(n int64, answer int) (out *Asked, state, err error) {
	q, err := w.tx.Question(n)
	if err != nil {
		return nil, nil, err
	}
	if q == nil || answer >= len(q.Answers()) {
		return nil, ErrForged, nil // of a store before this one
	}
	a, err := w.tx.Alert(q.AlertID)
	if err != nil {
		return nil, nil, err
	}
	home, err := w.household(a.HouseholdID, a.AreaID)
	if err != nil {
		return nil, nil, err
	}
	out = &Asked{Question: *q, Action: q.Answers()[answer], Alert: a, Lang: roster.Chinese}
	if q.PersonID == "" {
		out.Officials, err = w.officials(q, home)
	} else {
		state, err = w.whoIsAsked(out, home)
	}
	if state != nil || err != nil {
		return nil, state, err
	}
	to := Recipient{PersonID: q.PersonID, Role: out.Role}
	if to.Role == "" {
		to.Role = roster.Chair
	}
	if out.Notice, err = w.notice(a, home, &Telling{To: to, Purpose: ToTell}); err != nil {
		return nil, nil, err
	}
	out.Notice.Now, out.Notice.Answers = w.now, nil
	if q.PersonID == "" { // whoever reads along
		out.Notice.Name, out.Notice.Address, out.Notice.HandedTo = "", "", ""
	}
	for i, action := range q.Answers() {
		if action != out.Action && out.refuses(action, w.now) == nil {
			out.Further = append(out.Further, AnswerLink{action, signLink(w.opts.LinkKey, q.N, i)})
		}
	}
	return out, out.refuses(out.Action, w.now), nil
}

// whoIsAsked fills in who is asked. Whoever has left the roster answers for nobody any
// more, whatever she was told before.
func (w *work) whoIsAsked(out *Asked, home *roster.Household) (state, err error) {
	p, err := w.person(out.Question.PersonID)
	switch {
	case err != nil:
		return nil, err
	case p == nil:
		return ErrNotYours, nil
	case p.Lang != "":
		out.Lang = p.Lang
	}
	who, err := w.answerer(out.Alert, home, p.ID)
	if errors.Is(err, ErrNotYours) {
		return ErrNotYours, nil
	}
	out.Role = who.Role
	return nil, err
}

// refuses says why an action cannot be answered now; nil is that it can.
func (q *Asked) refuses(action Action, now time.Time) error {
	said := q.Alert.Outcome != "" && q.Alert.Outcome != Unanswered && q.Alert.Outcome != Unasked
	switch {
	case action == SayMute && q.Role == roster.Kin:
		return ErrNotYours // not to be told is for the village to say
	case !q.Question.takes(action):
		return ErrAnswered
	case now.After(q.Question.ExpiresAt):
		return ErrExpired
	case q.Alert.Stage == Closed && (said || action != SayOutcome):
		return ErrNotOpen // only what it was may still be said, where nobody has
	default:
		return nil
	}
}

// byPage is who reads names and numbers to find out who it is that answers.
var byPage = roster.By{Actor: "page", For: roster.ForAnswer}

// officials are those who may answer for an alert in a group: who answers for
// the home and works for the village, the town or the county.
func (w *work) officials(q *Question, home *roster.Household) (out []Official, err error) {
	seen := map[string]bool{}
	for _, role := range []roster.Role{roster.Chair, roster.Deputy, roster.CareTeam, roster.GridWorker, roster.TownDesk} {
		ids, err := w.tx.Assigned(*home, role)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			p, err := w.tx.Person(id)
			if err != nil {
				return nil, err
			}
			if p == nil || seen[id] {
				continue
			}
			name, err := w.tx.Name(id, byPage)
			if err != nil {
				return nil, err
			}
			seen[id] = true
			out = append(out, Official{id, role, name, mark(q.N, id)})
		}
	}
	return out, nil
}

// mark stands for a person on the page of one question.
func mark(question int64, person string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", question, person))
	return hex.EncodeToString(sum[:6])
}

// RespondByLink answers by a link. r says what the page asked for besides; its
// alert and action are those of the link, its person too, but in a group. There
// the last digits of her telephone show that she is who she says.
func (s *Service) RespondByLink(ctx context.Context, token string, r Response) (*Alert, error) {
	n, answer, err := openLink(s.opts.LinkKey, token)
	if err != nil {
		return nil, err
	}
	var a *Alert
	var refused error // what is written down all the same
	err = s.update(ctx, func(w *work) error {
		asked, state, err := w.open(n, answer)
		if err != nil {
			return err
		}
		if state != nil {
			return state
		}
		q := &asked.Question
		r.AlertID, r.Action, r.Via = q.AlertID, asked.Action, "page"
		if q.PersonID != "" {
			r.PersonID = q.PersonID
		} else if refused, err = w.isHer(asked, r); refused != nil || err != nil {
			return err
		}
		a, err = w.respond(r)
		if err != nil {
			return err
		}
		return w.tx.UseQuestion(q.N, asked.Action, w.now)
	})
	s.Nudge()
	if err == nil {
		err = refused
	}
	return a, err
}

// Wrong digits that a question takes: in an hour, and ever. Four digits are soon
// tried through, so it must end.
const (
	triesAnHour = 5
	triesEver   = 20
)

// isHer checks that who answers in a group is one of those who may. A wrong
// number is written down.
func (w *work) isHer(asked *Asked, r Response) (refused, err error) {
	if !slices.ContainsFunc(asked.Officials, func(o Official) bool { return o.PersonID == r.PersonID }) {
		return ErrNotYours, nil
	}
	n := asked.Question.N
	lately, ever, err := w.tx.Tries(n, w.now.Add(-time.Hour))
	if err != nil {
		return nil, err
	}
	if lately >= triesAnHour || ever >= triesEver {
		return ErrTries, nil
	}
	addresses, err := w.tx.Addresses(r.PersonID, byPage)
	if err != nil {
		return nil, err
	}
	has := false
	for _, address := range addresses {
		digits := lastDigits(address)
		if digits != "" && subtle.ConstantTimeCompare([]byte(digits), []byte(strings.TrimSpace(r.Digits))) == 1 {
			return nil, nil
		}
		has = has || digits != ""
	}
	if !has {
		return nil, nil // nothing is known that only she knows
	}
	return ErrWho, w.tx.AddTry(n, r.PersonID, w.now)
}

// lastDigits are the last four of a telephone number, "" for another address.
func lastDigits(address string) string {
	number := strings.NewReplacer(" ", "", "-", "", "+", "").Replace(address)
	if len(number) < 7 || strings.Trim(number, "0123456789") != "" {
		return ""
	}
	return number[len(number)-4:]
}
