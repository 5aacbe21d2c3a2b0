package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"weimang/alerts"
	"weimang/alerts/channels"
	"weimang/alerts/consume"
	"weimang/alerts/deliver"
	"weimang/alerts/history"
	"weimang/alerts/message"
	"weimang/alerts/roster"
	"weimang/alerts/store"
	"weimang/alerts/web"
	"weimang/detectors/detect"
	"weimang/ingest"
	"weimang/ingest/calendar"
	"weimang/ingest/intake"
	"weimang/ingest/stream"
)

// wiring is what a system is made of besides its configuration.
type wiring struct {
	cfg      *Config
	roles    []role // nil: all
	roster   []store.HouseholdRow
	people   []roster.Member
	channels map[string]deliver.Channel
	log      *slog.Logger
	// now is the wall clock by which readings and silence are judged; nil is
	// time.Now.
	now func() time.Time
	// What a worker of a bench or of chaos has that no configuration can say.
	dial     func(ctx context.Context, network, addr string) (net.Conn, error)
	group    stream.GroupOptions // the times of its groups
	sabotage detect.Sabotage
	deliver  deliver.Options
	// sendFirst breaks the order of effects of messages.
	sendFirst bool
}

// has reports whether the process has a role.
func (w *wiring) has(r role) bool { return len(w.roles) == 0 || slices.Contains(w.roles, r) }

// system is everything from the wire to the page in one process, or the part
// of it that the process's roles ask for: what belongs to another role is nil.
type system struct {
	cfg      *Config
	lc       *lifecycle
	log      *slog.Logger
	reg      *prometheus.Registry
	client   *stream.Client
	producer *stream.Producer
	store    *store.DB
	deliver  *deliver.Deliverer
	cases    *alerts.Service
	intake   *intake.Service
	detect   *detect.Service
	findings *consume.Consumer
	history  *consume.Consumer // nil when no history is kept
	page     string            // address of the page, or of the probes alone
	probes   []probe

	feedClock atomic.Int64 // unix ms of a replayed feed's clock, 0: none yet
}

