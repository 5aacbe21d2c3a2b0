package load

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"weimang/alerts"
	"weimang/alerts/deliver"
	"weimang/alerts/escalate"
	"weimang/alerts/message"
	"weimang/alerts/roster"
	"weimang/alerts/store"
	"weimang/detectors"
)

// Options say how much.
type Options struct {
	Households int
	PerVillage int // households of a village, each with a chair and a deputy
	Alerts     int // a day
	Days       int // that are worked through as fast as it goes
	// Paced is for how long alerts then come at Rate a second by the real clock,
	// to measure the delay of red ones.
	Paced time.Duration
	Rate  int
	Seed  uint64
	Stage func(string)
}

// Result is what it cost.
type Result struct {
	Households int     `json:"households"`
	People     int     `json:"people"`
	Import     float64 `json:"import_s"`

	Alerts   int     `json:"alerts"`
	Messages int     `json:"messages"`
	Bulk     float64 `json:"bulk_s"`
	PerS     float64 `json:"alerts_per_s"` // found, told, delivered, answered or over, closed

	Empty    int64   `json:"empty_bytes"` // with the roster alone
	Full     int64   `json:"full_bytes"`
	PerAlert float64 `json:"bytes_per_alert"`
	Year     int64   `json:"year_bytes"` // of 365 such days, computed from them

	Paced int     `json:"paced_alerts"`
	P50   float64 `json:"red_p50_ms"` // from the finding to the first attempt to deliver
	P99   float64 `json:"red_p99_ms"`
	Max   float64 `json:"red_max_ms"`
}

const channel = "null"

// Run measures a store. size is how many bytes it takes at that moment.
func Run(ctx context.Context, db *store.DB, size func(context.Context) (int64, error), opt Options) (res Result, err error) {
	l := &run{Options: opt, db: db, rng: rand.New(rand.NewPCG(opt.Seed, 1)), now: time.Now().Truncate(time.Hour).AddDate(0, 0, -opt.Days-1), first: map[string]time.Time{}}
	opt.Stage("write the roster down")
	began := time.Now()
	if res.People, err = l.roster(ctx); err != nil {
		return res, err
	}
	res.Households, res.Import = opt.Households, time.Since(began).Seconds()
	if res.Empty, err = size(ctx); err != nil {
		return res, err
	}
	if l.words, err = message.New(); err != nil {
		return res, err
	}
	if err := l.bulk(ctx, &res); err != nil {
		return res, err
	}
	if res.Full, err = size(ctx); err != nil {
		return res, err
	}
	res.PerAlert = float64(res.Full-res.Empty) / float64(res.Alerts)
	res.Year = res.Empty + int64(res.PerAlert*float64(opt.Alerts)*365)
	return res, l.paced(ctx, &res)
}

type run struct {
	Options
	db    *store.DB
	words *message.Catalogue
	rng   *rand.Rand
	now   time.Time // the clock of the days
	count int64     // episodes

	mu    sync.Mutex
	first map[string]time.Time // first attempt, by alert
}

func (l *run) roster(ctx context.Context) (people int, err error) {
	homes := make([]store.HouseholdRow, l.Households)
	var members []roster.Member
	for i := range homes {
		village := fmt.Sprintf("v%d", i/l.PerVillage)
		homes[i] = store.HouseholdRow{
			MeterID: fmt.Sprintf("m%d", i), HouseholdID: home(i), AreaID: fmt.Sprintf("a%d", i/l.PerVillage), VillageID: village,
			Label: fmt.Sprintf("%d组%d号", i%9+1, i%l.PerVillage+1), Zone: "Asia/Shanghai",
		}
		if i%l.PerVillage > 0 {
			continue
		}
		for _, role := range []roster.Role{roster.Chair, roster.Deputy} {
			members = append(members, roster.Member{
				Person: roster.Person{ID: village + ":" + string(role), Contacts: []roster.Contact{{Channel: channel, Address: village}}},
				Duty:   roster.Duty{Role: role, UnitID: village},
			})
		}
	}
	return len(members), l.db.ImportRoster(ctx, homes, members)
}

