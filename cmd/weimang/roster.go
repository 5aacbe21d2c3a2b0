package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"weimang/alerts/roster"
	"weimang/alerts/rosterfile"
	"weimang/alerts/store"
)

func newRosterCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "roster",
		GroupID: groupRun,
		Short:   "Import, export and compare who lives where and who answers for whom",
		Long: `The roster holds units, households with their meters, people with what they
answer for, consent, screening, services and plans. It comes and goes as a
workbook (.xlsx) with a sheet for each, as a folder of CSV files, or as one CSV
file. Columns and words: deploy/docs/roster.md.`,
		Example: `  weimang check roster 名单.xlsx                        what is wrong with it
  weimang roster diff 名单.xlsx --config weimang.yaml    what it would change
  weimang roster import 名单.xlsx --config weimang.yaml
  weimang roster export --to 名单.xlsx --config weimang.yaml`,
		Args: knownCommand,
		RunE: func(*cobra.Command, []string) error { return usagef("say what to do: import, diff or export") },
	}
	cmd.AddCommand(newRosterImportCmd(), newRosterDiffCmd(), newRosterExportCmd())
	return cmd
}

// rosterOptions are what the commands of roster have in common.
type rosterOptions struct {
	config   string
	language string
	by       string
	replace  bool
	removal  bool
	dryRun   bool
	json     bool
}

func (o *rosterOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&o.config, "config", "c", "", "configuration file (YAML)")
	f.StringVar(&o.language, "language", "", "zh-CN or en (default alerts.language)")
	byFlag(cmd, &o.by)
}

// byFlag says who works with what is personal, for the audit log.
func byFlag(cmd *cobra.Command, by *string) {
	cmd.Flags().StringVar(by, "by", "cli", "who does this, for the audit log: the id of a person")
}

// lang is the language that is asked for, or the site's.
func (o *rosterOptions) lang(cfg *Config) (roster.Lang, error) {
	lang := roster.Lang(o.language)
	if lang == "" {
		lang = roster.Lang(cfg.Alerts.Language)
	}
	if !slices.Contains(roster.Langs, lang) {
		return "", usagef("--language: must be zh-CN or en")
	}
	return lang, nil
}

