package alerts

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
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
	UsedAt    time.Time // zero: not answered yet
	Used      Action
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

// macSize is how much of the signature a link carries: 80 bits, which nobody
// guesses over a network.
const macSize = 10

// signLink is the text of a link: question and answer, signed. It is some twenty
// characters long, for an SMS is short.
func signLink(key []byte, question int64, answer int) string {
	b := binary.AppendUvarint([]byte{byte(answer)}, uint64(question))
	return base64.RawURLEncoding.EncodeToString(append(b, linkMAC(key, b)...))
}

func linkMAC(key, b []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("weimang answer link v1\n"))
	mac.Write(b)
	return mac.Sum(nil)[:macSize]
}

// openLink reads what signLink wrote.
func openLink(key []byte, token string) (question int64, answer int, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) < macSize+2 || len(b) > 64 {
		return 0, 0, ErrForged
	}
	body, mac := b[:len(b)-macSize], b[len(b)-macSize:]
	if len(key) == 0 || !hmac.Equal(mac, linkMAC(key, body)) {
		return 0, 0, ErrForged
	}
	n, size := binary.Uvarint(body[1:])
	if size != len(body)-1 || n > 1<<62 {
		return 0, 0, ErrForged
	}
	return int64(n), int(body[0]), nil
}

// Asked is what a link shows before anything is answered.
type Asked struct {
	Question  Question
	Action    Action // that the link answers
	Alert     *Alert
	Notice    Notice
	Lang      roster.Lang
	Officials []Official // in a group: who may say that she answers
}

// Official is somebody who may answer for an alert.
type Official struct {
	PersonID string
	Role     roster.Role
	Name     string
}

// Open reads a link without changing anything. With ErrExpired and ErrAnswered
// it still says what was asked.
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

func (w *work) open(n int64, answer int) (out *Asked, state, err error) {
	q, err := w.tx.Question(n)
	if err != nil {
		return nil, nil, err
	}
	if q == nil || answer >= len(q.Actions) {
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
	out = &Asked{Question: *q, Action: q.Actions[answer], Alert: a, Lang: roster.Chinese}
	role := roster.Chair
	if q.PersonID != "" {
		p, err := w.person(q.PersonID)
		if err != nil {
			return nil, nil, err
		}
		if p == nil {
			return nil, ErrForged, nil // she is not in the roster any more
		}
		if p.Lang != "" {
			out.Lang = p.Lang
		}
		if who, err := w.answerer(a, home, q.PersonID); err == nil {
			role = who.Role
		} else if !errors.Is(err, ErrNotYours) {
			return nil, nil, err
		}
	} else if out.Officials, err = w.officials(a, home); err != nil {
		return nil, nil, err
	}
	out.Notice, err = w.notice(a, home, &Telling{To: Recipient{PersonID: q.PersonID, Role: role}, Purpose: ToTell})
	switch {
	case err != nil:
		return nil, nil, err
	case !q.UsedAt.IsZero():
		return out, ErrAnswered, nil
	case w.now.After(q.ExpiresAt):
		return out, ErrExpired, nil
	case a.Stage == Closed && a.Outcome != Unanswered && a.Outcome != Unasked:
		return out, ErrAnswered, nil
	default:
		return out, nil, nil
	}
}

// officials are those who may answer for an alert in a group: who stands on its
// chain and works for the village, the town or the county.
func (w *work) officials(a *Alert, home *roster.Household) (out []Official, err error) {
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
			name, err := w.tx.Name(id, roster.By{Actor: "page", For: roster.ForAnswer})
			if err != nil {
				return nil, err
			}
			seen[id] = true
			out = append(out, Official{id, role, name})
		}
	}
	return out, nil
}

// RespondByLink answers by a link. r says what the page asked for besides; its
// alert and action are those of the link, its person too, but in a group.
func (s *Service) RespondByLink(ctx context.Context, token string, r Response) (*Alert, error) {
	n, answer, err := openLink(s.opts.LinkKey, token)
	if err != nil {
		return nil, err
	}
	var a *Alert
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
		} else if !slices.ContainsFunc(asked.Officials, func(o Official) bool { return o.PersonID == r.PersonID }) {
			return ErrNotYours
		}
		a, err = w.respond(r)
		if err != nil {
			return err
		}
		return w.tx.UseQuestion(q.N, asked.Action, w.now)
	})
	s.Nudge()
	return a, err
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
