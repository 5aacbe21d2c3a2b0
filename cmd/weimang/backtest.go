package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"weimang/detectors"
	"weimang/detectors/backtest"
)

// backtestOptions are the flags of backtest.
type backtestOptions struct {
	feed     feedOptions
	out      string
	detect   detectFlags
	pushFrom string
}

func newBacktestCmd() *cobra.Command {
	var opt backtestOptions
	cmd := &cobra.Command{
		Use:   "backtest --readings FILE --out FILE",
		Short: "Run the detectors over a file and write what they would have said",
		Long: `Run the detectors over a file of readings, by the readings' own clock and as
fast as it goes, and write every transition of every episode as a JSON line:
open, update, resolved; pushed says whether it would have left the page for
somebody's phone. Detectors and rules are those of 'weimang run'. The same
input always gives the same bytes.

Readings are CSV with a header that holds meter_id, a column whose name begins
with ts (start of the interval) and kwh; rows may come in time order or by
meter. Rows that cannot be used are left out and reported.

A summary goes to standard error.`,
		Example: `  weimang backtest --readings lcl100_2013.csv.gz --out findings.jsonl
  zcat london.csv.gz | weimang backtest --readings - --households homes.csv --out - | jq .kind`,
		GroupID: groupJudge,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runBacktest(cmd.Context(), &opt, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	opt.feed.flags(cmd)
	f.StringVar(&opt.out, "out", "", "where the transitions go, - for standard output")
	opt.detect.flags(cmd)
	f.StringVar(&opt.pushFrom, "push-from", "", "push nothing before this date or time: the detectors learn until then")
	for _, name := range []string{"readings", "out"} {
		_ = cmd.MarkFlagRequired(name) // fails only for flags that do not exist
	}
	return cmd
}

func runBacktest(ctx context.Context, opt *backtestOptions, stdin io.Reader, stdout, stderr io.Writer) error {
	zone, err := opt.feed.validate()
	if err != nil {
		return err
	}
	params := detectors.DefaultParams()
	if err := opt.detect.apply(&params); err != nil {
		return err
	}
	if params.PushFrom, err = parseMoment(opt.pushFrom, zone); err != nil {
		return usagef("--push-from: %v", err)
	}
	began := time.Now()
	input, err := opt.feed.load(stdin, stderr)
	if err != nil {
		return err
	}

	bar := newProgress(stderr, "judging")
	judging := time.Now()
	total := int64(input.readings.Len())
	found, stats, err := backtest.Run(ctx, input.readings, backtest.Options{
		Params:  params,
		Roster:  input.roster,
		Reports: input.incidents, Directives: input.directives,
		Progress: func(done int) {
			bar.set(int64(done), total, rate(done, time.Since(judging)))
		},
	})
	bar.clear()
	if err != nil {
		return err
	}
	if err := writeFile(opt.out, stdout, func(w io.Writer) error { return writeFindings(w, found) }); err != nil {
		return err
	}
	writeSummary(stderr, summarize(found), stats, time.Since(began))
	return nil
}

func writeFindings(w io.Writer, found []detectors.Finding) error {
	for i := range found {
		line, err := detectors.EncodeFinding(&found[i])
		if err != nil {
			return fmt.Errorf("encode a finding: %w", err)
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// tally counts transitions.
type tally struct {
	all, episodes     int
	pushes, allClears int // that leave the page: openings and updates, resolutions
	visits            int // pushes that say somebody should go
}

func summarize(found []detectors.Finding) (t tally) {
	for i := range found {
		f := &found[i]
		t.all++
		if f.State == detectors.Open {
			t.episodes++
		}
		switch {
		case !f.Pushed:
		case f.State == detectors.Resolved:
			t.allClears++
		default:
			t.pushes++
			if f.Severity.VisitLevel() {
				t.visits++
			}
		}
	}
	return t
}

func writeSummary(w io.Writer, t tally, s backtest.Stats, took time.Duration) {
	days := max(s.HomeDays, 1e-9)
	fmt.Fprintf(w, "%-13s %d of %d homes in %d areas, %.0f home-days\n", "readings", s.Readings, s.Households, s.Areas, s.HomeDays)
	if s.Unknown > 0 {
		fmt.Fprintf(w, "%-13s %d readings of meters that are not in the file of households\n", "ignored", s.Unknown)
	}
	if s.Duplicates > 0 {
		fmt.Fprintf(w, "%-13s %d readings that came twice\n", "repeated", s.Duplicates)
	}
	fmt.Fprintf(w, "%-13s %d in %d episodes\n", "transitions", t.all, t.episodes)
	fmt.Fprintf(w, "%-13s %.4f per home-day (%d, and %d all-clears)\n", "pushes", float64(t.pushes)/days, t.pushes, t.allClears)
	fmt.Fprintf(w, "%-13s %.4f per home-day (%d)\n", "visit-level", float64(t.visits)/days, t.visits)
	fmt.Fprintf(w, "%-13s %s, %s\n", "took", took.Round(time.Millisecond), rate(s.Readings, took))
}

func rate(n int, took time.Duration) string {
	perSecond := float64(n) / max(took.Seconds(), 1e-9)
	switch {
	case perSecond >= 1e6:
		return fmt.Sprintf("%.1f M readings/s", perSecond/1e6)
	case perSecond >= 1e3:
		return fmt.Sprintf("%.0f k readings/s", perSecond/1e3)
	default:
		return fmt.Sprintf("%.0f readings/s", perSecond)
	}
}