func home(i int) string { return fmt.Sprintf("h%d", i) }

func (l *run) service(ctx context.Context, now func() time.Time, wake func()) (*alerts.Service, error) {
	return alerts.NewService(ctx, l.db, l.words, alerts.Options{
		Fallback: roster.Person{Contacts: []roster.Contact{{Channel: channel}}}, Channels: []string{channel},
		BaseURL: "https://weimang.example", LinkKey: []byte("a key for links that nobody follows"), Policies: escalate.Default(),
		Now: now, Wake: wake,
	}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
}

// severities are as a site with the default budgets has them.
func (l *run) severity() detectors.Severity {
	switch n := l.rng.IntN(100); {
	case n < 5:
		return detectors.Red
	case n < 25:
		return detectors.Orange
	default:
		return detectors.Yellow
	}
}

func (l *run) finding(i int, s detectors.Severity, now time.Time) *detectors.Finding {
	l.count++
	return &detectors.Finding{
		HouseholdID: home(i), MeterID: fmt.Sprintf("m%d", i), AreaID: fmt.Sprintf("a%d", i/l.PerVillage), Kind: detectors.NoSignOfLife, Severity: s,
		State: detectors.Open, Seq: 1, Pushed: true, Onset: now.Add(-7 * time.Hour), At: now, DecidedAt: now, DataUntil: now,
		Value: 0.31, Usual: 2.14, Episode: now.Unix()/900*1000 + l.count%1000,
		Reason: detectors.Reason{Cause: detectors.CauseQuiet, Hours: 7.5, Neighbours: 1.02, Rate: 0.004},
	}
}

func over(f *detectors.Finding, now time.Time) *detectors.Finding {
	end := *f
	end.State, end.Seq, end.At, end.DecidedAt, end.DataUntil, end.Reason = detectors.Resolved, 2, now, now, now, detectors.Reason{Cause: detectors.CauseLifeBack}
	return &end
}

// bulk works days through by a clock of their own: what is found, who is told,
// half of it answered, all of it over after some hours.
func (l *run) bulk(ctx context.Context, res *Result) error {
	service, err := l.service(ctx, func() time.Time { return l.now }, nil)
	if err != nil {
		return err
	}
	began := time.Now()
	type later struct {
		at time.Time
		f  *detectors.Finding
	}
	var ends []later
	step := 24 * time.Hour / time.Duration(l.Alerts) * batch
	open := map[int]bool{}
	for day := range l.Days {
		l.Stage(fmt.Sprintf("day %d of %d", day+1, l.Days))
		for done := 0; done < l.Alerts; done += batch {
			l.now = l.now.Add(step)
			var fs []*detectors.Finding
			for len(ends) > 0 && ends[0].at.Before(l.now) {
				fs = append(fs, over(ends[0].f, l.now))
				delete(open, number(ends[0].f))
				ends = ends[1:]
			}
			for range min(batch, l.Alerts-done) {
				i := l.rng.IntN(l.Households)
				for open[i] {
					i = l.rng.IntN(l.Households)
				}
				open[i] = true
				f := l.finding(i, l.severity(), l.now)
				fs, ends = append(fs, f), append(ends, later{l.now.Add(6 * time.Hour), f})
				res.Alerts++
			}
			if err := service.ApplyBatch(ctx, fs); err != nil {
				return err
			}
			sent, err := l.deliver(ctx, service)
			if err != nil {
				return err
			}
			res.Messages += sent
		}
	}
	res.Bulk = time.Since(began).Seconds()
	res.PerS = float64(res.Alerts) / res.Bulk
	return nil
}

// batch is how many findings come together.
const batch = 20

func number(f *detectors.Finding) (i int) {
	_, _ = fmt.Sscanf(f.HouseholdID, "h%d", &i)
	return i
}

// deliver sends what is due, as the deliverer does, and has every second message
// answered.
func (l *run) deliver(ctx context.Context, service *alerts.Service) (sent int, err error) {
	if _, err := service.Look(ctx); err != nil {
		return 0, err
	}
	for {
		items, err := l.db.Due(ctx, channel, l.now, 100)
		if err != nil || len(items) == 0 {
			return sent, errors.Join(err, l.records(ctx))
		}
		for _, it := range items {
			turn, err := l.db.Begin(ctx, it, l.now, l.now.Add(time.Minute), nil)
			if err != nil || !turn.Ours {
				return sent, err
			}
			if err := l.db.Finish(ctx, it, deliver.Outcome{Status: deliver.Sent, At: l.now}); err != nil {
				return sent, err
			}
			sent++
			m := &it.Message
			if sent%2 != 0 || len(m.Answers) == 0 || len(m.Alerts) > 0 {
				continue
			}
			_, err = service.Respond(ctx, alerts.Response{AlertID: m.AlertID, PersonID: m.To.PersonID, Action: alerts.SayOutcome, Outcome: alerts.FalseCall, Via: "page"})
			if err != nil && !errors.Is(err, alerts.ErrNotOpen) {
				return sent, err
			}
		}
	}
}

// records forgets what waits for topics: no broker is measured here.
func (l *run) records(ctx context.Context) error {
	items, err := l.db.Records(ctx, 10_000)
	if err != nil || len(items) == 0 {
		return err
	}
	return l.db.Published(ctx, items[len(items)-1].N)
}

// Send implements deliver.Channel: it notes when, and takes everything.
func (l *run) Send(_ context.Context, m alerts.Message) (deliver.Receipt, error) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.first[m.AlertID]; !ok {
		l.first[m.AlertID] = now
	}
	return deliver.Receipt{}, nil
}

