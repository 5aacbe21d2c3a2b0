package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"weimang/alerts/roster"
	"weimang/alerts/store"
	"weimang/ingest/stream"
)

func newHouseholdCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "household",
		GroupID: groupRun,
		Short:   "Record consent of a household, or erase it",
		Args:    knownCommand,
		RunE:    func(*cobra.Command, []string) error { return usagef("say what to do: consent or erase") },
	}
	cmd.AddCommand(newHouseholdConsentCmd(), newHouseholdEraseCmd())
	return cmd
}

// householdOptions are the flags of household's commands.
type householdOptions struct {
	config, household, by string
	scope, givenBy        string
	give, withdraw        bool
	dryRun, storeOnly     bool
	json                  bool
}

func (o *householdOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&o.config, "config", "c", "", "configuration file (YAML)")
	f.StringVar(&o.household, "household", "", "id of the household")
	f.BoolVar(&o.storeOnly, "store-only", false, "leave the stream alone: no broker can be reached")
	byFlag(cmd, &o.by)
	_ = cmd.MarkFlagRequired("household")
}

func newHouseholdConsentCmd() *cobra.Command {
	var opt householdOptions
	cmd := &cobra.Command{
		Use:   "consent",
		Short: "Record that a household agrees to something, or does not any more",
		Long: `Records consent from now on, or its end, in the roster. Where it is consent to be
watched the stream is told at once: the home's readings are passed over and what
is known of it is forgotten, or it is watched again, from nothing.`,
		Example: `  weimang household consent --household h-0042 --give --given-by kin --config weimang.yaml
  weimang household consent --household h-0042 --withdraw --config weimang.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return opt.consent(cmd.Context(), cmd.OutOrStdout())
		},
	}
	opt.flags(cmd)
	f := cmd.Flags()
	f.BoolVar(&opt.give, "give", false, "the household agrees")
	f.BoolVar(&opt.withdraw, "withdraw", false, "the household does not agree any more")
	f.StringVar(&opt.scope, "scope", string(roster.ToWatch), "to what: watch, name, kin or curve")
	f.StringVar(&opt.givenBy, "given-by", string(roster.Resident), "who says so: resident or kin")
	cmd.MarkFlagsOneRequired("give", "withdraw")
	cmd.MarkFlagsMutuallyExclusive("give", "withdraw")
	return cmd
}

func (o *householdOptions) consent(ctx context.Context, stdout io.Writer) error {
	scope := roster.Scope(o.scope)
	if !slices.Contains(roster.Scopes, scope) {
		return usagef("--scope: must be one of %v", roster.Scopes)
	}
	if by := roster.Role(o.givenBy); by != roster.Resident && by != roster.Kin {
		return usagef("--given-by: must be resident or kin")
	}
	return withStore(ctx, o.config, func(cfg *Config, db *store.DB) error {
		now := time.Now()
		before, err := db.Homes(ctx)
		if err != nil {
			return err
		}
		changed, err := db.SetConsent(ctx, roster.By{Actor: o.by, For: roster.ForConsent},
			roster.Consent{HouseholdID: o.household, Scope: scope, From: now, RecordedAt: now, GivenBy: o.givenBy}, o.give)
		if err != nil {
			return err
		}
		word := "given"
		if o.withdraw {
			word = "withdrawn"
		}
		if !changed {
			word = "already " + word
		}
		if _, err := fmt.Fprintf(stdout, "%s: consent of scope %s %s\n", o.household, scope, word); err != nil {
			return err
		}
		if scope != roster.ToWatch || o.storeOnly {
			return nil
		}
		// Again also where the store knew it: the stream may not.
		if o.withdraw {
			if err := tellConsent(ctx, cfg, o.household, false, now); err != nil {
				return notTold(err)
			}
		}
		if err := publishHomes(ctx, cfg, db, before); err != nil {
			return notTold(err)
		}
		if o.give {
			if err := tellConsent(ctx, cfg, o.household, true, now); err != nil {
				return notTold(err)
			}
		}
		return nil
	})
}

// notTold is an error of the stream's side: doing the same again mends it.
func notTold(err error) error {
	return fmt.Errorf("the store has it, and the stream was not told: %w; do it again when brokers and ingest are up", err)
}

func newHouseholdEraseCmd() *cobra.Command {
	var opt householdOptions
	cmd := &cobra.Command{
		Use:   "erase",
		Short: "Remove a household and who lives there from everything but the statistics",
		Long: `Removes a household for good: names, addresses and numbers of who lives there and
of family that answers for nothing else, label, curve, plan, orders, what was
written about it, and what waits to be sent. Its ids become others wherever they
stand, so that its alerts still count. The stream is told to forget it.

It cannot be taken back. A list that names the household again is refused.`,
		Example: `  weimang household erase --household h-0042 --dry-run --config weimang.yaml
  weimang household erase --household h-0042 --config weimang.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return opt.erase(cmd.Context(), cmd.OutOrStdout())
		},
	}
	opt.flags(cmd)
	cmd.Flags().BoolVar(&opt.dryRun, "dry-run", false, "say what would be removed, and remove nothing")
	cmd.Flags().BoolVar(&opt.json, "json", false, "one JSON object")
	return cmd
}

