package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"weimang/ingest"
	"weimang/ingest/deadletters"
)

// letterReplay are the flags of deadletters replay.
type letterReplay struct {
	letterFlags
	rules    deadletters.Rules
	all, yes bool
}

func newDeadLettersReplayCmd() *cobra.Command {
	var opt letterReplay
	cmd := &cobra.Command{
		Use:   "replay [ID...]",
		Short: "Write dead letters back to the topics they came from",
		Long: `Write refused records back to the topics they came from, once the cause is mended:
bytes, key and headers as they were, and one more header replayed_from with the
letter's ID. Without --yes it only says what would happen.

What came in by another way in the meantime does no harm: a reading that is
there already changes nothing. But a replayed reading counts as the later one:
where the sender has since corrected the interval with the same quality, or an
incident has moved on, do not replay the old record.

A letter is replayed once. If its record is refused again there is a new letter,
which can be replayed in turn, up to --max-replays. A feed that is judged by its
own clock judges the record by the clock of then: the header stays as it was.`,
		Example: `  weimang deadletters replay --reason unknown-meter --since 48h
  weimang deadletters replay --reason unknown-meter --since 48h --yes
  weimang deadletters replay 0:17 0:18 --yes`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return opt.run(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	opt.flags(cmd)
	f.IntVar(&opt.limit, "limit", 0, "replay at most so many, oldest first; 0 is no limit")
	f.IntVar(&opt.rules.Most, "max-replays", 3, "how often one record may be replayed")
	f.BoolVar(&opt.rules.Force, "force", false, "also what was replayed before, or too often")
	f.BoolVar(&opt.all, "all", false, "everything, where nothing else selects")
	f.BoolVar(&opt.yes, "yes", false, "do it")
	return cmd
}

func (o *letterReplay) run(ctx context.Context, ids []string, stdout, stderr io.Writer) error {
	switch {
	case o.limit < 0 || o.rules.Most < 0:
		return usagef("--limit and --max-replays must not be below zero")
	case len(ids) == 0 && o.letterFlags.all() && !o.all:
		return usagef("say which: IDs, a filter, or --all")
	}
	places := make([]deadletters.Place, len(ids))
	for i, id := range ids {
		var err error
		if places[i], err = deadletters.ParsePlace(id); err != nil {
			return usagef("%v", err)
		}
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
	filter.Places = places
	reader, err := deadletters.Open(ctx, client)
	if err != nil {
		return err
	}
	tally := replayTally{verdicts: map[deadletters.Verdict]int{}, topics: map[string]int{}, hopeless: map[ingest.Reason]int{}}
	writer := deadletters.NewReplayer(client)
	err = reader.Each(ctx, func(l *deadletters.Letter) error {
		if !filter.Match(l) || o.limit > 0 && tally.verdicts[deadletters.Go] == o.limit {
			return nil
		}
		verdict := o.rules.Judge(l)
		tally.add(l, verdict)
		if verdict != deadletters.Go || !o.yes {
			return nil
		}
		return writer.Add(ctx, l)
	})
	if err == nil {
		err = writer.Flush(ctx)
	}
	if err != nil {
		return fmt.Errorf("%w (%d written back before)", err, total(writer.Written))
	}
	tally.print(stdout, o.yes)
	if missing := len(places) - total(tally.verdicts); missing > 0 {
		return fmt.Errorf("%d of %d letters are not there, or not selected", missing, len(places))
	}
	return nil
}

// replayTally counts what a replay does, or would do.
type replayTally struct {
	verdicts map[deadletters.Verdict]int
	topics   map[string]int        // written back
	hopeless map[ingest.Reason]int // of these, of a reason that will refuse them again
}

func (t *replayTally) add(l *deadletters.Letter, v deadletters.Verdict) {
	t.verdicts[v]++
	if v != deadletters.Go {
		return
	}
	t.topics[l.Topic]++
	if l.Reason.Explain().Replay == "" {
		t.hopeless[l.Reason]++
	}
}

func (t *replayTally) print(w io.Writer, done bool) {
	verb := "would go back to"
	if done {
		verb = "went back to"
	}
	for _, topic := range slices.Sorted(maps.Keys(t.topics)) {
		fmt.Fprintf(w, "%d %s %s\n", t.topics[topic], verb, topic)
	}
	for _, v := range deadletters.Verdicts {
		if n := t.verdicts[v]; n > 0 && v != deadletters.Go {
			fmt.Fprintf(w, "%d left: %s\n", n, verdictWords[v])
		}
	}
	if total(t.verdicts) == 0 {
		fmt.Fprintln(w, "nothing is selected")
	}
	for _, r := range slices.Sorted(maps.Keys(t.hopeless)) {
		fmt.Fprintf(w, "note: %d of reason %s; the same bytes are refused again, unless the program is another\n", t.hopeless[r], r)
	}
	if !done && len(t.topics) > 0 {
		fmt.Fprintln(w, "nothing was written; --yes does it")
	}
}

// verdictWords say why a letter is left.
var verdictWords = map[deadletters.Verdict]string{
	deadletters.Already:    "replayed before, and not refused since (--force replays them once more)",
	deadletters.Superseded: "replayed and refused again; a later letter is in their place",
	deadletters.TooOften:   "replayed as often as --max-replays allows (--force replays them once more)",
	deadletters.NotWhole:   "the letter does not hold the whole record; ask the sender for it",
	deadletters.NoWay:      "from no topic that takes records back, or without the key that it needs",
}

func total[K comparable](counts map[K]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}
