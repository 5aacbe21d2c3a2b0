package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// benchFlags are those of every bench.
type benchFlags struct {
	json    bool
	brokers []string // none: one of our own
	timeout time.Duration
}

// flags adds them to a command; timeout is the default.
func (b *benchFlags) flags(cmd *cobra.Command, timeout time.Duration) {
	f := cmd.Flags()
	f.BoolVar(&b.json, "json", false, "print one JSON object")
	f.StringSliceVar(&b.brokers, "brokers", nil, "Kafka brokers to use instead of one of our own")
	f.DurationVar(&b.timeout, "timeout", timeout, "give up after this")
}

// onSite measures on the brokers given, or on one of its own, for as long as the
// user allows, and says so where that was too short.
func (b *benchFlags) onSite(ctx context.Context, stderr io.Writer, measure func(context.Context, *benchSite) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, b.timeout, fmt.Errorf("not done after %v (--timeout)", b.timeout))
	defer cancel()
	site, err := openBenchSite(ctx, b.brokers, stderr)
	if err == nil {
		err = errors.Join(measure(ctx, site), site.close())
	}
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(err, context.Canceled) {
		return cause
	}
	return err
}

// print prints a result as JSON, or else in words.
func (b *benchFlags) print(stdout io.Writer, result any, words func(io.Writer)) error {
	if b.json {
		return json.NewEncoder(stdout).Encode(result)
	}
	words(stdout)
	return nil
}

// benchStages tells on stderr what is being done, and since when.
func benchStages(stderr io.Writer) func(stage string) {
	began := time.Now()
	return func(stage string) {
		fmt.Fprintf(stderr, "%6.1f s  %s\n", time.Since(began).Seconds(), stage)
	}
}

// refusedOptions is what is wrong with the options of a bench, in a line.
func refusedOptions(err error) error {
	return usagef("%s", strings.ReplaceAll(err.Error(), "\n", "; "))
}

// Stand-ins, so that options are checked before a broker is started for them.
var unknownBrokers = []string{"not known yet"}

const unknownPrefix = "not known yet."
