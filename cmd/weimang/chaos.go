package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"weimang/detectors/chaos"
	"weimang/detectors/detect"
)

// newChaosCmd holds the suites that disturb a system on purpose.
func newChaosCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "chaos",
		Short:   "Disturb a system on purpose, and see that nothing comes of it",
		GroupID: groupJudge,
		Args:    knownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newChaosStreamCmd(), newChaosDeliveryCmd())
	return cmd
}

// chaosOptions are the flags of chaos stream.
type chaosOptions struct {
	run      chaos.Options
	sabotage string
	without  []string
	cluster  string
	timeout  time.Duration
}

func newChaosStreamCmd() *cobra.Command {
	opt := chaosOptions{run: chaos.DefaultOptions()}
	cmd := &cobra.Command{
		Use:   "stream",
		Short: "Kill, stop, cut off and confuse workers of the stream engine, and compare",
		Long: `Send a made-up village through ingest and detect twice: once undisturbed, and
once while workers are killed, stopped, cut off from brokers, added and taken
away, while commits fail and answers are lost, brokers are killed, readings come
twice and out of order, and homes come, go and move between areas. After each round what was found and saved is
compared with the areas' logs, at the end with the undisturbed run.

Exit code 1 and what is needed to see it again at the first difference. Seed
and round decide what happens; what a fault meets is up to the machine, so a
difference may need several tries to come again.

Without --brokers a broker is started in a process of its own, which is killed
and started again, too. With --brokers the topics made have a prefix of their
own and are deleted at the end; brokers are killed, and one of three is held for
a while, only with --cluster.`,
		Example: `  weimang chaos stream --rounds 10
  weimang chaos stream --rounds 3 --sabotage commit-first
  deploy/local/kafka start --brokers 3 --dir /tmp/three
  weimang chaos stream --brokers 127.0.0.1:29092,127.0.0.1:29102,127.0.0.1:29112 --cluster /tmp/three`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return opt.disturb(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.IntVar(&opt.run.Rounds, "rounds", opt.run.Rounds, "rounds, of a day of the village each")
	f.Uint64Var(&opt.run.Seed, "seed", opt.run.Seed, "decides what happens in the village, and which faults strike when")
	f.IntVar(&opt.run.Homes, "households", opt.run.Homes, "homes")
	f.IntVar(&opt.run.Areas, "areas", opt.run.Areas, "areas that the homes are divided among")
	f.IntVar(&opt.run.Partitions, "partitions", opt.run.Partitions, "of the topics")
	f.IntVar(&opt.run.Workers, "workers", opt.run.Workers, "at the begin of each round, at least")
	f.DurationVar(&opt.run.Session, "session", opt.run.Session, "session timeout of the workers' groups; a round takes some three of them")
	f.StringVar(&opt.sabotage, "sabotage", "", "break one rule of the engine, so that the run must fail: "+joined(detect.Sabotages))
	f.StringSliceVar(&opt.without, "without", nil, "kinds of faults to leave out: "+joined(chaos.Kinds))
	f.StringSliceVar(&opt.run.Brokers, "brokers", nil, "Kafka brokers to use instead of one of our own")
	f.StringVar(&opt.cluster, "cluster", "", "folder of deploy/local/kafka, whose brokers are killed and started again, and of three held for a while")
	f.StringVar(&opt.run.Logs, "logs", "", "folder for what each worker logs")
	f.DurationVar(&opt.timeout, "timeout", time.Hour, "give up after this")
	return cmd
}

// errDiffers is the end of a run that has found a difference, once it is told.
var errDiffers = errors.New("not what an undisturbed run comes to")

func (o *chaosOptions) disturb(ctx context.Context, stdout, stderr io.Writer) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("not done after %v (--timeout)", o.timeout))
	defer cancel()
	began := time.Now()
	o.run.Broken, o.run.Params = detect.Sabotage(o.sabotage), DefaultConfig().Params()
	o.run.Prefix = fmt.Sprintf("weimang-chaos-%x.", began.UnixNano())
	o.run.Logger = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	o.run.Stage = func(name string) {
		fmt.Fprintf(stderr, "%6.1f s  %s\n", time.Since(began).Seconds(), name)
	}
	if o.run.Command, err = chaosWorkers(); err != nil {
		return err
	}
	for _, k := range o.without {
		if !slices.Contains(chaos.Kinds, chaos.Kind(k)) {
			return usagef("--without: %q must be one of %s", k, joined(chaos.Kinds))
		}
		o.run.Skip = append(o.run.Skip, chaos.Kind(k))
	}
	own := len(o.run.Brokers) == 0
	if own {
		o.run.Brokers = []string{"not started yet"}
	}
	if err := o.run.Validate(); err != nil {
		return usagef("%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	switch {
	case own && o.cluster != "":
		return usagef("--cluster: say with --brokers where they are")
	case own:
		broker, err := startMortalBroker(ctx)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, broker.end()) }()
		o.run.Brokers, o.run.Cluster, o.run.Embedded = []string{broker.addr}, broker, true
	case o.cluster != "":
		o.run.Cluster = localCluster{dir: o.cluster, size: len(o.run.Brokers)}
	}
	result, err := chaos.Run(ctx, o.run)
	describeChaos(stdout, &result)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(err, context.Canceled) {
			return cause
		}
		return err
	}
	if d := result.Difference; d != nil {
		o.describeDifference(stdout, d, own)
		return errDiffers
	}
	return nil
}

// chaosWorkers starts this program once more as a worker.
func chaosWorkers() (func(context.Context, chaos.WorkerOptions) *exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("start workers: %w", err)
	}
	return func(ctx context.Context, w chaos.WorkerOptions) *exec.Cmd {
		return exec.CommandContext(ctx, self, chaosWorkerCommand, w.Argument())
	}, nil
}

