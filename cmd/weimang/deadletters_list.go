package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"weimang/ingest"
	"weimang/ingest/deadletters"
)

// listOptions are the flags of deadletters list.
type listOptions struct {
	letterFlags
	oldest, summary, json bool
}

func newDeadLettersListCmd() *cobra.Command {
	opt := listOptions{}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List dead letters, newest first, with counts by reason",
		Long: `List dead letters up to the end of the topic as it is now. Nothing of a record is
shown but ids of meters and households; see 'weimang deadletters show ID'.

The last column says what became of a letter: waiting; replayed, and not refused
again since; or refused-again, with a later letter in its place. A record that
was replayed before it was refused says how often.`,
		Example: `  weimang deadletters list
  weimang deadletters list --household h-0001 --since 2026-07-01
  weimang deadletters list --summary --json | jq .by_reason`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return opt.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	opt.flags(cmd)
	f.IntVar(&opt.limit, "limit", 50, "how many letters to show, 0 for all; all are counted")
	f.BoolVar(&opt.oldest, "oldest", false, "oldest first")
	f.BoolVar(&opt.summary, "summary", false, "only the counts")
	f.BoolVar(&opt.json, "json", false, "one JSON object per letter, and a last one with the counts")
	return cmd
}

// listed is a letter in a list: nothing in it was written by the sender but
// ids, so that a list can go into a ticket.
type listed struct {
	ID        deadletters.Place `json:"id"`
	Refused   time.Time         `json:"refused"`
	Reason    ingest.Reason     `json:"reason"`
	Field     string            `json:"field,omitempty"`
	Text      string            `json:"text"`
	Topic     string            `json:"topic"`
	Partition int               `json:"partition"`
	Offset    int64             `json:"offset"`
	Subjects  []string          `json:"subjects,omitempty"` // meters and households
	Bytes     int               `json:"bytes"`
	Fate      deadletters.Fate  `json:"fate"`
	Replays   int               `json:"replays"`
}

// listCounts are the counts of all letters selected, shown or not.
type listCounts struct {
	Letters    int                      `json:"letters"`
	ByReason   map[ingest.Reason]int    `json:"by_reason"`
	ByTopic    map[string]int           `json:"by_topic"`
	ByFate     map[deadletters.Fate]int `json:"by_fate"`
	Unreadable int                      `json:"unreadable"` // records that are no letters
}

func (o *listOptions) run(ctx context.Context, stdout, stderr io.Writer) error {
	if o.limit < 0 {
		return usagef("--limit: %d is below zero", o.limit)
	}
	client, cfg, err := o.connect(ctx, stderr)
	if err != nil {
		return err
	}
	defer client.Close()
	filter, err := o.filter(ctx, client, cfg, time.Now())
	if err != nil {
		return err
	}
	reader, err := deadletters.Open(ctx, client)
	if err != nil {
		return err
	}
	counts := listCounts{
		ByReason: map[ingest.Reason]int{}, ByTopic: map[string]int{}, ByFate: map[deadletters.Fate]int{},
		Unreadable: reader.Unreadable,
	}
	var shown []listed
	err = reader.Each(ctx, func(l *deadletters.Letter) error {
		if !filter.Match(l) {
			return nil
		}
		counts.Letters++
		counts.ByReason[l.Reason]++
		counts.ByTopic[l.Topic]++
		counts.ByFate[l.Fate]++
		if !o.summary {
			shown = o.keep(shown, l)
		}
		return nil
	})
	if err != nil {
		return err
	}
	shown = o.arrange(shown)
	if o.json {
		return printJSONList(stdout, shown, counts)
	}
	zone, err := loadZone(cfg.Roster.Zone)
	if err != nil {
		return err
	}
	return printList(stdout, shown, counts, zone)
}

// keep adds a letter to those to be shown. It holds twice as many as are
// wanted at the most, whatever the topic holds.
func (o *listOptions) keep(shown []listed, l *deadletters.Letter) []listed {
	shown = append(shown, listed{
		ID: l.Place, Refused: l.Refused, Reason: l.Reason, Field: l.Field, Text: l.Text,
		Topic: l.Topic, Partition: l.Partition, Offset: l.Offset,
		Subjects: deadletters.Subjects(l.DeadLetter), Bytes: len(l.Value), Fate: l.Fate, Replays: l.Replays(),
	})
	if o.limit > 0 && len(shown) >= 2*o.limit {
		shown = o.arrange(shown)
	}
	return shown
}

// arrange sorts, and leaves as many as are wanted.
func (o *listOptions) arrange(shown []listed) []listed {
	slices.SortStableFunc(shown, func(a, b listed) int {
		c := cmp.Or(a.Refused.Compare(b.Refused), cmp.Compare(a.ID.Partition, b.ID.Partition), cmp.Compare(a.ID.Offset, b.ID.Offset))
		if !o.oldest {
			c = -c
		}
		return c
	})
	if o.limit > 0 && len(shown) > o.limit {
		shown = shown[:o.limit]
	}
	return shown
}

func printJSONList(w io.Writer, shown []listed, counts listCounts) error {
	enc := json.NewEncoder(w)
	for i := range shown {
		if err := enc.Encode(&shown[i]); err != nil {
			return fmt.Errorf("print the list: %w", err)
		}
	}
	if err := enc.Encode(counts); err != nil {
		return fmt.Errorf("print the counts: %w", err)
	}
	return nil
}

func printList(w io.Writer, shown []listed, counts listCounts, zone *time.Location) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	if len(shown) > 0 {
		fmt.Fprintf(table, "ID\tREFUSED\tREASON\tFIELD\tFROM\tOF\tFATE\n")
	}
	for _, l := range shown {
		fate := string(l.Fate)
		if l.Replays > 0 {
			fate += fmt.Sprintf(", after %d replayed", l.Replays)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s/%d:%d\t%s\t%s\n", l.ID, l.Refused.In(zone).Format(time.DateTime), l.Reason, cmp.Or(l.Field, "-"),
			strings.TrimPrefix(l.Topic, topicPrefix), l.Partition, l.Offset, fewWords(l.Subjects), fate)
	}
	if len(shown) > 0 {
		fmt.Fprintln(table)
	}
	for _, reason := range counts.reasons() {
		fmt.Fprintf(table, "%s\t%d\t%s\n", reason, counts.ByReason[reason], reason.Explain().Means)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the list: %w", err)
	}
	return printCounts(w, counts, len(shown))
}

func printCounts(w io.Writer, counts listCounts, shown int) error {
	text := fmt.Sprintf("%d dead letters", counts.Letters)
	if shown > 0 && shown < counts.Letters {
		text += fmt.Sprintf(", %d shown", shown)
	}
	for _, fate := range []deadletters.Fate{deadletters.Replayed, deadletters.RefusedAgain} {
		if n := counts.ByFate[fate]; n > 0 {
			text += fmt.Sprintf(", %d %s", n, fate)
		}
	}
	if counts.Unreadable > 0 {
		text += fmt.Sprintf("; %d records of the topic are none", counts.Unreadable)
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

// reasons are those that occur, the most frequent first.
func (c *listCounts) reasons() []ingest.Reason {
	return slices.SortedFunc(maps.Keys(c.ByReason), func(a, b ingest.Reason) int {
		return cmp.Or(cmp.Compare(c.ByReason[b], c.ByReason[a]), cmp.Compare(a, b))
	})
}

// fewWords names the first of some ids.
func fewWords(ids []string) string {
	switch len(ids) {
	case 0:
		return "-"
	case 1:
		return ids[0]
	default:
		return fmt.Sprintf("%s +%d", ids[0], len(ids)-1)
	}
}
