package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"weimang/alerts/load"
	"weimang/alerts/store"
)

// benchAlertsOptions are the flags of bench alerts.
type benchAlertsOptions struct {
	run     load.Options
	url     string
	json    bool
	timeout time.Duration
}

func newBenchAlertsCmd() *cobra.Command {
	var opt benchAlertsOptions
	cmd := &cobra.Command{
		Use:   "alerts",
		Short: "Measure routing, outbox and store with many households and alerts",
		Long: `Writes a roster down, works days of alerts through by a clock of their own (found,
told, delivered, half of them answered, all of them over and closed), and then has
red alerts come by the real clock and measures the time from the finding to the
first attempt to deliver. Messages go to a channel that takes everything.

The store is SQLite in a temporary folder, or the PostgreSQL that --url names, in a
schema of its own that is dropped at the end. A year's size is computed from the
days that were worked through.`,
		Example: `  weimang bench alerts
  weimang bench alerts --days 3 --url postgres://…`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return opt.measure(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.IntVar(&opt.run.Households, "households", 100_000, "homes")
	f.IntVar(&opt.run.PerVillage, "per-village", 50, "homes of a village")
	f.IntVar(&opt.run.Alerts, "alerts", 10_000, "alerts a day")
	f.IntVar(&opt.run.Days, "days", 1, "days that are worked through")
	f.DurationVar(&opt.run.Paced, "paced", 20*time.Second, "how long red alerts come by the real clock; 0 is not at all")
	f.IntVar(&opt.run.Rate, "rate", 20, "of them a second")
	f.Uint64Var(&opt.run.Seed, "seed", 1, "decides whose alerts they are")
	f.StringVar(&opt.url, "url", "", "PostgreSQL to measure instead of SQLite")
	f.BoolVar(&opt.json, "json", false, "as JSON")
	f.DurationVar(&opt.timeout, "timeout", time.Hour, "give up after this")
	return cmd
}

func (o *benchAlertsOptions) measure(ctx context.Context, stdout, stderr io.Writer) (err error) {
	if o.run.Households < 100 || o.run.PerVillage < 2 || o.run.Alerts < 20 || o.run.Days < 1 || o.run.Rate < 1 || o.run.Alerts > o.run.Households {
		return usagef("at least 100 --households, 2 --per-village, 20 --alerts a day (no more than homes), 1 of --days and --rate")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("not done after %v (--timeout)", o.timeout))
	defer cancel()
	began := time.Now()
	o.run.Stage = func(name string) { fmt.Fprintf(stderr, "%6.1f s  %s\n", time.Since(began).Seconds(), name) }
	where, remove, err := ownStore(ctx, o.url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	db, err := store.OpenWith(ctx, where)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	res, err := load.Run(ctx, db, func(ctx context.Context) (int64, error) {
		info, err := db.Info(ctx)
		return info.Bytes, err
	}, o.run)
	if err != nil {
		return err
	}
	if o.json {
		return json.NewEncoder(stdout).Encode(res)
	}
	fmt.Fprintf(stdout, "%-28s %s\n", "store", db.Kind())
	fmt.Fprintf(stdout, "%-28s %d, people %d, written in %.1f s\n", "households", res.Households, res.People, res.Import)
	fmt.Fprintf(stdout, "%-28s %d in %.1f s, %d messages: %.0f alerts/s\n", "alerts, to their end", res.Alerts, res.Bulk, res.Messages, res.PerS)
	fmt.Fprintf(stdout, "%-28s %.1f MB empty, %.1f MB after, %.0f bytes an alert; a year %.1f GB (computed)\n", "size",
		float64(res.Empty)/1e6, float64(res.Full)/1e6, res.PerAlert, float64(res.Year)/1e9)
	if res.Paced > 0 {
		fmt.Fprintf(stdout, "%-28s p50 %.1f ms, p99 %.1f ms, longest %.1f ms, of %d\n", "red: finding to attempt", res.P50, res.P99, res.Max, res.Paced)
	}
	return nil
}

// ownStore is a place for a store that is removed afterwards: a folder, or a
// schema of its own in a PostgreSQL.
func ownStore(ctx context.Context, address string) (store.Options, func() error, error) {
	if address != "" {
		own, drop, err := store.OwnSchema(ctx, address)
		return store.Options{URL: own}, drop, err
	}
	dir, err := os.MkdirTemp("", "weimang-store-")
	return store.Options{Path: filepath.Join(dir, "weimang.db")}, func() error { return os.RemoveAll(dir) }, err
}
