package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"weimang/alerts"
	"weimang/alerts/channels"
	"weimang/alerts/deliver"
	"weimang/alerts/roster"
	"weimang/alerts/store"
	"weimang/ingest/sender"
	"weimang/ingest/simulate"
)

// demoOptions are the demo's flags.
type demoOptions struct {
	headless bool
	json     bool
	seed     uint64
	without  []string
	speed    float64
	lang     string
	addr     string
	dir      string // where the broker's log and the store are; "": a temporary folder
}

func newDemoCmd() *cobra.Command {
	opt := demoOptions{seed: 1, speed: 36_000, lang: string(roster.Chinese), addr: "127.0.0.1:8080"}
	cmd := &cobra.Command{
		Use:     "demo",
		GroupID: groupTry,
		Short:   "Show the whole way of a reading in one village, with nothing installed",
		Long: `Simulates a village of 60 homes in 3 areas (台区): May and June pass silently
while every home's habits are learned, then July is replayed at a visible pace.
Readings take the whole way: broker, ingest, detectors, store, messages, page.

In July, among ordinary days:
  ac-failure    on a hot 12 July one home's air conditioner fails
  announcement  the power grid announces an outage for the evening of the 21st
  outage        it comes: one notice, no alert for any home in the dark
  not-back      one home stays dark when the others have power again
                (without the outage it cannot happen either)

It ends with what each person would have received and the address of the page,
which stays until Ctrl-C. With --headless it runs as fast as it can, ends by
itself and fails if the story did not come out.`,
		Example: `  weimang demo
  weimang demo --headless --json > messages.jsonl
  weimang demo --headless --seed 7 --without ac-failure`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), opt, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.BoolVar(&opt.headless, "headless", false, "run as fast as possible, end by itself, fail if the story did not come out")
	f.BoolVar(&opt.json, "json", false, "write the messages as JSON lines to standard output")
	f.Uint64Var(&opt.seed, "seed", opt.seed, "changes everything but the story")
	f.StringSliceVar(&opt.without, "without", nil, "take an event away: "+strings.Join(simulate.StoryNames(), ", "))
	f.Float64Var(&opt.speed, "speed", opt.speed, "July's pace: seconds of village time a second")
	f.StringVar(&opt.lang, "lang", opt.lang, "language of the messages: zh-CN or en")
	f.StringVar(&opt.addr, "addr", opt.addr, "address of the page")
	f.StringVar(&opt.dir, "data-dir", "", "keep the broker's log and the store here (default: a temporary folder)")
	return cmd
}

func demo(ctx context.Context, opt demoOptions, stdout, stderr io.Writer) (err error) {
	if lang := roster.Lang(opt.lang); !slices.Contains(roster.Langs, lang) {
		return usagef("--lang must be one of %v", roster.Langs)
	}
	if opt.speed <= 0 {
		return usagef("--speed must be above zero")
	}
	story, err := simulate.Story(opt.seed, opt.without...)
	if err != nil {
		return usagef("--without: %v", err)
	}
	village, err := simulate.New(story)
	if err != nil {
		return err
	}
	if opt.dir == "" {
		if opt.dir, err = os.MkdirTemp("", "weimang-demo-"); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(opt.dir)) }()
	} else if entries, _ := os.ReadDir(opt.dir); len(entries) > 0 {
		return usagef("--data-dir %s is not empty: the demo starts from nothing", opt.dir)
	}
	july := time.Date(2026, time.July, 1, 0, 0, 0, 0, story.Start.Location())
	cfg := DefaultConfig()
	cfg.DataDir, cfg.Clock, cfg.Kafka.Addr, cfg.Log.Level = opt.dir, clockFeed, "127.0.0.1:0", "warn"
	cfg.Detect.PushFrom, cfg.HTTP.Addr = july.Format(time.RFC3339), opt.addr
	cfg.Store.Path = filepath.Join(opt.dir, "weimang.db")
	if opt.headless {
		cfg.HTTP.Addr = "127.0.0.1:0"
	}

	human := stdout
	if opt.json {
		human = stderr
	}
	screen := &screen{bar: newProgress(stderr, ""), out: human}
	told := new(channels.Memory)
	phone := &phone{memory: told}
	if !opt.headless {
		phone.live = screen
	}
	if opt.json {
		phone.lines = channels.NewJSONLines(stdout)
	}
	s, err := start(ctx, wiring{
		cfg: cfg, log: newLogger(cfg, stderr), roster: demoHouseholds(village), people: []roster.Member{{
			Person: roster.Person{
				ID: "wd:chair:1", Name: chairTitle, Lang: roster.Lang(opt.lang), Contacts: []roster.Contact{{Channel: channels.NameConsole}},
			},
			Duty: roster.Duty{Role: roster.Chair, UnitID: story.Village},
		}},
		channels: map[string]deliver.Channel{channels.NameConsole: phone},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(s.lc.reason(err), s.stop()) }()
	ctx = s.lc.context()

	began := time.Now()
	fmt.Fprintf(human, "Weimang 微芒: %d homes in %d areas, seed %d. Page: %s\n", story.Households, story.Areas, opt.seed, s.page)
	if err := demoSend(ctx, s, village, screen, "May and June, learning", story.Start, july, 0); err != nil {
		return err
	}
	speed := opt.speed
	if opt.headless {
		speed = 0
	}
	if err := demoSend(ctx, s, village, screen, "July", july, story.End, speed); err != nil {
		return err
	}
	if err := s.drained(ctx); err != nil {
		return err
	}
	screen.clear()

	messages := told.Messages()
	fmt.Fprintf(human, "\n%d messages in July (%.1f s)\n", len(messages), time.Since(began).Seconds())
	printByPerson(human, messages, story.Start.Location())
	storyErr := checkStory(opt.seed, opt.without, messages, float64(story.Households)*story.End.Sub(july).Hours()/24)
	if storyErr == nil {
		fmt.Fprintln(human, "\nThe story came out.")
	}
	if opt.headless {
		return storyErr
	}
	if storyErr != nil {
		fmt.Fprintln(human, storyErr)
	}
	fmt.Fprintf(human, "\nThe page stays at %s until Ctrl-C.\n", s.page)
	<-ctx.Done()
	return nil
}

