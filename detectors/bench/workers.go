package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"time"

	"weimang/detectors/detect"
	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/intake"
	"weimang/ingest/stream"
)

// Event is what happens to a worker while the others go on.
type Event string

// Events.
const (
	Add  Event = "add"  // one more is started
	Stop Event = "stop" // one finishes what it has begun, and leaves
	Kill Event = "kill" // one is gone at once
)

// WorkersOptions of a run of RunWorkers. Of Options, Stage, Logger, Brokers,
// Prefix, Households, Readings, Partitions, Params and Limits count.
type WorkersOptions struct {
	Options
	Workers []int // how many side by side, one measurement for each number
	// Events happen one after the other to as many workers as the largest
	// number, less one where the first is to be added.
	Events []Event
	// Start starts a worker that has detection alone, under the client id
	// given, on topics with a prefix.
	Start func(ctx context.Context, prefix, clientID string) (Worker, error)
}

// Worker is detection in a process of its own.
type Worker interface {
	Ready(ctx context.Context) (bool, error) // its partitions are restored
	Stop() error
	Kill() error
	CPU() time.Duration // of its whole life, once it has ended
}

// Validate says what is wrong with the options.
func (o *WorkersOptions) Validate() error {
	errs := []error{o.Options.Validate()}
	if len(o.Workers) == 0 {
		errs = append(errs, errors.New("workers: at least one number is needed"))
	}
	for _, n := range o.Workers {
		if n < 1 || n > o.Partitions {
			errs = append(errs, fmt.Errorf("workers: %d must be 1 to %d, the number of partitions", n, o.Partitions))
		}
	}
	n := o.workersAtFirst()
	for _, e := range o.Events {
		switch e {
		case Add:
			n++
		case Stop, Kill:
			n--
		default:
			errs = append(errs, fmt.Errorf("event %q must be %s, %s or %s", e, Add, Stop, Kill))
		}
		if n < 1 {
			errs = append(errs, fmt.Errorf("events: after %s no worker is left", e))
			break
		}
	}
	return errors.Join(errs...)
}

// workersAtFirst is how many there are before the first event.
func (o *WorkersOptions) workersAtFirst() int {
	if len(o.Workers) == 0 {
		return 1
	}
	n := slices.Max(o.Workers)
	if len(o.Events) > 0 && o.Events[0] == Add {
		n = max(1, n-1)
	}
	return n
}

// WorkersResult is what RunWorkers has measured.
type WorkersResult struct {
	Households int             `json:"households"`
	Readings   int             `json:"readings"` // of each measurement
	Partitions int             `json:"partitions"`
	Cores      int             `json:"cores"` // of the machine, for workers, brokers and bench together
	Scale      []ScaleResult   `json:"scale"`
	Rebalances []BalanceResult `json:"rebalances"`
}

// ScaleResult is what some workers did side by side, each a process.
type ScaleResult struct {
	Workers int `json:"workers"`
	// PerS is readings a second of weimang.inputs, from the first that is
	// written there until the findings of the last are acknowledged. All
	// workers have their partitions before.
	PerS float64 `json:"readings_per_s"`
	// CPUPerM is that of all workers in their whole lives, with start, last
	// checkpoint and stop, in seconds for a million readings.
	CPUPerM float64 `json:"cpu_s_per_m"`
	// Partitions and Readings are those of each worker, the most first.
	Partitions      []int `json:"partitions_per_worker"`
	WorkersReadings []int `json:"readings_per_worker"`
}

// RunWorkers measures detection by several processes that share the partitions
// of one log: how the work divides, and what happens to it when one joins or
// goes. ingest has written the log before. It ends early with ctx's error; its
// topics and groups are deleted either way.
func RunWorkers(ctx context.Context, opts WorkersOptions) (_ WorkersResult, err error) {
	if err := opts.Validate(); err != nil {
		return WorkersResult{}, fmt.Errorf("bench: %w", err)
	}
	opts.fill()
	t := &team{opts: &opts, res: WorkersResult{
		Households: opts.Households, Readings: opts.intervals() * opts.Households,
		Partitions: opts.Partitions, Cores: runtime.GOMAXPROCS(0),
	}}
	err = t.run(ctx)
	if err != nil {
		return WorkersResult{}, fmt.Errorf("bench: %w", err)
	}
	return t.res, nil
}

