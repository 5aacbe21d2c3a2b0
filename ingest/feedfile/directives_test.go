package feedfile_test

import (
	"strings"
	"testing"
	"time"

	"weimang/ingest"
	"weimang/ingest/feedfile"
)

func TestADirectiveComesWhenItIsIssued(t *testing.T) {
	directives, err := feedfile.ReadDirectives(strings.NewReader(
		"\n" + `{"directive_id":"d2","household_id":"h","kind":"outcome","outcome":"false","issued_at":"2026-07-12T06:40:00Z"}` +
			"\n" + `{"directive_id":"d1","household_id":"h","kind":"away","from":"2026-07-12T00:00:00Z","issued_at":"2026-07-12T06:10:00Z"}`))
	if err != nil || len(directives) != 2 {
		t.Fatalf("%v, %v", directives, err)
	}
	feed, err := feedfile.ReadReadings(strings.NewReader("meter_id,ts,kwh\nm,2026-07-12T06:00:00Z,1\nm,2026-07-12T06:30:00Z,1\n"), feedfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	report := ingest.Report{Incident: ingest.Incident{ID: "i1", From: time.Date(2026, 7, 12, 6, 35, 0, 0, time.UTC)}}
	var order []string
	for item := range feedfile.Timeline(feed, []ingest.Report{report}, directives) {
		switch {
		case item.Directive != nil:
			order = append(order, item.Directive.ID+" "+item.Clock.Format(time.TimeOnly))
		case item.Report != nil:
			order = append(order, item.Report.ID+" "+item.Clock.Format(time.TimeOnly))
		default:
			order = append(order, "row "+item.Clock.Format(time.TimeOnly))
		}
	}
	const want = "d1 06:10:00, row 06:30:00, i1 06:30:00, d2 06:30:00, row 07:00:00"
	if got := strings.Join(order, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestABadDirectiveIsNamedByItsLine(t *testing.T) {
	_, err := feedfile.ReadDirectives(strings.NewReader("\n{\"directive_id\":\"d1\"}\n"))
	if err == nil || !strings.Contains(err.Error(), "line 2: bad-field: household_id") {
		t.Errorf("got %v", err)
	}
}