// describeChaos prints what has happened and what it was compared by.
func describeChaos(w io.Writer, r *chaos.Result) {
	faults := 0
	for _, n := range r.Faults {
		faults += n
	}
	differences := 0
	if r.Difference != nil {
		differences = len(r.Difference.What)
	}
	fmt.Fprintf(w, "%-22s %d\n", "seed", r.Seed)
	fmt.Fprintf(w, "%-22s %d\n", "rounds", r.Rounds)
	fmt.Fprintf(w, "%-22s %d (%d more met nothing)\n", "faults", faults, r.Missed)
	for _, k := range slices.Sorted(maps.Keys(r.Faults)) {
		fmt.Fprintf(w, "  %-20s %d\n", k, r.Faults[k])
	}
	fmt.Fprintf(w, "%-22s %d, entries of the areas' logs %d\n", "readings", r.Readings, r.Entries)
	fmt.Fprintf(w, "%-22s %d transitions, found %d times more; %d episodes\n", "compared", r.Transitions, r.Repeats, r.Episodes)
	fmt.Fprintf(w, "%-22s %d checkpoints; settled state of %d areas\n", "", r.Checkpoints, r.Areas)
	fmt.Fprintf(w, "%-22s %d\n", "differences", differences)
}

// fewDifferences are told one by one.
const fewDifferences = 10

func (o *chaosOptions) describeDifference(w io.Writer, d *chaos.Difference, own bool) {
	fmt.Fprintf(w, "\nwhat differs (%s):\n", d.Where)
	for _, line := range d.What[:min(fewDifferences, len(d.What))] {
		fmt.Fprintf(w, "  %s\n", line)
	}
	if more := len(d.What) - fewDifferences; more > 0 {
		fmt.Fprintf(w, "  and %d more\n", more)
	}
	fmt.Fprintln(w, "\nwhat had struck:")
	for _, line := range d.Faults {
		fmt.Fprintf(w, "  %s\n", line)
	}
	again := fmt.Sprintf("weimang chaos stream --rounds %d --seed %d --households %d --areas %d --partitions %d --workers %d --session %v",
		o.run.Rounds, o.run.Seed, o.run.Homes, o.run.Areas, o.run.Partitions, o.run.Workers, o.run.Session)
	for _, flag := range []struct{ name, value string }{
		{"sabotage", o.sabotage}, {"without", strings.Join(o.without, ",")}, {"cluster", o.cluster},
	} {
		if flag.value != "" {
			again += " --" + flag.name + " " + flag.value
		}
	}
	if !own {
		again += " --brokers " + strings.Join(o.run.Brokers, ",")
	}
	fmt.Fprintf(w, "\nagain:\n  %s\n", again)
}

// mortalBroker is a broker of our own that is killed and started again over
// the same records.
type mortalBroker struct {
	*ownBroker
	dir string
}

// cleanEvery is often enough that what workers restore has been compacted.
const cleanEvery = "2s"

func startMortalBroker(ctx context.Context) (*mortalBroker, error) {
	dir, err := os.MkdirTemp("", "weimang-chaos-")
	if err != nil {
		return nil, fmt.Errorf("folder of the broker: %w", err)
	}
	b := &mortalBroker{dir: dir}
	if b.ownBroker, err = startOwnBroker(ctx, "--dir", dir, "--compact-every", cleanEvery); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return b, nil
}

// Size implements chaos.Cluster.
func (b *mortalBroker) Size() int { return 1 }

// Kill implements chaos.Cluster.
func (b *mortalBroker) Kill(int) error {
	err := b.cmd.Process.Kill()
	_ = b.cmd.Wait() // killed: that is no news
	return err
}

// restartLimit is how long another process may sit on the broker's port, which
// was free for a moment.
const restartLimit = 20 * time.Second

// Start implements chaos.Cluster.
func (b *mortalBroker) Start(ctx context.Context, _ int) error {
	for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		again, err := startOwnBroker(ctx, "--dir", b.dir, "--compact-every", cleanEvery, "--addr", b.addr)
		if err == nil {
			b.ownBroker = again
			return nil
		}
		if time.Since(begun) > restartLimit {
			return err
		}
	}
}

// Pause implements chaos.Cluster. There is no other broker to take over.
func (b *mortalBroker) Pause(int) error { return errors.ErrUnsupported }

// Resume implements chaos.Cluster.
func (b *mortalBroker) Resume(int) error { return errors.ErrUnsupported }

func (b *mortalBroker) end() error { return errors.Join(b.stop(), os.RemoveAll(b.dir)) }

// localCluster is what deploy/local/kafka has started.
type localCluster struct {
	dir  string
	size int
}

// Size implements chaos.Cluster.
func (c localCluster) Size() int { return c.size }

// Kill implements chaos.Cluster.
func (c localCluster) Kill(n int) error { return c.broker(context.Background(), "kill", n) }

// Start implements chaos.Cluster.
func (c localCluster) Start(ctx context.Context, n int) error { return c.broker(ctx, "revive", n) }

// Pause implements chaos.Cluster.
func (c localCluster) Pause(n int) error { return c.broker(context.Background(), "pause", n) }

// Resume implements chaos.Cluster.
func (c localCluster) Resume(n int) error { return c.broker(context.Background(), "resume", n) }

// broker runs the program that deploy/local/kafka has left in its folder.
func (c localCluster) broker(ctx context.Context, what string, n int) error {
	out, err := exec.CommandContext(ctx, filepath.Join(c.dir, "broker"), what, strconv.Itoa(n+1)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s broker %d of %s: %w: %s", what, n+1, c.dir, err, out)
	}
	return nil
}
