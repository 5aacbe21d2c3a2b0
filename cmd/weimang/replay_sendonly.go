package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"weimang/ingest"
	"weimang/ingest/intake"
	"weimang/ingest/stream"
)

// checkSendOnly refuses --send-only without somewhere to send to, and with flags
// whose work others do.
func (o *replayOptions) checkSendOnly() error {
	switch {
	case !o.sendOnly:
		return nil
	case len(o.brokers) == 0:
		return usagef("--send-only needs --brokers: an embedded broker would have no reader")
	case o.out != "":
		return usagef("--out: with --send-only the store is another process's")
	case o.people != "":
		return usagef("--people: with --send-only others tell people; set their roster.people")
	case o.pushFrom != "":
		return usagef("--push-from: with --send-only others detect; set their detect.push_from")
	}
	return nil
}

// otherIngest is ingest in other processes, of which only the offsets are seen.
type otherIngest struct {
	client *stream.Client
	bar    *progress
	stderr io.Writer
}

// replayTopics are where a replay sends to.
var replayTopics = []string{ingest.TopicReadings, ingest.TopicIncidents, ingest.TopicDirectives}

// patience is how long ingest may take to catch up before a user is told what is
// waited for.
const patience = 10 * time.Second

// caughtUp waits until ingest has handled everything sent before, whoever sends
// meanwhile. Where that takes long it says what it waits for: perhaps no ingest runs.
func (o *otherIngest) caughtUp(ctx context.Context) error {
	ends := make(map[string][]int64)
	for _, topic := range replayTopics {
		var err error
		if ends[topic], err = o.client.EndOffsets(ctx, topic); err != nil {
			return err
		}
	}
	began, told := time.Now(), false
	return until(ctx, func(ctx context.Context) (bool, error) {
		n, err := o.lag(ctx, ends)
		if err == nil && n > 0 && !told && time.Since(began) > patience {
			told = true
			o.bar.clear()
			fmt.Fprintf(o.stderr, "waiting until ingest has taken %d records, before the next of the file are sent; is \"weimang run\" up with these brokers and this prefix?\n", n)
		}
		return err == nil && n == 0, err
	})
}

// lag is how many records before some ends, by topic, ingest has yet to take.
func (o *otherIngest) lag(ctx context.Context, ends map[string][]int64) (lag int64, err error) {
	for _, topic := range replayTopics {
		n, err := o.client.LagUpTo(ctx, intake.DefaultGroup, topic, ends[topic])
		if err != nil {
			return 0, err
		}
		lag += n
	}
	return lag, nil
}

// tellRest says what ingest has yet to take, of other senders too. A user who may
// not look at the group has sent everything all the same.
func (o *otherIngest) tellRest(ctx context.Context) {
	const refused = `what it refuses is in "weimang deadletters list"`
	switch n, err := o.lag(ctx, nil); {
	case err != nil:
		fmt.Fprintf(o.stderr, "how much of it ingest has taken cannot be seen: %v\n", err)
	case n > 0:
		fmt.Fprintf(o.stderr, "ingest has %d records yet to take; %s\n", n, refused)
	default:
		fmt.Fprintf(o.stderr, "ingest has taken everything; %s\n", refused)
	}
}
