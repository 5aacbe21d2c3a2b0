package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"weimang/alerts"
	"weimang/alerts/channels"
	"weimang/alerts/chaos"
	"weimang/alerts/deliver"
	"weimang/alerts/roster"
	"weimang/alerts/rosterfile"
	"weimang/alerts/store"
	"weimang/detectors"
	"weimang/ingest"
	"weimang/ingest/stream"
)

// deliveryOptions are the flags of chaos delivery.
type deliveryOptions struct {
	run      chaos.Options
	store    string
	url      string
	sabotage string
	session  time.Duration
	logs     bool
	timeout  time.Duration
}

// sabotageSendFirst breaks the order of effects: a message goes out before it is
// stored.
const sabotageSendFirst = "send-before-store"

// settleWithin is how long a round may take to come to rest.
const settleWithin = 3 * time.Minute

func newChaosDeliveryCmd() *cobra.Command {
	opt := deliveryOptions{run: chaos.Options{Rounds: 20, Seed: 1, Homes: 40, Settle: settleWithin}, session: 2 * time.Second}
	cmd := &cobra.Command{
		Use:   "delivery",
		Short: "Kill the processes that tell people, between finding and receipt, and count",
		Long: `Sends findings to processes of role alert and kills them (kill -9) at random
moments, and exactly before and after a vendor's receipt. The vendor, on loopback,
remembers what it got; it also refuses, withholds receipts and is slow. After each
round every finding must be applied and every message delivered; a message may have
come twice only where no sender can avoid it: the vendor took it and its receipt
was withheld, or the process was killed before it had noted the receipt.

With --store postgres two processes share the PostgreSQL that --url names. Exit code
1 where anything is wrong.`,
		Example: `  weimang chaos delivery --rounds 100 --seed 7 --store sqlite
  weimang chaos delivery --rounds 100 --seed 7 --store postgres --url postgres://…
  weimang chaos delivery --rounds 3 --sabotage send-before-store`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return opt.disturb(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.IntVar(&opt.run.Rounds, "rounds", opt.run.Rounds, "rounds, of some dozen findings each")
	f.Uint64Var(&opt.run.Seed, "seed", opt.run.Seed, "decides what is found, and what strikes when")
	f.IntVar(&opt.run.Homes, "households", opt.run.Homes, "homes")
	f.StringVar(&opt.store, "store", "sqlite", "sqlite or postgres")
	f.StringVar(&opt.url, "url", "", "PostgreSQL to use, in a schema of its own that is dropped at the end")
	f.StringVar(&opt.sabotage, "sabotage", "", "break a rule, so that the run must fail: "+sabotageSendFirst)
	f.DurationVar(&opt.session, "session", opt.session, "session timeout of the processes' group")
	f.BoolVar(&opt.logs, "logs", false, "print what the processes log")
	f.DurationVar(&opt.timeout, "timeout", 2*time.Hour, "give up after this")
	return cmd
}

func (o *deliveryOptions) disturb(ctx context.Context, stdout, stderr io.Writer) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("not done after %v (--timeout)", o.timeout))
	defer cancel()
	switch {
	case o.store != "sqlite" && o.store != "postgres":
		return usagef("--store: %q must be sqlite or postgres", o.store)
	case o.store == "postgres" && o.url == "":
		return usagef("--url: say where PostgreSQL is; deploy/local/postgres start starts one")
	case o.sabotage != "" && o.sabotage != sabotageSendFirst:
		return usagef("--sabotage: %q must be %s", o.sabotage, sabotageSendFirst)
	case o.run.Rounds < 1 || o.run.Homes < 2:
		return usagef("--rounds must be 1 or more, --households 2 or more")
	}
	began := time.Now()
	o.run.Stage = func(name string) { fmt.Fprintf(stderr, "%6.1f s  %s\n", time.Since(began).Seconds(), name) }
	o.run.Workers = 1
	if o.store == "postgres" {
		o.run.Workers = 2
	}
	site, err := o.newSite(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, site.close()) }()
	res, err := chaos.Run(ctx, site, o.run)
	o.describe(stdout, &res)
	if err != nil {
		return err
	}
	if len(res.Wrong) > 0 {
		return fmt.Errorf("%d things are not as they must be", len(res.Wrong))
	}
	return nil
}

