package feedfile_test

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/feedfile"
)

func TestReadHouseholds(t *testing.T) {
	got, err := feedfile.OpenHouseholds(feeds("households-good.csv"))
	want := []feedfile.HouseholdRow{
		{Home: ingest.Home{
			MeterID: "330212-0042", HouseholdID: "H-0042", AreaID: "TQ-0107", VillageID: "wandi", Zone: "Asia/Shanghai",
		}, Label: "3组12号"},
		{Home: ingest.Home{MeterID: "330212-0043", HouseholdID: "H-0043"}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

// A meter is exchanged, a home moves: one line after the other.
func TestHouseholdsWithDates(t *testing.T) {
	got, err := feedfile.OpenHouseholds(feeds("households-dated.csv"))
	midnight := time.Date(2026, 7, 31, 16, 0, 0, 0, time.UTC)
	home := func(meter, area string, from, until time.Time) feedfile.HouseholdRow {
		return feedfile.HouseholdRow{Label: "3组12号", Home: ingest.Home{
			MeterID: meter, HouseholdID: "H-0042", AreaID: area, VillageID: "wandi", Zone: "Asia/Shanghai", From: from, Until: until,
		}}
	}
	want := []feedfile.HouseholdRow{
		home("330212-0042", "TQ-0107", time.Time{}, midnight),
		home("330212-0911", "TQ-0107", midnight, midnight.AddDate(0, 1, 0).Add(2*time.Hour)),
		home("330212-0911", "TQ-0108", midnight.AddDate(0, 1, 0).Add(2*time.Hour), time.Time{}),
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

func TestBadHouseholdNamesLineColumnAndRemedy(t *testing.T) {
	const header = "meter_id,household_id,area_id,zone,label\n"
	const good = "m1,H-1,TQ-1,Asia/Shanghai,3组12号\n"
	const dated = "meter_id,household_id,area_id,zone,from,until\n"
	for file, want := range map[string]string{
		"":                                  "empty",
		"meter_id,household_id,area,zone\n": "no column area_id",
		header + good + "m1,H-2,TQ-1,,\n":   "line 3, column meter_id: bad-field: the meter stands in line 2 already",
		dated + "m1,H-1,TQ-1,,,2026-08-01\nm1,H-2,TQ-1,,2026-07-31,\n": "line 3, column meter_id: bad-field: the meter stands in line 2 already for some of the same time",
		dated + "m1,H-1,TQ-1,Asia/Shanghai,1.8.2026,\n":                "line 2, column from: bad-field: is neither a date such as 2026-08-01",
		dated + "m1,H-1,TQ-1,Asia/Shanghai,,1026-08-01\n":              "line 2, column until: bad-field: lies outside",
		dated + "m1,H-1,TQ-1,,2026-08-01,2026-08-01\n":                 "line 2, column until: bad-field: is not at least an hour after from",
		header + ",H-1,TQ-1,,\n":                                       "line 2, column meter_id: no-meter",
		header + "m1,,TQ-1,,\n":                                        "line 2, column household_id",
		header + "m1,张三,TQ-1,,\n":                                      "line 2, column household_id",
		header + "m1,H-1,湾底,,\n":                                       "line 2, column area_id",
		header + "m1,H-1,TQ-1,Asia/Ningbo,\n":                          "such as Asia/Shanghai",
		header + "m1,H-1,TQ-1,Local,\n":                                "line 2, column zone",
		header + "m1,H-1,TQ-1,,\xd5\xc5\xc8\xfd\n":                     "line 2, column label: bad-field: is not UTF-8",
		header + "m1,H\"1,TQ-1,,\n":                                    "line 2: bad-field: a quote is out of place",
	} {
		_, err := feedfile.ReadHouseholds(strings.NewReader(file))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "张三") {
			t.Errorf("%q\n got  %v\n want %s", file, err, want)
		}
	}
}

func TestReadIncidents(t *testing.T) {
	got, err := feedfile.OpenIncidents(feeds("incidents-good.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var states []ingest.IncidentState
	for _, r := range got {
		states = append(states, r.State)
	}
	if !slices.Equal(states, []ingest.IncidentState{ingest.Reported, ingest.Closed}) {
		t.Errorf("states %v", states)
	}
}

func TestBadIncidentNamesItsLine(t *testing.T) {
	const good = `{"incident_id":"NB-17","source":"power-grid","class":"outage","state":"reported","scope":{"areas":["TQ-1"]},"from":"2026-07-12T19:30:00+08:00"}` + "\n"
	for file, want := range map[string]ingest.Reason{
		good + "\nnot json\n":                                          ingest.NotJSON,
		good + "\n" + strings.Replace(good, "NB-17", "", 1):            ingest.NoIncident,
		good + "\n" + strings.Repeat("x", contract.MaxRecordBytes+100): ingest.TooLarge,
	} {
		_, err := feedfile.ReadIncidents(strings.NewReader(file))
		var rej *ingest.Rejection
		if !errors.As(err, &rej) || rej.Reason != want || !strings.HasPrefix(err.Error(), "line 3: ") {
			t.Errorf("got %v, want %s in line 3", err, want)
		}
	}
}

func TestWrittenReadingsReadBackTheSame(t *testing.T) {
	start := time.Date(2026, 7, 12, 14, 0, 0, 0, zone(t, "Asia/Shanghai"))
	blocks := []ingest.Block{
		{MeterID: "m1", Start: start, Interval: 30 * time.Minute, KWh: []float64{0.2144, math.NaN(), 0}},
		{MeterID: "m2", Start: start, Interval: 30 * time.Minute, KWh: []float64{0.0005, 3}},
	}
	var out bytes.Buffer
	if err := feedfile.WriteReadings(&out, slices.Values(blocks)); err != nil {
		t.Fatal(err)
	}
	const want = `meter_id,ts,kwh
m1,2026-07-12T06:00:00Z,0.214
m1,2026-07-12T06:30:00Z,
m1,2026-07-12T07:00:00Z,0.000
m2,2026-07-12T06:00:00Z,0.001
m2,2026-07-12T06:30:00Z,3.000
`
	if out.String() != want {
		t.Errorf("wrote\n%s\nwant\n%s", out.String(), want)
	}
	f := read(t, out.String(), feedfile.Options{})
	for _, b := range blocks {
		var got []uint32
		for r := range f.Rows(b.MeterID) {
			got = append(got, r.Wh)
		}
		if want := contract.ToReadings(&b, ingest.Home{}).Wh; !slices.Equal(got, want) {
			t.Errorf("%s: read back %v, ingest would keep %v", b.MeterID, got, want)
		}
	}
}

func TestWriteReadingsRefusesWhatHasNoColumn(t *testing.T) {
	for name, b := range map[string]ingest.Block{
		"register":   {MeterID: "m1", Register: true, KWh: []float64{1}},
		"foreign id": {MeterID: "m,1", KWh: []float64{1}},
	} {
		if err := feedfile.WriteReadings(new(bytes.Buffer), slices.Values([]ingest.Block{b})); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	full := errors.New("disk full")
	if err := feedfile.WriteReadings(failing{full}, slices.Values([]ingest.Block{{MeterID: "m1", KWh: []float64{1}}})); !errors.Is(err, full) {
		t.Errorf("a full disk: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
