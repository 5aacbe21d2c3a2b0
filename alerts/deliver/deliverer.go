package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"weimang/alerts"
)

// Options configure a Deliverer; zero values mean the defaults in brackets.
type Options struct {
	Tick        time.Duration // how often to look without being woken [5 s]
	Batch       int           // messages taken at a time per channel [16]
	Concurrency int           // messages of one channel under way at once [4]
	SendTimeout time.Duration // of one attempt [15 s]
	MinBackoff  time.Duration // after the first failure [2 s]
	MaxBackoff  time.Duration // [5 min]
	Records     int           // records per write to the topic [500]

	Limits map[string][]Limit // by channel [none]
	// FallbackAddress is that of messages to the operator, who stands in the
	// configuration and not in the store.
	FallbackAddress string
}

// DefaultOptions are the defaults.
func DefaultOptions() Options {
	return Options{
		Tick: 5 * time.Second, Batch: 16, Concurrency: 4, SendTimeout: 15 * time.Second,
		MinBackoff: 2 * time.Second, MaxBackoff: 5 * time.Minute, Records: 500,
	}
}

func (o Options) withDefaults() Options {
	d := DefaultOptions()
	if o.Tick > 0 {
		d.Tick = o.Tick
	}
	if o.Batch > 0 {
		d.Batch = o.Batch
	}
	if o.Concurrency > 0 {
		d.Concurrency = o.Concurrency
	}
	if o.SendTimeout > 0 {
		d.SendTimeout = o.SendTimeout
	}
	if o.MinBackoff > 0 {
		d.MinBackoff = o.MinBackoff
	}
	if o.MaxBackoff > 0 {
		d.MaxBackoff = o.MaxBackoff
	}
	if o.Records > 0 {
		d.Records = o.Records
	}
	d.Limits, d.FallbackAddress = o.Limits, o.FallbackAddress
	return d
}

// Deliverer empties the outbox: one lane per channel and one for the topic,
// so that a channel that hangs holds up nobody else's.
type Deliverer struct {
	outbox    Outbox
	channels  map[string]Channel
	publisher Publisher
	opts      Options
	log       *slog.Logger
	metrics   *metrics
	lanes     map[string]*lane
	topic     *lane
	forgot    time.Time // when tidy last dropped old attempts
}

// lane is a loop that can be woken. A wake-up while it works is not lost.
type lane struct {
	wake    chan struct{}
	failing atomic.Bool // its channel, at the last attempt
}

func newLane() *lane { return &lane{wake: make(chan struct{}, 1)} }

func (l *lane) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// New makes a deliverer. A nil publisher leaves records for the topic where
// they are.
func New(outbox Outbox, channels map[string]Channel, publisher Publisher, opts Options, log *slog.Logger, reg prometheus.Registerer) *Deliverer {
	d := &Deliverer{
		outbox: outbox, channels: channels, publisher: publisher, opts: opts.withDefaults(), log: log,
		metrics: newMetrics(reg, slices.Collect(maps.Keys(channels))), lanes: map[string]*lane{}, topic: newLane(),
	}
	for name := range channels {
		d.lanes[name] = newLane()
	}
	return d
}

// Wake tells the deliverer that the outbox has grown. It never blocks.
func (d *Deliverer) Wake() {
	for _, l := range d.lanes {
		l.nudge()
	}
	d.topic.nudge()
}

// Run delivers until ctx ends, then returns after what is under way has been
// noted.
func (d *Deliverer) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for name, l := range d.lanes {
		wg.Go(func() {
			d.loop(ctx, l, func() (time.Time, error) { return d.drainChannel(ctx, name) })
		})
	}
	if d.publisher != nil {
		wg.Go(func() { d.loop(ctx, d.topic, func() (time.Time, error) { return time.Time{}, d.drainTopic(ctx) }) })
	}
	wg.Go(func() { d.loop(ctx, newLane(), func() (time.Time, error) { return time.Time{}, d.tidy(ctx) }) })
	wg.Wait()
	return context.Cause(ctx)
}

// Drained reports whether nothing waits any more, not even for a retry.
// Records for the topic count only when there is a publisher.
func (d *Deliverer) Drained(ctx context.Context) (bool, error) {
	messages, records, err := d.outbox.Depth(ctx)
	if err != nil {
		return false, err
	}
	if d.publisher == nil {
		records = 0
	}
	return messages+records == 0, nil
}