// paced has alerts come by the real clock, with the real deliverer.
func (l *run) paced(ctx context.Context, res *Result) error {
	if l.Paced == 0 {
		return nil
	}
	l.Stage(fmt.Sprintf("%d alerts a second for %s", l.Rate, l.Paced))
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	log := slog.New(slog.DiscardHandler)
	var d *deliver.Deliverer
	service, err := l.service(ctx, time.Now, func() { d.Wake() })
	if err != nil {
		return err
	}
	d = deliver.New(l.db, map[string]deliver.Channel{channel: l}, nil, deliver.Options{}, log, prometheus.NewRegistry())
	var wg sync.WaitGroup
	wg.Go(func() { _ = d.Run(ctx) })
	wg.Go(func() { _ = service.Run(ctx) })
	defer wg.Wait()
	defer stop()
	found := map[string]time.Time{}
	tick := time.NewTicker(time.Second / time.Duration(l.Rate))
	defer tick.Stop()
	for end := time.Now().Add(l.Paced); time.Now().Before(end); <-tick.C {
		// A village each, as red alerts have: a chair who has just had three
		// messages gets the next ones together.
		f := l.finding((res.Paced*l.PerVillage+res.Paced)%l.Households, detectors.Red, time.Now())
		found[f.AlertID()] = time.Now()
		res.Paced++
		if err := service.Apply(ctx, f); err != nil {
			return err
		}
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(2 * time.Second):
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var delays []float64
	for id, at := range found {
		sent, ok := l.first[id]
		if !ok {
			return fmt.Errorf("nobody was told of %s", id)
		}
		delays = append(delays, sent.Sub(at).Seconds()*1000)
	}
	slices.Sort(delays)
	at := func(q float64) float64 { return delays[min(len(delays)-1, int(q*float64(len(delays))))] }
	res.P50, res.P99, res.Max = at(0.5), at(0.99), delays[len(delays)-1]
	return nil
}
