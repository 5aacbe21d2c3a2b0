package main

import (
	"strings"
	"testing"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

func TestADryRunPrintsTheDirectiveAndNeedsNoBroker(t *testing.T) {
	r := weimang(t, "", "directive", "away", "--household", "h-0042", "--id", "d-17", "--from", "2026-07-12", "--until", "2026-07-19T20:00:00+08:00", "--dry-run")
	r.want(t, exitOK)
	d, err := contract.DecodeDirective(contract.JSON, []byte(strings.TrimSpace(r.stdout)))
	if err != nil {
		t.Fatal(err)
	}
	if age := time.Since(d.IssuedAt); age < 0 || age > time.Minute {
		t.Errorf("said at %s", d.IssuedAt)
	}
	d.IssuedAt = time.Time{}
	if want := (ingest.Directive{ // a day begins in the zone of the roster
		ID: "d-17", HouseholdID: "h-0042", Kind: ingest.Away,
		From: time.Date(2026, 7, 11, 16, 0, 0, 0, time.UTC), Until: time.Date(2026, 7, 19, 12, 0, 0, 0, time.UTC),
	}); d != want {
		t.Errorf("got  %+v\nwant %+v", d, want)
	}

	again := weimang(t, "", "directive", "outcome", "--household", "h-0042", "--found", "illness", "--dry-run")
	again.want(t, exitOK)
	if d, err := contract.DecodeDirective(contract.JSON, []byte(strings.TrimSpace(again.stdout))); err != nil || d.ID == "" || d.Outcome != ingest.OutcomeIllness {
		t.Errorf("%s is %+v, %v", again.stdout, d, err)
	}
}

// An operator tells a running system, and it reaches the log of the home's
// area; what is said of a home that nobody watches comes back.
func TestADirectiveReachesTheRunningSystem(t *testing.T) {
	s := startSite(t, "meter_id,household_id,area_id,zone,village_id,label\nm1,h-0001,tq-01,Asia/Shanghai,wd,3组12号\n")
	s.send(contract.JSON, []byte(`{"meter_id":"m1","ts":"`+time.Now().UTC().Truncate(time.Hour).Add(-time.Hour).Format(time.RFC3339)+`","interval_s":1800,"kwh":0.1}`))
	s.eventually("the home is known", func() bool { return s.counts("weimang_detect_households 1") })
	weimang(t, "", "directive", "away", "--household", "h-0001", "--brokers", s.broker).want(t, exitOK)
	s.eventually("the directive is accepted", func() bool { return s.counts("weimang_ingest_directives_accepted_total 1") })
	s.eventually("its area has taken it in", func() bool { return s.counts("weimang_detect_inputs_total 3") }) // who is there, a reading, and it

	r := weimang(t, "", "directive", "away", "--household", "m1", "--brokers", s.broker)
	r.want(t, exitFailed)
	wantContains(t, "stderr", r.stderr, "not in the roster", "nothing was sent")

	// Another system does not ask the roster first.
	d := ingest.Directive{ID: "d1", HouseholdID: "h-9999", Kind: ingest.Away, From: time.Now().UTC(), IssuedAt: time.Now().UTC()}
	if err := stream.NewProducer(s.client).Produce(t.Context(), ingest.TopicDirectives, []stream.Record{{Value: contract.EncodeDirective(&d)}}); err != nil {
		t.Fatal(err)
	}
	s.eventually("it is refused", func() bool { return s.counts(`weimang_ingest_records_rejected_total{reason="unknown-household"} 1`) })
}