// team is a run of RunWorkers under way.
type team struct {
	opts *WorkersOptions
	res  WorkersResult
	feed *site // with the log that ingest has written
	size []int // readings of each partition there
}

func (t *team) run(ctx context.Context) error {
	return t.on(ctx, "feed.", func(feed *site) error {
		t.feed = feed
		t.opts.Stage("making up a feed, and taking it in")
		if err := t.prepare(ctx); err != nil {
			return fmt.Errorf("prepare a feed: %w", err)
		}
		for _, n := range t.opts.Workers {
			t.opts.Stage("with " + plural(n, "worker"))
			if err := t.on(ctx, strconv.Itoa(n)+".", func(s *site) error { return t.scale(ctx, s, n) }); err != nil {
				return fmt.Errorf("%s: %w", plural(n, "worker"), err)
			}
		}
		if len(t.opts.Events) == 0 {
			return nil
		}
		return t.on(ctx, "events.", func(s *site) error { return t.rebalances(ctx, s) })
	})
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// site is topics under a prefix of their own.
type site struct {
	prefix   string
	client   *stream.Client
	producer *stream.Producer
	workers  map[string]Worker // alive, by client id
	ended    []Worker
	started  int
}

// on makes topics under a prefix, and when fn has returned stops all workers
// there and deletes them.
func (t *team) on(ctx context.Context, prefix string, fn func(*site) error) (err error) {
	opts := t.opts.Options
	opts.Prefix += prefix
	client, err := opts.connect(nil)
	if err != nil {
		return err
	}
	defer client.Close()
	s := &site{prefix: opts.Prefix, client: client, producer: stream.NewProducer(client), workers: make(map[string]Worker)}
	topics := stream.Topics(opts.Partitions, stream.Retention{})
	defer func() {
		for _, w := range s.workers {
			err = errors.Join(err, w.Stop())
		}
		err = errors.Join(err, s.clean(ctx, topics))
	}()
	if err := client.EnsureTopics(ctx, topics); err != nil {
		return err
	}
	// Asked for until they have leaders: what a cluster needs to get there is
	// not to be measured.
	for _, topic := range topics {
		if _, err := client.EndOffsets(ctx, topic.Name); err != nil {
			return err
		}
	}
	return fn(s)
}

// leaveLimit is how long a group may keep a member that was killed.
const leaveLimit = time.Minute

// clean deletes topics and groups, the latter once nobody is in them.
func (s *site) clean(ctx context.Context, topics []stream.Topic) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveLimit)
	defer cancel()
	var last error
	err := until(ctx, time.Second, func(ctx context.Context) (bool, error) {
		last = s.client.Delete(ctx, topics, []string{intake.DefaultGroup, detect.DefaultGroup})
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("topics with the prefix %s are left: %w", s.prefix, last)
	}
	return nil
}

// prepare lets ingest write the log.
func (t *team) prepare(ctx context.Context) (err error) {
	homes, _, err := t.opts.sendFeed(ctx, t.feed.producer)
	if err != nil {
		return err
	}
	in, err := intake.New(intake.Options{
		Client: t.feed.client, Roster: intake.Fixed(homes), Sink: nowhere{}, Limits: t.opts.Limits, Logger: t.opts.Logger,
		Clock: func(_ *stream.Record, end time.Time) time.Time { return end },
	})
	if err != nil {
		return err
	}
	taking := begin(ctx, in.Run)
	defer func() { err = errors.Join(err, taking.end()) }()
	if err := until(ctx, pollEvery, in.Caught); err != nil {
		return err
	}
	return t.count(ctx)
}

// count fills in the size of each partition.
func (t *team) count(ctx context.Context) error {
	t.size = make([]int, t.opts.Partitions)
	err := perPartition(t.opts.Partitions, func(p int) error {
		_, err := stream.ReadAll(ctx, t.feed.client, ingest.TopicInputs, p, func(r stream.Record) error {
			inputs, err := contract.DecodeInputs(r.Value)
			for i := range inputs {
				t.size[p] += len(inputs[i].Readings.Wh)
			}
			return err
		})
		return err
	})
	if err != nil {
		return err
	}
	sum := 0
	for _, n := range t.size {
		sum += n
	}
	if sum < t.res.Readings {
		return fmt.Errorf("ingest has taken %d of %d readings", sum, t.res.Readings)
	}
	return nil
}

