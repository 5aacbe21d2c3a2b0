package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"weimang/ingest"
	"weimang/ingest/deadletters"
	"weimang/ingest/intake"
	"weimang/ingest/stream"
)

func newDeadLettersCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "deadletters",
		GroupID: groupRun,
		Short:   "Look at what was refused, and send it once more",
		Long: `Look at topic weimang.deadletters: records that could not be used, each with a
reason, and write them back to where they came from once the cause is mended.

Without brokers in the configuration the embedded one of a running 'weimang run'
is asked, at kafka.addr.`,
		Example: `  weimang deadletters list --summary
  weimang deadletters list --reason too-late --since 24h
  weimang deadletters show 0:17
  weimang deadletters replay --reason unknown-meter          what would happen
  weimang deadletters replay --reason unknown-meter --yes    do it`,
		Args: knownCommand,
		RunE: func(*cobra.Command, []string) error { return usagef("say what to do: list, show or replay") },
	}
	cmd.AddCommand(newDeadLettersListCmd(), newDeadLettersShowCmd(), newDeadLettersReplayCmd())
	return cmd
}

// letterFlags select dead letters.
type letterFlags struct {
	brokerFlags
	reasons, topics    []string
	meters, households []string
	since, until       string
	limit              int
}

func (l *letterFlags) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	l.brokerFlags.flags(cmd)
	f.StringSliceVar(&l.reasons, "reason", nil, "only of these reasons")
	f.StringSliceVar(&l.topics, "topic", nil, "only from these topics; weimang. may be left out")
	f.StringSliceVar(&l.meters, "meter", nil, "only records that name these meters")
	f.StringSliceVar(&l.households, "household", nil, "only records that name these households, or a meter of theirs in the roster")
	f.StringVar(&l.since, "since", "", "refused since then: a date, a time (RFC 3339), or so long ago, such as 24h")
	f.StringVar(&l.until, "until", "", "refused before then")
}

// all reports whether nothing was selected.
func (l *letterFlags) all() bool {
	return len(l.reasons)+len(l.topics)+len(l.meters)+len(l.households) == 0 && l.since == "" && l.until == ""
}

// filter is what the flags say, at the moment now. The roster is asked for the
// meters of households.
func (l *letterFlags) filter(ctx context.Context, client *stream.Client, cfg *Config, now time.Time) (*deadletters.Filter, error) {
	f := &deadletters.Filter{Subjects: slices.Concat(l.meters, l.households)}
	for _, name := range l.reasons {
		reason := ingest.Reason(name)
		if !slices.Contains(ingest.Reasons, reason) {
			return nil, usagef("--reason: %q must be one of %s", name, joined(ingest.Reasons))
		}
		f.Reasons = append(f.Reasons, reason)
	}
	for _, name := range l.topics {
		if !strings.HasPrefix(name, topicPrefix) {
			name = topicPrefix + name
		}
		f.Topics = append(f.Topics, name)
	}
	zone, err := loadZone(cfg.Roster.Zone)
	if err != nil {
		return nil, err
	}
	if f.From, err = momentOrAgo(l.since, now, zone); err != nil {
		return nil, usagef("--since: %v", err)
	}
	if f.To, err = momentOrAgo(l.until, now, zone); err != nil {
		return nil, usagef("--until: %v", err)
	}
	if len(l.households) == 0 {
		return f, nil
	}
	homes, err := intake.ReadRoster(ctx, client)
	if err != nil {
		return nil, err
	}
	for _, h := range homes {
		if slices.Contains(l.households, h.HouseholdID) {
			f.Subjects = append(f.Subjects, h.MeterID)
		}
	}
	return f, nil
}

const topicPrefix = "weimang."

// momentOrAgo reads a date, a time, or how long before now.
func momentOrAgo(s string, now time.Time, zone *time.Location) (time.Time, error) {
	if ago, err := time.ParseDuration(s); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	t, err := parseMoment(s, zone)
	if err != nil {
		return t, fmt.Errorf("%w, nor so long ago, such as 24h", err)
	}
	return t, nil
}

// joined lists words of a closed set.
func joined[T ~string](words []T) string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = string(w)
	}
	return strings.Join(list, ", ")
}
