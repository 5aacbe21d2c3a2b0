package main

import (
	"strings"
	"testing"
	"time"

	"weimang/ingest"
	"weimang/ingest/feedfile"
	"weimang/ingest/intake"
)

// A replay that is started again skips what was sent under its feed's id. So
// whatever decides what is sent, or into which partition, is part of it.
func TestAFeedOfOtherContentHasAnotherID(t *testing.T) {
	from := time.Date(2026, 7, 12, 6, 0, 0, 0, time.UTC)
	feed := func(kwh, area string, until time.Time) string {
		readings, err := feedfile.ReadReadings(strings.NewReader("meter_id,ts,"+kwh+"\nm1,2026-07-12T06:00:00Z,1\nm1,2026-07-12T06:30:00Z,2\n"), feedfile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return feedID(&feedInput{
			readings: readings,
			roster:   intake.Fixed([]ingest.Home{{MeterID: "m1", HouseholdID: "h1", AreaID: area}}),
			incidents: []ingest.Report{{Incident: ingest.Incident{
				ID: "i1", Source: ingest.PowerGrid, Class: ingest.ClassOutage, State: ingest.Reported,
				Scope: ingest.Scope{Areas: []string{"tq-1"}}, From: from, Until: until,
			}}},
		})
	}
	one := feed("kwh", "tq-1", from.Add(time.Hour))
	if again := feed("kwh", "tq-1", from.Add(time.Hour)); again != one {
		t.Error("the same feed has another id")
	}
	for what, other := range map[string]string{
		"another area":              feed("kwh", "tq-2", from.Add(time.Hour)),
		"another end of the outage": feed("kwh", "tq-1", from.Add(2*time.Hour)),
		"registers instead of use":  feed("register_kwh", "tq-1", from.Add(time.Hour)),
	} {
		if other == one {
			t.Errorf("%s, and the same id", what)
		}
	}
}
