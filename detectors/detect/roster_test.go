package detect

import (
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"weimang/detectors"
	"weimang/ingest"
)

// moving is silentHomes of two areas, of which the first home, silent since the
// 15th day, moves to the other on the 16th. The roster says so on the 10th.
func moving() (log []ingest.Input, date time.Time) {
	date = time.Date(2026, 3, 17, 18, 0, 0, 0, time.UTC)
	told := date.AddDate(0, 0, -6)
	for _, in := range silentHomes(2) {
		if r := in.Readings; r.HouseholdID == "h-0-0" && !r.Start.Before(date) {
			in.AreaID = "tq-1"
		}
		if len(log) > 0 && log[len(log)-1].Clock.Equal(told) && in.Clock.After(told) {
			log = append(log,
				ingest.Input{AreaID: "tq-0", Clock: told, Residence: &ingest.Residence{HouseholdID: "h-0-0", Stays: []ingest.Stay{
					{MeterID: "mh-0-0", Until: date, To: "tq-1"},
				}}},
				ingest.Input{AreaID: "tq-1", Clock: told, Residence: &ingest.Residence{HouseholdID: "h-0-0", Stays: []ingest.Stay{
					{MeterID: "mh-0-0", From: date},
				}}})
		}
		log = append(log, in)
	}
	slices.SortStableFunc(log, func(x, y ingest.Input) int { return x.Clock.Compare(y.Clock) })
	return log, date
}

// A member that dies before its areas are saved hands over again what it has handed
// over: the new area has the home once, and its alert goes on.
func TestAHomeThatMovesIsHandedOverWhateverDies(t *testing.T) {
	s := newSite(t)
	log, date := moving()
	at := func(d time.Duration) int {
		return slices.IndexFunc(log, func(in ingest.Input) bool { return in.Clock.After(date.Add(d)) })
	}
	handovers := 0.0
	from := 0
	for _, to := range []int{at(-time.Hour), at(time.Hour), at(2 * time.Hour), at(30 * time.Hour), len(log)} {
		svc, stop := s.member(nil)
		svc.dies = to < len(log)
		s.append(log[from:to])
		s.waitCaught(svc)
		handovers += testutil.ToFloat64(svc.metrics.handovers)
		stop()
		from = to
	}
	if handovers < 2 {
		t.Errorf("%v handovers: none was repeated, so this test shows nothing", handovers)
	}
	found, _ := s.findings()
	var story []detectors.Finding
	for _, f := range found {
		if f.HouseholdID == "h-0-0" {
			story = append(story, f)
		}
	}
	slices.SortFunc(story, func(x, y detectors.Finding) int { return x.Seq - y.Seq })
	if len(story) < 2 {
		t.Fatalf("said %+v", story)
	}
	for i, f := range story {
		if f.Seq != i+1 || f.AlertID() != story[0].AlertID() {
			t.Errorf("transition %d is %d of %s", i+1, f.Seq, f.AlertID())
		}
	}
	open, end := story[0], story[len(story)-1]
	if open.AreaID != "tq-0" || !open.At.Before(date) || end.AreaID != "tq-1" || end.State != detectors.Resolved || end.Reason.Cause != detectors.CauseLifeBack {
		t.Errorf("from %+v\nto %+v", open, end)
	}
}
