package feedfile_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"weimang/ingest"
	"weimang/ingest/feedfile"
)

func wh(v uint32) string {
	if v == ingest.NoValue {
		return "-"
	}
	return strconv.Itoa(int(v))
}

func TestBadRowNamesLineAndColumn(t *testing.T) {
	tests := []struct {
		name, row string
		column    string
		reason    ingest.Reason
	}{
		{"no meter", ",2026-07-12T00:30:00Z,0.1,,", "meter_id", ingest.NoMeter},
		{"a name for a meter", "张三家,2026-07-12T00:30:00Z,0.1,,", "meter_id", ingest.BadField},
		{"no stamp", "m1,,0.1,,", "ts_utc", ingest.BadTime},
		{"a stamp of another form", "m1,12/07/2026 00:30,0.1,,", "ts_utc", ingest.BadTime},
		{"no such day", "m1,2026-02-29T00:30:00Z,0.1,,", "ts_utc", ingest.BadTime},
		{"no such hour", "m1,2026-07-12T24:00:00Z,0.1,,", "ts_utc", ingest.BadTime},
		{"a fraction of a second", "m1,2026-07-12T00:30:00.5Z,0.1,,", "ts_utc", ingest.BadTime},
		{"a zone's name", "m1,2026-07-12T00:30:00 CST,0.1,,", "ts_utc", ingest.BadTime},
		{"a clock never set", "m1,1970-01-01T00:00:00Z,0.1,,", "ts_utc", ingest.BadTime},
		{"beyond our time", "m1,2106-07-12T00:00:00Z,0.1,,", "ts_utc", ingest.BadTime},
		{"not aligned", "m1,2026-07-12T00:31:00Z,0.1,,", "ts_utc", ingest.BadTime},
		{"not a number", "m1,2026-07-12T00:30:00Z,NaN,,", "kwh", ingest.NotANumber},
		{"infinite", "m1,2026-07-12T00:30:00Z,-Inf,,", "kwh", ingest.NotANumber},
		{"a word", "m1,2026-07-12T00:30:00Z,null,,", "kwh", ingest.BadField},
		{"a decimal comma", `m1,2026-07-12T00:30:00Z,"0,1",,`, "kwh", ingest.BadField},
		{"negative", "m1,2026-07-12T00:30:00Z,-0.1,,", "kwh", ingest.Negative},
		{"more than any home draws", "m1,2026-07-12T00:30:00Z,214,,", "kwh", ingest.Absurd},
		{"more than a home draws in half an hour", "m1,2026-07-12T00:30:00Z,31,,", "kwh", ingest.Absurd},
		{"beyond any number", "m1,2026-07-12T00:30:00Z,1e999,,", "kwh", ingest.Absurd},
		{"a register in Wh", "m1,2026-07-12T00:30:00Z,,18244310000,", "register_kwh", ingest.Absurd},
		{"kwh and register", "m1,2026-07-12T00:30:00Z,0.1,18244,", "kwh", ingest.NoEnergy},
		{"an unknown quality", "m1,2026-07-12T00:30:00Z,0.1,,good", "quality", ingest.BadField},
		{"cut off", "m1,2026-07-12T00:30", "", ingest.BadField},
		{"a stray quote", `m1,2026-07-12T00:30:00Z,0.1",,`, "", ingest.BadField},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := "meter_id,ts_utc,kwh,register_kwh,quality\nm1,2026-07-12T00:00:00Z,0.1,,\n" + tt.row + "\nm1,2026-07-12T01:00:00Z,0.3,,\nm1,2026-07-12T01:30:00Z,0.4,,\n"
			_, err := feedfile.ReadReadings(strings.NewReader(file), feedfile.Options{})
			var bad *feedfile.BadRow
			if !errors.As(err, &bad) || bad.Line != 3 || bad.Column != tt.column || bad.Reason != tt.reason || len(bad.Text) < 10 {
				t.Errorf("got %v, want %s in line 3, column %q", err, tt.reason, tt.column)
			}
			if strings.Contains(err.Error(), "张三") {
				t.Errorf("a name is repeated: %v", err)
			}

			f, err := feedfile.ReadReadings(strings.NewReader(file), feedfile.Options{SkipBad: true})
			if err != nil || f.Len() != 3 || f.RejectedTotal != 1 || len(f.Rejected) != 1 || f.Rejected[0].Line != 3 || f.Rejected[0].Reason != tt.reason {
				t.Errorf("skipping it: %+v, %v", f, err)
			}
		})
	}
}

