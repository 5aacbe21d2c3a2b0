package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"weimang/alerts/escalate"
	"weimang/alerts/roster"
	"weimang/detectors"
)

// Store is the durable side of the service.
type Store interface {
	// Update runs fn in one transaction, which is committed and durable when
	// Update returns nil. Transactions come one after the other, whatever
	// process they are of. Tx is not used after fn returns. fn may run again from
	// the begin when the store went away before the commit: what it tells its
	// caller it sets, and does not add to.
	Update(ctx context.Context, fn func(Tx) error) error
	// OpenCount is the number of open alerts.
	OpenCount(ctx context.Context) (int, error)
	// NextLook is when an alert is to be looked at, or somebody to be told, for
	// the next time; zero is never.
	NextLook(ctx context.Context) (time.Time, error)
	// Forgotten are cases of households that are not closed and for which
	// nothing is due, or was due before a time: all but those that are only
	// noted and not silenced.
	Forgotten(ctx context.Context, before time.Time) ([]Forgotten, error)
}

// Tx is what the service does to the store in one transaction.
type Tx interface {
	AlertTx
	RosterTx
	TellingTx
	QuestionTx

	EnqueueMessage(m Message) error // nothing happens if its ID is there
	EnqueueRecord(r Record, created time.Time) error
}

// AlertTx keeps alerts, their transitions and their history.
type AlertTx interface {
	// AddTransition reports false, and changes nothing, for one already there.
	AddTransition(t Transition, recorded time.Time) (bool, error)
	Alert(id string) (*Alert, error)          // nil when there is none
	OpenAlert(subject string) (*Alert, error) // nil when there is none
	// Unclosed is the latest alert of a subject whose case is not closed, or nil.
	Unclosed(subject string) (*Alert, error)
	// Before is the alert of the same subject that opened last before a, or nil.
	Before(a *Alert) (*Alert, error)
	PutAlert(a *Alert) error
	AppendEvent(e Event) error
	AddVisit(v roster.Visit) error

	// DueAlerts are alerts to be looked at, the longest due first.
	DueAlerts(now time.Time, limit int) ([]string, error)
	// LookAt has an alert looked at by t at the latest.
	LookAt(id string, t time.Time) error
	// Shift lets the time to answer of an alert that is called begin at t, if
	// that is later than it does.
	Shift(id string, t time.Time) error
}

// RosterTx reads the roster.
type RosterTx interface {
	Household(id string) (*roster.Household, error) // nil when there is none
	AreaHouseholds(area string) ([]roster.Household, error)
	Unit(id string) (*roster.Unit, error) // nil when there is none
	// Assigned are the people in a role for a home, in the order in which they
	// are called: of the household, its grid cell, its village, or the town or
	// county above.
	Assigned(home roster.Household, role roster.Role) ([]string, error)
	// Person is what routing needs of somebody: no name, no addresses; nil when
	// she is not in the roster.
	Person(id string) (*roster.Person, error)
	// Name is what a person is called; that it was read is written down.
	Name(id string, by roster.By) (string, error)
	// Addresses are those of a person's contacts; that they were read is written
	// down.
	Addresses(personID string, by roster.By) ([]string, error)
	// MarkContact notes what is known of the contact over a channel that is used.
	MarkContact(personID, channel string, state roster.ContactState, at time.Time) error
}

// TellingTx keeps what people are to be told.
type TellingTx interface {
	AddTelling(t *Telling) error // nothing happens if its ID is there
	PutTelling(t *Telling) error // due time, status, message, what was tried
	Tellings(alertID string) ([]Telling, error)
	// DropTellings drops what is still due about an alert, but for some purposes.
	DropTellings(alertID string, but ...Purpose) error
	DueTellings(personID string, now time.Time) ([]Telling, error)
	DuePeople(now time.Time, limit int) ([]string, error)
	// Undelivered are the tellings of an alert whose message came to a dead end.
	Undelivered(alertID string) ([]Failed, error)
	// Told reports whether the person has a message about the alert already.
	Told(alertID, personID string) (bool, error)
	Pushes(personID, day string) (Pushes, error)
	// CountPush counts a message; a burst is over when it began more than burst ago.
	CountPush(personID, day string, now time.Time, burst time.Duration) error
}

// QuestionTx keeps what can be answered.
type QuestionTx interface {
	AddQuestion(q *Question) error // sets N
	Question(n int64) (*Question, error)
	// LastQuestion is what somebody was asked last and has not answered, or nil.
	LastQuestion(personID string, now time.Time) (*Question, error)
	// QuestionOf is what a message asked, or nil.
	QuestionOf(messageID string) (*Question, error)
	UseQuestion(n int64, used Action, at time.Time) error // adds to what was answered
	// AddTry notes that somebody could not show who she is.
	AddTry(question int64, personID string, at time.Time) error
	// Tries are how often that was so: since a time, and ever.
	Tries(question int64, since time.Time) (lately, ever int, err error)
}

// Pushes is how often a person's phone has rung on a day.
type Pushes struct {
	Count   int
	BurstAt time.Time // when the burst began
	Burst   int       // messages in it
}

// Failed is a telling whose message reached nobody.
type Failed struct {
	Telling
	Channel      string
	WrongAddress bool // the address is nobody's, or somebody else's
}