func (o *householdOptions) erase(ctx context.Context, stdout io.Writer) error {
	by := roster.By{Actor: o.by, For: roster.ForErasure}
	return withStore(ctx, o.config, func(cfg *Config, db *store.DB) error {
		done, err := db.Erase(ctx, by, o.household, true)
		if err != nil {
			return err
		}
		if !o.dryRun && !done.Already {
			// The stream first: afterwards nobody knows the meters any more.
			if !o.storeOnly {
				if err := o.forget(ctx, cfg, done.Meters); err != nil {
					return fmt.Errorf("nothing was erased: the stream could not be told to forget the home: %w; with --store-only only the store is erased", err)
				}
			}
			if done, err = db.Erase(ctx, by, o.household, false); err != nil {
				return err
			}
			if !o.storeOnly && len(done.Shared) > 0 {
				if err := leaveToOthers(ctx, cfg, db, done.Shared); err != nil {
					return fmt.Errorf("the store is erased, and the stream still knows which meter the household had: %w; import the roster of its next household again", err)
				}
			}
		}
		return o.tell(stdout, done)
	})
}

// forget has ingest and detection forget the home.
func (o *householdOptions) forget(ctx context.Context, cfg *Config, meters []string) error {
	if err := tellConsent(ctx, cfg, o.household, false, time.Now()); err != nil {
		return err
	}
	return forgetMeters(ctx, cfg, meters)
}

// tell says what was done, and what is out of reach.
func (o *householdOptions) tell(stdout io.Writer, done store.Erasure) error {
	p := &printing{w: stdout, json: o.json}
	switch {
	case done.Already:
		p.line(done, "%s was erased before; nothing was done", o.household)
		return p.err
	case o.dryRun:
		p.line(done, "would erase %s: %d people%s", o.household, done.People, inTables(done.Rows))
	default:
		p.line(done, "erased %s: %d people%s; its alerts count under %s", o.household, done.People, inTables(done.Rows), done.Household)
	}
	if o.json || o.dryRun {
		return p.err
	}
	p.line(nil, "not reached: backups; what people have in their phones; the id alone, with the time of the withdrawal, in the state of its area; topics until their retention ends: %s", retentions())
	return p.err
}

// retentions are the topics that forget by themselves, with their days.
func retentions() string {
	var list []string
	for _, t := range stream.Topics(1, stream.Retention{}) {
		if t.Retention > 0 {
			list = append(list, fmt.Sprintf("%s %d days", t.Name, int(t.Retention/(24*time.Hour))))
		}
	}
	return strings.Join(list, ", ")
}

func inTables(rows map[string]int) string {
	var b strings.Builder
	for _, table := range slices.Sorted(maps.Keys(rows)) {
		fmt.Fprintf(&b, ", %s %d", table, rows[table])
	}
	return b.String()
}