func TestADecimalCommaIsNotReadAsZero(t *testing.T) {
	_, err := feedfile.ReadReadings(strings.NewReader("meter_id,ts,kwh\nm1,2026-07-12T00:00:00Z,0,25\nm1,2026-07-12T00:30:00Z,0,25\n"), feedfile.Options{})
	if bad := (*feedfile.BadRow)(nil); !errors.As(err, &bad) || bad.Line != 2 || bad.Reason != ingest.BadField {
		t.Errorf("got %v, want line 2 refused", err)
	}
}

func TestEmptyFieldsBehindTheLastColumnAreNothing(t *testing.T) {
	f, err := feedfile.ReadReadings(strings.NewReader("meter_id,ts,kwh\nm1,2026-07-12T00:00:00Z,0.1,\nm1,2026-07-12T00:30:00Z,0.1, ,\n"), feedfile.Options{})
	if err != nil || f.Len() != 2 {
		t.Errorf("%v, %v", f, err)
	}
}

func TestSkippedRowsAreListedByLineWhateverStageRefusedThem(t *testing.T) {
	f, err := feedfile.Open(feeds("bad-rows-among-good.csv"), feedfile.Options{SkipBad: true})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, bad := range f.Rejected {
		got = append(got, strconv.Itoa(bad.Line)+" "+string(bad.Reason))
	}
	want := []string{"3 bad-time", "5 negative", "8 absurd", "10 bad-field"}
	if !slices.Equal(got, want) || f.Len() != 6 {
		t.Errorf("%d readings, rejected %v, want 6 and %v", f.Len(), got, want)
	}
	_, err = feedfile.Open(feeds("bad-rows-among-good.csv"), feedfile.Options{})
	if err == nil || !strings.Contains(err.Error(), "bad-rows-among-good.csv: line 5, column kwh: negative: ") {
		t.Errorf("the error must name file, line, column and reason: %v", err)
	}
}

// The interval is known only at the end, but the answer must be about it.
func TestAbsurdValueIsJudgedByTheMetersInterval(t *testing.T) {
	const file = "meter_id,ts,kwh\nm1,2026-07-12 00:00,67.5\nm1,2026-07-12 00:15,0.1\n"
	_, err := feedfile.ReadReadings(strings.NewReader(file), feedfile.Options{})
	if err == nil || !strings.Contains(err.Error(), "67.5 kWh in 15 min is a mean of 270.0 kW") {
		t.Error(err)
	}
}

func TestHopelessFileDoesNotFillTheMemory(t *testing.T) {
	file := "meter_id,ts,kwh\n" + strings.Repeat("m1,yesterday,1\n", 10_001)
	f := read(t, file, feedfile.Options{SkipBad: true})
	if f.RejectedTotal != 10_001 || len(f.Rejected) != 10_000 || f.Len() != 0 || len(f.Meters()) != 0 {
		t.Errorf("%d rejected, %d kept, %d good", f.RejectedTotal, len(f.Rejected), f.Len())
	}
	for range f.InOrder() {
		t.Error("a row out of nothing")
	}
}

func TestHeaderThatWillNotDo(t *testing.T) {
	for file, why := range map[string]string{
		"":                             "empty",
		"ts,kwh\n":                     "no column meter_id",
		"meter_id,time,kwh\n":          "begins with ts",
		"meter_id,ts,value\n":          "no column kwh",
		"meter_id;ts;kwh\n":            "commas",
		"meter_id,ts,kwh,kwh\n":        "column 4",
		"meter_id,ts\"x,kwh\nm1,1,1\n": "quote",
	} {
		if _, err := feedfile.ReadReadings(strings.NewReader(file), feedfile.Options{}); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v", file, err)
		}
	}
}