func (o *deliveryOptions) describe(w io.Writer, r *chaos.Result) {
	kills := 0
	for _, n := range r.Kills {
		kills += n
	}
	fmt.Fprintf(w, "%-24s %s\n", "store", o.store)
	fmt.Fprintf(w, "%-24s %d, seed %d\n", "rounds", r.Rounds, r.Seed)
	fmt.Fprintf(w, "%-24s %d\n", "processes killed", kills)
	for _, k := range slices.Sorted(maps.Keys(r.Kills)) {
		fmt.Fprintf(w, "  %-22s %d\n", k, r.Kills[k])
	}
	fmt.Fprintf(w, "%-24s %d\n", "findings", r.Findings)
	fmt.Fprintf(w, "%-24s %d, taken by the vendor %d times\n", "messages", r.Messages, r.Deliveries)
	for _, k := range slices.Sorted(maps.Keys(r.Answers)) {
		fmt.Fprintf(w, "  %-22s %d\n", "refused with "+k, r.Answers[k])
	}
	if r.Revived > 0 {
		fmt.Fprintf(w, "%-24s %d times, for it held the group up\n", "broker restarted", r.Revived)
	}
	fmt.Fprintf(w, "%-24s %d\n", "twice, unavoidable", r.Twice.Withheld+r.Twice.Cut)
	fmt.Fprintf(w, "  %-22s %d\n", "receipt withheld", r.Twice.Withheld)
	fmt.Fprintf(w, "  %-22s %d\n", "killed before noting", r.Twice.Cut)
	fmt.Fprintf(w, "%-24s %d\n", "lost, or twice for no reason", len(r.Wrong))
	for _, line := range r.Wrong[:min(fewDifferences, len(r.Wrong))] {
		fmt.Fprintf(w, "  %s\n", line)
	}
}

// deliverySite is a broker, a folder with a roster and a configuration, a store.
type deliverySite struct {
	opt      *deliveryOptions
	dir      string
	broker   *mortalBroker
	client   *stream.Client
	producer *stream.Producer
	db       *store.DB
	url      string // of the PostgreSQL, with a schema of its own
	drop     func() error
	config   string
}

func (o *deliveryOptions) newSite(ctx context.Context) (_ *deliverySite, err error) {
	s := &deliverySite{opt: o}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.dir, err = os.MkdirTemp("", "weimang-delivery-"); err != nil {
		return nil, err
	}
	if o.url != "" {
		if s.url, s.drop, err = store.OwnSchema(ctx, o.url); err != nil {
			return nil, err
		}
	}
	if s.broker, err = startMortalBroker(ctx); err != nil {
		return nil, err
	}
	if s.client, err = stream.NewClient(stream.Config{Brokers: []string{s.broker.addr}, ClientID: "chaos", Logger: slog.New(slog.DiscardHandler)}); err != nil {
		return nil, err
	}
	if err := s.client.EnsureTopics(ctx, stream.Topics(2, stream.Retention{})); err != nil {
		return nil, err
	}
	s.producer = stream.NewProducer(s.client)
	if err := s.write(); err != nil {
		return nil, err
	}
	cfg, err := LoadConfig(s.config, nil)
	if err != nil {
		return nil, err
	}
	s.db, err = store.OpenWith(ctx, cfg.StoreOptions())
	return s, err
}

// quickPolicies wait so short that chains go on while processes die.
const quickPolicies = `
policies:
  - name: chaos
    for: [red, orange, yellow, follow-up]
    steps:
      - {tell: [chair], wait: 2s}
      - {tell: [deputy], wait: 24h}
    held: 24h
    reminded: 24h
    asks: 24h
`

