package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"weimang/alerts/channels"
	"weimang/alerts/deliver"
	"weimang/alerts/roster"
	"weimang/alerts/store"
	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// lines is an output that can be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// The utility's feed stops: no reading, no incident, nothing. The chair gets
// one message for each area after four hours and the usual delay; when readings
// come again the areas are as before.
func TestAFeedThatFallsSilentIsTold(t *testing.T) {
	stopped := time.Now().UTC().Truncate(time.Hour).Add(-12 * time.Hour)
	var ms atomic.Int64
	set := func(now time.Time) { ms.Store(now.UnixMilli()) }
	set(stopped)

	cfg := DefaultConfig()
	cfg.DataDir, cfg.Kafka.Addr, cfg.HTTP.Addr = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	cfg.Alerts.Policies = policiesImmediate // whatever time of day it is here
	var messages lines
	w := wiring{
		cfg: cfg, log: slog.New(slog.DiscardHandler), now: func() time.Time { return time.UnixMilli(ms.Load()).UTC() },
		people:   []roster.Member{{Person: roster.Person{ID: "p1", Name: "李桂花", Lang: "en", Contacts: []roster.Contact{{Channel: "json", Address: "13800000000"}}}, Duty: roster.Duty{Role: roster.Chair, UnitID: "wd"}}},
		channels: map[string]deliver.Channel{"json": channels.NewJSONLines(&messages)},
	}
	for i := range 12 {
		w.roster = append(w.roster, store.HouseholdRow{
			MeterID: fmt.Sprintf("m%d", i), HouseholdID: fmt.Sprintf("h-%d", i), AreaID: fmt.Sprintf("tq-%d", i/6),
			VillageID: "wd", Label: fmt.Sprintf("no. %d", i), Zone: "Asia/Shanghai",
		})
	}
	s, err := start(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	}()
	send := func(hours int, end time.Time) {
		t.Helper()
		var recs []stream.Record
		for _, home := range w.roster {
			b := ingest.Block{MeterID: home.MeterID, Start: end.Add(-time.Duration(hours) * time.Hour), Interval: time.Hour}
			for n := range hours {
				b.KWh = append(b.KWh, 0.1+float64(n*37%200)/1000)
			}
			recs = append(recs, stream.Record{Key: []byte(home.MeterID), Value: contract.EncodeJSON(&b)})
		}
		if err := stream.NewProducer(s.client).Produce(t.Context(), ingest.TopicReadings, recs); err != nil {
			t.Fatal(err)
		}
		if err := s.drained(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	told := func() int { return strings.Count(messages.String(), `"kind":"silent-meter"`) }
	later := func(hours int) {
		t.Helper()
		for h := 1; h <= hours; h++ {
			before, err := s.client.EndOffsets(t.Context(), ingest.TopicInputs)
			if err != nil {
				t.Fatal(err)
			}
			set(time.UnixMilli(ms.Load()).Add(time.Hour))
			for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
				ends, err := s.client.EndOffsets(t.Context(), ingest.TopicInputs)
				if err != nil || time.Since(begun) > 20*time.Second {
					t.Fatalf("no clock in the logs: %v", err)
				}
				written := int64(0)
				for p := range ends {
					written += ends[p] - before[p]
				}
				if written >= 2 {
					break
				}
			}
			if err := s.drained(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}

	send(72, stopped)
	later(4)
	if n := told(); n != 0 {
		t.Errorf("%d messages after 4 h:\n%s", n, messages.String())
	}
	later(2)
	if n := told(); n != 2 {
		t.Errorf("%d messages after 6 h, want one for each of two areas:\n%s", n, messages.String())
	}
	later(2)
	if n := told(); n != 2 {
		t.Errorf("%d messages after 8 h, want no more:\n%s", n, messages.String())
	}

	back := stopped.Add(10 * time.Hour)
	set(back)
	send(1, back)
	transitions, err := s.store.Transitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ended := 0
	for _, x := range transitions {
		if bytes.Contains(x.Raw, []byte(`"kind":"silent-meter"`)) && bytes.Contains(x.Raw, []byte(`"state":"resolved"`)) {
			ended++
		}
	}
	if ended != 2 {
		t.Errorf("%d areas are heard again, want 2", ended)
	}
}
