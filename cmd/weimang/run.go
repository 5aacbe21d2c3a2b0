package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"weimang/alerts/roster"
	"weimang/alerts/rosterfile"
	"weimang/alerts/store"
	"weimang/ingest/feedfile"
)

// newRunCmd is the product: everything from the wire to the page.
func newRunCmd() *cobra.Command {
	var file string
	var words []string
	cmd := &cobra.Command{
		Use:     "run",
		GroupID: groupRun,
		Short:   "Watch: ingest readings, detect, alert, serve the page",
		Long: `Runs everything in one process until it is told to stop (SIGTERM, Ctrl-C).

Without a configuration file it starts an embedded Kafka-protocol broker on
127.0.0.1:19092 and keeps its log and a SQLite store in ./weimang-data, so
that readings can be sent to it at once. With one it goes by that: see
"weimang config" for every key with its default.

With --role it does only part of the work, and other processes with the same
configuration do the rest; they need brokers to meet at. ingest and detect keep
nothing on disk, and any number of them share the work. alert has the store and
serves the page: run one, or several over one PostgreSQL (store.url).`,
		Example: `  weimang run
  weimang run --config weimang.yaml
  WEIMANG_KAFKA_BROKERS=kafka-1:9092,kafka-2:9092 weimang run
  weimang run --config weimang.yaml --role ingest,detect`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			roles, err := parseRoles(words)
			if err != nil {
				return err
			}
			cfg, err := LoadConfig(file, os.Environ())
			if err != nil {
				return err
			}
			return serve(cmd.Context(), cfg, roles, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "configuration file (YAML)")
	cmd.Flags().StringSliceVar(&words, "role", nil, "do only this part: ingest, detect or alert (repeatable; default all)")
	return cmd
}

// serve runs the roles until ctx ends, and then stops in order.
func serve(ctx context.Context, cfg *Config, roles []role, stdout, stderr io.Writer) error {
	w := wiring{cfg: cfg, roles: roles, log: newLogger(cfg, stderr)}
	s, stop, err := bringUp(ctx, &w, stdout)
	if err != nil {
		return err
	}
	w.log.Info("weimang is running", "roles", joined(roles), "http", s.page, "homes", len(w.roster), "embedded_broker", cfg.Embedded())
	return errors.Join(s.lc.wait(), stop())
}

// bringUp reads the lists and opens the channels that the configuration names
// into w, and starts the roles. The caller stops them.
func bringUp(ctx context.Context, w *wiring, stdout io.Writer) (_ *system, stop func() error, err error) {
	cfg := w.cfg
	if cfg.Embedded() && !whole(w.roles) {
		return nil, nil, errors.New("--role: the broker inside a process has no room for others; set kafka.brokers, or run all roles in one process")
	}
	closeChannels := func() error { return nil }
	if w.has(roleAlert) {
		if w.roster, w.people, err = readRoster(cfg); err != nil {
			return nil, nil, err
		}
		if w.channels, closeChannels, err = openChannels(cfg, stdout); err != nil {
			return nil, nil, err
		}
	}
	s, err := start(ctx, *w)
	if err != nil {
		return nil, nil, errors.Join(err, closeChannels())
	}
	return s, func() error { return errors.Join(s.stop(), closeChannels()) }, nil
}

// readRoster reads the files that say whom to watch and whom to tell.
func readRoster(cfg *Config) ([]store.HouseholdRow, []roster.Member, error) {
	var rows []store.HouseholdRow
	if cfg.Roster.Households != "" {
		homes, err := feedfile.OpenHouseholds(cfg.Roster.Households)
		if err != nil {
			return nil, nil, fmt.Errorf("roster.households: %w", err)
		}
		rows = householdRows(homes, cfg.Roster.Consent == consentRecorded)
	}
	var people []roster.Member
	if cfg.Roster.People != "" {
		var err error
		if people, err = rosterfile.OpenPeople(cfg.Roster.People); err != nil {
			return nil, nil, fmt.Errorf("roster.people: %w", err)
		}
	}
	for i := range people {
		people[i].Lang = cmp.Or(people[i].Lang, roster.Lang(cfg.Alerts.Language))
	}
	return rows, people, nil
}

// householdRows are the homes of a list; demandConsent: it does not stand for
// their consent.
func householdRows(homes []feedfile.HouseholdRow, demandConsent bool) []store.HouseholdRow {
	rows := make([]store.HouseholdRow, len(homes))
	for i, h := range homes {
		rows[i] = store.HouseholdRow{
			MeterID: h.MeterID, HouseholdID: h.HouseholdID, AreaID: h.AreaID,
			VillageID: h.VillageID, Label: h.Label, Zone: h.Zone, From: h.From, Until: h.Until, DemandConsent: demandConsent,
		}
	}
	return rows
}

func newLogger(cfg *Config, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.Log.Level)) // validated
	opt := &slog.HandlerOptions{Level: level}
	if cfg.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opt))
	}
	return slog.New(slog.NewTextHandler(w, opt))
}
