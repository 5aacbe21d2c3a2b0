package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
)

// GroupOptions configures a member of a consumer group. Durations left zero
// get the value named.
type GroupOptions struct {
	Client *Client
	ID     string   // name of the group
	Topics []string // read by every member

	SessionTimeout    time.Duration // 30 s: a member that is killed is missed after it
	HeartbeatInterval time.Duration // 300 ms: members learn of a change of the group by it, and wait for the last
	RebalanceTimeout  time.Duration // 60 s: how long a join waits for the others
	JoinGroupBackoff  time.Duration // 1 s
	// FlushTimeout (20 s) is what a handler has for its last writes. It must
	// be well below SessionTimeout and RebalanceTimeout: heartbeats stop when
	// a generation ends, and whoever takes longer loses the partition while
	// writing.
	FlushTimeout time.Duration
	// StallTimeout (5 min) after which a handler that has neither fetched nor
	// committed nor called Alive is taken for hung, and the generation ended
	// so that others can take over. Kafka itself would wait for ever, since
	// heartbeats go on.
	StallTimeout time.Duration

	// Assigned is called with what a generation has brought, topic by topic,
	// before its handlers start: what is kept of other partitions is of no use
	// any more. nil: nobody wants to know.
	Assigned func(partitions map[string][]int)

	MaxBytes int           // of one fetch, 256 KiB
	MaxWait  time.Duration // of one fetch, 500 ms
	Logger   *slog.Logger  // nil: the client's
}

// States of a member, the values of weimang_stream_group_state.
const (
	stateStopped  = iota // Run is not active
	stateJoining         // asking the broker for partitions
	stateRunning         // handlers are at work
	stateStopping        // handlers flush, then the member leaves
)

// minGeneration is the least time between two generations. kafka-go starts
// the next without a pause when one ends by itself, 1,500 a second.
const minGeneration = 100 * time.Millisecond

// Group is a member of a consumer group.
type Group struct {
	opts GroupOptions
	c    *Client
	log  *slog.Logger
	// assigned partitions of the running generation, -1 between generations.
	assigned atomic.Int64
	sticky   *sticky
}

// NewGroup checks the options.
func NewGroup(opts GroupOptions) (*Group, error) {
	if opts.Client == nil || opts.ID == "" || len(opts.Topics) == 0 {
		return nil, errors.New("stream: a group needs a client, a name and topics")
	}
	opts.SessionTimeout = cmp.Or(opts.SessionTimeout, 30*time.Second)
	opts.HeartbeatInterval = cmp.Or(opts.HeartbeatInterval, 300*time.Millisecond)
	opts.RebalanceTimeout = cmp.Or(opts.RebalanceTimeout, time.Minute)
	opts.JoinGroupBackoff = cmp.Or(opts.JoinGroupBackoff, time.Second)
	opts.FlushTimeout = cmp.Or(opts.FlushTimeout, 20*time.Second)
	opts.StallTimeout = cmp.Or(opts.StallTimeout, 5*time.Minute)
	opts.MaxBytes = cmp.Or(opts.MaxBytes, defaultFetchBytes)
	opts.MaxWait = cmp.Or(opts.MaxWait, defaultMaxWait)
	if limit := min(opts.SessionTimeout, opts.RebalanceTimeout); opts.FlushTimeout >= limit {
		return nil, fmt.Errorf("stream: group %s: flush timeout %v must be below session and rebalance timeout (%v)", opts.ID, opts.FlushTimeout, limit)
	}
	if opts.HeartbeatInterval*2 > opts.SessionTimeout {
		return nil, fmt.Errorf("stream: group %s: heartbeat interval %v must be at most half the session timeout (%v)", opts.ID, opts.HeartbeatInterval, opts.SessionTimeout)
	}
	log := opts.Logger
	if log == nil {
		log = opts.Client.log
	}
	g := &Group{opts: opts, c: opts.Client, log: log.With("group", opts.ID), sticky: new(sticky)}
	g.assigned.Store(-1)
	return g, nil
}

