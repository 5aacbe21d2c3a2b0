package history_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"weimang/alerts"
	"weimang/alerts/history"
	"weimang/alerts/store"
	"weimang/alerts/store/storetest"
	"weimang/detectors"
)

var noon = time.Date(2026, 7, 12, 4, 0, 0, 0, time.UTC)

// record is n points of a household from start on.
func record(household string, start time.Time, n int, kWh float64) detectors.History {
	r := detectors.History{HouseholdID: household, AreaID: "a1"}
	for i := range n {
		r.Points = append(r.Points, detectors.UsePoint{
			Start: start.Add(time.Duration(i) * 15 * time.Minute), Interval: 15 * time.Minute, KWh: kWh, Low: 0.1, Mid: 0.2, High: 0.3,
		})
	}
	return r
}

func encode(t testing.TB, r detectors.History) []byte {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func recent(t *testing.T, db *store.DB, household string) []detectors.UsePoint {
	t.Helper()
	points, err := db.Recent(t.Context(), household, noon.Add(-60*24*time.Hour), noon.Add(60*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return points
}

func TestPointsOfManyRecordsAndDaysComeTogether(t *testing.T) {
	db := storetest.Open(t, nil)
	h := history.NewHandler(db, 0, prometheus.NewRegistry())
	// 30 hours in two records that overlap by an hour: the later one counts.
	err := h.HandleHistory(t.Context(), [][]byte{
		encode(t, record("h1", noon, 96, 1)), encode(t, record("h2", noon, 4, 7)), encode(t, record("h1", noon.Add(23*time.Hour), 28, 2)),
	})
	if err != nil {
		t.Fatal(err)
	}
	points := recent(t, db, "h1")
	if len(points) != 120 || points[91].KWh != 1 || points[92].KWh != 2 || points[119].KWh != 2 {
		t.Errorf("%d points, want 120 with the later ones from 92 on", len(points))
	}
	if points := recent(t, db, "h2"); len(points) != 4 {
		t.Errorf("%d points of h2, want 4", len(points))
	}
}

func TestHistoryIsKeptForTheRetentionBeforeTheNewestPoint(t *testing.T) {
	db := storetest.Open(t, nil)
	reg := prometheus.NewRegistry()
	h := history.NewHandler(db, 14*24*time.Hour, reg)
	merge := func(at time.Time) {
		t.Helper()
		if err := h.Merge(t.Context(), []detectors.History{record("h1", at, 1, 1)}); err != nil {
			t.Fatal(err)
		}
	}
	merge(noon)
	merge(noon.Add(14 * 24 * time.Hour))
	if n := len(recent(t, db, "h1")); n != 2 {
		t.Errorf("%d points, want both: the older is 14 days old", n)
	}
	merge(noon.Add(15 * 24 * time.Hour))
	if points := recent(t, db, "h1"); len(points) != 2 || points[0].Start.Equal(noon) {
		t.Errorf("the point of 15 days ago is still there: %d points", len(points))
	}
	merge(noon) // comes again, too old by now
	if n := len(recent(t, db, "h1")); n != 2 {
		t.Errorf("an expired point was taken: %d points", n)
	}
	// A new process knows from the store what is newest.
	again := history.NewHandler(db, 14*24*time.Hour, prometheus.NewRegistry())
	if err := again.Merge(t.Context(), []detectors.History{record("h1", noon, 1, 1)}); err != nil {
		t.Fatal(err)
	}
	if n := len(recent(t, db, "h1")); n != 2 {
		t.Errorf("an expired point was taken after a restart: %d points", n)
	}
}

func TestBadHistoryIsHandedBackAndTheRestKept(t *testing.T) {
	db := storetest.Open(t, nil)
	reg := prometheus.NewRegistry()
	h := history.NewHandler(db, 0, reg)
	timeless := record("h1", time.Time{}, 1, 1)
	err := h.HandleHistory(t.Context(), [][]byte{[]byte("no"), encode(t, record("h1", noon, 1, 1)), encode(t, record("", noon, 1, 1)), encode(t, timeless)})
	bad, ok := errors.AsType[*alerts.BadRecordsError](err)
	if !ok || len(bad.Records) != 3 || bad.Records[0].Index != 0 || bad.Records[2].Index != 3 {
		t.Fatalf("error %v, want records 0, 2 and 3 handed back", err)
	}
	if n := len(recent(t, db, "h1")); n != 1 {
		t.Errorf("%d points, want the good one", n)
	}
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}

// Points a second into SQLite, from JSON on, in the shapes the topic may have:
// a day a record, an hour a record, and every home's single points in turn.
func BenchmarkHandleHistory(b *testing.B) {
	for _, shape := range []struct {
		name                     string
		homes, records, perPoint int
	}{
		{"day", 200, 1, 96},
		{"hour", 200, 24, 4},
		{"single", 200, 96, 1},
		{"single-wide", 5000, 4, 1},
	} {
		b.Run(shape.name, func(b *testing.B) {
			db := storetest.Open(b, nil)
			h := history.NewHandler(db, 0, prometheus.NewRegistry())
			day := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
			var values [][]byte
			for i := range shape.records {
				for home := range shape.homes {
					start := day.Add(time.Duration(i*shape.perPoint) * 15 * time.Minute)
					values = append(values, encode(b, record(fmt.Sprintf("h%05d", home), start, shape.perPoint, 0.2)))
				}
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if err := h.HandleHistory(b.Context(), values); err != nil {
					b.Fatal(err)
				}
				n += shape.homes * shape.records * shape.perPoint
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "points/s")
		})
	}
}
