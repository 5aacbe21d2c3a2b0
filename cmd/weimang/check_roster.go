package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"weimang/alerts/roster"
	"weimang/alerts/rosterfile"
	"weimang/alerts/store"
)

// rosterCheck are the flags of check roster.
type rosterCheck struct {
	rosterOptions
	strict bool
}

func newCheckRosterCmd() *cobra.Command {
	var opt rosterCheck
	cmd := &cobra.Command{
		Use:   "roster [FILE|FOLDER]",
		Short: "Check a roster (workbook, CSV or folder of CSV files), or the one in the store",
		Long: `Lists everything that is wrong with a roster: sheet, row, column and remedy. What
stands in a cell is not repeated. An error keeps a list from being imported; a
warning says what wants to be mended: villages without a chair, homes without a
meter or consent, numbers that nobody has checked for a year.

A file alone is judged by what it holds. With --config it is judged as it would
be once imported, with the channels that are open; without a file, the roster in
the store is.

The exit code is 0 when there is no error (--strict: and no warning).`,
		Example: `  weimang check roster 名单.xlsx
  weimang check roster roster/ --config weimang.yaml --json
  weimang check roster --config weimang.yaml --strict`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := ""
			if len(args) > 0 {
				path = args[0]
			}
			return opt.run(cmd.Context(), path, cmd.OutOrStdout())
		},
	}
	opt.flags(cmd)
	cmd.Flags().BoolVar(&opt.strict, "strict", false, "warnings, too, make the roster bad")
	jsonLines(cmd, &opt.json)
	return cmd
}

func (o *rosterCheck) run(ctx context.Context, path string, stdout io.Writer) (err error) {
	faults, entries, lang, err := o.judge(ctx, path)
	if err != nil {
		return err
	}
	p := &printing{w: stdout, json: o.json, lang: lang}
	bad := 0
	rosterfile.Sort(faults)
	for _, f := range faults {
		if f.Grave {
			bad++
		}
		p.fault(f)
	}
	warnings := len(faults) - bad
	p.line(struct {
		Entries  int `json:"entries"`
		Errors   int `json:"errors"`
		Warnings int `json:"warnings"`
	}{entries, bad, warnings}, "roster: %d entries, %d errors, %d warnings", entries, bad, warnings)
	switch {
	case p.err != nil:
		return fmt.Errorf("print what is wrong: %w", p.err)
	case bad > 0:
		return fmt.Errorf("the roster has %d errors and cannot be used", bad)
	case warnings > 0 && o.strict:
		return fmt.Errorf("the roster has %d warnings", warnings)
	case entries == 0:
		return fmt.Errorf("the roster is empty")
	}
	return nil
}

// judge finds what is wrong with a list, a list as it would be imported, or the
// roster in the store.
func (o *rosterCheck) judge(ctx context.Context, path string) (faults []rosterfile.Fault, entries int, lang roster.Lang, err error) {
	if path != "" && o.config == "" {
		cfg := DefaultConfig()
		if lang, err = o.lang(cfg); err != nil {
			return nil, 0, lang, err
		}
		list, err := rosterfile.Open(path, rosterfile.Options{Zone: cfg.Roster.Zone, Lang: lang})
		if err != nil {
			return nil, 0, lang, err
		}
		r, at := rosterfile.Build(list.Tables)
		found := rosterfile.Locate(roster.Check(r, roster.Checking{Now: time.Now()}), at, lang)
		return append(list.Faults, found...), len(at), lang, nil
	}
	err = withStore(ctx, o.config, func(cfg *Config, db *store.DB) error {
		if lang, err = o.lang(cfg); err != nil {
			return err
		}
		r, err := db.Roster(ctx, roster.By{Actor: o.by, For: roster.ForCheck})
		if err != nil {
			return err
		}
		by := roster.Checking{Now: time.Now(), Whole: true, Channels: cfg.Alerts.openChannels()}
		if path == "" {
			r, at := rosterfile.Build(rosterfile.Encode(r))
			faults, entries = rosterfile.Locate(roster.Check(r, by), at, lang), len(at)
			return nil
		}
		list, err := rosterfile.Open(path, rosterfile.Options{Zone: cfg.Roster.Zone, Units: r.Units, Lang: lang})
		if err != nil {
			return err
		}
		erased, err := db.ErasedAmong(ctx, list.Households())
		if err != nil {
			return err
		}
		// Whether it would be refused says the exit code, by the same faults.
		out, _ := rosterfile.Apply(r, list, rosterfile.Import{Now: by.Now, AllowRemoval: true, Channels: by.Channels, Erased: erased, Lang: lang})
		for _, rows := range list.Tables {
			entries += len(rows)
		}
		faults = out.Faults
		return nil
	})
	return faults, entries, lang, err
}