// loop runs pass at once, then when woken, when pass asked to be run again,
// and at every tick. Errors of the outbox or the broker are logged when they
// begin and when they end, and slow the loop down.
func (d *Deliverer) loop(ctx context.Context, l *lane, pass func() (next time.Time, err error)) {
	failures := 0
	for {
		next, err := pass()
		wait := d.opts.Tick
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if failures == 0 {
				d.log.Error("delivery is held up", "err", err)
			}
			wait = d.backoff(failures)
			failures++
		default:
			if failures > 0 {
				d.log.Info("delivery goes on", "failures", failures)
			}
			failures = 0
			if !next.IsZero() {
				wait = min(wait, max(0, time.Until(next)))
			}
		}
		timer := time.NewTimer(wait)
		wake := l.wake
		if err != nil {
			wake = nil // new rows do not mend what is broken
		}
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// drainChannel sends what is due, and says when something will be again.
func (d *Deliverer) drainChannel(ctx context.Context, name string) (time.Time, error) {
	for ctx.Err() == nil {
		items, err := d.outbox.Due(ctx, name, time.Now(), d.opts.Batch)
		if err != nil {
			return time.Time{}, err
		}
		if len(items) == 0 {
			return d.outbox.NextDue(ctx, name)
		}
		if err := d.sendAll(ctx, name, items); err != nil {
			return time.Time{}, err
		}
	}
	return time.Time{}, nil
}

// sendAll sends a batch, some at a time. Attempts are begun one after the
// other, so that where a limit has room for one, it is the first in order.
func (d *Deliverer) sendAll(ctx context.Context, name string, items []Item) error {
	slots := make(chan struct{}, d.opts.Concurrency)
	errs := make([]error, len(items))
	var wg sync.WaitGroup
	for i, it := range items {
		if it.Message.Address == "" && it.Message.Fallback {
			it.Message.Address = d.opts.FallbackAddress
		}
		slots <- struct{}{}
		ours, err := d.begin(ctx, name, it)
		if err != nil || !ours {
			errs[i] = err
			<-slots
			continue
		}
		wg.Go(func() {
			defer func() { <-slots }()
			errs[i] = d.send(ctx, name, it)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// begin takes the turn of a message, or says that it has none now.
func (d *Deliverer) begin(ctx context.Context, name string, it Item) (ours bool, err error) {
	if ctx.Err() != nil {
		return false, nil
	}
	start := time.Now()
	if start.After(it.Message.Deadline) {
		return false, d.finish(ctx, name, it, Outcome{Status: Dead, At: start, Reason: Deadline, Error: "deadline passed"})
	}
	turn, err := d.outbox.Begin(ctx, it, start, start.Add(d.opts.SendTimeout+time.Second), d.opts.Limits[name])
	if err != nil {
		return false, err
	}
	if !turn.Wait.IsZero() {
		d.metrics.limited.WithLabelValues(name).Observe(turn.Wait.Sub(start).Seconds())
		if turn.Wait.After(it.Message.Deadline) {
			// To wait would only hide from the escalation that nobody is told.
			return false, d.finish(ctx, name, it, Outcome{Status: Dead, At: start, Reason: Throttled, Error: "no room under the limit before the deadline"})
		}
	}
	return turn.Ours, nil
}

// send makes one attempt and notes what became of it. Its error is the
// outbox's, never the channel's.
func (d *Deliverer) send(ctx context.Context, name string, it Item) error {
	if it.Attempts == 0 {
		d.metrics.delay.Observe(time.Since(it.Message.CreatedAt).Seconds())
	}
	sendCtx, cancel := context.WithTimeout(ctx, d.opts.SendTimeout)
	receipt, err := d.channels[name].Send(sendCtx, it.Message)
	cancel()
	if err != nil && ctx.Err() != nil {
		// Stopped half-way: whoever starts next tries again at once.
		now := time.Now()
		return d.finish(ctx, name, it, Outcome{Status: Waiting, At: now, RetryAt: now, Reason: Stopped, Error: "stopped half-way"})
	}
	out := d.outcome(it, receipt, err)
	d.tellChange(name, out)
	return d.finish(ctx, name, it, out)
}

// tellChange logs that a channel has begun to fail, and that it is mended:
// nothing else would be heard of it before the first message is given up.
func (d *Deliverer) tellChange(name string, out Outcome) {
	switch l := d.lanes[name]; {
	case out.Status == Waiting && !l.failing.Swap(true):
		d.log.Warn("messages are held up, trying again", "channel", name, "reason", out.Reason, "err", out.Error)
	case out.Status == Sent && l.failing.Swap(false):
		d.log.Info("messages go out again", "channel", name)
	}
}

// longestRest is how long a channel is left alone at most, whatever it asks
// for: a maintenance page that says "tomorrow" must not be what ends a message
// that somebody may be in danger.
const longestRest = time.Hour

// outcome decides what an answer means for the message.
func (d *Deliverer) outcome(it Item, receipt Receipt, err error) Outcome {
	now := time.Now()
	if err == nil {
		return Outcome{Status: Sent, At: now, VendorID: receipt.VendorID}
	}
	f := failure(err)
	out := Outcome{Status: Dead, At: now, Reason: f.Reason, Error: f.Err.Error()}
	rest := min(f.After, longestRest)
	if f.Reason == Throttled && rest > 0 {
		out.Hold = now.Add(rest)
	}
	if !f.Retry {
		return out
	}
	retryAt := now.Add(max(d.backoff(it.Attempts), rest))
	if retryAt.After(it.Message.Deadline) {
		out.Error = "no time left to try again: " + out.Error
		return out
	}
	out.Status, out.RetryAt = Waiting, retryAt
	return out
}

// finish notes the outcome. It does so even when ctx has ended: the message
// is out, and noting it is what keeps it from going out twice.
func (d *Deliverer) finish(ctx context.Context, name string, it Item, out Outcome) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := d.outbox.Finish(ctx, it, out); err != nil {
		return fmt.Errorf("note the outcome: %w", err)
	}
	d.metrics.count(name, out)
	if out.Status == Dead {
		d.log.Error("message given up", "message", it.Message.ID, "channel", name, "attempts", it.Attempts+1, "reason", out.Reason, "err", out.Error)
	}
	return nil
}

// backoff doubles from MinBackoff to MaxBackoff and takes a random part of
// the upper half, so that what failed together does not come back together.
func (d *Deliverer) backoff(failures int) time.Duration {
	full := d.opts.MaxBackoff
	if failures < 30 {
		full = min(full, d.opts.MinBackoff<<failures)
	}
	return full/2 + rand.N(full/2+1)
}

// drainTopic publishes all waiting records, in order.
func (d *Deliverer) drainTopic(ctx context.Context) error {
	for ctx.Err() == nil {
		items, err := d.outbox.Records(ctx, d.opts.Records)
		if err != nil || len(items) == 0 {
			return err
		}
		records := make([]alerts.Record, len(items))
		for i, it := range items {
			records[i] = it.Record
		}
		if err := d.publisher.Publish(ctx, records); err != nil {
			d.metrics.publishFailures.Inc()
			return fmt.Errorf("publish transitions: %w", err)
		}
		if err := d.outbox.Published(ctx, items[len(items)-1].N); err != nil {
			return err
		}
		d.metrics.published.Add(float64(len(items)))
	}
	return nil
}

// memory is how long attempts matter to a limit.
func (d *Deliverer) memory() time.Duration {
	longest := time.Hour
	for _, limits := range d.opts.Limits {
		for _, l := range limits {
			longest = max(longest, l.Per)
		}
	}
	return longest
}

// tidy gives up what no lane will ever send and measures the queue.
func (d *Deliverer) tidy(ctx context.Context) error {
	items, err := d.outbox.Stranded(ctx, slices.Sorted(maps.Keys(d.channels)), time.Now())
	if err != nil {
		return err
	}
	for _, it := range items {
		name, out := it.Message.Channel, Outcome{Status: Dead, At: time.Now(), Reason: Deadline, Error: "deadline passed"}
		if d.channels[name] == nil {
			name, out.Reason, out.Error = unknownChannel, NoChannel, "no channel of that name"
		}
		if err := d.finish(ctx, name, it, out); err != nil {
			return err
		}
	}
	if now := time.Now(); now.Sub(d.forgot) > time.Hour { // each time costs a write to the disk
		if err := d.outbox.ForgetAttempts(ctx, now.Add(-d.memory())); err != nil {
			return err
		}
		d.forgot = now
	}
	messages, records, err := d.outbox.Depth(ctx)
	if err != nil {
		return err
	}
	d.metrics.depth.WithLabelValues("message").Set(float64(messages))
	d.metrics.depth.WithLabelValues("topic").Set(float64(records))
	return nil
}