// start brings everything up in the order of the flow's needs: what is
// written to first, what writes last. Stopping is the reverse, so that
// whatever still comes finds its receiver. On an error nothing is left running.
func start(ctx context.Context, w wiring) (_ *system, err error) {
	if w.now == nil {
		w.now = time.Now
	}
	cfg, log := w.cfg, w.log
	reg := newRegistry()
	s := &system{cfg: cfg, log: log, lc: newLifecycle(ctx, log), reg: reg}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.lc.stop(stopLimit))
		}
	}()

	brokers := cfg.Kafka.Brokers
	if len(brokers) == 0 {
		broker, err := stream.StartEmbedded(stream.EmbeddedOptions{Dir: cfg.BrokerDir(), Addr: cfg.Kafka.Addr, Logger: log})
		if err != nil {
			return nil, err
		}
		s.lc.add("embedded broker", func(context.Context) error { broker.Close(); return nil })
		brokers = []string{broker.Addr()}
	}
	kafka, err := cfg.Kafka.client(brokers, log, reg)
	if err != nil {
		return nil, err
	}
	kafka.Dial = w.dial
	if s.client, err = stream.NewClient(kafka); err != nil {
		return nil, err
	}
	s.lc.add("kafka client", func(context.Context) error { s.client.Close(); return nil })
	if err := s.client.EnsureTopics(ctx, stream.Topics(cfg.Kafka.Partitions, stream.Retention{})); err != nil {
		return nil, err
	}
	s.producer = stream.NewProducer(s.client)

	// The server's address comes first: links in messages need it.
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.HTTP.Addr)
	if err != nil {
		return nil, fmt.Errorf("http.addr: %w", err)
	}
	s.lc.add("listener", func(context.Context) error {
		if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	s.page = "http://" + listener.Addr().String()

	page := http.Handler(http.HandlerFunc(noPage))
	if w.has(roleAlert) {
		s.page = pageURL(cfg, listener.Addr().String())
		if page, err = s.startAlert(ctx, w); err != nil {
			return nil, err
		}
	}
	if w.has(roleDetect) {
		if err := s.startDetect(w); err != nil {
			return nil, err
		}
	}
	if w.has(roleIngest) {
		if err := s.startIngest(w); err != nil {
			return nil, err
		}
	}
	server := &http.Server{Handler: s.routes(page, reg), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	s.lc.goRun("http", func(ctx context.Context) error { return serveHTTP(ctx, server, listener) })
	return s, nil
}

// startAlert starts what has the store: the roster is published from it,
// findings become alerts in it, messages leave it, and the page reads it.
func (s *system) startAlert(ctx context.Context, w wiring) (page http.Handler, err error) {
	cfg, log := s.cfg, s.log
	where := cfg.StoreOptions()
	where.Registry = s.reg
	if s.store, err = store.OpenWith(ctx, where); err != nil {
		return nil, err
	}
	s.lc.add("store", func(context.Context) error { return s.store.Close() })
	if err := s.publishRoster(ctx, s.producer, w); err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(cfg.Roster.Zone)
	if err != nil {
		return nil, fmt.Errorf("roster.zone: %w", err)
	}
	words, err := message.New()
	if err != nil {
		return nil, err
	}
	var cases alerts.Store = s.store
	open := w.channels
	if w.sendFirst {
		cases, open = sendFirst{s.store, w.channels}, maps.Clone(w.channels)
		for name := range open {
			open[name] = sentAlready{}
		}
	}
	w.deliver.Limits, w.deliver.FallbackAddress = cfg.Alerts.limits(), cfg.Alerts.Fallback.Address.Reveal()
	s.deliver = deliver.New(s.store, open, consume.Publisher{Producer: s.producer}, w.deliver, log, s.reg)
	policies, err := cfg.policies()
	if err != nil {
		return nil, err
	}
	holidays, err := calendar.Lookup(cfg.Detect.Holidays)
	if err != nil {
		return nil, err
	}
	key, err := s.store.Setting(ctx, "link-key", rand.Text)
	if err != nil {
		return nil, err
	}
	if cfg.Clock == clockFeed {
		// What a feed of the past would have told is looked at on this machine, and
		// reads the same each time.
		key = ""
	}
	service, err := alerts.NewService(ctx, cases, words, alerts.Options{
		Fallback: fallback(cfg), Channels: names(w.channels), BaseURL: s.page, Zone: zone, Wake: s.deliver.Wake,
		Policies: policies, Holiday: holidays.IsHoliday, LinkKey: []byte(key), Groups: channels.Groups, Brief: channels.Brief,
	}, log, s.reg)
	if err != nil {
		return nil, err
	}
	s.cases = service
	s.lc.goRun("delivery", s.deliver.Run)
	s.lc.goRun("cases", service.Run)
	s.lc.goRun("audit", newHeart(cfg.Alerts.Heartbeat, service, log, s.reg).run)

	from := consume.Options{Client: s.client, Producer: s.producer, Logger: log, Group: w.group}
	from.GroupID, from.Topic, from.Handle = consume.FindingsGroup, ingest.TopicFindings, service.HandleFindings
	if s.findings, err = consume.New(from); err != nil {
		return nil, err
	}
	s.lc.goRun("findings", s.findings.Run)
	s.probe(roleAlert, "not in the group that reads findings", s.findings.Ready)

	if cfg.Detect.History {
		from.GroupID, from.Topic, from.Handle = consume.HistoryGroup, ingest.TopicHistory, history.NewHandler(s.store, 0, s.reg).HandleHistory
		if s.history, err = consume.New(from); err != nil {
			return nil, err
		}
		s.lc.goRun("history", s.history.Run)
	}
	if !w.has(roleIngest) {
		reports, err := consume.NewReports(consume.Options{Client: s.client, Producer: s.producer, Logger: log}, s.store)
		if err != nil {
			return nil, err
		}
		s.lc.goRun("reports", reports.Run)
	}
	at := web.Options{
		Zone: zone, Open: cfg.HTTP.Page == pageOpen, BaseURL: s.page, Looked: s.store.Looked,
		Curve: func(ctx context.Context, household string) (bool, error) {
			return s.store.Agreed(ctx, household, roster.ToCurve)
		},
	}
	if page, err = web.New(s.store, service, words, s.now, at, log); err != nil {
		return nil, err
	}
	return s.withCallbacks(page)
}

// startDetect starts a member of those that share the areas' logs.
func (s *system) startDetect(w wiring) (err error) {
	// A replayed feed has its clock in its records; how long nothing of it has
	// come by the wall says nothing about homes.
	silence := w.now
	if s.cfg.Clock == clockFeed {
		silence = nil
	}
	if s.detect, err = detect.New(detect.Options{
		Client: s.client, Producer: s.producer, Params: s.cfg.Params(), Logger: s.log, Registry: s.reg,
		CheckpointEvery: s.cfg.Detect.CheckpointEvery, History: s.cfg.Detect.History, Now: silence,
		Group: w.group, Sabotage: w.sabotage,
	}); err != nil {
		return err
	}
	s.lc.goRun("detect", s.detect.Run)
	s.probe(roleDetect, "partitions are being restored", s.detect.Ready)
	return nil
}

// startIngest starts a member of those that share the wire's topics.
func (s *system) startIngest(w wiring) (err error) {
	cfg := s.cfg
	var roster intake.Roster = intake.Open{Zone: cfg.Roster.Zone}
	if !cfg.Roster.Open {
		follower := intake.NewFollower(s.log)
		s.lc.goRun("roster", func(ctx context.Context) error { return follower.Follow(ctx, s.client) })
		if roster = follower; !w.has(roleAlert) {
			roster = publishedRoster{follower, s.log}
		}
	}
	clock := intake.Wall(w.now)
	if cfg.Clock == clockFeed {
		clock = intake.Feed()
	}
	var sink intake.ReportSink = noReports{}
	if w.has(roleAlert) {
		sink = s.store
	}
	if s.intake, err = intake.New(intake.Options{
		Client: s.client, Roster: roster, Sink: sink, Clock: clock, Replayed: cfg.Clock == clockFeed, Limits: cfg.Limits(),
		KeepUnknown: cfg.Roster.KeepUnknown, Logger: s.log, Registry: s.reg, Group: w.group,
	}); err != nil {
		return err
	}
	s.lc.goRun("ingest", s.intake.Run)
	s.probe(roleIngest, "waits for the roster, or is not in the group that reads the wire", s.intake.Ready)
	return nil
}

func (s *system) probe(of role, lacks string, ready func() bool) {
	s.probes = append(s.probes, probe{of, lacks, ready})
}

// stopLimit is what all parts together have to stop in: above the time a
// consumer group's last flush may take.
const stopLimit = 30 * time.Second

// httpGrace is how long what is under way has to be answered when it is time
// to stop.
const httpGrace = 5 * time.Second

// serveHTTP serves until ctx ends and what is under way is answered. Whoever
// takes longer than httpGrace, such as a phone that has lost its network half
// through a page, is cut off: that is no failure of the stop.
func serveHTTP(ctx context.Context, server *http.Server, listener net.Listener) error {
	stopped := make(chan error, 1)
	defer context.AfterFunc(ctx, func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), httpGrace)
		defer cancel()
		err := server.Shutdown(end)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close()
		}
		stopped <- err
	})()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// routes are the page, the metrics and the probes.
