package latency

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

const (
	// sendEvery is the time between two batches of readings, as a sender that
	// lingers a little has it.
	sendEvery = 20 * time.Millisecond
	// mostRecords go to the brokers at a time, also by a sender that is late.
	mostRecords = 10_000
	// patience is how long the last probe may take before those that have not
	// become an alert are lost; prefacePatience the same for what is sent
	// before, as fast as it goes.
	patience        = 30 * time.Second
	prefacePatience = 5 * time.Minute
)

// run is a measurement under way.
type run struct {
	opts     Options
	producer *stream.Producer
	feed     *feed
	probes   *probes
	used     []bool // areas of which a reading was a probe
	reports  int    // incidents sent
	from     time.Time
}

// Run measures. The system must have the roster and the usual delay that the
// options tell, and be ready. It ends early with ctx's error, and fails when a
// probe leads to no alert or a reading is refused.
func Run(ctx context.Context, opts Options) (Result, error) {
	if err := opts.Validate(); err != nil {
		return Result{}, fmt.Errorf("latency: %w", err)
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Stage == nil {
		opts.Stage = func(string) {}
	}
	if opts.CPU == nil {
		opts.CPU = func(context.Context) (float64, error) { return 0, nil }
	}
	res, err := measure(ctx, opts)
	if err != nil {
		return Result{}, fmt.Errorf("latency: %w", err)
	}
	return res, nil
}

func measure(ctx context.Context, opts Options) (_ Result, err error) {
	opts.Stage("making up a feed")
	r := &run{opts: opts, producer: stream.NewProducer(opts.Client), probes: newProbes(), used: make([]bool, opts.areas())}
	// Cut to the second, as the wire does.
	r.from = time.Now().UTC().Truncate(time.Second).Add(24 * time.Hour)
	if r.feed, err = newFeed(&opts, time.Now()); err != nil {
		return Result{}, err
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	for _, topic := range []string{ingest.TopicFindings, ingest.TopicAlerts} {
		wait, e := r.probes.watch(watching, opts.Client, topic)
		if e != nil {
			return Result{}, e
		}
		defer func() {
			stop()
			err = errors.Join(err, wait())
		}()
	}

	opts.Stage("sending what comes before")
	if err := r.preface(ctx); err != nil {
		return Result{}, err
	}
	res := Result{Households: opts.Households, Areas: opts.areas(), Intervals: r.feed.intervals}
	opts.Stage("without load")
	if res.Idle, err = r.phase(ctx, opts.idleRate(), opts.Idle); err != nil {
		return Result{}, err
	}
	opts.Stage("under load")
	if res.Load, err = r.phase(ctx, opts.Rate, opts.Load); err != nil {
		return Result{}, err
	}
	return res, r.noneRefused(ctx)
}

// noneRefused refuses figures of a feed that went to the dead letters.
func (r *run) noneRefused(ctx context.Context) error {
	ends, err := r.opts.Client.EndOffsets(ctx, ingest.TopicDeadLetters)
	if err != nil {
		return err
	}
	for _, n := range ends {
		if n > 0 {
			return fmt.Errorf("%d records went to the dead letters", n)
		}
	}
	return nil
}

// preface sends the first intervals of all homes as fast as it goes. The last
// readings to be sent are probes, one for each partition of weimang.inputs:
// when they have arrived, everything has.
func (r *run) preface(ctx context.Context) error {
	barrier := make([]bool, r.opts.Partitions) // those that have one
	for area, key := range r.feed.keys {
		if p := stream.Partition(key, r.opts.Partitions); !barrier[p] {
			barrier[p], r.used[area] = true, true
		}
	}
	var (
		batch, last []stream.Record
		ids         []string
	)
	for r.feed.next < preface*r.opts.Households {
		home := r.feed.home()
		if r.feed.next >= (preface-1)*r.opts.Households && r.feed.lastOfArea() && r.used[home/homesPerArea] {
			ids, last = append(ids, household(home)), append(last, r.feed.take(true))
			continue
		}
		batch = append(batch, r.feed.take(false))
		if len(batch) == mostRecords {
			if err := r.producer.Produce(ctx, ingest.TopicReadings, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	if err := r.producer.Produce(ctx, ingest.TopicReadings, batch); err != nil {
		return err
	}
	for i := range last {
		if _, err := r.probes.send(ids[i], func() error {
			return r.producer.Produce(ctx, ingest.TopicReadings, last[i:i+1])
		}); err != nil {
			return err
		}
	}
	return r.probes.arrived(ctx, prefacePatience)
}

// phase sends readings at a rate for a time, with probes of both kinds among
// them, and waits until all probes have arrived.
func (r *run) phase(ctx context.Context, rate int, last time.Duration) (Phase, error) {
	p := Phase{Rate: rate}
	cpu, err := r.opts.CPU(ctx)
	if err != nil {
		return p, err
	}
	sending, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var (
		reporting sync.WaitGroup
		incidents []*probe
	)
	begun := time.Now()
	reporting.Go(func() {
		var err error
		if incidents, err = r.report(sending, last); err != nil {
			fail(err)
		}
	})
	readings, err := r.send(sending, rate, last, &p)
	if err != nil {
		fail(err)
	}
	reporting.Wait()
	if sending.Err() != nil {
		return p, context.Cause(sending)
	}
	took := time.Since(begun).Seconds()
	after, err := r.opts.CPU(ctx)
	if err != nil {
		return p, err
	}
	p.PerS = float64(p.Readings) / took
	p.CPUCores = (after - cpu) / took
	p.CPUPerM = (after - cpu) * 1e6 / float64(max(1, p.Readings))
	if err := r.probes.arrived(ctx, patience); err != nil {
		return p, err
	}
	p.Incidents, p.OfReadings = r.probes.way(incidents), r.probes.way(readings)
	return p, nil
}

// send sends readings for a time and returns those that are probes. What the
// brokers keep waiting is sent later, and Phase tells how much.
func (r *run) send(ctx context.Context, rate int, last time.Duration, p *Phase) ([]*probe, error) {
	var (
		out   []*probe
		batch []stream.Record
		tick  = time.NewTicker(sendEvery)
		begun = time.Now()
	)
	defer tick.Stop()
	for nextProbe := time.Duration(0); ; {
		at := min(time.Since(begun), last)
		due := int(at.Seconds() * float64(rate))
		if behind := at - time.Duration(float64(p.Readings)/float64(rate)*float64(time.Second)); ms(behind-sendEvery) > p.BehindMS {
			p.BehindMS = ms(behind - sendEvery)
		}
		for p.Readings+len(batch) < due && len(batch) < mostRecords {
			if r.feed.left() == 0 {
				return nil, errors.New("the feed is at its end")
			}
			home := r.feed.home()
			area := home / homesPerArea
			if at < nextProbe || !r.feed.lastOfArea() || r.used[area] {
				batch = append(batch, r.feed.take(false))
				continue
			}
			if err := r.flush(ctx, &batch, p); err != nil {
				return nil, err
			}
			r.used[area] = true
			nextProbe = max(nextProbe, at-r.opts.ProbeEvery) + r.opts.ProbeEvery
			rec := r.feed.take(true)
			sent, err := r.probes.send(household(home), func() error {
				return r.producer.Produce(ctx, ingest.TopicReadings, []stream.Record{rec})
			})
			if err != nil {
				return nil, err
			}
			out = append(out, sent)
			p.Readings++
		}
		if err := r.flush(ctx, &batch, p); err != nil {
			return nil, err
		}
		if at == last && p.Readings >= due {
			return out, nil
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-tick.C:
		}
	}
}

func (r *run) flush(ctx context.Context, batch *[]stream.Record, p *Phase) error {
	if err := r.producer.Produce(ctx, ingest.TopicReadings, *batch); err != nil {
		return err
	}
	p.Readings += len(*batch)
	*batch = nil // a request may still hold it
	return nil
}

// report announces planned outages for a time, each of another area, until
// tomorrow. One that the brokers are slow to acknowledge holds up no other.
func (r *run) report(ctx context.Context, last time.Duration) ([]*probe, error) {
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		out  []*probe
		errs []error
		tick = time.NewTicker(r.opts.ProbeEvery)
		end  = time.NewTimer(last)
	)
	defer tick.Stop()
	defer end.Stop()
	for {
		select {
		case <-ctx.Done():
		case <-end.C:
		case <-tick.C:
			report := r.outage()
			all.Go(func() {
				p, err := r.probes.send(report.ID, func() error {
					return r.producer.Produce(ctx, ingest.TopicIncidents, []stream.Record{{Key: []byte(report.ID), Value: contract.EncodeReport(&report)}})
				})
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					errs = append(errs, err)
					return
				}
				out = append(out, p)
			})
			continue
		}
		all.Wait()
		return out, errors.Join(errs...)
	}
}

// outage is the next planned one. Its area has no other until all have one.
func (r *run) outage() ingest.Report {
	area := areaID(r.reports % len(r.used))
	r.reports++
	return ingest.Report{Incident: ingest.Incident{
		ID: fmt.Sprintf("outage-%06d", r.reports), Source: ingest.PowerGrid, Class: ingest.ClassPlannedOutage,
		State: ingest.Accepted, Scope: ingest.Scope{Areas: []string{area}},
		From: r.from, Until: r.from.Add(2 * time.Hour),
	}, Text: "planned work"}
}
