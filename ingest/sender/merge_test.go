package sender

import (
	"slices"
	"testing"
	"time"

	"weimang/ingest"
)

func TestReportsStandWhereTheyBecameKnown(t *testing.T) {
	begin := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	block := func(n int) ingest.Block {
		return ingest.Block{
			MeterID: "m", Start: begin.Add(time.Duration(n) * 30 * time.Minute), Interval: 30 * time.Minute, KWh: []float64{0.1},
		}
	}
	report := func(id string, known time.Duration) ingest.Report {
		return ingest.Report{Incident: ingest.Incident{ID: id, From: begin.Add(100 * time.Hour)}, PublishedAt: begin.Add(known)}
	}
	reports := []ingest.Report{report("early", -time.Hour), report("between", 40*time.Minute), report("at the end", time.Hour), report("after", 2*time.Hour)}
	var order []string
	for item := range Merge(slices.Values([]ingest.Block{block(0), block(1)}), reports, func(string) string { return "tq" }) {
		switch {
		case item.Report != nil:
			order = append(order, item.Report.ID)
		case item.Area != "tq":
			t.Errorf("area %q", item.Area)
		default:
			order = append(order, item.Block.Start.Format("15:04"))
		}
	}
	if want := []string{"early", "00:00", "between", "00:30", "at the end"}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
}