func (s *system) routes(page http.Handler, reg *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", page)
	mux.Handle("GET /metrics", newMetricsPage(reg, s.log))
	mux.HandleFunc("GET /-/ready", s.serveReady)
	if s.intake != nil {
		// Meters nobody has put into the roster: a utility may send the whole
		// town. A few ids tell an operator which list is missing.
		mux.HandleFunc("GET /-/unknown-meters", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			for _, id := range s.intake.UnknownMeters() {
				fmt.Fprintln(w, id)
			}
		})
	}
	return mux
}

// serveReady answers 200 once every role of the process can work, and says
// what is missing until then.
func (s *system) serveReady(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	var missing strings.Builder
	for _, p := range s.probes {
		if !p.ready() {
			fmt.Fprintf(&missing, "not ready: %s: %s\n", p.role, p.lacks)
		}
	}
	if missing.Len() > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, missing.String())
		return
	}
	_, _ = io.WriteString(w, "ready\n")
}

// noPage stands where a process has no store to show.
func noPage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if r.URL.Path == "/-/healthy" {
		_, _ = io.WriteString(w, "healthy\n")
		return
	}
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, "the page is served by the process of role alert\n")
}

// now is the clock the page lives by: the feed's where a feed is replayed.
func (s *system) now() time.Time {
	if ms := s.feedClock.Load(); ms != 0 {
		return time.UnixMilli(ms).UTC()
	}
	return time.Now()
}

// stop ends everything, last started first.
func (s *system) stop() error { return s.lc.stop(stopLimit) }

// drained waits until everything sent so far has gone the whole way: into the
// store, and out of the outbox.
func (s *system) drained(ctx context.Context) error {
	stages := []func(context.Context) (bool, error){
		s.intake.Caught, s.detect.Caught, s.findings.Caught, s.deliver.Drained,
	}
	if s.history != nil {
		stages = append(stages, s.history.Caught)
	}
	for _, caught := range stages {
		if err := until(ctx, caught); err != nil {
			return err
		}
	}
	return nil
}

