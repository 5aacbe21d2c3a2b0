package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"weimang/alerts/roster"
	"weimang/alerts/rosterfile"
	"weimang/ingest/contract"
	"weimang/ingest/feedfile"
)

func newCheckCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say what is wrong with a configuration, records or a roster",
		Long: `Say what is wrong with a file before it is used, record by record: the line, the
reason (the same word as in the dead letters), the field, and what to do.
Nothing of a record is repeated but numbers, since a name may stand anywhere.

The exit code is 0 when all is good, and 1 otherwise.`,
		GroupID: groupIntegrate,
		Args:    knownCommand,
		RunE: func(*cobra.Command, []string) error {
			return usagef("say what to check: config, readings, incidents, directives, households, people or roster")
		},
	}
	cmd.AddCommand(newCheckConfigCmd(), newCheckReadingsCmd(), newCheckIncidentsCmd(), newCheckDirectivesCmd(), newCheckHouseholdsCmd(), newCheckPeopleCmd(), newCheckRosterCmd())
	return cmd
}

func newCheckConfigCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "config FILE",
		Short: "Check a configuration, the environment's WEIMANG_ variables and the files it names",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := LoadConfig(args[0], os.Environ())
			if err != nil {
				return err
			}
			if path := c.Roster.Households; path != "" {
				if _, err := feedfile.OpenHouseholds(path); err != nil {
					return fmt.Errorf("roster.households: %w", err)
				}
			}
			if path := c.Roster.People; path != "" {
				people, err := rosterfile.OpenPeople(path)
				if err != nil {
					return fmt.Errorf("roster.people: %w", err)
				}
				if err := reachable(c, people); err != nil {
					return fmt.Errorf("roster.people: %s: %w", path, err)
				}
			}
			if c.Store.Key == "" {
				fmt.Fprintln(cmd.ErrOrStderr(), "warning: store.key is empty: names, addresses and numbers stand in the store in plain")
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: good\n", args[0])
			return err
		},
	}
}

// reachable says whose channel the configuration does not open: what concerns
// them would all go to the fallback.
func reachable(c *Config, people []roster.Member) error {
	var errs []error
	for _, p := range people {
		for _, contact := range p.Contacts {
			if !c.Alerts.open(contact.Channel) {
				errs = append(errs, fmt.Errorf("%s is on channel %q, which the section alerts does not open", p.ID, contact.Channel))
			}
		}
	}
	return errors.Join(errs...)
}

func newCheckReadingsCmd() *cobra.Command {
	var format, clock string
	var asJSON bool
	limits := contract.DefaultLimits()
	cmd := &cobra.Command{
		Use:   "readings FILE",
		Short: "Check readings: records of weimang.readings as JSON lines, or a CSV file",
		Long: `Check readings, plain or gzip, - for standard input: JSON lines, each a record as
it would be sent to weimang.readings, or the CSV that backtest and replay read.

With --clock now the records are also judged as they would be if they were sent
now: those from the future and those too late are refused.

Where most records come later than the site waits for them (--usual-delay), as a
day in one record does under the default, the feed.usual_delay that fits is
named. It goes by sent_at; without that by the length of the blocks, with an
hour for the way. That alone makes no file bad.`,
		Example: `  weimang check readings day.jsonl
  weimang check readings day.jsonl --usual-delay 25h
  kcat -b 127.0.0.1:19092 -C -t weimang.readings -o -1000 -e | weimang check readings - --clock now
  weimang check readings lcl100_2013.csv.gz --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			answers := &answers{w: cmd.OutOrStdout(), json: asJSON, what: "readings"}
			check := readingsCheck{format: format, limits: limits, answers: answers}
			switch clock {
			case "now":
				check.clock = time.Now()
			case "none":
			default:
				return usagef("--clock: %q must be now or none", clock)
			}
			err := withInput(args[0], cmd.InOrStdin(), check.run)
			return answers.finish(args[0], err)
		},
	}
	f := cmd.Flags()
	f.StringVar(&format, "format", formatAuto, "auto, json or csv; auto goes by the first line")
	f.StringVar(&clock, "clock", "none", "now: refuse what is too late or in the future; none: any time is good")
	f.Float64Var(&limits.MaxKW, "max-kw", limits.MaxKW, "highest mean power of an interval, as in the site's feed.max_kw")
	f.DurationVar(&limits.UsualDelay, "usual-delay", limits.UsualDelay, "as in the site's feed.usual_delay")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func newCheckIncidentsCmd() *cobra.Command {
	return newCheckLinesCmd("incidents", "Check incident reports: records of weimang.incidents as JSON lines", func(line []byte) error {
		_, err := contract.DecodeIncident(contract.JSON, line)
		return err
	})
}

func newCheckDirectivesCmd() *cobra.Command {
	return newCheckLinesCmd("directives", "Check directives (away, mute, outcome): records of weimang.directives as JSON lines", func(line []byte) error {
		_, err := contract.DecodeDirective(contract.JSON, line)
		return err
	})
}

// newCheckLinesCmd checks a file of records, one a line; judge returns nil or an
// *ingest.Rejection.
func newCheckLinesCmd(what, short string, judge func(line []byte) error) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   what + " FILE",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			answers := &answers{w: cmd.OutOrStdout(), json: asJSON, what: what}
			err := withInput(args[0], cmd.InOrStdin(), func(r io.Reader) error {
				b, err := feedfile.Text(r)
				if err != nil {
					return err
				}
				return eachLine(b, func(n int, line []byte) { answers.judge(n, judge(line)) })
			})
			return answers.finish(args[0], err)
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func newCheckHouseholdsCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "households FILE",
		Short: "Check a roster of households (CSV); it stops at the first bad row",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			answers := &answers{w: cmd.OutOrStdout(), json: asJSON, what: "households"}
			err := withInput(args[0], cmd.InOrStdin(), func(r io.Reader) error { return checkHouseholds(r, answers) })
			return answers.finish(args[0], err)
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func newCheckPeopleCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "people FILE",
		Short: "Check a list of people who are told (CSV)",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var people []roster.Member
			err := withInput(args[0], cmd.InOrStdin(), func(r io.Reader) (err error) {
				people, err = rosterfile.ReadPeople(r)
				return err
			})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "people: %d good\n", len(people))
			return err
		},
	}
}

func jsonFlag(cmd *cobra.Command, asJSON *bool) {
	cmd.Flags().BoolVar(asJSON, "json", false, "one JSON object per refused record, and a last one with the counts")
}

// withInput opens a file, or takes stdin for "-", and names it in errors.
func withInput(path string, stdin io.Reader, read func(io.Reader) error) error {
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // only read from
		stdin = f
	}
	if err := read(stdin); err != nil {
		return fmt.Errorf("%s: %w", shownPath(path), err)
	}
	return nil
}