func newRosterImportCmd() *cobra.Command {
	var opt rosterOptions
	cmd := &cobra.Command{
		Use:   "import FILE|FOLDER",
		Short: "Bring a roster into the store, all of it or nothing",
		Long: `Brings a roster into the store in one transaction, and tells the stream which
homes are watched. What the list names counts, what it does not name stays; with
--replace a sheet that the list has is the whole of it, and who is not on it any
more leaves: that is kept with its date.

A list with errors changes nothing, nor does one that leaves more than half of
the homes unwatched (--allow-removal lets it). A home is watched only for the
time for which consent to be watched is recorded.`,
		Example: `  weimang roster import 名单.xlsx --config weimang.yaml --dry-run
  weimang roster import roster/ --config weimang.yaml --replace`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return opt.run(cmd.Context(), args[0], roster.ForImport, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	opt.flags(cmd)
	f := cmd.Flags()
	f.BoolVar(&opt.replace, "replace", false, "a sheet that the list has is the whole of it")
	f.BoolVar(&opt.removal, "allow-removal", false, "more than half of the homes may leave")
	f.BoolVar(&opt.dryRun, "dry-run", false, "say what would be, and change nothing")
	jsonLines(cmd, &opt.json)
	return cmd
}

func newRosterDiffCmd() *cobra.Command {
	opt := rosterOptions{dryRun: true}
	cmd := &cobra.Command{
		Use:   "diff FILE|FOLDER",
		Short: "What an import would change, without names",
		Long: `Lists what importing a roster would add, change and close, by sheet and id.
What is personal is named by its column and not shown.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return opt.run(cmd.Context(), args[0], roster.ForDiff, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	opt.flags(cmd)
	cmd.Flags().BoolVar(&opt.replace, "replace", false, "a sheet that the list has is the whole of it")
	cmd.Flags().BoolVar(&opt.removal, "allow-removal", false, "more than half of the homes may leave")
	jsonLines(cmd, &opt.json)
	return cmd
}

func jsonLines(cmd *cobra.Command, asJSON *bool) {
	cmd.Flags().BoolVar(asJSON, "json", false, "one JSON object a line")
}

// run imports, or says what an import would do.
func (o *rosterOptions) run(ctx context.Context, path string, purpose roster.Purpose, stdout, stderr io.Writer) error {
	return withOwnStore(ctx, o.config, func(cfg *Config, db *store.DB) error {
		lang, err := o.lang(cfg)
		if err != nil {
			return err
		}
		before, err := db.Homes(ctx)
		if err != nil {
			return err
		}
		units, err := db.Units(ctx)
		if err != nil {
			return err
		}
		list, err := rosterfile.Open(path, rosterfile.Options{Zone: cfg.Roster.Zone, Units: units, Lang: lang})
		if err != nil {
			return err
		}
		erased, err := db.ErasedAmong(ctx, list.Households())
		if err != nil {
			return err
		}
		var out rosterfile.Imported
		err = db.ChangeRoster(ctx, roster.By{Actor: o.by, For: purpose}, func(now *roster.Roster) (_ *roster.Roster, err error) {
			out, err = rosterfile.Apply(now, list, rosterfile.Import{
				Replace: o.replace, AllowRemoval: o.removal || cfg.Roster.AllowRemoval, Now: time.Now(), Channels: cfg.Alerts.openChannels(), Erased: erased, Lang: lang,
			})
			if o.dryRun {
				return nil, err
			}
			return out.Roster, err
		})
		if err := errors.Join(o.print(stdout, out, purpose == roster.ForDiff), err); err != nil || o.dryRun {
			return err
		}
		// The store has it in any case: what follows is told, and is no error.
		if err := publishHomes(ctx, cfg, db, before); err != nil {
			fmt.Fprintf(stderr, "the store has the roster, and the stream hears of it at the next start of role alert: %v\n", err)
		}
		return nil
	})
}

// print prints what is wrong and what changes; all of it where somebody asks for
// the difference, and else what it comes to.
func (o *rosterOptions) print(w io.Writer, out rosterfile.Imported, all bool) error {
	if out.Roster == nil {
		return nil
	}
	p := &printing{w: w, json: o.json, lang: out.Lang}
	rosterfile.Sort(out.Faults)
	for _, f := range out.Faults {
		p.fault(f)
	}
	count := map[rosterfile.What]int{}
	for _, c := range out.Changes {
		count[c.What]++
		if all {
			p.change(c)
		}
	}
	p.line(struct {
		Added   int `json:"added"`
		Changed int `json:"changed"`
		Gone    int `json:"gone"`
		Lost    int `json:"homes_no_longer_watched"`
	}{count[rosterfile.Added], count[rosterfile.Changed], count[rosterfile.Gone], out.Lost},
		"roster: %d added, %d changed, %d gone", count[rosterfile.Added], count[rosterfile.Changed], count[rosterfile.Gone])
	return p.err
}

// withOwnStore is withStore for a store that may not be there yet.
func withOwnStore(ctx context.Context, file string, fn func(*Config, *store.DB) error) error {
	cfg, err := LoadConfig(file, os.Environ())
	if err != nil {
		return err
	}
	db, err := store.OpenWith(ctx, cfg.StoreOptions())
	if err != nil {
		return err
	}
	return errors.Join(fn(cfg, db), db.Close())
}

// printing prints lines, or JSON objects in their place.
type printing struct {
	w    io.Writer
	json bool
	lang roster.Lang // of faults
	err  error
}

func (p *printing) line(v any, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if p.json {
		b, err := json.Marshal(v)
		p.err, text = errors.Join(p.err, err), string(b)
	}
	_, err := fmt.Fprintln(p.w, text)
	p.err = errors.Join(p.err, err)
}

// fault prints what is wrong, and where, in the language of its text.
func (p *printing) fault(f rosterfile.Fault) {
	words := map[string]string{"row": "row %d", "column": "column %s", "error": "error", "warning": "warning", "see": " (see %s)", "end": ": ", "part": "; "}
	if p.lang == roster.Chinese {
		words = map[string]string{"row": "第 %d 行", "column": "“%s”", "error": "错误", "warning": "提醒", "see": "（见 %s）", "end": "：", "part": "。"}
	}
	level := words["warning"]
	if f.Grave {
		level = words["error"]
	}
	var where []string
	for _, s := range []string{f.File, f.Sheet, f.Entry} {
		if s != "" {
			where = append(where, s)
		}
	}
	if f.Row > 0 {
		where = append(where, fmt.Sprintf(words["row"], f.Row))
	}
	if f.Column != "" {
		where = append(where, fmt.Sprintf(words["column"], f.Column))
	}
	also := ""
	if len(f.Also) > 0 {
		also = fmt.Sprintf(words["see"], strings.Join(f.Also, ", "))
	}
	p.line(f, "%s", strings.Join(where, ", ")+words["end"]+level+" "+string(f.Rule)+words["end"]+f.Text+words["part"]+f.Remedy+also)
}

func (p *printing) change(c rosterfile.Change) {
	var fields []string
	for _, f := range c.Columns {
		fields = append(fields, fmt.Sprintf("%s %s → %s", f.Column, orNothing(f.Was), orNothing(f.Is)))
	}
	text := fmt.Sprintf("%s %s %s", c.What, c.Sheet, c.Entry)
	if len(fields) > 0 {
		text += ": " + strings.Join(fields, ", ")
	}
	p.line(c, "%s", text)
}

func orNothing(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