// Options configure a Service.
type Options struct {
	// Fallback hears what has nobody else to go to; its Channel must be set.
	Fallback roster.Person
	// Channels are the channels that exist: a person on another one would
	// never hear anything, so the message goes to the fallback. nil: any.
	Channels []string
	BaseURL  string // of the page, without a slash at the end; "" leaves links out
	// LinkKey signs the links by which a message is answered; none: there are
	// no such links.
	LinkKey []byte
	// Groups are channels whose messages several people read: a link in them
	// does not say who answers. Brief are those that take the short form.
	Groups, Brief []string
	Zone          *time.Location // where the roster names none; nil is UTC
	// Policies say who is called; nil is escalate.Immediate.
	Policies *escalate.Policies
	// Holiday reports whether a local date is a public holiday; nil is never.
	Holiday func(time.Time) bool
	// Deadline is how long after it was written a message is still worth
	// sending. 0 is 24 hours.
	Deadline time.Duration
	Wake     func()           // called when the outbox has grown; nil is fine
	Now      func() time.Time // wall clock; nil is time.Now
}

// Service makes alerts of findings.
type Service struct {
	store   Store
	wording Wording
	opts    Options
	log     *slog.Logger
	metrics *metrics
	nudged  chan struct{} // the loop has something to look at
}

// NewService makes a service over a store.
func NewService(ctx context.Context, store Store, wording Wording, opts Options, log *slog.Logger, reg prometheus.Registerer) (*Service, error) {
	if len(opts.Fallback.Contacts) == 0 || opts.Fallback.Contacts[0].Channel == "" {
		return nil, fmt.Errorf("alerts need a fallback channel for what has nobody else to go to")
	}
	if opts.Fallback.ID == "" {
		opts.Fallback.ID = string(roster.Operator)
	}
	if opts.Policies == nil {
		opts.Policies = escalate.Immediate()
	}
	if opts.Zone == nil {
		opts.Zone = time.UTC
	}
	if opts.Deadline == 0 {
		opts.Deadline = 24 * time.Hour
	}
	if opts.Wake == nil {
		opts.Wake = func() {}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	open, err := store.OpenCount(ctx)
	if err != nil {
		return nil, fmt.Errorf("count open alerts: %w", err)
	}
	s := &Service{store: store, wording: wording, opts: opts, log: log, metrics: newMetrics(reg), nudged: make(chan struct{}, 1)}
	s.metrics.open.Set(float64(open))
	return s, nil
}

// Apply makes one finding durable: transition, alert, history and outbox in
// one transaction. A finding applied before changes nothing.
func (s *Service) Apply(ctx context.Context, f *detectors.Finding) error {
	return s.ApplyBatch(ctx, []*detectors.Finding{f})
}

// ApplyBatch applies findings in their order in one transaction. Findings
// that can never be applied are reported in a *BadRecordsError after all
// others have become durable; any other error means that nothing happened.
func (s *Service) ApplyBatch(ctx context.Context, fs []*detectors.Finding) error {
	batch := make([]entry, 0, len(fs))
	for i, f := range fs {
		raw, err := detectors.EncodeFinding(f)
		batch = append(batch, entry{index: i, finding: f, raw: raw, err: err})
	}
	return s.apply(ctx, batch)
}

// HandleFindings applies records of topic weimang.findings, with the same
// errors as ApplyBatch.
func (s *Service) HandleFindings(ctx context.Context, values [][]byte) error {
	batch := make([]entry, 0, len(values))
	for i, value := range values {
		f, err := detectors.DecodeFinding(value)
		batch = append(batch, entry{index: i, finding: f, raw: value, err: err})
	}
	return s.apply(ctx, batch)
}

// entry is a finding on its way into the store.
type entry struct {
	index   int
	finding *detectors.Finding
	raw     json.RawMessage
	err     error
}

func (s *Service) apply(ctx context.Context, batch []entry) error {
	var bad []BadRecord
	good := batch[:0]
	for _, e := range batch {
		if e.err == nil {
			e.err = check(e.finding)
		}
		if e.err != nil {
			bad = append(bad, BadRecord{Index: e.index, Err: e.err})
			continue
		}
		good = append(good, e)
	}
	if len(good) > 0 {
		if err := s.update(ctx, func(w *work) error {
			for _, e := range good {
				if err := w.apply(e.finding, e.raw); err != nil {
					return fmt.Errorf("apply %s: %w", TransitionID(e.finding.AlertID(), e.finding.Seq), err)
				}
				// One after the other, so that what is told does not depend on
				// how findings came together in a batch.
				if err := w.compose(); err != nil {
					return fmt.Errorf("tell of %s: %w", e.finding.AlertID(), err)
				}
			}
			return nil
		}); err != nil {
			return err
		}
		s.Nudge()
	}
	if len(bad) > 0 {
		s.metrics.bad.Add(float64(len(bad)))
		return &BadRecordsError{Records: bad}
	}
	return nil
}

// update does work in one transaction, and what follows from it once it is
// committed.
func (s *Service) update(ctx context.Context, do func(*work) error) error {
	var done *work
	err := s.store.Update(ctx, func(tx Tx) error {
		done = s.newWork(tx, s.opts.Now())
		return do(done)
	})
	if err != nil {
		return err
	}
	s.metrics.count(done)
	if done.enqueued > 0 {
		s.opts.Wake()
	}
	return nil
}

// Nudge has Run look at once: an alert may be due now, such as after a message
// has come to a dead end. It never blocks.
func (s *Service) Nudge() {
	select {
	case s.nudged <- struct{}{}:
	default:
	}
}
