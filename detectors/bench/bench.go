package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"weimang/ingest"
	"weimang/ingest/stream"
)

const clientID = "weimang-bench"

// cleanupLimit is what deleting topics may take, also after an interrupt.
const cleanupLimit = 20 * time.Second

// run is a bench under way.
type run struct {
	opts    Options
	client  *stream.Client
	homes   []ingest.Home
	records int // of weimang.readings
	res     Result
}

// Run measures; it takes what the brokers and the disk take, and ends early
// with ctx's error. Its topics and groups are deleted either way.
func Run(ctx context.Context, opts Options) (_ Result, err error) {
	if err := opts.Validate(); err != nil {
		return Result{}, fmt.Errorf("bench: %w", err)
	}
	opts.fill()
	client, err := opts.connect(nil)
	if err != nil {
		return Result{}, fmt.Errorf("bench: %w", err)
	}
	defer client.Close()
	r := run{opts: opts, client: client, res: Result{
		Format: opts.Format, Households: opts.Households, Readings: opts.intervals() * opts.Households,
		Partitions: opts.Partitions, Cores: runtime.GOMAXPROCS(0),
	}}
	topics := stream.Topics(opts.Partitions, stream.Retention{})
	if err := client.EnsureTopics(ctx, topics); err != nil {
		return Result{}, fmt.Errorf("bench: %w", err)
	}
	defer func() {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupLimit)
		defer cancel()
		if e := client.Delete(clean, topics, []string{opts.ingestGroup(), opts.detectGroup()}); e != nil {
			err = errors.Join(err, fmt.Errorf("bench: topics with the prefix %s are left: %w", opts.Prefix, e))
		}
	}()
	for _, stage := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"making up and sending the feed", r.send},
		{"reading it raw", r.readRaw},
		{"decoding it", r.readDecoded},
		{"from end to end", r.endToEnd},
		{"restoring the checkpoints", r.restore},
	} {
		opts.Stage(stage.name)
		if err := stage.do(ctx); err != nil {
			return Result{}, fmt.Errorf("bench: %s: %w", stage.name, err)
		}
	}
	return r.res, nil
}

func (o *Options) ingestGroup() string { return "ingest" }
func (o *Options) detectGroup() string { return "detect" }

func (r *run) send(ctx context.Context) (err error) {
	r.homes, r.records, err = r.opts.sendFeed(ctx, stream.NewProducer(r.client))
	return err
}

func (r *run) readRaw(ctx context.Context) error {
	var read tally
	used, err := measure(func() (err error) {
		read, err = r.raw(ctx, ingest.TopicReadings, readingsFetch)
		return err
	})
	r.res.RawPerS, r.res.RawCPUPerM = used.perS(r.res.Readings), used.cpuPerM(r.res.Readings)
	return errors.Join(err, r.complete(read))
}

func (r *run) readDecoded(ctx context.Context) error {
	var read tally
	used, err := measure(func() (err error) {
		read, err = r.decoded(ctx)
		return err
	})
	r.res.DecodedPerS, r.res.DecodedCPUPerM = used.perS(r.res.Readings), used.cpuPerM(r.res.Readings)
	return errors.Join(err, r.complete(read))
}

// complete refuses figures of less than was sent. (More may come: a request
// whose answer was lost is written twice.)
func (r *run) complete(read tally) error {
	if read.records < r.records {
		return fmt.Errorf("%d of %d records were read", read.records, r.records)
	}
	return nil
}
