package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"weimang/ingest"
)

// storm is a run with faults: its workers, the network around them, and what
// has struck.
type storm struct {
	*site
	feed   *feed
	net    *network
	kinds  []Kind // that the schedule deals
	feeds  *sender
	helped time.Time     // when attend has last started a worker
	span   time.Duration // of a round, in which faults begin
	round  int

	brokers sync.Mutex // one of them is disturbed at a time

	mu      sync.Mutex
	workers []*worker
	names   int
	res     *Result
	misses  map[Kind]int
	story   []string // what has struck, in order
	err     error    // what could not be done to workers and brokers
}

func newStorm(s *site, f *feed, res *Result) (*storm, error) {
	n, err := listen()
	if err != nil {
		return nil, err
	}
	return &storm{site: s, feed: f, net: n, kinds: s.dealt(), feeds: newSender(s.Options, f), misses: make(map[Kind]int), span: s.Session + s.Session/2, res: res}, nil
}

// begin starts the first workers and waits until the areas know their homes.
func (st *storm) begin(ctx context.Context) error {
	for len(st.living()) < st.Workers {
		st.start(ctx)
	}
	return st.settle(ctx, st.feed.homes, st.attend)
}

// end stops what is left; workers leave their groups, which otherwise could not
// be deleted yet.
func (st *storm) end() {
	var left sync.WaitGroup
	for _, w := range st.living() {
		left.Go(func() { w.leave(leaveLimit) })
	}
	left.Wait()
	st.net.close()
}

// start starts one more worker.
func (st *storm) start(ctx context.Context) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.names++
	// Some save at every turn and some seldom.
	every := []time.Duration{10 * time.Millisecond, st.Session / 4, st.Session}[st.names%3]
	w, err := st.worker(ctx, st.names, st.net.addr(), every)
	if err != nil {
		st.err = errors.Join(st.err, err)
		return
	}
	st.workers = append(st.workers, w)
}

// living are the workers whose end nobody has brought about, by name.
func (st *storm) living() []*worker {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(st.workers), (*worker).isDoomed)
}

// one is a living worker; nil: none is.
func (st *storm) one(rng *rand.Rand) *worker {
	n := rng.IntN(1 << 20)
	list := st.living()
	if len(list) == 0 {
		return nil
	}
	return list[n%len(list)]
}

// named is a worker by its name.
func (st *storm) named(name int) *worker {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, w := range st.workers {
		if w.name == name {
			return w
		}
	}
	return nil
}

// attend is called while the workers are waited for. It starts one when none is
// left, and where Options.Embedded says why; an error is one that has ended by
// itself.
func (st *storm) attend(ctx context.Context, waited time.Duration) error {
	if now := time.Now(); len(st.living()) == 0 || st.Embedded && waited > patience && now.Sub(st.helped) > patience {
		st.helped = now
		st.start(ctx)
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, w := range st.workers {
		if err := w.died(); err != nil {
			return err
		}
	}
	return st.err
}

// patience is what working off a round takes at most, unless something is wrong.
const patience = 15 * time.Second

// last is what the living workers have logged last.
func (st *storm) last() (lines []string) {
	for _, w := range st.living() {
		lines = append(lines, fmt.Sprintf("worker %d: %s", w.name, w.log))
	}
	return lines
}

// note writes down what has struck.
func (st *storm) note(k Kind, format string, args ...any) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.res.Faults[k]++
	st.story = append(st.story, fmt.Sprintf("round %d: %s: %s", st.round, k, fmt.Sprintf(format, args...)))
}

// told is what has struck so far.
func (st *storm) told() []string {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Clone(st.story)
}

// missed notes a fault that met nothing.
func (st *storm) missed(k Kind) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.res.Missed++
	st.misses[k]++
}

// enough are the turns of a kind of which one must have met something: else the
// run shows less than it says.
const enough = 3

// struck is an error when a kind of fault never met anything.
func (st *storm) struck() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	var errs []error
	for _, k := range Kinds {
		if st.res.Faults[k] == 0 && st.misses[k] >= enough {
			errs = append(errs, fmt.Errorf("%s had %d turns and never met anything", k, st.misses[k]))
		}
	}
	return errors.Join(errs...)
}

