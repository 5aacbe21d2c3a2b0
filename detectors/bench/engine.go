package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"weimang/detectors/detect"
	"weimang/ingest"
	"weimang/ingest/intake"
	"weimang/ingest/stream"
)

// connect makes a client of the run's topics.
func (o *Options) connect(reg prometheus.Registerer) (*stream.Client, error) {
	return stream.NewClient(stream.Config{
		Brokers: o.Brokers, ClientID: clientID, Prefix: o.Prefix, Logger: o.Logger, Registry: reg,
	})
}

// worker is a service that has been started.
type worker struct {
	cancel context.CancelFunc
	done   chan error
}

// begin starts a service; it ends with ctx or by end.
func begin(ctx context.Context, service func(context.Context) error) *worker {
	ctx, cancel := context.WithCancel(ctx)
	w := &worker{cancel: cancel, done: make(chan error, 1)}
	go func() { w.done <- service(ctx) }()
	return w
}

// end lets the service flush, commit and leave its group. A second call does
// nothing.
func (w *worker) end() error {
	w.cancel()
	err := <-w.done
	w.done <- nil
	return err
}

// until asks every so often until the answer is yes.
func until(ctx context.Context, every time.Duration, ask func(context.Context) (bool, error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if yes, err := ask(ctx); err != nil || yes {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// pollEvery is how often the cluster is asked whether the work is done: seldom
// enough to be no work itself.
const pollEvery = 50 * time.Millisecond

// endToEnd runs ingest and detect over the feed. Detection has its partitions
// before the first reading is taken, and what it does to stop (the last
// checkpoint, the last commit) counts.
func (r *run) endToEnd(ctx context.Context) (err error) {
	reg := prometheus.NewRegistry()
	client, err := r.opts.connect(reg)
	if err != nil {
		return err
	}
	defer client.Close()
	before := liveHeap()
	detector, err := r.detector(client, reg)
	if err != nil {
		return err
	}
	detecting := begin(ctx, detector.Run)
	defer func() { err = errors.Join(err, detecting.end()) }()
	if err := until(ctx, time.Millisecond, r.owns(detector)); err != nil {
		return err
	}

	var (
		w     watch
		first sync.Once
	)
	intaking, err := intake.New(intake.Options{
		Client: client, Roster: intake.Fixed(r.homes), Sink: nowhere{}, Limits: r.opts.Limits,
		Logger: r.opts.Logger, Registry: reg,
		Group: stream.GroupOptions{ID: r.opts.ingestGroup()},
		// A live feed's clock is little behind the end of each reading; that
		// of another partition's would be ahead of one read more slowly.
		Clock: func(_ *stream.Record, end time.Time) time.Time {
			first.Do(w.start)
			return end
		},
	})
	if err != nil {
		return err
	}
	taking := begin(ctx, intaking.Run)
	defer func() { err = errors.Join(err, taking.end()) }()
	if err := until(ctx, pollEvery, intaking.Caught); err != nil {
		return err
	}
	if err := until(ctx, pollEvery, detector.Caught); err != nil {
		return err
	}
	if err := taking.end(); err != nil {
		return err
	}
	w.stop()
	r.res.BytesPerHousehold = (liveHeap() - before) / float64(r.res.Households)
	w.start()
	err = detecting.end()
	w.stop()
	if err != nil {
		return err
	}
	r.res.EndToEndPerS, r.res.EndToEndCPUPerM = w.perS(r.res.Readings), w.cpuPerM(r.res.Readings)
	r.res.AllocPerReading = float64(w.allocs) / float64(r.res.Readings)
	return r.account(reg)
}

// account takes what the services have counted, and refuses figures of a run
// that left anything out.
func (r *run) account(reg *prometheus.Registry) error {
	families, err := reg.Gather()
	if err != nil {
		return err
	}
	sum := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			sum[f.GetName()] += m.GetCounter().GetValue()
		}
	}
	if n := sum["weimang_ingest_readings_accepted_total"]; n < float64(r.res.Readings) {
		return fmt.Errorf("%.0f of %d readings were accepted", n, r.res.Readings)
	}
	if n := sum["weimang_detect_inputs_total"]; n < float64(r.records) {
		return fmt.Errorf("%.0f of %d entries reached a state", n, r.records)
	}
	if n := sum["weimang_detect_refused_total"]; n > 0 {
		return fmt.Errorf("detection has refused %.0f entries", n)
	}
	r.res.CheckpointBytes = sum["weimang_detect_checkpoint_bytes_total"] / float64(r.res.Readings)
	r.res.Findings = int(sum["weimang_detect_findings_total"])
	return nil
}

// detector is a member of the run's group.
func (r *run) detector(client *stream.Client, reg prometheus.Registerer) (*detect.Service, error) {
	return detect.New(detect.Options{
		Client: client, Producer: stream.NewProducer(client), Params: r.opts.Params,
		GroupID: r.opts.detectGroup(), Logger: r.opts.Logger, Registry: reg,
	})
}

// owns asks whether a member has all partitions, restored.
func (r *run) owns(d *detect.Service) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) { return d.Owned() == r.opts.Partitions && d.Ready(), nil }
}

// restore lets another worker take over everything, and reads the same bytes
// raw.
func (r *run) restore(ctx context.Context) (err error) {
	client, err := r.opts.connect(nil)
	if err != nil {
		return err
	}
	defer client.Close()
	detector, err := r.detector(client, nil)
	if err != nil {
		return err
	}
	var read tally
	used, err := measure(func() (err error) {
		read, err = r.raw(ctx, ingest.TopicCheckpoints, checkpointsFetch)
		return err
	})
	if err != nil {
		return err
	}
	r.res.RestoreRawS, r.res.RestoreStoredBytes = used.wall.Seconds(), read.bytes

	second := begin(ctx, detector.Run)
	defer func() { err = errors.Join(err, second.end()) }()
	begun := time.Now() // the last time it had no partition yet
	ready := r.owns(detector)
	err = until(ctx, 200*time.Microsecond, func(ctx context.Context) (bool, error) {
		now := time.Now()
		if detector.Owned() == 0 {
			begun = now
		}
		return ready(ctx)
	})
	r.res.RestoreS = time.Since(begun).Seconds()
	return err
}

// nowhere keeps no incident reports: the feed has none.
type nowhere struct{}

func (nowhere) SaveReport(context.Context, ingest.Report) error { return nil }
