package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/deadletters"
)

func newDeadLettersShowCmd() *cobra.Command {
	var from brokerFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show one dead letter whole: where from, why, what to do, and its bytes",
		Long: `Show one dead letter; ID is the first column of 'weimang deadletters list'.

The record itself is shown, too: as text where it is printable, else in hex. It
may hold anything that a sender wrote, names included: it is for you, not for a
ticket.`,
		Example: `  weimang deadletters show 0:17
  weimang deadletters show 0:17 --json | jq -r .letter.value | base64 -d`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			place, err := deadletters.ParsePlace(args[0])
			if err != nil {
				return usagef("%v", err)
			}
			l, zone, err := findLetter(cmd.Context(), &from, place, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if asJSON {
				return showJSON(cmd.OutOrStdout(), l)
			}
			_, err = io.WriteString(cmd.OutOrStdout(), describeLetter(l, zone))
			return err
		},
	}
	from.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "as one JSON object, bytes in base64")
	return cmd
}

func findLetter(ctx context.Context, from *brokerFlags, place deadletters.Place, stderr io.Writer) (*deadletters.Letter, *time.Location, error) {
	client, cfg, err := from.connect(ctx, stderr)
	if err != nil {
		return nil, nil, err
	}
	defer client.Close()
	zone, err := loadZone(cfg.Roster.Zone)
	if err != nil {
		return nil, nil, err
	}
	reader, err := deadletters.Open(ctx, client)
	if err != nil {
		return nil, nil, err
	}
	l, err := reader.Get(ctx, place)
	return l, zone, err
}

func showJSON(w io.Writer, l *deadletters.Letter) error {
	e := l.Reason.Explain()
	return json.NewEncoder(w).Encode(struct {
		ID      deadletters.Place    `json:"id"`
		Refused time.Time            `json:"refused"`
		Fate    deadletters.Fate     `json:"fate"`
		Replays int                  `json:"replays"`
		Means   string               `json:"means"`
		Remedy  string               `json:"remedy"`
		Replay  string               `json:"replay,omitempty"` // when the same bytes will be taken
		Letter  *contract.DeadLetter `json:"letter"`
	}{l.Place, l.Refused, l.Fate, l.Replays(), e.Means, e.Remedy, e.Replay, l.DeadLetter})
}

// describeLetter is everything that is known of a letter, for a terminal.
func describeLetter(l *deadletters.Letter, zone *time.Location) string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-10s"+format+"\n", append([]any{name}, args...)...)
	}
	when := func(t time.Time) string {
		if t.IsZero() || t.Unix() <= 0 {
			return "unknown"
		}
		return t.In(zone).Format(time.RFC3339)
	}
	e := l.Reason.Explain()
	line("letter", "%s, refused %s", l.Place, when(l.Refused))
	line("clock", "%s (of the run that refused it)", when(l.At))
	line("from", "%s, partition %d, offset %d, written %s", l.Topic, l.Partition, l.Offset, when(l.Time))
	if l.Key != nil {
		line("key", "%s", printable(l.Key))
	}
	for _, h := range l.Headers {
		line("header", "%s: %s", printable([]byte(h.Name)), printable(h.Value))
	}
	line("reason", "%s: %s", l.Reason, e.Means)
	at, located := faultAt(l)
	if l.Field != "" {
		line("place", "%s", l.Field)
	}
	line("says", "%s", l.Text)
	line("remedy", "%s", e.Remedy)
	if e.Replay != "" {
		line("replay", "%s", e.Replay)
	} else {
		line("replay", "the same bytes are refused again, unless the program is another")
	}
	if n := l.Replays(); n > 0 {
		line("fate", "%s; had been replayed %d times before it was refused", l.Fate, n)
	} else {
		line("fate", "%s", l.Fate)
	}
	if l.Cut {
		line("bytes", "%d, not all of the record", len(l.Value))
	} else {
		line("bytes", "%d", len(l.Value))
	}
	if located {
		line("here", "byte %d: %s", at, around(l.Value, at))
	}
	b.WriteString("\n" + payload(l.Value))
	return b.String()
}

// faultAt is where in the bytes it went wrong. A field alone tells it in JSON
// only.
func faultAt(l *deadletters.Letter) (int, bool) {
	wire := l.Topic == ingest.TopicReadings || l.Topic == ingest.TopicIncidents || l.Topic == ingest.TopicDirectives
	if !wire || l.ContentType == contract.Protobuf || l.Field == "" && l.Reason != ingest.NotJSON {
		return 0, false
	}
	return deadletters.Locate(l.Value, l.Field)
}

// around is some of the text before and after a byte.
func around(value []byte, at int) string {
	const some = 30
	text := func(b []byte) string {
		return strings.Map(func(r rune) rune {
			if !unicode.IsPrint(r) {
				return ' '
			}
			return r
		}, strings.ToValidUTF8(string(b), ""))
	}
	return text(value[max(0, at-some):at]) + " >>>" + text(value[at:min(len(value), at+some)])
}

// isText reports whether bytes can be printed as they are: nothing in them
// moves a terminal's cursor, or turns the direction of writing.
func isText(value []byte) bool {
	return utf8.Valid(value) && bytes.IndexFunc(value, func(r rune) bool {
		return !unicode.IsPrint(r) && r != '\n' && r != '\t' && r != '\r'
	}) < 0
}

// printable is a key or a header's value on one line.
func printable(b []byte) string {
	if isText(b) && !bytes.ContainsAny(b, "\n\r") {
		return string(b)
	}
	return "hex " + hex.EncodeToString(b)
}

// payload is the record's value: as text, or as hex with the bytes beside it.
func payload(value []byte) string {
	switch {
	case len(value) == 0:
		return "(no bytes)\n"
	case isText(value):
		return strings.TrimRight(string(value), "\r\n") + "\n"
	default:
		return hex.Dump(value)
	}
}
