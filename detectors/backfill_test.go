package detectors

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"weimang/ingest"
)

func TestBackfillOpensNothingThatIsOver(t *testing.T) {
	v := eventful(15)
	log := v.inputs(0, 32)
	var inOrder, held []ingest.Input
	for _, in := range log { // three days of everything come in one go
		if between(in.Clock, at(23, 0), at(26, 0)) {
			in.Clock = at(26, 0)
			held = append(held, in)
			continue
		}
		inOrder = append(inOrder, in)
	}
	// As a utility sends it: all days of one meter, then the next meter.
	slices.SortStableFunc(held, func(x, y ingest.Input) int {
		return cmp.Compare(x.Readings.MeterID, y.Readings.MeterID)
	})
	i := slices.IndexFunc(inOrder, func(in ingest.Input) bool { return in.Clock.After(at(26, 0)) })
	_, findings := watch(t, DefaultParams(), slices.Insert(inOrder, i, held...))
	for _, f := range findings {
		if f.Kind == AreaDark || f.Kind == NotBack {
			t.Errorf("told of a past outage: %+v", f)
		}
	}
}

// The area as a whole is filled in, too, when the backlog of all homes comes
// in the order of time.
func TestBackfilledOutageOpensNothing(t *testing.T) {
	log := eventful(23).inputs(0, 32)
	for i := range log {
		if between(log[i].Clock, at(24, 15), at(25, 6)) {
			log[i].Clock = at(25, 6)
		}
	}
	_, findings := watch(t, DefaultParams(), log)
	for _, f := range of(findings, "area:tq") {
		t.Errorf("told of a past outage: %+v", f)
	}
}

// A meter that is hours late every time is not always being filled in.
func TestMeterThatIsAlwaysLateIsHeard(t *testing.T) {
	for name, interval := range map[string]time.Duration{"every half-hour": 30 * time.Minute, "once a day": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			v := &village{homes: 1, seed: 22, edit: func(_ int, start time.Time, wh float64) float64 {
				if between(start, at(40, 7), at(43, 9)) {
					return 20
				}
				return wh
			}}
			log := v.inputs(0, 48)
			for i := range log {
				log[i].Clock = log[i].Clock.Add(5 * time.Hour)
				if late := log[i].Clock.Sub(day0) % interval; late != 0 {
					log[i].Clock = log[i].Clock.Add(interval - late)
				}
			}
			_, findings := watch(t, DefaultParams(), log)
			story := of(findings, homeID(0))
			if len(story) < 2 || !between(story[0].DecidedAt, at(40, 12), at(42, 1)) {
				t.Errorf("three days of silence gave %+v", story)
			}
			for _, f := range story {
				if f.State == Resolved && f.At.Before(at(43, 9)) {
					t.Errorf("life was seen in a home that is still: %+v", f)
				}
			}
		})
	}
}
