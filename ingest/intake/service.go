package intake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// DefaultGroup is the consumer group of the service.
const DefaultGroup = "weimang-ingest"

// Offsets are committed every commitEvery while records flow, and commitSoon
// after the end of the log is reached, so that Caught does not wait.
const (
	commitEvery = time.Second
	commitSoon  = 100 * time.Millisecond
)

// ReportSink takes whole incident reports, with the text and reporter that
// never enter the stream. It is called again with a report it has saved when
// a crash came between, and goes by its id and state.
type ReportSink interface {
	SaveReport(ctx context.Context, r ingest.Report) error
}

// Options of a Service.
type Options struct {
	Client *stream.Client
	Roster Roster // one with a method Wait(ctx) error is waited for
	Sink   ReportSink
	Clock  Clock           // nil: Wall(time.Now)
	Limits contract.Limits // zero: contract.DefaultLimits()
	// Replayed: the clock is a feed's. It stands still in a gap of the feed, so
	// a directive may have been issued after it.
	Replayed bool
	// KeepUnknown sends readings of meters that are not in the roster to the
	// dead letters, instead of leaving them out: once the roster is mended they
	// can be replayed.
	KeepUnknown bool
	// Group may set the name and the times of the consumer group; its client
	// and topics are the service's.
	Group    stream.GroupOptions
	Logger   *slog.Logger          // nil: silent
	Registry prometheus.Registerer // nil: not exported
}

// Service is the ingest service.
type Service struct {
	opts     Options
	group    *stream.Group
	producer *stream.Producer
	metrics  *metrics
	lateness *lateness
	log      *slog.Logger
	unknown  sample
}

// New checks the options and prepares the service.
func New(opts Options) (*Service, error) {
	if opts.Client == nil || opts.Roster == nil || opts.Sink == nil {
		return nil, errors.New("ingest: client, roster and report sink are needed")
	}
	if opts.Clock == nil {
		opts.Clock = Wall(time.Now)
	}
	if opts.Limits == (contract.Limits{}) {
		opts.Limits = contract.DefaultLimits()
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	opts.Group.Client = opts.Client
	opts.Group.Topics = []string{ingest.TopicReadings, ingest.TopicIncidents, ingest.TopicDirectives}
	if _, ok := opts.Roster.(residences); ok {
		opts.Group.Topics = append(opts.Group.Topics, ingest.TopicRoster)
	}
	opts.Group.ID = cmp.Or(opts.Group.ID, DefaultGroup)
	opts.Group.MaxWait = cmp.Or(opts.Group.MaxWait, 500*time.Millisecond)
	if opts.Group.Logger == nil {
		opts.Group.Logger = opts.Logger
	}
	group, err := stream.NewGroup(opts.Group)
	if err != nil {
		return nil, fmt.Errorf("ingest: %w", err)
	}
	m := newMetrics(opts.Registry)
	return &Service{
		opts:     opts,
		group:    group,
		producer: stream.NewProducer(opts.Client),
		metrics:  m,
		lateness: newLateness(opts.Limits.UsualDelay, m),
		log:      opts.Logger,
	}, nil
}

// Run works until ctx ends and then returns nil, with what it has handled
// committed.
func (s *Service) Run(ctx context.Context) error {
	if r, ok := s.opts.Roster.(interface{ Wait(context.Context) error }); ok {
		if err := r.Wait(ctx); err != nil {
			return done(ctx, fmt.Errorf("wait for the roster: %w", err))
		}
	}
	ctx, stop := context.WithCancel(ctx)
	var judge sync.WaitGroup
	judge.Go(func() { s.lateness.run(ctx, s.log) })
	defer judge.Wait()
	defer stop()
	return s.group.Run(ctx, s.partition)
}

// Ready reports whether the roster is read and this member is in the group.
func (s *Service) Ready() bool {
	_, joined := s.group.Assigned()
	return joined
}

// Caught reports whether everything sent so far is handled and committed.
func (s *Service) Caught(ctx context.Context) (bool, error) {
	for _, topic := range s.opts.Group.Topics {
		lag, err := s.opts.Client.Lag(ctx, s.opts.Group.ID, topic)
		if err != nil || lag > 0 {
			return false, err
		}
	}
	return true, nil
}

// UnknownMeters returns up to 20 ids of meters that have lately sent readings
// without being in the roster, the latest first.
func (s *Service) UnknownMeters() []string { return s.unknown.list() }

// partition handles one partition of any of the topics: fetch, produce, commit.
func (s *Service) partition(ctx context.Context, claim *stream.Claim) error {
	process := s.readings
	switch claim.Topic() {
	case ingest.TopicIncidents:
		process = s.incidents
	case ingest.TopicDirectives:
		process = s.directives
	case ingest.TopicRoster:
		process = s.roster
	}
	// A batch begun is finished, even while the partition is being taken
	// away: that repeats less.
	finish := claim.FlushContext()
	handled, committed, last := claim.Start, claim.Start, time.Now()
	commit := func(ctx context.Context) error {
		if handled == committed {
			return nil
		}
		if err := claim.Commit(ctx, handled); err != nil {
			return err
		}
		committed, last = handled, time.Now()
		return nil
	}
	for {
		if handled == committed {
			claim.SetMaxWait(s.opts.Group.MaxWait)
		} else {
			claim.SetMaxWait(min(s.opts.Group.MaxWait, commitSoon))
		}
		b, err := claim.Fetch(ctx)
		if err != nil {
			return errors.Join(done(ctx, err), commit(finish))
		}
		if err := process(finish, b.Records); err != nil {
			return errors.Join(err, commit(finish))
		}
		handled = b.Next
		if len(b.Records) == 0 || time.Since(last) >= commitEvery {
			if err := commit(finish); err != nil {
				return err
			}
		}
	}
}

// sample keeps the latest few distinct ids.
type sample struct {
	mu  sync.Mutex
	ids []string // oldest first
}

const sampleSize = 20

func (s *sample) add(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.ids, id); i >= 0 {
		s.ids = slices.Delete(s.ids, i, i+1)
	} else if len(s.ids) == sampleSize {
		s.ids = slices.Delete(s.ids, 0, 1)
	}
	s.ids = append(s.ids, id)
}

func (s *sample) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(s.ids)
	slices.Reverse(out)
	return out
}
