package detect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"weimang/detectors"
	"weimang/ingest"
	"weimang/ingest/stream"
)

// DefaultGroup is the consumer group of the service.
const DefaultGroup = "weimang-detect"

// Options configures a Service.
type Options struct {
	Client   *stream.Client
	Producer *stream.Producer
	Params   detectors.Params
	GroupID  string // default DefaultGroup
	// CheckpointEvery is how often a partition's changed areas are saved.
	CheckpointEvery time.Duration // default 2 min
	// History sends every decided interval with its usual band to
	// weimang.history, for the page and the history store.
	History bool
	// Now is the wall clock by which an area is told that time passes while
	// nothing comes. nil: by its entries only, as for a replayed feed, whose
	// clock nobody else knows.
	Now      func() time.Time
	Logger   *slog.Logger
	Registry prometheus.Registerer
	// Group lets tests shorten the group's times; its Client, ID, Topics and
	// Logger are set here.
	Group stream.GroupOptions
	// Sabotage is for the suite that shows what would be lost by it.
	Sabotage Sabotage
}

// Service is a member of the group that shares the partitions of
// weimang.inputs.
type Service struct {
	opts    Options
	group   *stream.Group
	log     *slog.Logger
	metrics *metrics

	// dies makes a stop as sudden as a kill, for tests.
	dies bool

	mu        sync.Mutex
	positions map[int]int64      // next offset whose findings are not yet sent, by owned partition
	ready     int                // partitions restored
	unsaved   map[int]time.Time  // Kafka time of the first input not saved, by owned partition
	kept      map[int]*partition // between two generations, see keep
}

// New prepares a Service; nothing runs before Run.
func New(opts Options) (*Service, error) {
	if err := opts.Params.Validate(); err != nil {
		return nil, fmt.Errorf("detect: %w", err)
	}
	if opts.GroupID == "" {
		opts.GroupID = DefaultGroup
	}
	if opts.CheckpointEvery == 0 {
		opts.CheckpointEvery = 2 * time.Minute
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	g := opts.Group
	s := &Service{
		opts: opts, log: opts.Logger, metrics: newMetrics(opts.Registry),
		positions: make(map[int]int64), unsaved: make(map[int]time.Time), kept: make(map[int]*partition),
	}
	g.Client, g.ID, g.Topics, g.Logger = opts.Client, opts.GroupID, []string{ingest.TopicInputs}, opts.Logger
	g.Assigned = s.keepOnly
	var err error
	if s.group, err = stream.NewGroup(g); err != nil {
		return nil, fmt.Errorf("detect: %w", err)
	}
	return s, nil
}

// Run works until ctx ends, then saves, commits and leaves the group.
func (s *Service) Run(ctx context.Context) error {
	defer s.keepOnly(nil)
	var asking sync.WaitGroup
	defer asking.Wait()
	asking.Go(func() { s.checkRetention(ctx) })
	if err := s.group.Run(ctx, s.handle); err != nil {
		return fmt.Errorf("detect: %w", err)
	}
	return nil
}

// Ready reports whether this member is in the group and all its partitions are
// restored. One that has none, since there are more members than partitions,
// is ready.
func (s *Service) Ready() bool {
	assigned, joined := s.group.Assigned()
	s.mu.Lock()
	defer s.mu.Unlock()
	return joined && s.ready == assigned
}

// Owned is the number of partitions this member owns, restored or not.
func (s *Service) Owned() int {
	n, _ := s.group.Assigned()
	return n
}

// Caught reports whether the findings of everything in weimang.inputs have
// been sent by this member.
func (s *Service) Caught(ctx context.Context) (bool, error) {
	ends, err := s.opts.Client.EndOffsets(ctx, ingest.TopicInputs)
	if err != nil {
		return false, fmt.Errorf("detect: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for p, end := range ends {
		if pos, ok := s.positions[p]; !ok || pos < end {
			return false, nil
		}
	}
	return true, nil
}

// regroup is how long the group is waited for to notice that partitions were
// added. kafka-go looks every 5 s.
const regroup = 15 * time.Second

// handle owns one partition for one generation.
func (s *Service) handle(ctx context.Context, c *stream.Claim) error {
	restored := false
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.positions, c.Partition())
		delete(s.unsaved, c.Partition())
		s.showUnsaved()
		if restored {
			s.ready--
		}
	}()

	p, err := s.regain(ctx, c)
	if err == nil && p == nil {
		if p, err = s.restore(ctx, c); err == nil {
			err = p.moveIn(ctx)
		}
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	restored = true
	s.mu.Lock()
	s.ready++
	s.mu.Unlock()
	defer p.forget()

	for {
		s.position(c.Partition(), p.next, p.oldestUnsaved())
		batch, err := c.Fetch(ctx)
		p.wall = time.Now()
		if err == nil {
			if s.opts.Now != nil {
				p.now = s.opts.Now()
			}
			if err = p.apply(ctx, batch); err == nil {
				err = p.outOfOrder(ctx, batch.Next)
			}
			if err == nil {
				err = p.send(ctx)
			}
		}
		if err == nil && s.opts.Now != nil && batch.Next >= batch.HighWatermark {
			err = p.tell(ctx, p.now)
		}
		if err == nil {
			if n, ok := p.due(s.opts.CheckpointEvery); ok {
				err = p.save(ctx, batch.Next, n)
			}
		}
		switch {
		case ctx.Err() != nil && s.dies:
			return nil
		case ctx.Err() != nil:
			all, err := p.finish(c)
			if all {
				s.keep(p)
			}
			return err
		case errors.Is(err, errPartitionsChanged):
			// Who gets its areas needs what is in memory of them. The group
			// notices within seconds, too, and begins a generation.
			if _, err := p.finish(c); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(regroup):
				return err
			}
		case err != nil:
			return err
		}
	}
}

// position notes how far a partition is handled and saved.
func (s *Service) position(partition int, next int64, unsaved time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.positions[partition] = next
	s.unsaved[partition] = unsaved
	s.showUnsaved()
}

// showUnsaved sets the gauge of the oldest input that is not saved. mu is held.
func (s *Service) showUnsaved() {
	var oldest time.Time
	for _, at := range s.unsaved {
		if !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
			oldest = at
		}
	}
	seconds := 0.0
	if !oldest.IsZero() {
		seconds = float64(oldest.UnixMilli()) / 1000
	}
	s.metrics.oldest.Set(seconds)
}
