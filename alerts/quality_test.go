package alerts_test

import (
	"math"
	"testing"

	"weimang/alerts"
	"weimang/detectors"
)

func TestPrecisionIsOfWhatPeopleSaid(t *testing.T) {
	turned := []alerts.Turned{
		{VillageID: "v1", Village: "湾底村", Kind: detectors.Shortfall, Outcome: alerts.Appliance, Cases: 3},
		{VillageID: "v1", Village: "湾底村", Kind: detectors.Shortfall, Outcome: alerts.FalseCall, Cases: 5},
		{VillageID: "v2", Village: "东岗村", Kind: detectors.Shortfall, Outcome: alerts.WasAway, Cases: 2},
		{VillageID: "v2", Village: "东岗村", Kind: detectors.Shortfall, Outcome: alerts.Unanswered, Cases: 7},
		{VillageID: "v2", Village: "东岗村", Kind: detectors.Shortfall, Outcome: alerts.Superseded, Cases: 9},
		{VillageID: "v1", Village: "湾底村", Kind: detectors.NoSignOfLife, Outcome: "", Cases: 1},
	}
	all := alerts.Qualities(turned)
	if len(all) != 6 { // all; no-sign-of-life, v1; shortfall, v2, v1
		t.Fatalf("%d lines: %+v", len(all), all)
	}
	total, life, short := all[0], all[1], all[3]
	if total.Told != 18 || total.Answered() != 10 || total.Open != 1 || total.Unanswered != 7 {
		t.Errorf("all: %+v", total)
	}
	if life.Kind != detectors.NoSignOfLife || life.Precision != 0 || life.Low != 0 || life.High != 1 {
		t.Errorf("nothing answered: %+v", life)
	}
	// 3 of 10: Wilson's 95 % bounds are 0.108 and 0.603.
	if short.Kind != detectors.Shortfall || short.Precision != 0.3 || math.Abs(short.Low-0.108) > 0.001 || math.Abs(short.High-0.603) > 0.001 {
		t.Errorf("shortfall: %+v", short)
	}
}
