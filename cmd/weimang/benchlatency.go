package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"weimang/alerts/channels"
	"weimang/alerts/consume"
	"weimang/alerts/latency"
	"weimang/alerts/roster"
	"weimang/alerts/rosterfile"
	"weimang/detectors/detect"
	"weimang/ingest"
	"weimang/ingest/intake"
	"weimang/ingest/simulate"
	"weimang/ingest/stream"
)

// benchLatencyOptions are the flags of bench latency.
type benchLatencyOptions struct {
	benchFlags
	run        latency.Options
	partitions int
	history    bool
	checkpoint time.Duration
}

func newBenchLatencyCmd() *cobra.Command {
	var opt benchLatencyOptions
	cmd := &cobra.Command{
		Use:   "latency",
		Short: "Measure the time from arrival to alert, with and without load",
		Long: `Run the whole system (all roles, by the wall clock, its store in a temporary
folder) in a process of its own, send it a feed at a given pace, and measure how
long it takes from the arrival of what leads to an alert until the alert stands
in weimang.alerts. Nobody is told: messages go to a file that is removed.

The feed is single readings as JSON: the last quarter-hours of made-up homes up
to now, one interval of all homes after the other. Two kinds of probes go with
it: readings that cannot be, each the last of its area's interval, and planned
outages, each of another area. One that leads to no alert, or a reading that is
refused, fails the bench.

Without --brokers a broker is started in a process of its own. With --brokers
the topics made have a prefix of their own and are deleted at the end.`,
		Example: `  weimang bench latency
  weimang bench latency --json --rate 50000 --duration 60s --brokers 127.0.0.1:9092 --partitions 16`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return opt.measure(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	opt.flags(cmd, 15*time.Minute)
	f := cmd.Flags()
	f.IntVar(&opt.run.Rate, "rate", 50_000, "readings a second under load")
	f.DurationVar(&opt.run.Load, "duration", time.Minute, "how long they are sent")
	f.DurationVar(&opt.run.Idle, "idle", 10*time.Second, "how long the time is measured without load before")
	f.DurationVar(&opt.run.ProbeEvery, "probe-every", 100*time.Millisecond, "time between two probes of a kind")
	f.IntVar(&opt.run.Households, "households", 100_000, "homes")
	f.IntVar(&opt.partitions, "partitions", DefaultConfig().Kafka.Partitions, "of the topics")
	f.BoolVar(&opt.history, "history", false, "keep each home's history for the page (detect.history)")
	f.DurationVar(&opt.checkpoint, "checkpoint-every", 30*time.Second, "detect.checkpoint_every; a site's is 2m, too seldom to be seen in a short run")
	return cmd
}

// latencyResult is what is printed.
type latencyResult struct {
	latency.Result
	Partitions int     `json:"partitions"`
	Cores      int     `json:"cores"` // of the machine, as Go sees it
	History    bool    `json:"history"`
	Checkpoint float64 `json:"checkpoint_every_s"`
	Broker     string  `json:"broker"`
}

// cleanupLimit is what deleting topics may take, also after an interrupt.
const cleanupLimit = 20 * time.Second

func (o *benchLatencyOptions) measure(ctx context.Context, stdout, stderr io.Writer) error {
	o.run.Partitions = o.partitions
	o.run.Stage = benchStages(stderr)
	if err := o.run.Validate(); err != nil {
		return refusedOptions(err)
	}
	return o.onSite(ctx, stderr, func(ctx context.Context, site *benchSite) error {
		res, err := o.ofSystem(ctx, site)
		if err != nil {
			return err
		}
		return o.print(stdout, res, func(w io.Writer) { describeLatency(w, res) })
	})
}

// ofSystem starts the system, measures, and takes everything away again.
func (o *benchLatencyOptions) ofSystem(ctx context.Context, site *benchSite) (_ *latencyResult, err error) {
	if o.run.Client, err = site.connect(); err != nil {
		return nil, err
	}
	defer o.run.Client.Close()
	defer func() {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupLimit)
		defer cancel()
		if e := o.run.Client.Delete(clean, stream.Topics(o.partitions, stream.Retention{}), latencyGroups); e != nil {
			err = errors.Join(err, fmt.Errorf("topics with the prefix %s are left: %w", site.prefix, e))
		}
	}()
	o.run.Logger = site.log
	o.run.Stage("starting the system")
	settings, err := o.settings(site)
	if err != nil {
		return nil, err
	}
	system, err := startBenchWorker(ctx, nil, settings)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, system.Stop()) }()
	if err := until(ctx, system.Ready); err != nil {
		return nil, err
	}
	o.run.CPU = system.cpuSeconds
	out := &latencyResult{
		Partitions: o.partitions, Cores: runtime.GOMAXPROCS(0), History: o.history, Checkpoint: o.checkpoint.Seconds(), Broker: site.name,
	}
	out.Result, err = latency.Run(ctx, o.run)
	return out, err
}

