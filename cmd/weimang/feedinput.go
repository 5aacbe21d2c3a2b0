package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"weimang/detectors/evaluate"
	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/feedfile"
	"weimang/ingest/intake"
)

// feedOptions are the flags by which backtest and replay are told of a feed
// in files.
type feedOptions struct {
	readings, incidents, directives, households string
	interval                                    time.Duration
	zone                                        string
}

// feedInput is a feed in memory.
type feedInput struct {
	readings   *feedfile.Feed
	incidents  []ingest.Report
	directives []ingest.Directive
	households []feedfile.HouseholdRow // nil: none given
	roster     intake.Roster
}

func (o *feedOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.readings, "readings", "", "readings as CSV, plain or gzip, - for standard input")
	f.StringVar(&o.incidents, "incidents", "", "incident reports as JSON lines, as in the wire contract")
	f.StringVar(&o.directives, "directives", "", "what people said (away, mute, outcome) as JSON lines, taken in when issued")
	f.StringVar(&o.households, "households", "", "CSV of meter_id,household_id,area_id,zone and optional from,until.\nWithout it each meter is a household in an area of its own")
	f.DurationVar(&o.interval, "interval", 0, "15m, 30m or 1h; found from the data if not given")
	f.StringVar(&o.zone, "zone", "UTC", "time zone (IANA name) of stamps without offset, and of homes without --households")
}

// validate says what is wrong with the flags before any file is read.
func (o *feedOptions) validate() (*time.Location, error) {
	zone, err := loadZone(o.zone)
	if err != nil {
		return nil, usagef("--zone: %v", err)
	}
	if o.interval != 0 && !contract.ValidInterval(o.interval) {
		return nil, usagef("--interval: %s must be 15m, 30m or 1h", shortDuration(o.interval))
	}
	inputs := 0
	for _, path := range []string{o.readings, o.incidents, o.directives, o.households} {
		if path == "-" {
			inputs++
		}
	}
	if inputs > 1 {
		return nil, usagef("only one of --readings, --incidents, --directives and --households can be standard input")
	}
	return zone, nil
}

// load reads the files, showing progress and rejected rows on stderr.
func (o *feedOptions) load(stdin io.Reader, stderr io.Writer) (*feedInput, error) {
	zone, err := o.validate()
	if err != nil {
		return nil, err
	}
	in := &feedInput{roster: intake.Open{Zone: o.zone}}
	if o.households != "" {
		if in.households, err = readOr(o.households, stdin, feedfile.OpenHouseholds, feedfile.ReadHouseholds); err != nil {
			return nil, err
		}
		homes := make([]ingest.Home, len(in.households))
		for i, row := range in.households {
			homes[i] = row.Home
		}
		in.roster = intake.Fixed(homes)
	}
	if o.incidents != "" {
		if in.incidents, err = readOr(o.incidents, stdin, feedfile.OpenIncidents, feedfile.ReadIncidents); err != nil {
			return nil, err
		}
	}
	if o.directives != "" {
		if in.directives, err = readOr(o.directives, stdin, feedfile.OpenDirectives, feedfile.ReadDirectives); err != nil {
			return nil, err
		}
	}
	bar := newProgress(stderr, "reading")
	options := feedfile.Options{
		Interval: o.interval, Zone: zone, SkipBad: true,
		Progress: func(read, size int64) { bar.set(read, size, fmt.Sprintf("%d MB", read>>20)) },
	}
	in.readings, err = readOr(o.readings, stdin,
		func(path string) (*feedfile.Feed, error) { return feedfile.Open(path, options) },
		func(r io.Reader) (*feedfile.Feed, error) { return feedfile.ReadReadings(r, options) })
	bar.clear()
	if err != nil {
		return nil, err
	}
	reportRejected(stderr, o.readings, in.readings)
	if in.readings.Len() == 0 {
		return nil, fmt.Errorf("%s: no row can be used; 'weimang check readings' says why for each", shownPath(o.readings))
	}
	return in, nil
}

// readOr opens a file by its path, or reads what stands for standard input.
func readOr[T any](path string, stdin io.Reader, open func(string) (T, error), read func(io.Reader) (T, error)) (T, error) {
	if path != "-" {
		return open(path)
	}
	v, err := read(stdin)
	if err != nil {
		return v, fmt.Errorf("standard input: %w", err)
	}
	return v, nil
}

// shownPath is how messages call a file.
func shownPath(path string) string {
	if path == "-" {
		return "standard input"
	}
	return path
}

// fewRejected is how many rejected rows are told one by one.
const fewRejected = 5

func reportRejected(w io.Writer, path string, feed *feedfile.Feed) {
	if feed.RejectedTotal == 0 {
		return
	}
	fmt.Fprintf(w, "%-13s %d rows of %s cannot be used:\n", "rejected", feed.RejectedTotal, shownPath(path))
	for i := range feed.Rejected[:min(fewRejected, len(feed.Rejected))] {
		fmt.Fprintf(w, "  %v\n", &feed.Rejected[i])
	}
	if more := feed.RejectedTotal - fewRejected; more > 0 {
		fmt.Fprintf(w, "  and %d more; 'weimang check readings' lists them all\n", more)
	}
}

// loadHomes loads a feed for an evaluation, and the list of homes that it is
// about.
func (o *feedOptions) loadHomes(homes string, opt *evaluate.Options, stdin io.Reader, stderr io.Writer) (*feedInput, error) {
	if homes != "" {
		list, err := readOr(homes, stdin, openList, readList)
		if err != nil {
			return nil, err
		}
		opt.Homes = list
	}
	// The interval of the file is its own; the flag says what to make of it.
	opt.Coarsen, o.interval = o.interval, 0
	input, err := o.load(stdin, stderr)
	if err != nil {
		return nil, err
	}
	opt.Roster, opt.Reports = input.roster, input.incidents
	return input, nil
}