// write makes the roster, the policies and the configuration.
func (s *deliverySite) write() error {
	rows := [][]string{{"meter_id", "household_id", "area_id", "zone", "village_id", "label"}}
	for i := 1; i <= s.opt.run.Homes; i++ {
		rows = append(rows, []string{fmt.Sprintf("m%d", i), fmt.Sprintf("h%d", i), "a1", "Asia/Shanghai", "v1", fmt.Sprintf("%d号", i)})
	}
	var homes strings.Builder
	if err := csv.NewWriter(&homes).WriteAll(rows); err != nil {
		return err
	}
	var people strings.Builder
	member := func(role roster.Role) roster.Member {
		return roster.Member{
			Person: roster.Person{Lang: roster.Chinese, Contacts: []roster.Contact{{Channel: channels.NameWebhook}}},
			Duty:   roster.Duty{Role: role, UnitID: "v1"},
		}
	}
	if err := rosterfile.WritePeople(&people, []roster.Member{member(roster.Chair), member(roster.Deputy)}); err != nil {
		return err
	}
	s.config = filepath.Join(s.dir, "weimang.yaml")
	for name, text := range map[string]string{
		"households.csv": homes.String(), "people.csv": people.String(), "policies.yaml": quickPolicies,
		"weimang.yaml": fmt.Sprintf(`data_dir: %q
kafka: {brokers: [%q]}
roster: {households: %q, people: %q}
store: {url: %q}
alerts:
  console: false
  policies: %q
  webhook: {url: "http://127.0.0.1:1"}
  fallback: {channel: webhook}
http: {addr: "127.0.0.1:0"}
detect: {history: false}
`, s.dir, s.broker.addr, filepath.Join(s.dir, "households.csv"), filepath.Join(s.dir, "people.csv"), s.url, filepath.Join(s.dir, "policies.yaml")),
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// deliveryWorkerCommand is the hidden command that chaos delivery starts its
// processes by.
const deliveryWorkerCommand = "tell-worker"

// worker is a process of role alert.
type deliveryWorker struct{ *child }

// Kill implements chaos.Worker.
func (w deliveryWorker) Kill() error { return w.kill() }

// Stop implements chaos.Worker. All is judged by then, and a broker whose members
// have died so often may let the last one wait for long.
func (w deliveryWorker) Stop() error { return w.kill() }

// Start implements chaos.Site.
func (s *deliverySite) Start(ctx context.Context, name, address string) (chaos.Worker, error) {
	args := []string{deliveryWorkerCommand, "--config", s.config, "--vendor", address, "--session", s.opt.session.String(), "--sabotage", s.opt.sabotage}
	if s.opt.logs {
		args = append(args, "--logs")
	}
	c, err := startChild(ctx, nil, args...)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return deliveryWorker{c}, nil
}

// Send implements chaos.Site.
func (s *deliverySite) Send(ctx context.Context, fs []*detectors.Finding) error {
	records := make([]stream.Record, 0, len(fs))
	for _, f := range fs {
		value, err := detectors.EncodeFinding(f)
		if err != nil {
			return err
		}
		records = append(records, stream.Record{Key: []byte(f.AreaID), Value: value})
	}
	return s.producer.Produce(ctx, ingest.TopicFindings, records)
}

// Notes implements chaos.Site.
func (s *deliverySite) Notes(ctx context.Context) (map[string]chaos.Note, error) {
	states, err := s.db.States(ctx)
	notes := make(map[string]chaos.Note, len(states))
	for _, st := range states {
		notes[st.ID] = chaos.Note{Status: st.Status, Attempts: st.Attempts}
	}
	return notes, err
}

// Alerts implements chaos.Site.
func (s *deliverySite) Alerts(ctx context.Context) (map[string]*alerts.Alert, error) {
	return s.db.AllAlerts(ctx)
}

// Transitions implements chaos.Site.
func (s *deliverySite) Transitions(ctx context.Context) (int, error) {
	return s.db.TransitionCount(ctx)
}

// Revive implements chaos.Site.
func (s *deliverySite) Revive(ctx context.Context) error {
	return errors.Join(s.broker.Kill(0), s.broker.Start(ctx, 0))
}

func (s *deliverySite) close() error {
	var errs []error
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.client != nil {
		s.client.Close()
	}
	if s.broker != nil {
		errs = append(errs, s.broker.end())
	}
	if s.drop != nil {
		errs = append(errs, s.drop())
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}

func newChaosDeliveryWorkerCmd() *cobra.Command {
	var config, vendor, sabotage string
	var session time.Duration
	var logs bool
	cmd := &cobra.Command{
		Use:    deliveryWorkerCommand,
		Short:  "A process of chaos delivery: role alert until its input ends",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := LoadConfig(config, nil)
			if err != nil {
				return err
			}
			cfg.Alerts.Webhook.URL = Secret(vendor)
			log := slog.New(slog.DiscardHandler)
			if logs {
				log = newLogger(cfg, cmd.ErrOrStderr())
			}
			return serveDeliveryWorker(cmd.Context(), cfg, session, sabotage, log, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&config, "config", "", "")
	f.StringVar(&vendor, "vendor", "", "")
	f.StringVar(&sabotage, "sabotage", "", "")
	f.DurationVar(&session, "session", time.Second, "")
	f.BoolVar(&logs, "logs", false, "")
	return cmd
}

// serveDeliveryWorker is what 'run --role alert' does, with shorter times: what
// is repeated after a kill is repeated soon.
func serveDeliveryWorker(ctx context.Context, cfg *Config, session time.Duration, sabotage string, log *slog.Logger, stdin io.Reader, stdout io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		cancel()
	}()
	w := wiring{
		cfg: cfg, roles: []role{roleAlert}, log: log,
		deliver: deliver.Options{
			Tick: 200 * time.Millisecond, SendTimeout: time.Second, MinBackoff: 50 * time.Millisecond, MaxBackoff: time.Second,
		},
		group: stream.GroupOptions{
			SessionTimeout: session, HeartbeatInterval: session / 10, RebalanceTimeout: 2 * session, JoinGroupBackoff: 100 * time.Millisecond,
			FlushTimeout: session / 2,
		},
		sendFirst: sabotage == sabotageSendFirst,
	}
	s, stop, err := bringUp(ctx, &w, io.Discard)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(stdout, s.page); err != nil {
		return errors.Join(err, stop())
	}
	return errors.Join(s.lc.wait(), stop())
}