// latencyGroups are those of all roles.
var latencyGroups = []string{intake.DefaultGroup, detect.DefaultGroup, consume.FindingsGroup, consume.HistoryGroup}

// settings writes the lists of homes and people, and returns the settings of a
// system that watches them and tells nobody.
func (o *benchLatencyOptions) settings(site *benchSite) (map[string]string, error) {
	homes := o.run.Roster()
	households, people := filepath.Join(site.dir, "households.csv"), filepath.Join(site.dir, "people.csv")
	err := errors.Join(
		writeFile(households, io.Discard, func(w io.Writer) error { return writeHouseholds(w, labelled(homes)) }),
		writeFile(people, io.Discard, func(w io.Writer) error { return rosterfile.WritePeople(w, chairs(homes)) }),
	)
	if err != nil {
		return nil, fmt.Errorf("lists of the bench: %w", err)
	}
	s := site.settings(site.prefix, o.partitions)
	s["ROSTER_HOUSEHOLDS"], s["ROSTER_PEOPLE"] = households, people
	s["FEED_USUAL_DELAY"] = o.run.UsualDelay().String()
	s["DETECT_HISTORY"], s["DETECT_CHECKPOINT_EVERY"] = strconv.FormatBool(o.history), o.checkpoint.String()
	s["ALERTS_CONSOLE"], s["ALERTS_JSON"], s["ALERTS_FALLBACK_CHANNEL"] = "false", filepath.Join(site.dir, "messages.jsonl"), channels.NameJSON
	return s, nil
}

// labelled gives each home a label.
func labelled(homes []ingest.Home) []simulate.Household {
	rows := make([]simulate.Household, len(homes))
	for i, h := range homes {
		rows[i] = simulate.Household{Home: h, Label: fmt.Sprintf("%d号", i)}
	}
	return rows
}

// chairs are one for each village of the homes, which lie village by village.
func chairs(homes []ingest.Home) (people []roster.Member) {
	for i, h := range homes {
		if i == 0 || h.VillageID != homes[i-1].VillageID {
			people = append(people, roster.Member{Person: roster.Person{Name: "bench", Contacts: []roster.Contact{{Channel: channels.NameJSON}}}, Duty: roster.Duty{Role: roster.Chair, UnitID: h.VillageID}})
		}
	}
	return people
}

// describeLatency prints the figures for people.
func describeLatency(w io.Writer, r *latencyResult) {
	fmt.Fprintf(w, "%d homes, %d partitions, %d cores, history %t, checkpoints every %.0f s, broker %s\n",
		r.Households, r.Partitions, r.Cores, r.History, r.Checkpoint, r.Broker)
	for _, p := range []struct {
		name  string
		phase *latency.Phase
	}{{"without load", &r.Idle}, {"under load", &r.Load}} {
		fmt.Fprintf(w, "\n%s: %.0f readings a second (asked for %d, at most %.0f ms late), %.2f cores\n",
			p.name, p.phase.PerS, p.phase.Rate, p.phase.BehindMS, p.phase.CPUCores)
		fmt.Fprintf(w, "%-38s %8s %8s %8s %8s %8s\n", "ms", "probes", "p50", "p90", "p99", "max")
		for _, kind := range []struct {
			name string
			way  *latency.Way
		}{{"reading", &p.phase.OfReadings}, {"incident", &p.phase.Incidents}} {
			for _, row := range []struct {
				name   string
				spread latency.Spread
			}{
				{"acknowledged to alert", kind.way.FromAck},
				{"sent to alert", kind.way.FromSend},
				{"acknowledged to finding", kind.way.ToFinding},
				{"finding to alert", kind.way.ToAlert},
			} {
				fmt.Fprintf(w, "%-38s %8d %8.1f %8.1f %8.1f %8.1f\n", kind.name+", "+row.name,
					kind.way.Probes, row.spread.P50, row.spread.P90, row.spread.P99, row.spread.Max)
			}
		}
	}
}
