package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"weimang/detectors/evaluate"
	"weimang/detectors/fit"
)

// fitOptions are the flags of fit.
type fitOptions struct {
	feed       feedOptions
	homes      string
	out        string
	warmupDays float64
	stage      evaluate.Options
	run        fit.RunOptions
}

func newFitCmd() *cobra.Command {
	opt := fitOptions{stage: evaluate.DefaultOptions(), run: fit.DefaultRunOptions()}
	opt.stage.Cases = 4
	cmd := &cobra.Command{
		Use:   "fit --readings FILE --out MODEL",
		Short: "Fit the models that all homes share (for developers)",
		Long: `Fit the models that all homes share (for developers).

The detectors carry models of other homes: at which level the next half-hour
is, what a day looks like, and how often each score comes by chance. This
command fits them anew: on the homes as they were, and on copies into which
events are injected as evaluate does. It needs many homes and months of them,
and nobody who only runs the system needs it.

The figures on standard output are of homes that the models in question have
not seen, by cross-validation over homes. The same readings, options and seed
give the same model.`,
		Example: `  weimang fit --readings lcl100_2013.csv.gz --zone Europe/London --homes regular-homes.txt --out detectors/model.json`,
		GroupID: groupJudge,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runFit(cmd.Context(), &opt, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	opt.feed.flags(cmd)
	f.Lookup("interval").Usage = "15m, 30m or 1h: readings that come more often are summed up to it"
	f.StringVar(&opt.homes, "homes", "", "file of meter or household ids to learn from, one a line, - for standard input.\nWithout it the regular homes are picked by rule")
	f.StringVar(&opt.out, "out", "", "file of the model, - for standard output instead of the figures")
	f.Float64Var(&opt.warmupDays, "warmup", opt.stage.Warmup.Hours()/24, "days of each home of which nothing is learned")
	f.IntVar(&opt.stage.Cases, "cases", opt.stage.Cases, "cases per home and recipe")
	f.Uint64Var(&opt.stage.Seed, "seed", opt.stage.Seed, "of areas, onsets, events and folds")
	f.IntVar(&opt.stage.AreaSize, "area-size", opt.stage.AreaSize, "homes without area are dealt into areas of about this size")
	f.IntVar(&opt.run.Rounds, "rounds", opt.run.Rounds, "fits, each of what is seen with the model before")
	f.IntVar(&opt.run.Folds, "folds", opt.run.Folds, "parts of the homes of the cross-validation")
	f.Float64Var(&opt.run.Life.L2, "life-penalty", opt.run.Life.L2, "on the squared weights of the model of life")
	f.Float64Var(&opt.run.Day.L2, "day-penalty", opt.run.Day.L2, "on the squared weights of the model of the day")
	f.IntVar(&opt.run.Day.Iterations, "iterations", opt.run.Day.Iterations, "at most, of each fit")
	f.IntVar(&opt.stage.Workers, "workers", 0, "areas or parts of a sum at a time, 0 is one a core; changes no figure")
	for _, name := range []string{"readings", "out"} {
		_ = cmd.MarkFlagRequired(name) // fails only for flags that do not exist
	}
	return cmd
}

// validate says what is wrong with the flags before any file is read.
func (o *fitOptions) validate() error {
	if _, err := o.feed.validate(); err != nil {
		return err
	}
	if o.homes == "-" && (o.feed.readings == "-" || o.feed.households == "-" || o.feed.incidents == "-") {
		return usagef("only one of --readings, --incidents, --households and --homes can be standard input")
	}
	if !(o.warmupDays > 0 && o.warmupDays < 10_000) {
		return usagef("--warmup: %g is no number of days", o.warmupDays)
	}
	if o.stage.Workers < 0 {
		return usagef("--workers: %d is negative", o.stage.Workers)
	}
	o.stage.Warmup = time.Duration(o.warmupDays * float64(24*time.Hour))
	o.run.Collect.Warmup, o.run.Seed = o.stage.Warmup, o.stage.Seed
	o.run.Life.Iterations = o.run.Day.Iterations
	o.run.Life.Workers, o.run.Day.Workers = o.stage.Workers, o.stage.Workers
	if err := o.stage.Validate(); err != nil {
		return usagef("%v", err)
	}
	if err := o.run.Validate(); err != nil {
		return usagef("%v", err)
	}
	return nil
}

func runFit(ctx context.Context, opt *fitOptions, stdin io.Reader, stdout, stderr io.Writer) error {
	if err := opt.validate(); err != nil {
		return err
	}
	began := time.Now()
	input, err := opt.feed.loadHomes(opt.homes, &opt.stage, stdin, stderr)
	if err != nil {
		return err
	}
	bar := newProgress(stderr, "watching")
	var one sync.Mutex // progress comes from every worker
	opt.stage.Progress = func(step string, done, total int, readings int64) {
		if one.TryLock() {
			bar.set(int64(done), int64(total), fmt.Sprintf("%d readings", readings))
			one.Unlock()
		}
	}
	opt.run.Tell = func(what string) {
		one.Lock()
		defer one.Unlock()
		bar.clear()
		fmt.Fprintf(stderr, "%-13s %s\n", time.Since(began).Round(time.Second), what)
	}
	stage, err := evaluate.NewStage(ctx, input.readings, opt.stage)
	if err != nil {
		return err
	}
	result, err := fit.Run(ctx, stage, opt.run)
	bar.clear()
	if err != nil {
		return err
	}
	if err := writeFile(opt.out, stdout, result.WriteModel); err != nil {
		return err
	}
	if opt.out != "-" {
		if err := writeFile("-", stdout, result.WriteTable); err != nil {
			return err
		}
	}
	fmt.Fprintf(stderr, "%-13s %s\n", "took", time.Since(began).Round(10*time.Millisecond))
	return nil
}
