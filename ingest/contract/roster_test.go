package contract_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
)

func TestHomesRoundTrip(t *testing.T) {
	august := time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)
	for _, want := range [][]ingest.Home{
		{{MeterID: "m1", HouseholdID: "H-1", AreaID: "TQ-1", VillageID: "wd", Zone: "Asia/Shanghai"}},
		{{MeterID: "m1", HouseholdID: "H-1", Until: august}, {MeterID: "m1", HouseholdID: "H-2", From: august}},
	} {
		value, err := contract.EncodeHomes(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := contract.DecodeHomes("m1", value)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s\n got %+v, %v", value, got, err)
		}
	}
	// Of before there were dates.
	got, err := contract.DecodeHomes("m1", []byte(`{"meter_id":"m1","household_id":"H-1","area_id":"TQ-1"}`))
	if err != nil || !slices.Equal(got, []ingest.Home{{MeterID: "m1", HouseholdID: "H-1", AreaID: "TQ-1"}}) {
		t.Errorf("without dates: %+v, %v", got, err)
	}
}

// Others may write a date, which is a day of the household.
func TestADateOfTheRosterBeginsInTheHouseholdsZone(t *testing.T) {
	got, err := contract.DecodeHomes("m1", []byte(`[
		{"meter_id":"m1","household_id":"H-1","zone":"Asia/Shanghai","from":"2026-08-01T10:20:00+08:00"},
		{"meter_id":"m1","household_id":"H-0","zone":"Asia/Shanghai","until":"2026-08-01"}]`))
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	midnight := time.Date(2026, 7, 31, 16, 0, 0, 0, time.UTC)
	if got[0].HouseholdID != "H-0" || !got[0].Until.Equal(midnight) || !got[1].From.Equal(midnight.Add(10*time.Hour)) {
		t.Errorf("%+v", got)
	}
}

func TestARosterRecordThatCannotBeSaysWhy(t *testing.T) {
	const name = "李桂花"
	for value, why := range map[string]string{
		"李桂花": "neither a home nor an array",
		`[]`:  "no home",
		`{"meter_id":"m2","household_id":"李桂花"}`:                                                                               "not the record's key",
		`{"meter_id":"m1"}`:                                                                                                    "no household_id",
		`{"meter_id":"m1","household_id":"H","from":"李桂花"}`:                                                                    "from: is neither a date",
		`{"meter_id":"m1","household_id":"H","until":"0001-01-01"}`:                                                            "until: lies outside",
		`{"meter_id":"m1","household_id":"H","zone":"Mars/Olympus","until":"2026-08-01"}`:                                      "no such zone",
		`{"meter_id":"m1","household_id":"H","from":"2026-08-02","until":"2026-08-01"}`:                                        "until is not",
		`[{"meter_id":"m1","household_id":"H","until":"2026-08-02"},{"meter_id":"m1","household_id":"I","from":"2026-08-01"}]`: "share some time",
		`[{"meter_id":"m1","household_id":"H","from":"2026-08-02"},{"meter_id":"m1","household_id":"I"}]`:                      "share some time",
	} {
		_, err := contract.DecodeHomes("m1", []byte(value))
		if err == nil || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want %s", value, err, why)
		}
	}
}
