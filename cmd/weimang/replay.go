package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"weimang/alerts"
	"weimang/detectors"
	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/feedfile"
	"weimang/ingest/intake"
	"weimang/ingest/sender"
)

// replayOptions are the flags of replay.
type replayOptions struct {
	feed       feedOptions
	people     string
	asOfFeed   bool
	speed      float64
	brokers    []string
	sendOnly   bool
	dataDir    string
	out        string
	pushFrom   string
	httpAddr   string
	noHistory  bool
	configFile string
	detect     detectFlags
}

func newReplayCmd() *cobra.Command {
	opt := replayOptions{httpAddr: "127.0.0.1:0"}
	cmd := &cobra.Command{
		Use:     "replay",
		GroupID: groupJudge,
		Short:   "Send a file of readings the whole way: broker, ingest, detectors, store, messages",
		Long: `Sends a file through Kafka in event-time order, so that real readings take the
whole way, and waits until the last alert is stored and delivered.

With --as-of-feed the feed's clock rules and the transitions are exactly those
of "weimang backtest" on the same file. Without it the wall clock rules: what
is older than the lateness window goes to the dead letters, as it would live.

A replay that was killed goes on where it was when it is started again with
the same file and data folder (or brokers): nothing is lost and nothing comes
twice.

With --send-only other processes do the rest, by their own roster, people and
clock: one of a file's past needs "clock: feed" in their configuration. It ends
when the brokers have acknowledged everything, and says how much ingest has yet
to take; what ingest refuses is in "weimang deadletters list" only. Readings,
incidents and directives come in different topics. Where the file has more than
readings, it waits between them until ingest has caught up, so that they count
in the order of the file: an ingest has to run.`,
		Example: `  weimang replay --readings readings.csv.gz --as-of-feed --out transitions.jsonl
  weimang replay --readings readings.csv.gz --households households.csv --as-of-feed --speed 86400
  weimang replay --readings readings.csv.gz --brokers kafka-1:9092 --send-only`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return replay(cmd.Context(), &opt, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	opt.feed.flags(cmd)
	f.StringVar(&opt.people, "people", "", "CSV of village_id,role,name,channel,address,language")
	f.BoolVar(&opt.asOfFeed, "as-of-feed", false, "judge by the feed's clock instead of the wall clock (--send-only: theirs counts)")
	f.Float64Var(&opt.speed, "speed", 0, "seconds of feed time a second; 0 is as fast as possible")
	f.StringSliceVar(&opt.brokers, "brokers", nil, "Kafka brokers; without them an embedded broker in the data folder")
	f.BoolVar(&opt.sendOnly, "send-only", false, "only send; other processes run the rest, by their own clock (needs --brokers)")
	f.StringVar(&opt.dataDir, "data-dir", "weimang-replay", "where the embedded broker's log and the store are")
	f.StringVar(&opt.out, "out", "", "write the store's transitions as JSON lines when done, as backtest does")
	f.StringVar(&opt.pushFrom, "push-from", "", "learn silently until then (date or RFC 3339)")
	f.StringVar(&opt.httpAddr, "addr", opt.httpAddr, "address of the page and the metrics while it runs")
	f.BoolVar(&opt.noHistory, "no-history", false, "keep no curves for the page: faster")
	opt.detect.flags(cmd)
	f.StringVarP(&opt.configFile, "config", "c", "", "configuration file; the flags above go before it")
	_ = cmd.MarkFlagRequired("readings")
	return cmd
}

// config is the configuration of the replay's own pipeline.
func (o *replayOptions) config() (*Config, error) {
	cfg, err := loadConfig(o.configFile, os.Environ(), func(c *Config) {
		if len(o.brokers) > 0 {
			c.Kafka.Brokers = o.brokers
		}
	})
	if err != nil {
		return nil, err
	}
	cfg.DataDir, cfg.Kafka.Addr, cfg.HTTP.Addr = o.dataDir, "127.0.0.1:0", o.httpAddr
	cfg.Store = StoreConfig{} // in the data folder: what was once is no matter of a site's store
	cfg.Roster.Households, cfg.Roster.People = "", o.people
	cfg.Roster.Open = o.feed.households == ""
	cfg.Roster.Zone = o.feed.zone
	cfg.Detect.History = !o.noHistory
	cfg.Detect.PushFrom = o.pushFrom
	o.detect.configure(&cfg.Detect, o.configFile != "")
	cfg.Clock = clockWall
	if o.asOfFeed {
		cfg.Clock = clockFeed
	}
	if o.configFile == "" {
		cfg.Log.Level = "warn"
	}
	return cfg, cfg.Validate()
}

func replay(ctx context.Context, opt *replayOptions, stdin io.Reader, stdout, stderr io.Writer) (err error) {
	if opt.speed < 0 {
		return usagef("--speed: %g is below zero", opt.speed)
	}
	zone, err := opt.feed.validate()
	if err != nil {
		return err
	}
	if _, err := parseMoment(opt.pushFrom, zone); err != nil {
		return usagef("--push-from: %v", err)
	}
	if err := opt.checkSendOnly(); err != nil {
		return err
	}
	cfg, err := opt.config()
	if err != nil {
		return err
	}
	bar := newProgress(stderr, "replaying")
	input, err := opt.feed.load(stdin, stderr)
	if err != nil {
		return err
	}
	if err := input.checkDirectives(); err != nil {
		return err
	}
	send := sender.Options{
		FeedID: feedID(input), AsOfFeed: opt.asOfFeed, Speed: opt.speed, Directives: len(input.directives) > 0,
	}
	began := time.Now()
	total := int64(input.readings.Len() + len(input.incidents) + len(input.directives))
	if opt.sendOnly {
		client, err := cfg.Kafka.newClient(cfg.Kafka.Brokers, newLogger(cfg, stderr), nil)
		if err != nil {
			return err
		}
		defer client.Close()
		others := otherIngest{client, bar, stderr}
		send.Client, send.Barrier = client, others.caughtUp
		// Only a system whose clock is the feed's looks at the header, and without
		// it would go by whatever partition it has read furthest.
		send.AsOfFeed = true
		send.Progress = func(p sender.Progress) { bar.set(p.Items, total, p.Clock.Format(time.DateOnly)) }
		if _, err := opt.send(ctx, send, input, began, bar, stderr); err != nil {
			return err
		}
		others.tellRest(ctx)
		return nil
	}

	_, people, err := readRoster(cfg)
	if err != nil {
		return err
	}
	channels, closeChannels, err := openChannels(cfg, stdout)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeChannels()) }()
	s, err := start(ctx, wiring{cfg: cfg, roster: householdRows(input.households, false), people: people, channels: channels, log: newLogger(cfg, stderr)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(s.lc.reason(err), s.stop()) }()
	ctx = s.lc.context()
	send.Client, send.Barrier = s.client, s.caughtUp
	if err := s.caughtUp(ctx); err != nil { // areas know who is in them before the first reading, as in a backtest
		return err
	}
	send.Progress = func(p sender.Progress) {
		if opt.asOfFeed {
			s.feedClock.Store(p.Clock.UnixMilli())
		}
		bar.set(p.Items, total, p.Clock.Format(time.DateOnly))
	}
	sent, err := opt.send(ctx, send, input, began, bar, stderr)
	if err != nil {
		return err
	}
	if err := s.drained(ctx); err != nil {
		return err
	}
	bar.clear()
	seconds := time.Since(began).Seconds()
	transitions, err := s.store.Transitions(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "%d readings the whole way in %.1f s (%.0f a second), %d transitions in the store\n",
		sent, seconds, float64(sent)/seconds, len(transitions))
	if err := tellLeftOut(stderr, s.reg, opt.asOfFeed); err != nil {
		return err
	}
	if opt.out == "" {
		return nil
	}
	return writeTransitions(opt.out, stdout, transitions)
}

// send sends the feed and returns how many readings have now been sent.
func (o *replayOptions) send(ctx context.Context, opt sender.Options, input *feedInput, began time.Time,
	bar *progress, stderr io.Writer,
) (int64, error) {
	send, err := sender.New(opt)
	if err != nil {
		return 0, err
	}
	p, err := send.Send(ctx, replayItems(input))
	if err != nil {
		return 0, err
	}
	bar.clear()
	if p.Skipped > 0 {
		fmt.Fprintf(stderr, "%d of %d were sent before\n", p.Skipped, p.Items)
	}
	fmt.Fprintf(stderr, "%d sent in %.1f s\n", p.Items-p.Skipped, time.Since(began).Seconds())
	return p.Items - p.Skipped, nil
}

// replayItems is the feed's timeline, the one a backtest goes by, as items to
// send.
func replayItems(input *feedInput) iter.Seq[sender.Item] {
	return func(yield func(sender.Item) bool) {
		for item := range feedfile.Timeline(input.readings, input.incidents, input.directives) {
			out := sender.Item{Report: item.Report, Directive: item.Directive}
			if item.Report == nil && item.Directive == nil {
				out.Block, out.Area = item.Row.Block(), areaOf(input, item.Row.MeterID)
			}
			if !yield(out) {
				return
			}
		}
	}
}

// areas are the areas of the feed's households.
func (in *feedInput) areas() map[string]string {
	areas := make(map[string]string)
	for _, id := range in.readings.Meters() {
		if home, ok := in.home(id); ok {
			areas[home.HouseholdID] = intake.AreaOf(home)
		}
	}
	return areas
}

// checkDirectives finds what is said about homes that are not in the feed.
func (in *feedInput) checkDirectives() error {
	if len(in.directives) == 0 {
		return nil
	}
	areas := in.areas()
	for i := range in.directives {
		if d := &in.directives[i]; areas[d.HouseholdID] == "" {
			return fmt.Errorf("directive %s: no meter of household %s is in the feed", d.ID, d.HouseholdID)
		}
	}
	return nil
}

// areaOf is the area that keys a meter's readings.
func areaOf(input *feedInput, meterID string) string {
	if home, ok := input.home(meterID); ok {
		return intake.AreaOf(home)
	}
	return intake.OwnArea(meterID)
}

// home is where a meter is when the feed first hears it, or comes to next.
func (in *feedInput) home(meterID string) (ingest.Home, bool) {
	for row := range in.readings.Rows(meterID) {
		home, ok := in.roster.Lookup(meterID, row.Start)
		if !ok && !home.From.IsZero() {
			home, ok = in.roster.Lookup(meterID, home.From)
		}
		return home, ok
	}
	return ingest.Home{}, false
}

// feedID names a feed by its content, so that a replay that is started again
// knows what it has sent, and another file is another feed. Areas belong to
// it: they decide in which partition a row has to be looked for.
func feedID(input *feedInput) string {
	h := sha256.New()
	w := bufio.NewWriterSize(h, 64<<10)
	for _, id := range input.readings.Meters() {
		_, _ = fmt.Fprintf(w, "%s %s %s\n", id, areaOf(input, id), input.readings.Interval(id))
	}
	var b []byte
	for row := range input.readings.InOrder() {
		b = append(b[:0], row.MeterID...)
		b = binary.LittleEndian.AppendUint64(b, uint64(row.Start.Unix()))
		b = binary.LittleEndian.AppendUint32(b, row.Wh)
		b = append(b, byte(row.Quality), 0)
		if row.Register {
			b[len(b)-1] = 1
		}
		_, _ = w.Write(b) // a hash does not fail
	}
	for i := range input.incidents {
		_, _ = w.Write(contract.EncodeReport(&input.incidents[i]))
	}
	for i := range input.directives {
		_, _ = fmt.Fprintf(w, "%+v\n", input.directives[i])
	}
	_ = w.Flush()
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// writeTransitions writes what the store has been told, line for line as a
// backtest would have written it.
func writeTransitions(path string, stdout io.Writer, transitions []alerts.Transition) error {
	type line struct {
		raw     []byte
		finding *detectors.Finding
	}
	lines := make([]line, len(transitions))
	for i, t := range transitions {
		f, err := detectors.DecodeFinding(t.Raw)
		if err != nil {
			return fmt.Errorf("transition %s: %w", alerts.TransitionID(t.AlertID, t.Seq), err)
		}
		lines[i] = line{t.Raw, f}
	}
	slices.SortStableFunc(lines, func(x, y line) int {
		return cmp.Or(x.finding.DecidedAt.Compare(y.finding.DecidedAt), cmp.Compare(x.finding.AreaID, y.finding.AreaID))
	})
	return writeFile(path, stdout, func(w io.Writer) error {
		for _, l := range lines {
			if _, err := w.Write(append(l.raw, '\n')); err != nil {
				return err
			}
		}
		return nil
	})
}