// day sends a day of the feed while faults strike, waits until all is worked
// off, and returns what is not as the logs have it.
func (st *storm) day(ctx context.Context, d int, faults []fault) ([]string, error) {
	for len(st.living()) < st.Workers {
		st.start(ctx)
	}
	if len(faults) > 0 {
		st.mu.Lock()
		st.round++
		st.mu.Unlock()
	}
	var strikes sync.WaitGroup
	begun := time.Now()
	for _, f := range faults {
		strikes.Go(func() {
			if pause(ctx, time.Until(begun.Add(f.after))) == nil {
				st.strike(ctx, f)
			}
		})
	}
	defer strikes.Wait()
	parts, between := 1, time.Duration(0)
	if len(faults) > 0 {
		parts = 8
		between = st.span / time.Duration(2*parts)
	}
	for h := range st.feed.days[d].halves {
		half := &st.feed.days[d].halves[h]
		list := st.feeds.half(half, st.feed.end(d, h))
		for part := range slices.Chunk(list, (len(list)+parts)/parts) {
			if err := st.send(ctx, st.clock.readings(part)); err != nil {
				return nil, err
			}
			if err := pause(ctx, between); err != nil {
				return nil, err
			}
		}
		if err := st.tell(ctx, half, st.attend); err != nil {
			return nil, err
		}
	}
	strikes.Wait()
	if d < warmUpDays && d%8 != 0 {
		return nil, st.attend(ctx, 0) // nothing has struck, and nobody moves
	}
	return st.settled(ctx, st.attend)
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// maxWorkers are at work at a time.
const maxWorkers = 4

// strike lets a fault happen, and returns when its consequences are left to
// the workers.
func (st *storm) strike(ctx context.Context, f fault) {
	rng := f.rng()
	switch f.Kind {
	case KillWorker:
		w := st.one(rng)
		if w == nil {
			st.missed(f.Kind)
			return
		}
		w.kill()
		st.note(f.Kind, "worker %d", w.name)
		st.another(ctx, rng)
	case KillAtFindings:
		st.killAt(ctx, f.Kind, rng, st.writes(ingest.TopicFindings))
	case KillAtCheckpoint:
		st.killAt(ctx, f.Kind, rng, st.writes(ingest.TopicCheckpoints))
	case KillAtInputs:
		st.killAt(ctx, f.Kind, rng, st.writes(ingest.TopicInputs))
	case KillAtCommit:
		st.killAt(ctx, f.Kind, rng, st.commits(rng))
	case AddWorker:
		if len(st.living()) >= maxWorkers {
			st.missed(f.Kind)
			return
		}
		st.start(ctx)
		st.note(f.Kind, "one more")
	case RemoveWorker:
		w := st.one(rng)
		if w == nil {
			st.missed(f.Kind)
			return
		}
		st.note(f.Kind, "worker %d", w.name)
		w.leave(leaveLimit)
		st.another(ctx, rng)
	case ExpireSession:
		st.expire(ctx, rng)
	case CutNetwork:
		st.cutOff(ctx, rng)
	case FailCommit:
		st.failCommit(ctx, rng)
	case LoseAnswer:
		topic := []string{ingest.TopicInputs, ingest.TopicFindings, ingest.TopicCheckpoints}[rng.IntN(3)]
		st.lay(ctx, f.Kind, "of a write to "+topic, &trap{matches: st.writes(topic), answered: true, spring: lost})
	case StopBroker:
		st.stopBroker(ctx, rng)
	case PauseBroker:
		st.pauseBroker(ctx, rng)
	default:
		st.missed(f.Kind)
	}
}

// another replaces a worker after a while, or not: two at the begin of the next
// round are enough.
func (st *storm) another(ctx context.Context, rng *rand.Rand) {
	if rng.IntN(3) == 0 {
		return
	}
	if pause(ctx, time.Duration(rng.Int64N(int64(st.Session)))) == nil {
		st.start(ctx)
	}
}

// writes matches requests that write to a topic.
func (st *storm) writes(topic string) func(*request) bool {
	return func(r *request) bool { return r.api == apiProduce && r.topic == st.prefix+topic }
}

// commits matches commits of one of the groups.
func (st *storm) commits(rng *rand.Rand) func(*request) bool {
	group := st.prefix + []string{ingestGroup, detectGroup}[rng.IntN(2)]
	return func(r *request) bool { return r.api == apiOffsetCommit && r.group == group }
}

// lost is what a trap does with a message that is not to arrive.
func lost(*link, *request, []byte) []byte { return nil }

// lay lays a trap and waits, for about a round, until something is caught.
func (st *storm) lay(ctx context.Context, k Kind, what string, t *trap) bool {
	// Noted when it happens: afterwards much else may have.
	spring := t.spring
	t.spring = func(l *link, r *request, frame []byte) []byte {
		st.note(k, "worker %d: %s", l.worker, what)
		return spring(l, r, frame)
	}
	st.net.set(t)
	for range 2 {
		wait, cancel := context.WithTimeout(ctx, 2*st.span)
		defer cancel()
		select {
		case <-t.sprung:
			return true
		case <-wait.Done():
		}
		if st.net.unset(t) {
			break
		}
		// Something is caught, and its answer still on the way.
	}
	st.missed(k)
	return false
}

// killAt kills the worker that sends a request that matches: before the broker
// gets it, or once the broker has answered.
func (st *storm) killAt(ctx context.Context, k Kind, rng *rand.Rand, matches func(*request) bool) {
	t := &trap{matches: matches, answered: rng.IntN(2) == 0, spring: func(l *link, _ *request, _ []byte) []byte {
		if w := st.named(l.worker); w != nil {
			w.kill()
		}
		return nil
	}}
	what := "before the broker has it"
	if t.answered {
		what = "before it hears that the broker has it"
	}
	if st.lay(ctx, k, what, t) {
		st.another(ctx, rng)
	}
}

// failCommit makes a commit fail, in one of three ways.
func (st *storm) failCommit(ctx context.Context, rng *rand.Rand) {
	t := &trap{matches: st.commits(rng), spring: lost}
	var what string
	switch rng.IntN(3) {
	case 0:
		what = "it is lost"
	case 1:
		t.answered, what = true, "its answer is lost"
	default:
		what = "it is refused for the time being"
		t.spring = refuse
	}
	st.lay(ctx, FailCommit, what, t)
}

// coordinatorLoads is the error code of a coordinator that has just taken a
// group over. Nothing is wrong with the group's generation.
const coordinatorLoads = 14

// refuse answers a commit in place of the broker.
func refuse(l *link, r *request, _ []byte) []byte {
	_, _ = l.near.Write(r.refusal(coordinatorLoads))
	return []byte{}
}

// expire holds a worker for longer than its session lasts. When it goes on it
// does not know.
func (st *storm) expire(ctx context.Context, rng *rand.Rand) {
	w := st.one(rng)
	if w == nil || w.pause(true) != nil {
		st.missed(ExpireSession)
		return
	}
	d := st.Session + st.Session/4 + time.Duration(rng.Int64N(int64(st.Session)))
	st.note(ExpireSession, "worker %d is held for %v", w.name, d.Round(time.Millisecond))
	_ = pause(ctx, d)
	_ = w.pause(false)
}

// cutOff cuts a worker off from a broker or from all.
func (st *storm) cutOff(ctx context.Context, rng *rand.Rand) {
	w := st.one(rng)
	broker, hangs := everyBroker, rng.IntN(2) == 0
	if one := rng.IntN(2 * len(st.Brokers)); one < len(st.Brokers) {
		broker = st.Brokers[one]
	}
	d := st.Session/4 + time.Duration(rng.Int64N(int64(2*st.Session)))
	if w == nil {
		st.missed(CutNetwork)
		return
	}
	how := "reset"
	if hangs {
		how = "hangs"
	}
	st.note(CutNetwork, "worker %d and broker %s: %s for %v", w.name, strings.TrimSpace(broker+" "), how, d.Round(time.Millisecond))
	c := st.net.cut(w.name, broker, hangs)
	_ = pause(ctx, d)
	st.net.heal(c)
}

// stopBroker kills a broker and starts it again, one at a time.
func (st *storm) stopBroker(ctx context.Context, rng *rand.Rand) {
	st.brokers.Lock()
	defer st.brokers.Unlock()
	n := rng.IntN(st.Cluster.Size())
	d := time.Duration(rng.Int64N(int64(st.Session)))
	st.note(StopBroker, "broker %d for %v", n+1, d.Round(time.Millisecond))
	err := st.Cluster.Kill(n)
	if err == nil {
		_ = pause(ctx, d)
		err = st.Cluster.Start(context.WithoutCancel(ctx), n)
	}
	st.fail(n, err)
}

// pauseBroker holds a broker until others lead in its place. When it goes on it
// believes that it still does.
func (st *storm) pauseBroker(ctx context.Context, rng *rand.Rand) {
	st.brokers.Lock()
	defer st.brokers.Unlock()
	n := rng.IntN(st.Cluster.Size())
	d := brokerLost + time.Duration(rng.Int64N(int64(2*st.Session)))
	st.note(PauseBroker, "broker %d for %v", n+1, d.Round(time.Millisecond))
	err := st.Cluster.Pause(n)
	if err == nil {
		_ = pause(ctx, d)
		err = st.Cluster.Resume(n)
	}
	st.fail(n, err)
}

// fail notes what could not be done to a broker.
func (st *storm) fail(n int, err error) {
	if err != nil {
		st.mu.Lock()
		defer st.mu.Unlock()
		st.err = errors.Join(st.err, fmt.Errorf("broker %d: %w", n+1, err))
	}
}
