package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"weimang/alerts"
	"weimang/alerts/escalate"
	"weimang/alerts/message"
	"weimang/alerts/store"
	"weimang/detectors"
	"weimang/ingest/calendar"
)

func newRoutesCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "routes",
		GroupID: groupRun,
		Short:   "Who is called about an alert, in what order, and when",
		Args:    knownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRoutesTestCmd(), newRoutesPoliciesCmd(), newRoutesCheckCmd())
	return cmd
}

func newRoutesPoliciesCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "policies",
		Short:   "Print the policies that come with the program, to begin your own with",
		Example: `  weimang routes policies > policies.yaml`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), escalate.DefaultText())
			return err
		},
	}
}

func newRoutesCheckCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Check a file of policies",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withInput(args[0], cmd.InOrStdin(), func(r io.Reader) error {
				raw, err := io.ReadAll(r)
				if err != nil {
					return err
				}
				if _, err := escalate.Parse(raw); err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: good\n", args[0])
				return err
			})
		},
	}
}

// routeOptions are the flags of routes test.
type routeOptions struct {
	config    string
	household string
	severity  string
	at        string
	json      bool
}

func newRoutesTestCmd() *cobra.Command {
	var opt routeOptions
	cmd := &cobra.Command{
		Use:   "test",
		Short: "Say who would hear of an alert, and when, if nobody answered",
		Long: `Reads the roster in the store and the policies of the configuration, and says who
would be told of an alert of a household that opens at a time: step by step, over
which channels, with who stands in for whom. It tells nobody and changes nothing.
People are named by id and role. The exit status is 1 where somebody on the way
cannot be reached.`,
		Example: `  weimang routes test --household h-0042 --severity red
  weimang routes test --household h-0042 --severity orange --at 2026-07-12T23:00:00+08:00`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return opt.run(cmd.Context(), time.Now(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVarP(&opt.config, "config", "c", "", "configuration file (YAML)")
	f.StringVar(&opt.household, "household", "", "id of the household")
	f.StringVar(&opt.severity, "severity", "red", "red, orange or yellow")
	f.StringVar(&opt.at, "at", "", "when the alert opens: time with offset (default now)")
	f.BoolVar(&opt.json, "json", false, "as JSON")
	_ = cmd.MarkFlagRequired("household")
	return cmd
}

func (o *routeOptions) run(ctx context.Context, now time.Time, out io.Writer) error {
	cfg, err := LoadConfig(o.config, os.Environ())
	if err != nil {
		return err
	}
	zone, err := loadZone(cfg.Roster.Zone)
	if err != nil {
		return err
	}
	if at, err := parseMoment(o.at, zone); err != nil {
		return usagef("--at: %v", err)
	} else if !at.IsZero() {
		now = at
	}
	var severity detectors.Severity
	if err := severity.UnmarshalText([]byte(o.severity)); err != nil || severity < detectors.Yellow {
		return usagef("--severity: %q must be red, orange or yellow", o.severity)
	}
	db, err := openStoreToRead(ctx, cfg, func() time.Time { return now })
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // only read from
	words, err := message.New()
	if err != nil {
		return err
	}
	holidays, err := calendar.Lookup(cfg.Detect.Holidays)
	if err != nil {
		return err
	}
	policies, err := cfg.Alerts.policies()
	if err != nil {
		return err
	}
	service, err := alerts.NewService(ctx, db, words, alerts.Options{
		Fallback: fallback(cfg), Channels: cfg.Alerts.openChannels(), Zone: zone, Policies: policies, Holiday: holidays.IsHoliday,
		Now: func() time.Time { return now },
	}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		return err
	}
	route, err := service.Route(ctx, o.household, severity, now)
	if err != nil {
		return err
	}
	if o.json {
		err = json.NewEncoder(out).Encode(route)
	} else {
		err = printRoute(out, route, severity, now)
	}
	if err != nil {
		return err
	}
	if n := unreached(route); n > 0 {
		return fmt.Errorf("%d of those who should hear of it cannot be reached", n)
	}
	if route.Nobody != "" {
		return fmt.Errorf("nobody on the way: everything goes to the operator (%s)", route.Nobody)
	}
	return nil
}

// openStoreToRead opens a store that is there already: a command that only asks
// must not make an empty one.
func openStoreToRead(ctx context.Context, cfg *Config, now func() time.Time) (*store.DB, error) {
	where := cfg.StoreOptions()
	where.Now = now
	if where.URL == "" {
		if _, err := os.Stat(where.Path); err != nil {
			return nil, fmt.Errorf("no store yet: %w", err)
		}
	}
	return store.OpenWith(ctx, where)
}

// unreached counts people of a route whom no channel reaches.
func unreached(r *alerts.Route) (n int) {
	for _, s := range r.Steps {
		for _, p := range s.People {
			if len(p.Channels) == 0 {
				n++
			}
		}
	}
	return n
}

func printRoute(out io.Writer, r *alerts.Route, severity detectors.Severity, now time.Time) error {
	clock := func(t time.Time) string { return t.In(r.Zone).Format("Mon 02 Jan 15:04") }
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s in %s: %s at %s, policy %s\n", r.Household, r.Label, cmp.Or(r.Village, "no village"), severity, clock(now), r.Policy)
	for i, s := range r.Steps {
		wait := "answers within " + shortDuration(s.Wait)
		if s.Wait == 0 {
			wait = "goes on at once"
		}
		fmt.Fprintf(&b, "%2d. %s  %s\n", i+1, clock(s.At), wait)
		for _, p := range s.People {
			fmt.Fprintf(&b, "      %-12s %s%s\n", p.Role, p.PersonID, describe(p))
		}
	}
	fmt.Fprintf(&b, "    %s  ", clock(r.End))
	if r.Rounds > 1 {
		fmt.Fprintf(&b, "nobody has answered: again after %s, %d times in all; then the operator, day by day\n", shortDuration(r.Again), r.Rounds)
	} else {
		b.WriteString("nobody has answered: the operator, day by day\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func describe(p alerts.RoutePerson) string {
	var b strings.Builder
	if p.StandsIn != "" {
		b.WriteString(", stands in for " + p.StandsIn)
	}
	switch {
	case len(p.Channels) == 0:
		b.WriteString(": CANNOT BE REACHED, no usable contact over a channel that exists")
	case p.Off != "":
		fmt.Fprintf(&b, ": off duty (%s), and nobody stands in", p.Off)
	default:
		b.WriteString(" by " + strings.Join(p.Channels, ", then "))
	}
	return b.String()
}
