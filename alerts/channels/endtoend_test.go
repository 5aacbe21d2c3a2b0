package channels_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"weimang/alerts"
	"weimang/alerts/channels"
	"weimang/alerts/channels/vendortest"
	"weimang/alerts/deliver"
	catalogue "weimang/alerts/message"
	"weimang/alerts/roster"
	"weimang/alerts/store"
	"weimang/detectors"
)

func openStore(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "weimang.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// run delivers until stop is called.
func run(t *testing.T, d *deliver.Deliverer) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
	}
}

// topic takes the transitions, failing the first time.
type topic struct {
	failed bool
	got    []string
}

func (p *topic) Publish(_ context.Context, records []alerts.Record) error {
	if !p.failed {
		p.failed = true
		return errBusy
	}
	for _, r := range records {
		p.got = append(p.got, r.ID)
	}
	return nil
}

// The whole way: a finding, the store, a receiver that is down at first. What
// arrives, arrives under one identity, and the history says so.
func TestAFindingReachesAReceiverThatWasDown(t *testing.T) {
	ctx, db := t.Context(), openStore(t)
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	var mu sync.Mutex
	calls, receipts := 0, map[string]int{}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if calls++; calls <= 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		receipts[r.Header.Get(channels.HeaderIdempotency)]++
	})
	hook, err := channels.NewWebhook("http://vendor.test/", nil, channels.HTTP{Client: vendortest.Client(h)})
	if err != nil {
		t.Fatal(err)
	}
	words, err := catalogue.New()
	if err != nil {
		t.Fatal(err)
	}
	log, reg := slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	published := &topic{}
	d := deliver.New(db, map[string]deliver.Channel{"hook": hook}, published, deliver.Options{MinBackoff: 2 * time.Millisecond, Tick: 5 * time.Millisecond}, log, reg)
	s, err := alerts.NewService(ctx, db, words, alerts.Options{Fallback: roster.Person{Contacts: []roster.Contact{{Channel: "hook"}}}, Wake: d.Wake}, log, reg)
	if err != nil {
		t.Fatal(err)
	}
	stop := run(t, d)
	at := time.Date(2026, 7, 12, 4, 0, 0, 0, time.UTC)
	f := &detectors.Finding{
		HouseholdID: "h1", AreaID: "a1", Kind: detectors.Shortfall, Severity: detectors.Red, State: detectors.Open, Episode: 1, Seq: 1, Pushed: true,
		Onset: at, At: at, DecidedAt: at, DataUntil: at, Reason: detectors.Reason{Cause: detectors.CauseBelow},
	}
	if err := s.Apply(ctx, f); err != nil {
		t.Fatal(err)
	}
	for drained := false; !drained; time.Sleep(time.Millisecond) {
		if drained, err = d.Drained(ctx); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if len(receipts) != 1 || receipts["h1/1#1:operator:hook"] != 1 || calls != 3 {
		t.Errorf("receipts %v after %d calls", receipts, calls)
	}
	if len(published.got) != 1 || published.got[0] != "h1/1#1" {
		t.Errorf("published %v", published.got)
	}
	es, err := db.Events(ctx, "h1", 10)
	if err != nil || len(es) != 3 || es[0].Kind != alerts.EventTold || es[0].Detail != "operator/hook" {
		t.Errorf("history %+v (%v)", es, err)
	}
}

// enqueue puts a message of an alert of its own into the outbox.
func enqueue(t *testing.T, db *store.DB, name, channel string, severity detectors.Severity) {
	t.Helper()
	now := time.Now()
	if err := db.Update(t.Context(), func(tx alerts.Tx) error {
		f := &detectors.Finding{HouseholdID: name, Kind: detectors.Shortfall, Severity: severity, State: detectors.Open}
		if err := tx.PutAlert(&alerts.Alert{ID: name, Subject: name, HouseholdID: name, Kind: f.Kind, Severity: severity, Onset: now, OpenedAt: now, UpdatedAt: now, Finding: f}); err != nil {
			return err
		}
		m := message()
		m.ID, m.AlertID, m.Channel, m.Severity, m.Title = alerts.MessageID(name, 1, "operator", channel), name, channel, severity, name
		m.To, m.Fallback = alerts.Recipient{PersonID: "operator", Role: roster.Operator}, true
		m.CreatedAt, m.Deadline = now, now.Add(24*time.Hour)
		return tx.EnqueueMessage(m)
	}); err != nil {
		t.Fatal(err)
	}
}

// A storm: sixty homes in one minute, one group, a robot that takes twenty a
// minute and blocks for ten whoever sends more. It is never blocked, all are
// told in three minutes, and a red one that comes in between is the next.
func TestAStormNeverBringsDingTalkToBlockTheRobot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openStore(t)
		server := vendortest.NewDingTalk(map[string]string{robotKey: robotSign}, time.Now)
		robot, err := channels.NewDingTalkRobot(channels.HTTP{Client: vendortest.Client(server)})
		if err != nil {
			t.Fatal(err)
		}
		d := deliver.New(db, map[string]deliver.Channel{"dingtalk": robot}, nil, deliver.Options{
			Concurrency: 1, FallbackAddress: robotKey + ":" + robotSign,
			Limits: map[string][]deliver.Limit{"dingtalk": channels.DefaultLimits("dingtalk", "")},
		}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		for i := range 60 {
			enqueue(t, db, fmt.Sprint("yellow-", i), "dingtalk", detectors.Yellow)
		}
		stop := run(t, d)
		time.Sleep(30 * time.Second)
		enqueue(t, db, "red", "dingtalk", detectors.Red)
		d.Wake()
		time.Sleep(3*time.Minute - 25*time.Second)
		synctest.Wait()
		got := server.Got()
		if len(got) != 61 || server.Requests() != 61 {
			t.Errorf("%d messages in %d requests, want 61 in 61", len(got), server.Requests())
		}
		if len(got) > 20 && !strings.HasPrefix(got[20].Text, "red") {
			t.Errorf("the first of the second minute is %.12q", got[20].Text)
		}
		stop()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Somebody else uses the robot, too, and it is blocked: it is left alone for
// the ten minutes, for to knock would prolong them.
func TestABlockedRobotIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openStore(t)
		server := vendortest.NewDingTalk(map[string]string{robotKey: ""}, time.Now)
		robot, err := channels.NewDingTalkRobot(channels.HTTP{Client: vendortest.Client(server)})
		if err != nil {
			t.Fatal(err)
		}
		for range 21 { // the others
			m := message()
			m.Address = robotKey
			_, _ = robot.Send(t.Context(), m)
		}
		start := time.Now()
		d := deliver.New(db, map[string]deliver.Channel{"dingtalk": robot}, nil, deliver.Options{FallbackAddress: robotKey},
			slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		stop := run(t, d)
		for i := range 5 {
			enqueue(t, db, fmt.Sprint("home-", i), "dingtalk", detectors.Red)
			d.Wake()
			time.Sleep(time.Minute)
		}
		time.Sleep(16 * time.Minute)
		synctest.Wait()
		got := server.Got()[20:]
		if len(got) != 5 || server.Requests() != 21+1+5 {
			t.Errorf("%d messages in %d requests, want 5 in 27", len(got), server.Requests())
		}
		if len(got) > 0 && got[0].At.Sub(start) < 10*time.Minute {
			t.Errorf("the first went out after %v", got[0].At.Sub(start))
		}
		stop()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}
