package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"weimang/detectors/bench"
)

// benchOptions are the flags of bench.
type benchOptions struct {
	benchFlags
	run    bench.Options
	format string
}

func newBenchCmd() *cobra.Command {
	var opt benchOptions
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast this machine takes readings from Kafka to findings",
		Long: `Measure, in one run over one made-up feed: reading it with kafka-go and nothing
else (raw), reading and decoding it (decoded), and everything from ingest to
findings with checkpoints and commits (end to end); then how long another
worker needs to take the states over from Kafka, beside reading those bytes
raw. Only what was measured in one run should be compared.

Without --brokers a broker is started in a process of its own, so that its CPU
is in none of the figures; it shares the machine all the same. With --brokers
the topics made have a prefix of their own and are deleted at the end.

The feed has a reading of every home each quarter of an hour. json and protobuf
send them singly, one interval of all homes after the other; day sends blocks
of 96 as Protobuf, with a feed.usual_delay of 25h. CPU seconds are of this process, for a million readings.`,
		Example: `  weimang bench
  weimang bench --format day --readings 10000000
  weimang bench --json --brokers 127.0.0.1:9092 --partitions 16`,
		GroupID: groupJudge,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return opt.measure(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.AddCommand(newBenchLatencyCmd(), newBenchWorkersCmd(), newBenchAlertsCmd())
	opt.flags(cmd, 30*time.Minute)
	f := cmd.Flags()
	f.StringVar(&opt.format, "format", string(bench.JSON), "json, protobuf (a reading a record) or day (96 a record)")
	f.IntVar(&opt.run.Households, "households", 1000, "homes")
	f.IntVar(&opt.run.Readings, "readings", 1_000_000, "readings of all homes together, rounded up to whole intervals, or days")
	f.IntVar(&opt.run.Partitions, "partitions", DefaultConfig().Kafka.Partitions, "of the topics")
	return cmd
}

func (o *benchOptions) measure(ctx context.Context, stdout, stderr io.Writer) error {
	cfg := DefaultConfig()
	o.run.Format = bench.Format(o.format)
	if o.run.Format == bench.Day {
		// As a site sets it whose feed comes once a day: with half an hour
		// the first home's day would pass judgement on all the others', whose
		// own days would then each be a correction.
		cfg.Feed.UsualDelay = 25 * time.Hour
	}
	o.run.Params, o.run.Limits = cfg.Params(), cfg.Limits()
	o.run.Stage = benchStages(stderr)
	o.run.Brokers, o.run.Prefix = unknownBrokers, unknownPrefix
	if err := o.run.Validate(); err != nil {
		return refusedOptions(err)
	}
	return o.onSite(ctx, stderr, func(ctx context.Context, site *benchSite) error {
		o.run.Brokers, o.run.Prefix, o.run.Logger = site.brokers, site.prefix, site.log
		res, err := bench.Run(ctx, o.run)
		if err != nil {
			return err
		}
		return o.print(stdout, struct {
			bench.Result
			Broker string `json:"broker"`
		}{res, site.name}, func(w io.Writer) { describeBench(w, &res, site.name) })
	})
}

// describeBench prints the figures for people.
func describeBench(w io.Writer, r *bench.Result, broker string) {
	fmt.Fprintf(w, "%d readings of %d homes as %s, %d partitions, %d cores, broker %s\n\n",
		r.Readings, r.Households, r.Format, r.Partitions, r.Cores, broker)
	fmt.Fprintf(w, "%-34s %12s %20s\n", "", "readings/s", "CPU s per million")
	for _, row := range []struct {
		name       string
		perS, cpuM float64
	}{
		{"raw", r.RawPerS, r.RawCPUPerM},
		{"decoded", r.DecodedPerS, r.DecodedCPUPerM},
		{"end to end", r.EndToEndPerS, r.EndToEndCPUPerM},
	} {
		fmt.Fprintf(w, "%-34s %12.0f %20.3f\n", row.name, row.perS, row.cpuM)
	}
	fmt.Fprintf(w, "\n%-34s %12.2f\n", "CPU, end to end over decoded", r.EndToEndCPUPerM/r.DecodedCPUPerM)
	fmt.Fprintf(w, "%-34s %12.2f\n", "allocations a reading", r.AllocPerReading)
	fmt.Fprintf(w, "%-34s %12.1f\n", "checkpoint bytes a reading", r.CheckpointBytes)
	fmt.Fprintf(w, "%-34s %12.0f\n", "heap bytes a home", r.BytesPerHousehold)
	fmt.Fprintf(w, "%-34s %12.3f s\n", "another worker restores", r.RestoreS)
	fmt.Fprintf(w, "%-34s %12.3f s (%.1f MB)\n", "the same bytes raw", r.RestoreRawS, float64(r.RestoreStoredBytes)/1e6)
}