// Assigned is how many partitions this member has, and whether it is in the
// group now. There may be none, where members are more than partitions.
func (g *Group) Assigned() (partitions int, joined bool) {
	n := g.assigned.Load()
	return int(max(n, 0)), n >= 0
}

// Run takes part in the group until ctx ends, and then leaves it, so that
// another member takes over at once. Each partition assigned gets a goroutine
// that calls handle; handle returns when its context ends, after its last
// flush (see Claim.FlushContext). When it returns earlier it is logged and
// called again with a claim that starts at the last commit.
//
// Run returns nil when ctx ended, and an error only for options kafka-go
// refuses. Leaving takes as long as the handlers flush and, in the middle of a
// rebalance, as long as the other members do.
func (g *Group) Run(ctx context.Context, handle func(context.Context, *Claim) error) error {
	topics := make([]string, len(g.opts.Topics))
	for i, topic := range g.opts.Topics {
		topics[i] = g.c.wire(topic)
	}
	cg, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID:                    g.c.wire(g.opts.ID),
		Brokers:               g.c.cfg.Brokers,
		Dialer:                g.c.dialer(),
		Topics:                topics,
		SessionTimeout:        g.opts.SessionTimeout,
		HeartbeatInterval:     g.opts.HeartbeatInterval,
		RebalanceTimeout:      g.opts.RebalanceTimeout,
		JoinGroupBackoff:      g.opts.JoinGroupBackoff,
		WatchPartitionChanges: true,
		// Range is for a group in which members of an earlier version still are:
		// the broker chooses what all know.
		GroupBalancers: []kafka.GroupBalancer{g.sticky, kafka.RangeGroupBalancer{}},
	})
	if err != nil {
		return fmt.Errorf("join group %s: %w", g.opts.ID, err)
	}
	state := g.c.metrics.state.WithLabelValues(g.opts.ID)
	defer state.Set(stateStopped)
	joining := spell{out: newOutage(g.log, "join")}
	state.Set(stateJoining)
	for {
		gen, err := cg.Next(ctx)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			// kafka-go leaves, waits JoinGroupBackoff and joins anew.
			state.Set(stateJoining)
			joining.fail(err)
			continue
		}
		joining.end()
		state.Set(stateRunning)
		g.start(ctx, gen, handle)
	}
	state.Set(stateStopping)
	return cg.Close()
}

// start launches a generation: a goroutine per partition and the guard.
func (g *Group) start(ctx context.Context, gen *kafka.Generation, handle func(context.Context, *Claim) error) {
	g.c.metrics.rebalances.WithLabelValues(g.opts.ID).Inc()
	g.sticky.owns(gen)
	w := &work{Group: g, ctx: ctx, gen: gen, handle: handle}
	if g.opts.Assigned != nil {
		got := make(map[string][]int, len(gen.Assignments))
		for topic, parts := range gen.Assignments {
			for _, p := range parts {
				got[g.c.plain(topic)] = append(got[g.c.plain(topic)], p.ID)
			}
		}
		g.opts.Assigned(got)
	}
	var assigned []string
	for topic, parts := range gen.Assignments {
		for _, p := range parts {
			id := tp{g.c.plain(topic), p.ID}
			assigned = append(assigned, id.String())
			progress := new(atomic.Int64)
			progress.Store(time.Now().UnixNano())
			w.watched = append(w.watched, watched{id, progress})
			gen.Start(func(gctx context.Context) { w.partition(gctx, id, p.Offset, progress) })
		}
	}
	g.assigned.Store(int64(len(assigned)))
	gen.Start(w.guard)
	g.log.Info("partitions assigned", "generation", gen.ID, "partitions", assigned)
}

// work is one generation at work.
type work struct {
	*Group
	ctx     context.Context //nolint:containedctx // Run's: ends the member, not only the generation
	gen     *kafka.Generation
	handle  func(context.Context, *Claim) error
	watched []watched
}

type watched struct {
	id       tp
	progress *atomic.Int64
}

