package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"weimang/alerts"
)

// qualityOptions are the flags of quality.
type qualityOptions struct {
	config      string
	since, till string
	villages    bool
	json        bool
}

func newQualityCmd() *cobra.Command {
	var opt qualityOptions
	cmd := &cobra.Command{
		Use:     "quality",
		GroupID: groupJudge,
		Short:   "How often what people were told was real, by detector and village",
		Long: `Counts what became of the alerts that people were told of: from what they said
after a visit or a call. Precision is the share of the answered ones in which
somebody or something needed help, with its 95 % bounds: few cases say little.`,
		Example: `  weimang quality
  weimang quality --since 2026-07-01 --villages`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return opt.run(cmd.Context(), time.Now(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVarP(&opt.config, "config", "c", "", "configuration file (YAML)")
	f.StringVar(&opt.since, "since", "", "alerts that opened from this date or time on (default a year ago)")
	f.StringVar(&opt.till, "until", "", "and before this one (default now)")
	f.BoolVar(&opt.villages, "villages", false, "each village, too")
	f.BoolVar(&opt.json, "json", false, "one JSON object per line, villages included")
	return cmd
}

func (o *qualityOptions) run(ctx context.Context, now time.Time, out io.Writer) error {
	cfg, err := LoadConfig(o.config, os.Environ())
	if err != nil {
		return err
	}
	zone, err := loadZone(cfg.Roster.Zone)
	if err != nil {
		return err
	}
	from, err := parseMoment(o.since, zone)
	if err != nil {
		return usagef("--since: %v", err)
	}
	to, err := parseMoment(o.till, zone)
	if err != nil {
		return usagef("--until: %v", err)
	}
	if from.IsZero() {
		from = now.AddDate(-1, 0, 0)
	}
	if to.IsZero() {
		to = now.Add(time.Second)
	}
	db, err := openStoreToRead(ctx, cfg, time.Now)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // only read from
	turned, err := db.Turned(ctx, from, to)
	if err != nil {
		return err
	}
	all := alerts.Qualities(turned)
	if o.json {
		enc := json.NewEncoder(out)
		for _, q := range all {
			if err := enc.Encode(q); err != nil {
				return err
			}
		}
		return nil
	}
	return printQuality(out, all, o.villages)
}

func printQuality(out io.Writer, all []alerts.Quality, villages bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "kind\tvillage\ttold\topen\treal\tharmless\ttechnical\tfalse\tunanswered\tprecision\t95 %\t")
	for _, q := range all {
		if q.VillageID != "" && !villages {
			continue
		}
		precision, bounds := "-", "-"
		if q.Answered() > 0 {
			precision, bounds = fmt.Sprintf("%.0f %%", 100*q.Precision), fmt.Sprintf("%.0f to %.0f %%", 100*q.Low, 100*q.High)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t\n", cmp.Or(string(q.Kind), "all"), cmp.Or(q.Village, q.VillageID),
			q.Told, q.Open, q.Real, q.Harmless, q.Technical, q.False, q.Unanswered, precision, bounds)
	}
	return w.Flush()
}
