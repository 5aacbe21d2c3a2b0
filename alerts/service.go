package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"weimang/alerts/roster"
	"weimang/detectors"
)

// Store is the durable side of the service.
type Store interface {
	// Update runs fn in one transaction, which is committed and durable when
	// Update returns nil. Tx is not used after fn returns. fn may run again from
	// the begin when the store went away before the commit: what it tells its
	// caller it sets, and does not add to.
	Update(ctx context.Context, fn func(Tx) error) error
	// OpenCount is the number of open alerts.
	OpenCount(ctx context.Context) (int, error)
}

// Tx is what the service does to the store in one transaction.
type Tx interface {
	// AddTransition reports false, and changes nothing, for one already there.
	AddTransition(t Transition, recorded time.Time) (bool, error)
	Alert(id string) (*Alert, error)          // nil when there is none
	OpenAlert(subject string) (*Alert, error) // nil when there is none
	PutAlert(a *Alert) error
	AppendEvent(e Event) error

	Household(id string) (*roster.Household, error) // nil when there is none
	AreaHouseholds(area string) ([]roster.Household, error)
	Village(id string) (*roster.Village, error) // nil when there is none
	Chairs(village string) ([]roster.Person, error)

	// Told reports whether the person has a message about the alert already.
	Told(alertID, personID string) (bool, error)
	EnqueueMessage(m Message) error // nothing happens if its ID is there
	EnqueueRecord(r Record, created time.Time) error
}

// Options configure a Service.
type Options struct {
	// Fallback hears what has nobody else to go to; its Channel must be set.
	Fallback roster.Person
	// Channels are the channels that exist: a person on another one would
	// never hear anything, so the message goes to the fallback. nil: any.
	Channels []string
	BaseURL  string         // of the page, without a slash at the end; "" leaves links out
	Zone     *time.Location // where the roster names none; nil is UTC
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
}

// NewService makes a service over a store.
func NewService(ctx context.Context, store Store, wording Wording, opts Options, log *slog.Logger, reg prometheus.Registerer) (*Service, error) {
	if opts.Fallback.Channel == "" {
		return nil, fmt.Errorf("alerts need a fallback channel for what has nobody else to go to")
	}
	if opts.Fallback.ID == "" {
		opts.Fallback.ID = string(roster.Operator)
	}
	if opts.Fallback.Role == "" {
		opts.Fallback.Role = roster.Operator
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
	s := &Service{store: store, wording: wording, opts: opts, log: log, metrics: newMetrics(reg)}
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
		var done *work
		err := s.store.Update(ctx, func(tx Tx) error {
			done = &work{Service: s, tx: tx, now: s.opts.Now()}
			for _, e := range good {
				if err := done.apply(e.finding, e.raw); err != nil {
					return fmt.Errorf("apply %s: %w", TransitionID(e.finding.AlertID(), e.finding.Seq), err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		s.metrics.count(done)
		if done.enqueued > 0 {
			s.opts.Wake()
		}
	}
	if len(bad) > 0 {
		s.metrics.bad.Add(float64(len(bad)))
		return &BadRecordsError{Records: bad}
	}
	return nil
}