// demoSend sends a span of the village's life and waits until it has gone the
// whole way.
func demoSend(ctx context.Context, s *system, v *simulate.Village, screen *screen, label string, from, until time.Time, speed float64) error {
	screen.bar.label = label
	send, err := sender.New(sender.Options{
		Client: s.client, FeedID: "demo-" + from.Format("200601"), AsOfFeed: true, Speed: speed, Barrier: s.caughtUp,
		Progress: func(p sender.Progress) {
			s.feedClock.Store(p.Clock.UnixMilli())
			screen.set(int64(p.Clock.Sub(from)), int64(until.Sub(from)), p.Clock.In(from.Location()).Format("2 January 15:04"))
		},
	})
	if err != nil {
		return err
	}
	if _, err := send.Send(ctx, villageItems(v, from, until)); err != nil {
		return err
	}
	return s.drained(ctx)
}

func demoHouseholds(v *simulate.Village) []store.HouseholdRow {
	var rows []store.HouseholdRow
	for _, h := range v.Homes() {
		rows = append(rows, store.HouseholdRow{
			MeterID: h.MeterID, HouseholdID: h.HouseholdID, AreaID: h.AreaID, VillageID: h.VillageID,
			VillageName: demoVillage, Label: h.Label, Zone: h.Zone,
		})
	}
	return rows
}

// demoVillage is the village's name on the page: made up, like the village.
const demoVillage = "微芒村"

// screen lets messages come between the redraws of a progress bar.
type screen struct {
	mu  sync.Mutex
	bar *progress
	out io.Writer
}

// Write implements io.Writer, above the bar.
func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bar.clear()
	return s.out.Write(b)
}

func (s *screen) set(done, total int64, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bar.set(done, total, text)
}

func (s *screen) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bar.clear()
}

// phone is the demo's one channel: it shows a message as it comes and keeps it
// for the closing list.
type phone struct {
	memory *channels.Memory
	live   io.Writer           // nil: nothing is shown as it comes
	lines  *channels.JSONLines // nil: no JSON
}

// Send implements deliver.Channel.
func (p *phone) Send(ctx context.Context, m alerts.Message) (deliver.Receipt, error) {
	if p.live != nil {
		if receipt, err := channels.NewConsole(p.live).Send(ctx, m); err != nil {
			return receipt, err
		}
	}
	if p.lines != nil {
		if receipt, err := p.lines.Send(ctx, m); err != nil {
			return receipt, err
		}
	}
	return p.memory.Send(ctx, m)
}

// printByPerson lists what each person would have received.
func printByPerson(w io.Writer, messages []alerts.Message, zone *time.Location) {
	byPerson := make(map[string][]alerts.Message)
	for _, m := range messages {
		who := fmt.Sprintf("%s %s", m.To.Role, m.To.PersonID)
		byPerson[who] = append(byPerson[who], m)
	}
	for _, who := range slices.Sorted(maps.Keys(byPerson)) {
		list := byPerson[who]
		slices.SortStableFunc(list, func(a, b alerts.Message) int {
			return cmp.Or(a.DecidedAt.Compare(b.DecidedAt), cmp.Compare(a.ID, b.ID))
		})
		fmt.Fprintf(w, "\n%s would have received:\n", who)
		for _, m := range list {
			fmt.Fprintf(w, "  %s  %-6s  %s\n", m.DecidedAt.In(zone).Format("01-02 15:04"), m.Severity, m.Title)
			for line := range strings.SplitSeq(strings.TrimSpace(m.Text), "\n") {
				fmt.Fprintf(w, "      %s\n", line)
			}
		}
	}
}