// partition calls the handler until the generation or Run ends. It must not
// return before: kafka-go would end the generation for all partitions.
func (w *work) partition(gctx context.Context, id tp, offset int64, progress *atomic.Int64) {
	hctx, cancel := context.WithCancel(gctx)
	defer cancel()
	defer context.AfterFunc(w.ctx, cancel)()
	flush, endFlush := w.flushContext(hctx)
	defer endFlush()

	var wait backoff
	for hctx.Err() == nil {
		claim, err := w.claim(hctx, id, offset)
		if err != nil {
			return // only when hctx ended
		}
		claim.flush, claim.progress = flush, progress
		claim.alive = claim.Alive
		claim.Alive()
		behind := w.c.metrics.lags.add(readerOf{w.opts.ID, id.topic}, &claim.lag)
		err = w.handle(hctx, claim)
		behind()
		claim.end()
		at, fenced := claim.done()
		if at >= 0 {
			offset = at
		}
		if hctx.Err() != nil {
			w.logEnd(id, err)
			return
		}
		if fenced {
			// The generation is over and kafka-go is about to notice.
			_ = pause(hctx, w.opts.SessionTimeout)
			continue
		}
		w.c.metrics.failures.WithLabelValues(w.opts.ID).Inc()
		w.log.Error("handler of a partition failed, starting it again", "partition", id.String(), "error", err)
		progress.Store(time.Now().UnixNano())
		_ = wait.sleep(hctx)
	}
}

// logEnd reports a handler that ended with its context but could not finish
// what it had to.
func (w *work) logEnd(id tp, err error) {
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, kafka.ErrGenerationEnded):
	case errors.Is(err, ErrFenced):
		w.log.Warn("partition was taken away before the last flush was committed", "partition", id.String(), "error", err)
	default:
		w.log.Error("last flush of a partition failed, its next owner repeats it", "partition", id.String(), "error", err)
	}
}

// flushContext outlives ctx by FlushTimeout.
func (w *work) flushContext(ctx context.Context) (context.Context, context.CancelFunc) {
	flush, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if pause(flush, w.opts.FlushTimeout) == nil {
			cancel()
		}
	})
	return flush, func() { stop(); cancel() }
}

// claim makes the claim of a partition, once its starting offset is known.
func (w *work) claim(ctx context.Context, id tp, offset int64) (*Claim, error) {
	committed := offset
	if offset < 0 {
		start, _, err := w.c.boundsUntil(ctx, id.topic, id.partition)
		for ; err != nil; start, _, err = w.c.boundsUntil(ctx, id.topic, id.partition) {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			w.log.Error("cannot find the begin of a log", "partition", id.String(), "error", err)
			if err := pause(ctx, w.opts.JoinGroupBackoff); err != nil {
				return nil, err
			}
		}
		offset, committed = start, -1
	}
	cur := w.c.Cursor(id.topic, id.partition, offset)
	cur.f.bytes, cur.f.wait = int64(w.opts.MaxBytes), w.opts.MaxWait
	return &Claim{
		Cursor:     cur,
		Start:      offset,
		Generation: int(w.gen.ID),
		commits:    w.c.metrics.commits.WithLabelValues(w.opts.ID),
		commit:     w.commit,
		committed:  committed,
	}, nil
}

// commit is the generation's, for one partition.
func (w *work) commit(id tp, next int64) error {
	return w.gen.CommitOffsets(map[string]map[int]int64{w.c.wire(id.topic): {id.partition: next}})
}

// guard stays for the whole generation and at least minGeneration, and ends
// the generation when a handler has hung.
func (w *work) guard(gctx context.Context) {
	defer w.assigned.Store(-1) // kafka-go waits for it before the next generation
	began := time.Now()
	tick := time.NewTicker(max(w.opts.StallTimeout/8, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-gctx.Done():
			if rest := minGeneration - time.Since(began); rest > 0 {
				_ = pause(w.ctx, rest)
			}
			return
		case now := <-tick.C:
			for _, p := range w.watched {
				if idle := now.Sub(time.Unix(0, p.progress.Load())); idle > w.opts.StallTimeout {
					w.log.Error("handler of a partition has hung, giving its partitions up", "partition", p.id.String(), "idle", idle.Round(time.Millisecond))
					return
				}
			}
		}
	}
}
