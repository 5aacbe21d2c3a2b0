package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"weimang/alerts/store"
)

func newAuditCmd() *cobra.Command {
	var config, since string
	var asJSON bool
	var filter store.AuditFilter
	cmd := &cobra.Command{
		Use:     "audit",
		GroupID: groupRun,
		Short:   "Who read or changed what is personal, about whom, and what for",
		Long: `Prints the audit log, the latest first: each reading of a name, an address, a
number or somebody's words, by whom and what for. A delivered message is two
lines: the recipient's number was read, and she read about the home.`,
		Example: `  weimang audit --household h-0042 --config weimang.yaml
  weimang audit --person chair-wd --since 2026-07-01 --json --config weimang.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd.Context(), config, func(cfg *Config, db *store.DB) error {
				zone, err := loadZone(cfg.Roster.Zone)
				if err != nil {
					return err
				}
				if filter.Since, err = parseMoment(since, zone); err != nil {
					return usagef("--since: %v", err)
				}
				log, err := db.Audit(cmd.Context(), filter)
				if err != nil {
					return err
				}
				p := &printing{w: cmd.OutOrStdout(), json: asJSON}
				for _, e := range log {
					p.line(e, "%s  %s  %s  %s  for %s: %s", e.At.In(zone).Format(time.RFC3339), e.Actor, e.Action, e.Subject, e.Purpose, strings.Join(e.Fields, ", "))
				}
				if len(log) == filter.Limit && !asJSON {
					fmt.Fprintf(cmd.ErrOrStderr(), "the latest %d; more with --limit\n", filter.Limit)
				}
				return p.err
			})
		},
	}
	f := cmd.Flags()
	f.StringVarP(&config, "config", "c", "", "configuration file (YAML)")
	f.StringVar(&filter.HouseholdID, "household", "", "only what concerns this household")
	f.StringVar(&filter.PersonID, "person", "", "only what concerns this person, or was done by her")
	f.StringVar(&since, "since", "", "from this date or time on")
	f.IntVar(&filter.Limit, "limit", 1000, "at most so many lines")
	jsonLines(cmd, &asJSON)
	return cmd
}
