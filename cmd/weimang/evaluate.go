package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"weimang/detectors/evaluate"
)

// evaluateOptions are the flags of evaluate.
type evaluateOptions struct {
	feed       feedOptions
	homes      string
	warmupDays float64
	run        evaluate.Options
	budgets    []string
	detect     detectFlags
	json       bool
	csv, svg   string
}

func newEvaluateCmd() *cobra.Command {
	opt := evaluateOptions{run: evaluate.DefaultOptions()}
	cmd := &cobra.Command{
		Use:   "evaluate --readings FILE",
		Short: "Show what the detectors would do on your homes before they are switched on",
		Long: `Show what the detectors would do on your homes before they are switched on.

Events are injected into copies of real curves at random times, each copy
beside a control without event: an event counts as found only by a push after
its onset that the control does not get by then. On the untouched homes every
push counts against the detectors. Rules that others use are tried on the same
cases. Nothing is sent and nothing is stored.

Without --homes the regular homes with somebody at home by day are judged: at
most 5 % missing, at least 1.5 kWh a day, days at least 1.3 times the nights,
some use on 93 % of days, and above the nights' level for 35 % of the hours 9
to 16. The same readings, options and seed give the same figures.

Figures go to standard output as a table, or with --json as one JSON object.`,
		Example: `  weimang evaluate --readings lcl100_2013.csv.gz --zone Europe/London --homes regular-homes.txt
  weimang evaluate --readings village/readings.csv.gz --households village/households.csv \
      --homes village/households.csv --svg curve.svg
  weimang evaluate --readings lcl100_2013.csv.gz --kinds still,frozen --budgets none --json | jq .bound`,
		GroupID: groupJudge,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runEvaluate(cmd.Context(), &opt, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	opt.feed.flags(cmd)
	f.Lookup("interval").Usage = "15m, 30m or 1h: readings that come more often are summed up to it"
	f.StringVar(&opt.homes, "homes", "", "file of meter or household ids to judge, one a line or the first column of a\nCSV, - for standard input. Without it the regular homes are picked by rule")
	f.Float64Var(&opt.warmupDays, "warmup", opt.run.Warmup.Hours()/24, "days that every home learns before anything counts")
	f.IntVar(&opt.run.Cases, "cases", opt.run.Cases, "cases per home and recipe")
	f.Uint64Var(&opt.run.Seed, "seed", opt.run.Seed, "of areas, onsets, events and resampling")
	f.IntVar(&opt.run.AreaSize, "area-size", opt.run.AreaSize, "homes without area are dealt into areas of about this size")
	f.StringSliceVar(&opt.run.Kinds, "kinds", nil, "kinds of events: "+strings.Join(evaluate.EventKinds(), ", ")+". Not given: all")
	f.BoolVar(&opt.run.Headlines, "headlines", false, "of each kind only the recipe that stands for it")
	for _, b := range opt.run.Budgets {
		opt.budgets = append(opt.budgets, strconv.FormatFloat(b, 'g', -1, 64))
	}
	opt.detect.flags(cmd)
	f.StringSliceVar(&opt.budgets, "budgets", opt.budgets, "of the operating curve: false alarms pushed per home-day, a quarter of them\nred or orange; none for no curve")
	f.IntVar(&opt.run.CurveCases, "curve-cases", opt.run.CurveCases, "cases per home and headline recipe at each budget of the curve")
	f.BoolVar(&opt.run.Peers, "peers", opt.run.Peers, "try the rules of others on the same cases")
	f.IntVar(&opt.run.Bootstrap, "bootstrap", opt.run.Bootstrap, "samples of homes for the 95 % intervals, 0 for none")
	f.IntVar(&opt.run.Workers, "workers", 0, "cases run at a time, 0 is one a core; changes no figure")
	f.BoolVar(&opt.json, "json", false, "write one JSON object instead of a table")
	f.StringVar(&opt.csv, "csv", "", "write every figure as CSV to this file as well, - for standard output")
	f.StringVar(&opt.svg, "svg", "", "draw the operating curve into this file, - for standard output")
	_ = cmd.MarkFlagRequired("readings") // fails only for flags that do not exist
	return cmd
}

// validate says what is wrong with the flags before any file is read.
func (o *evaluateOptions) validate() error {
	if _, err := o.feed.validate(); err != nil {
		return err
	}
	if o.homes == "-" && (o.feed.readings == "-" || o.feed.households == "-" || o.feed.incidents == "-") {
		return usagef("only one of --readings, --incidents, --households and --homes can be standard input")
	}
	if o.csv == "-" && o.svg == "-" {
		return usagef("only one of --csv and --svg can be standard output")
	}
	if o.run.Workers < 0 {
		return usagef("--workers: %d is negative", o.run.Workers)
	}
	if !(o.warmupDays > 0 && o.warmupDays < 10_000) {
		return usagef("--warmup: %g is no number of days", o.warmupDays)
	}
	if err := o.detect.apply(&o.run.Params); err != nil {
		return err
	}
	if err := o.parseBudgets(); err != nil {
		return err
	}
	o.run.Warmup = time.Duration(o.warmupDays * float64(24*time.Hour))
	if err := o.run.Validate(); err != nil {
		return usagef("%v", err)
	}
	if o.svg != "" && len(o.run.Budgets) == 0 {
		return usagef("--svg draws the operating curve, which needs --budgets")
	}
	return nil
}

func (o *evaluateOptions) parseBudgets() error {
	o.run.Budgets = nil
	if slices.Contains(o.budgets, "none") {
		return nil
	}
	for _, text := range o.budgets {
		b, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			return usagef("--budgets: %q is no number", text)
		}
		o.run.Budgets = append(o.run.Budgets, b)
	}
	return nil
}

func runEvaluate(ctx context.Context, opt *evaluateOptions, stdin io.Reader, stdout, stderr io.Writer) error {
	if err := opt.validate(); err != nil {
		return err
	}
	began := time.Now()
	input, err := opt.feed.loadHomes(opt.homes, &opt.run, stdin, stderr)
	if err != nil {
		return err
	}

	bar := newProgress(stderr, "judging")
	judging := time.Now()
	var one sync.Mutex // progress comes from every worker
	opt.run.Progress = func(step string, done, total int, readings int64) {
		if one.TryLock() {
			bar.label = step
			bar.set(int64(done), int64(total), rate(int(readings), time.Since(judging)))
			one.Unlock()
		}
	}
	report, err := evaluate.Run(ctx, input.readings, opt.run)
	bar.clear()
	if errors.Is(err, evaluate.ErrNoHomes) && opt.homes == "" {
		return fmt.Errorf("%w; --homes names homes to judge whatever they are like", err)
	}
	if err != nil {
		return err
	}
	if err := opt.write(report, stdout); err != nil {
		return err
	}
	took := time.Since(began)
	fmt.Fprintf(stderr, "%-13s %s: %d cases, %d readings judged\n", "took", took.Round(10*time.Millisecond), report.Cases, report.Readings)
	return nil
}

// write puts the figures wherever they are wanted. Standard output carries one
// thing: a file on it takes the place of the table.
func (o *evaluateOptions) write(report *evaluate.Report, stdout io.Writer) error {
	if o.csv != "" {
		if err := writeFile(o.csv, stdout, report.WriteCSV); err != nil {
			return err
		}
	}
	if o.svg != "" {
		if err := writeFile(o.svg, stdout, report.WriteSVG); err != nil {
			return err
		}
	}
	switch {
	case o.csv == "-" || o.svg == "-":
		return nil
	case o.json:
		return writeFile("-", stdout, func(w io.Writer) error {
			enc := json.NewEncoder(w)
			enc.SetIndent("", "  ")
			return enc.Encode(report)
		})
	default:
		return writeFile("-", stdout, report.WriteTable)
	}
}

func openList(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	list, err := readList(f)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return list, errors.Join(err, f.Close())
}

// readList reads ids, one a line, or the first column of a CSV such as the
// file of households; empty lines and those that begin with # are left out.
func readList(r io.Reader) ([]string, error) {
	list := []string{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		id, _, _ := strings.Cut(lines.Text(), ",")
		switch id = strings.TrimSpace(id); {
		case id == "" || strings.HasPrefix(id, "#"):
		case id == "meter_id" || id == "household_id": // the header
		default:
			list = append(list, id)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errors.New("the list of homes is empty")
	}
	return list, nil
}
