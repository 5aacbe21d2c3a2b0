package alerts_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"weimang/alerts"
	"weimang/alerts/message"
	"weimang/alerts/roster"
	"weimang/alerts/store"
	"weimang/alerts/store/storetest"
	"weimang/detectors"
)

// Findings a second through routing, wording and outbox into the store, every
// one of them pushed, 500 to a transaction.
func BenchmarkApplyBatch(b *testing.B) {
	db := storetest.Open(b, nil)
	rows := make([]store.HouseholdRow, 5000)
	for i := range rows {
		rows[i] = store.HouseholdRow{MeterID: fmt.Sprintf("m%d", i), HouseholdID: fmt.Sprintf("h%d", i), AreaID: "a1", VillageID: "v1", Label: fmt.Sprintf("%d号", i), Zone: "Asia/Shanghai"}
	}
	if err := db.ImportRoster(b.Context(), rows, []roster.Member{{Person: roster.Person{ID: "p1", Contacts: []roster.Contact{{Channel: "console"}}}, Duty: roster.Duty{Role: roster.Chair, UnitID: "v1"}}}); err != nil {
		b.Fatal(err)
	}
	words, err := message.New()
	if err != nil {
		b.Fatal(err)
	}
	s, err := alerts.NewService(b.Context(), db, words, alerts.Options{Fallback: roster.Person{Contacts: []roster.Contact{{Channel: "console"}}}}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		batch := make([]*detectors.Finding, 500)
		for i := range batch {
			// Each household opens and, the next time round, resolves.
			round := n / len(rows)
			f := finding(rows[n%len(rows)].HouseholdID, 1+round%2, detectors.Open)
			if f.Seq == 2 {
				f.State, f.Reason.Cause = detectors.Resolved, detectors.CauseUsualBack
			}
			f.Episode = int64(round / 2)
			f.Onset = noon.Add(time.Duration(f.Episode) * time.Hour)
			batch[i] = f
			n++
		}
		if err := s.ApplyBatch(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "findings/s")
}
