package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"weimang/detectors/bench"
)

// benchWorkersOptions are the flags of bench workers.
type benchWorkersOptions struct {
	benchFlags
	run     bench.WorkersOptions
	events  []string
	session time.Duration
}

func newBenchWorkersCmd() *cobra.Command {
	var opt benchWorkersOptions
	cmd := &cobra.Command{
		Use:   "workers",
		Short: "Measure detection by several processes side by side",
		Long: `Let ingest take in a made-up feed, and measure for each number of workers (each a
process with role detect) how fast they work it off together and how the
partitions divide; then let workers come and go while the feed goes on, and
measure how many partitions move, and for how long nothing comes out of each.

What comes out is seen from outside, in weimang.findings: an area of its own in
each partition says something every 50 ms. Workers, brokers and bench share the
machine: more workers than cores cannot be faster.

Events are add (one more worker starts), stop (one finishes and leaves) and kill
(one is gone at once, which the others learn after --session-timeout). They
happen to as many workers as the largest number, less one where the first is to
be added.

Without --brokers a broker is started in a process of its own. With --brokers
the topics made have a prefix of their own and are deleted at the end.`,
		Example: `  weimang bench workers
  weimang bench workers --json --workers 1,2,4 --partitions 16 --brokers 127.0.0.1:9092`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return opt.measure(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	opt.flags(cmd, 30*time.Minute)
	f := cmd.Flags()
	f.IntSliceVar(&opt.run.Workers, "workers", []int{1, 2, 4}, "numbers of workers")
	f.StringSliceVar(&opt.events, "events", []string{"add", "stop", "kill"}, "what happens, in this order; empty: nothing")
	f.IntVar(&opt.run.Households, "households", 4000, "homes")
	f.IntVar(&opt.run.Readings, "readings", 1_000_000, "readings of all homes together, rounded up to whole intervals")
	f.IntVar(&opt.run.Partitions, "partitions", 16, "of the topics")
	f.DurationVar(&opt.session, "session-timeout", 30*time.Second, "how long the partitions of a worker that was killed are its own; 6s at least")
	return cmd
}

func (o *benchWorkersOptions) measure(ctx context.Context, stdout, stderr io.Writer) error {
	cfg := DefaultConfig()
	o.run.Format, o.run.Params, o.run.Limits = bench.JSON, cfg.Params(), cfg.Limits()
	o.run.Stage = benchStages(stderr)
	for _, e := range o.events {
		o.run.Events = append(o.run.Events, bench.Event(e))
	}
	o.run.Brokers, o.run.Prefix = unknownBrokers, unknownPrefix
	err := o.run.Validate()
	if o.session < leastSession {
		err = errors.Join(err, fmt.Errorf("--session-timeout: %v must be at least %v", o.session, leastSession))
	}
	if err != nil {
		return refusedOptions(err)
	}
	return o.onSite(ctx, stderr, func(ctx context.Context, site *benchSite) error {
		o.run.Brokers, o.run.Prefix, o.run.Logger = site.brokers, site.prefix, site.log
		o.run.Start = func(ctx context.Context, prefix, clientID string) (bench.Worker, error) {
			return o.startWorker(ctx, site.settings(prefix, o.run.Partitions), clientID)
		}
		res, err := bench.RunWorkers(ctx, o.run)
		if err != nil {
			return err
		}
		return o.print(stdout, struct {
			bench.WorkersResult
			Session float64 `json:"session_timeout_s"`
			Broker  string  `json:"broker"`
		}{res, o.session.Seconds(), site.name}, func(w io.Writer) { describeWorkers(w, &res, site.name) })
	})
}

// leastSession is what brokers allow, unless they are set otherwise.
const leastSession = 6 * time.Second

// startWorker starts one that has detection alone, with settings that it may change.
func (o *benchWorkersOptions) startWorker(ctx context.Context, settings map[string]string, clientID string) (bench.Worker, error) {
	settings["KAFKA_CLIENT_ID"], settings["DETECT_HISTORY"] = clientID, "false"
	w, err := startBenchWorker(ctx, []string{"--role", string(roleDetect), "--session", o.session.String()}, settings)
	if err != nil {
		return nil, err
	}
	return w, nil
}

// describeWorkers prints the figures for people.
func describeWorkers(w io.Writer, r *bench.WorkersResult, broker string) {
	fmt.Fprintf(w, "%d readings of %d homes, %d partitions, %d cores for all, broker %s\n\n", r.Readings, r.Households, r.Partitions, r.Cores, broker)
	fmt.Fprintf(w, "%-8s %12s %18s  %s\n", "workers", "readings/s", "CPU s per million", "partitions (readings) of each")
	for _, s := range r.Scale {
		fmt.Fprintf(w, "%-8d %12.0f %18.2f ", s.Workers, s.PerS, s.CPUPerM)
		for i, n := range s.Partitions {
			fmt.Fprintf(w, " %d (%d)", n, s.WorkersReadings[i])
		}
		fmt.Fprintln(w)
	}
	if len(r.Rebalances) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%-6s %10s %14s %10s   %s\n", "", "workers", "moved (least)", "settled", "longest pause of a partition, ms: p50 and max")
	for _, b := range r.Rebalances {
		fmt.Fprintf(w, "%-6s %10s %14s %8.1f s   all %.0f %.0f, moved %.0f %.0f, others %.0f %.0f\n", b.Event,
			fmt.Sprintf("%d to %d", b.Before, b.After), fmt.Sprintf("%d (%d)", b.Moved, b.Least), b.SettledS,
			b.Pause.P50, b.Pause.Max, b.PauseMoved.P50, b.PauseMoved.Max, b.PauseStayed.P50, b.PauseStayed.Max)
	}
}