// caughtUp waits until ingest has handled everything sent so far: the barrier
// that puts the topics of a replay into one order.
func (s *system) caughtUp(ctx context.Context) error { return until(ctx, s.intake.Caught) }

// until polls a condition; an error of the condition ends it.
func until(ctx context.Context, done func(context.Context) (bool, error)) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := done(ctx)
		if err != nil || ok {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// publishRoster brings the lists of homes and people into the store, and the
// homes to whoever ingests. Only a given list takes anybody off: a process
// without one, such as a replay beside a running site, does not know who else
// is watched.
func (s *system) publishRoster(ctx context.Context, producer *stream.Producer, w wiring) error {
	published, err := intake.ReadRoster(ctx, s.client)
	if err != nil {
		return err
	}
	rows, err := s.withoutErased(ctx, w.roster)
	if err != nil {
		return err
	}
	known, err := s.store.Homes(ctx)
	if err != nil {
		return err
	}
	imported, err := s.store.Imported(ctx)
	if err != nil {
		return err
	}
	// What a list at the start leaves out is not what was imported otherwise.
	before := slices.DeleteFunc(append(known, published...), func(h ingest.Home) bool { return imported[h.HouseholdID] })
	if err := tooShort(before, rows); err != nil && !s.cfg.Roster.AllowRemoval {
		return err
	}
	if err := s.store.ImportRoster(ctx, rows, w.people); err != nil {
		return fmt.Errorf("import roster: %w", err)
	}
	homes, err := s.store.Homes(ctx)
	if err != nil {
		return err
	}
	how := intake.Sync{Whole: len(w.roster) > 0}
	if s.cfg.Clock != clockFeed { // a feed has a time of its own
		how.Now = s.now()
	}
	left, err := intake.SyncRoster(ctx, producer, published, homes, how)
	if left > 0 {
		s.log.Warn("meters have left the roster and are watched no more", "left", left, "listed", len(homes))
	}
	return err
}

// withoutErased leaves out of a list the homes that were erased.
func (s *system) withoutErased(ctx context.Context, rows []store.HouseholdRow) ([]store.HouseholdRow, error) {
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.HouseholdID)
	}
	erased, err := s.store.ErasedAmong(ctx, ids)
	if err != nil || len(erased) == 0 {
		return rows, err
	}
	s.log.Warn("the list of homes names some that were erased; they stay erased: take them out of it", "erased", len(erased))
	return slices.DeleteFunc(slices.Clone(rows), func(r store.HouseholdRow) bool { return slices.Contains(erased, r.HouseholdID) }), nil
}

// tooShort refuses a list of homes that takes more than half of the watched
// ones off: a file cut short would leave old people unwatched without a word.
func tooShort(watched []ingest.Home, rows []store.HouseholdRow) error {
	if len(rows) == 0 {
		return nil // no list is given: nobody is taken off
	}
	named := make(map[string]bool, len(rows))
	for _, r := range rows {
		named[r.HouseholdID] = true
	}
	homes, gone := make(map[string]bool), 0
	for _, h := range watched {
		if !h.Until.IsZero() {
			continue // it is known to leave, or has left
		}
		if !homes[h.HouseholdID] && !named[h.HouseholdID] {
			gone++
		}
		homes[h.HouseholdID] = true
	}
	if gone*2 <= len(homes) {
		return nil
	}
	return fmt.Errorf("roster.households: the list leaves out %d of the %d homes watched so far; if that is meant, set roster.allow_removal to true for one start",
		gone, len(homes))
}

// pageURL is where links lead: the configured address, or where the server
// really listens.
func pageURL(cfg *Config, listening string) string {
	if cfg.HTTP.BaseURL != "" {
		return cfg.BaseURL()
	}
	return "http://" + listening
}

// fallback hears what has nobody else to go to.
func fallback(cfg *Config) roster.Person {
	return roster.Person{
		Lang:     roster.Lang(cfg.Alerts.Language),
		Contacts: []roster.Contact{{Channel: cfg.Alerts.Fallback.Channel, Address: cfg.Alerts.Fallback.Address.Reveal()}},
	}
}

func names(channels map[string]deliver.Channel) []string {
	var list []string
	for name := range channels {
		list = append(list, name)
	}
	return list
}
