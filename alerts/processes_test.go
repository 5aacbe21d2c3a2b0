package alerts_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"weimang/alerts"
	"weimang/alerts/channels"
	"weimang/alerts/deliver"
	"weimang/alerts/message"
	"weimang/alerts/roster"
	"weimang/alerts/store"
	"weimang/alerts/store/storetest"
	"weimang/detectors"
)

// published is what all processes have written to weimang.alerts.
type published struct {
	mu  sync.Mutex
	ids map[string]int
}

func (p *published) Publish(_ context.Context, records []alerts.Record) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range records {
		p.ids[r.ID]++
	}
	return nil
}

// After a rebalance two processes may be given the same findings, and both empty
// the one outbox. Each chair hears everything once, and each alert is one.
func TestProcessesOnOneStoreTellEverythingOnce(t *testing.T) {
	place := storetest.Place(t)
	const homes = 40
	var rows []store.HouseholdRow
	for i := range homes {
		rows = append(rows, store.HouseholdRow{MeterID: fmt.Sprintf("m%d", i), HouseholdID: fmt.Sprintf("h%d", i), AreaID: "a1", VillageID: "v1"})
	}
	first := storetest.OpenAt(t, place)
	if err := first.ImportRoster(t.Context(), rows, []roster.Member{{
		Person: roster.Person{ID: "p1", Contacts: []roster.Contact{{Channel: "console"}}}, Duty: roster.Duty{Role: roster.Chair, UnitID: "v1"},
	}}); err != nil {
		t.Fatal(err)
	}
	words, err := message.New()
	if err != nil {
		t.Fatal(err)
	}
	told, topic := new(channels.Memory), &published{ids: map[string]int{}}
	ctx, stop := context.WithCancel(t.Context())
	var applying, running sync.WaitGroup
	for range 2 {
		db, log := storetest.OpenAt(t, place), slog.New(slog.DiscardHandler)
		d := deliver.New(db, map[string]deliver.Channel{"console": told}, topic, deliver.Options{Tick: 5 * time.Millisecond}, log, prometheus.NewRegistry())
		running.Go(func() { _ = d.Run(ctx) }) // ends with ctx
		service, err := alerts.NewService(ctx, db, words, alerts.Options{Fallback: roster.Person{Contacts: []roster.Contact{{Channel: "console"}}}, Wake: d.Wake}, log, prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		applying.Go(func() {
			for i := range homes {
				home := fmt.Sprintf("h%d", i)
				for seq, state := range []detectors.State{detectors.Open, detectors.Resolved} {
					if err := service.Apply(ctx, finding(home, seq+1, state)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	applying.Wait()
	for waiting := -1; waiting != 0; time.Sleep(5 * time.Millisecond) {
		messages, records, err := first.Depth(ctx)
		if err != nil {
			t.Fatal(err)
		}
		waiting = messages + records
	}
	stop()
	running.Wait()

	heard := map[string]int{}
	for _, m := range told.Messages() {
		heard[m.ID]++
	}
	transitions, err := first.Transitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(heard) != 2*homes || len(transitions) != 2*homes || len(topic.ids) != 2*homes {
		t.Errorf("%d messages, %d transitions, %d of them published: want %d of each", len(heard), len(transitions), len(topic.ids), 2*homes)
	}
	for id, n := range heard {
		if n != 1 {
			t.Errorf("the chair heard %s %d times", id, n)
		}
	}
	for i := range homes {
		es, err := first.Events(t.Context(), fmt.Sprintf("h%d", i), 10)
		es = slices.DeleteFunc(es, func(e alerts.Event) bool { return e.Kind == alerts.EventCalled || e.Kind == alerts.EventClosed })
		if err != nil || len(es) != 4 {
			t.Errorf("history of h%d: %+v (%v), want opened, told, resolved, told", i, es, err)
		}
	}
}