func TestStamps(t *testing.T) {
	shanghai, london := zone(t, "Asia/Shanghai"), zone(t, "Europe/London")
	tests := []struct {
		name, stamp string
		zone        *time.Location
		want        string
	}{
		{"UTC", "2026-07-12T06:00:00Z", nil, "2026-07-12T06:00:00Z"},
		{"with offset", "2026-07-12T14:00:00+08:00", nil, "2026-07-12T06:00:00Z"},
		{"west of Greenwich", "2026-07-12T00:30:00-05:30", nil, "2026-07-12T06:00:00Z"},
		{"an offset goes before the zone", "2026-07-12T06:00:00Z", shanghai, "2026-07-12T06:00:00Z"},
		{"without offset, as written", "2026-07-12T06:00:00", nil, "2026-07-12T06:00:00Z"},
		{"without offset, of the zone", "2026-07-12 14:00", shanghai, "2026-07-12T06:00:00Z"},
		{"a fraction of zeros, as databases write", "2026-07-12 06:00:00.0000000", nil, "2026-07-12T06:00:00Z"},
		{"a leap day", "2024-02-29 00:00", nil, "2024-02-29T00:00:00Z"},
		{"summer time", "2026-07-12 07:00", london, "2026-07-12T06:00:00Z"},
		{"the day clocks go forward, before", "2026-03-29 00:30", london, "2026-03-29T00:30:00Z"},
		{"the day clocks go forward, after", "2026-03-29 02:00", london, "2026-03-29T01:00:00Z"},
		{"the day clocks go back, after", "2026-10-25 02:00", london, "2026-10-25T02:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := read(t, "meter_id,tstp,kwh\nm1,"+tt.stamp+",1\n", feedfile.Options{Zone: tt.zone, Interval: 30 * time.Minute})
			for r := range f.InOrder() {
				if got := r.Start.Format(time.RFC3339); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			}
		})
	}
}

// In London the clocks of 25 October 2026 show 01:00 to 02:00 twice.
func TestHourThatHappensTwice(t *testing.T) {
	want := []string{
		"2026-10-25T00:30:00Z m1 1000", "2026-10-25T00:30:00Z m2 1000",
		"2026-10-25T01:00:00Z m1 2000", "2026-10-25T01:00:00Z m2 2000",
		"2026-10-25T01:30:00Z m1 3000", "2026-10-25T01:30:00Z m2 3000",
		"2026-10-25T02:00:00Z m1 4000", "2026-10-25T02:00:00Z m2 4000",
	}
	for name, rows := range map[string]string{
		"by meter": "m1,01:00,1 m1,01:30,2 m1,01:00,3 m1,01:30,4 m2,01:00,1 m2,01:30,2 m2,01:00,3 m2,01:30,4",
		"by time":  "m1,01:00,1 m2,01:00,1 m1,01:30,2 m2,01:30,2 m1,01:00,3 m2,01:00,3 m1,01:30,4 m2,01:30,4",
	} {
		file := "meter_id,ts,kwh\n" + strings.ReplaceAll(strings.ReplaceAll(rows, " ", "\n"), ",01:", ",2026-10-25 01:") + "\n"
		f := read(t, file, feedfile.Options{Zone: zone(t, "Europe/London")})
		if got := inOrder(f); !slices.Equal(got, want) {
			t.Errorf("%s\n got  %v\n want %v", name, got, want)
		}
	}
}

func TestHourThatNeverHappensIsRefused(t *testing.T) {
	_, err := feedfile.ReadReadings(strings.NewReader("meter_id,ts,kwh\nm1,2026-03-29 01:30,1\n"), feedfile.Options{Zone: zone(t, "Europe/London")})
	var bad *feedfile.BadRow
	if !errors.As(err, &bad) || bad.Reason != ingest.BadTime || !strings.Contains(bad.Text, "UTC if they know no summer time") {
		t.Error(err)
	}
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}