// start starts workers and waits until as many as there are have divided all
// partitions and restored them.
func (t *team) start(ctx context.Context, s *site, n int) error {
	for range n {
		s.started++
		id := fmt.Sprintf("worker-%d", s.started)
		w, err := t.opts.Start(ctx, s.prefix, id)
		if err != nil {
			return err
		}
		s.workers[id] = w
	}
	_, err := t.settled(ctx, s)
	return err
}

// settled waits until the workers alive, and they alone, have all partitions,
// restored.
func (t *team) settled(ctx context.Context, s *site) (owners map[string][]int, err error) {
	err = until(ctx, pollEvery, func(ctx context.Context) (bool, error) {
		var stable bool
		if owners, stable, err = s.client.Owners(ctx, detect.DefaultGroup, ingest.TopicInputs); err != nil || !stable {
			return false, err
		}
		owned := 0
		for id, parts := range owners {
			if s.workers[id] == nil {
				return false, nil
			}
			owned += len(parts)
		}
		if owned != t.opts.Partitions || len(owners) != len(s.workers) {
			return false, nil
		}
		for _, w := range s.workers {
			if ready, err := w.Ready(ctx); err != nil || !ready {
				return false, err
			}
		}
		return true, nil
	})
	return owners, err
}

// end takes a worker off, by stopping or killing it.
func (s *site) end(id string, how func(Worker) error) error {
	w := s.workers[id]
	delete(s.workers, id)
	s.ended = append(s.ended, w)
	return how(w)
}

// scale measures n workers side by side.
func (t *team) scale(ctx context.Context, s *site, n int) error {
	if err := t.start(ctx, s, n); err != nil {
		return err
	}
	pulse, err := newPulse(ctx, s, t.opts)
	if err != nil {
		return err
	}
	defer pulse.stop()
	begun := time.Now()
	if err := perPartition(t.opts.Partitions, func(p int) error {
		_, err := t.copy(ctx, s, p, 1)
		return err
	}); err != nil {
		return err
	}
	if err := pulse.through(ctx); err != nil {
		return err
	}
	r := ScaleResult{Workers: n, PerS: float64(t.res.Readings) / time.Since(begun).Seconds()}
	owners, err := t.settled(ctx, s)
	if err != nil {
		return err
	}
	for _, parts := range owners {
		readings := 0
		for _, p := range parts {
			readings += t.size[p]
		}
		r.Partitions, r.WorkersReadings = append(r.Partitions, len(parts)), append(r.WorkersReadings, readings)
	}
	descending := func(a, b int) int { return b - a }
	slices.SortFunc(r.Partitions, descending)
	slices.SortFunc(r.WorkersReadings, descending)
	for _, id := range slices.Sorted(maps.Keys(s.workers)) {
		if err := s.end(id, Worker.Stop); err != nil {
			return err
		}
	}
	cpu := time.Duration(0)
	for _, w := range s.ended {
		cpu += w.CPU()
	}
	r.CPUPerM = cpu.Seconds() * 1e6 / float64(t.res.Readings)
	t.res.Scale = append(t.res.Scale, r)
	return nil
}

// copy writes a share of a partition of the log that ingest has written into
// the same partition of a site, and returns the records that come after it.
func (t *team) copy(ctx context.Context, s *site, partition int, share float64) (rest []stream.Record, err error) {
	starts, ends, err := t.feed.client.Bounds(ctx, ingest.TopicInputs)
	if err != nil {
		return nil, err
	}
	until := starts[partition] + int64(share*float64(ends[partition]-starts[partition]))
	cur := t.feed.client.Cursor(ingest.TopicInputs, partition, starts[partition])
	for cur.Position() < ends[partition] {
		b, err := cur.Fetch(ctx)
		if err != nil {
			return nil, err
		}
		n := 0
		for n < len(b.Records) && b.Records[n].Offset < until {
			n++
		}
		if err := s.producer.Produce(ctx, ingest.TopicInputs, b.Records[:n]); err != nil {
			return nil, err
		}
		rest = append(rest, b.Records[n:]...)
	}
	return rest, nil
}
