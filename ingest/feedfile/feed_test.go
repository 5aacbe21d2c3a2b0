package feedfile_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"weimang/ingest"
	"weimang/ingest/feedfile"
)

func TestFileByMeterAndByTimeAreTheSameFeed(t *testing.T) {
	byMeter, err := feedfile.Open(feeds("half-hours-by-meter.csv"), feedfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	byTime, err := feedfile.Open(feeds("half-hours-by-time.csv"), feedfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := inOrder(byTime), inOrder(byMeter); !slices.Equal(got, want) {
		t.Errorf("by time  %v\nby meter %v", got, want)
	}
	want := []string{
		"2026-07-12T00:30:00Z m1 214", "2026-07-12T00:30:00Z m2 55",
		"2026-07-12T01:00:00Z m1 -", "2026-07-12T01:00:00Z m2 60",
		"2026-07-12T01:30:00Z m1 180", "2026-07-12T01:30:00Z m2 58",
	}
	if got := inOrder(byMeter); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if !slices.Equal(byTime.Meters(), []string{"m1", "m2"}) || byTime.Len() != 6 {
		t.Errorf("meters %v, %d readings", byTime.Meters(), byTime.Len())
	}
}

func TestQualityRegisterAndExtraColumns(t *testing.T) {
	f, err := feedfile.Open(feeds("register-and-quality-any-column-order.csv"), feedfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	type reading struct {
		wh       uint32
		register bool
		quality  ingest.Quality
	}
	var got []reading
	for r := range f.Rows("m1") {
		got = append(got, reading{r.Wh, r.Register, r.Quality})
	}
	want := []reading{
		{18_244_310, true, ingest.Valid},
		{214, false, ingest.Estimated},
		{ingest.NoValue, false, ingest.Missing},
		{ingest.NoValue, false, ingest.Valid},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// A quarter-hour meter beside an hourly one: the order is by the end of the
// interval, when a reading becomes known, not by its start.
func TestMetersOfDifferentIntervals(t *testing.T) {
	f := read(t, `meter_id,ts,kwh
hourly,2026-07-12T00:00:00Z,1
hourly,2026-07-12T01:00:00Z,2
quarter,2026-07-12T00:00:00Z,3
quarter,2026-07-12T00:15:00Z,4
quarter,2026-07-12T01:00:00Z,5
quarter,2026-07-12T01:15:00Z,6
lone,2026-07-12T00:30:00Z,7
`, feedfile.Options{})
	want := []string{
		"2026-07-12T00:15:00Z quarter 3000", "2026-07-12T00:30:00Z quarter 4000",
		"2026-07-12T00:45:00Z lone 7000",
		"2026-07-12T01:00:00Z hourly 1000", "2026-07-12T01:15:00Z quarter 5000",
		"2026-07-12T01:30:00Z quarter 6000", "2026-07-12T02:00:00Z hourly 2000",
	}
	if got := inOrder(f); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for meter, want := range map[string]time.Duration{"hourly": time.Hour, "quarter": 15 * time.Minute, "lone": 15 * time.Minute, "none": 0} {
		if got := f.Interval(meter); got != want {
			t.Errorf("%s has an interval of %s, want %s", meter, got, want)
		}
	}
	from, until := f.Span()
	if d := until.Sub(from); d != 2*time.Hour {
		t.Errorf("the feed spans %s", d)
	}
}

func TestRepeatedRowsStayInTheOrderOfTheFile(t *testing.T) {
	f := read(t, `meter_id,ts,kwh
m1,2026-07-12T00:30:00Z,0.3
m1,2026-07-12T00:00:00Z,0.1
m1,2026-07-12T00:30:00Z,0.2
m1,2026-07-12T00:30:00Z,0.3
`, feedfile.Options{})
	want := []string{
		"2026-07-12T00:30:00Z m1 100",
		"2026-07-12T01:00:00Z m1 300", "2026-07-12T01:00:00Z m1 200", "2026-07-12T01:00:00Z m1 300",
	}
	if got := inOrder(f); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestInOrderMayStopEarly(t *testing.T) {
	f := read(t, "meter_id,ts,kwh\nm1,2026-07-12 00:00,1\nm1,2026-07-12 01:00,1\n", feedfile.Options{})
	n := 0
	for range f.InOrder() {
		n++
		break
	}
	for range f.Rows("m1") {
		n++
		break
	}
	if n != 2 {
		t.Errorf("%d rows after two breaks", n)
	}
}

func TestIntervalThatCannotBeFound(t *testing.T) {
	const lone = "meter_id,ts,kwh\nm1,2026-07-12T00:00:00Z,1\n"
	if _, err := feedfile.ReadReadings(strings.NewReader(lone), feedfile.Options{}); err == nil || !strings.Contains(err.Error(), "name it: 15m, 30m or 1h") {
		t.Errorf("one reading a meter: %v", err)
	}
	if f := read(t, lone, feedfile.Options{Interval: time.Hour}); f.Interval("m1") != time.Hour {
		t.Errorf("the named interval is not taken: %s", f.Interval("m1"))
	}
	const fiveMinutes = "meter_id,ts,kwh\nm1,2026-07-12T00:00:00Z,1\nm1,2026-07-12T00:05:00Z,1\n"
	if _, err := feedfile.ReadReadings(strings.NewReader(fiveMinutes), feedfile.Options{}); err == nil || !strings.Contains(err.Error(), "5m0s apart") {
		t.Errorf("five minutes: %v", err)
	}
	if _, err := feedfile.ReadReadings(strings.NewReader(lone), feedfile.Options{Interval: time.Minute}); err == nil {
		t.Error("an interval of a minute is taken")
	}
}

func TestGzipAndByteOrderMark(t *testing.T) {
	const csv = "\ufeffmeter_id,ts,kwh\nm1,2026-07-12T00:00:00Z,1\nm1,2026-07-12T00:30:00Z,1\n"
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(csv)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	whole := packed.Bytes()
	var last int64
	f, err := feedfile.ReadReadings(bytes.NewReader(whole), feedfile.Options{Progress: func(read, _ int64) { last = read }})
	if err != nil || f.Len() != 2 {
		t.Fatalf("%v, %v", f, err)
	}
	if last != int64(len(whole)) {
		t.Errorf("progress ended at byte %d of %d", last, len(whole))
	}
	if _, err := feedfile.ReadReadings(bytes.NewReader(whole[:len(whole)-12]), feedfile.Options{SkipBad: true}); err == nil {
		t.Error("a file cut off is taken for whole")
	}
}

func TestMissingFile(t *testing.T) {
	if _, err := feedfile.Open(feeds("none.csv"), feedfile.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestRowAsBlock(t *testing.T) {
	f := read(t, "meter_id,ts,kwh\nm1,2026-07-12 00:00,0.214\nm1,2026-07-12 01:00,\n", feedfile.Options{})
	for r := range f.InOrder() {
		b := r.Block()
		want := ingest.Block{MeterID: "m1", Start: r.Start, Interval: time.Hour, KWh: []float64{0.214}}
		if !reflect.DeepEqual(b, want) || !b.End().Equal(r.End()) {
			t.Errorf("got %+v, want %+v", b, want)
		}
		break
	}
}

// realData is the path of a file of real readings, which are not copied into
// the project.
func realData(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("skipped: the real readings of %s are not beside the project (%v)", name, err)
	}
	return path
}

func TestRealReadingsOfLondon(t *testing.T) {
	if raceDetector {
		t.Skip("skipped: one goroutine, and ten seconds under the race detector")
	}
	path := realData(t, "lcl100_2013.csv.gz")
	var read, size int64
	f, err := feedfile.Open(path, feedfile.Options{Progress: func(r, s int64) { read, size = r, s }})
	if err != nil {
		t.Fatal(err)
	}
	if f.Len() != 1_674_718 || len(f.Meters()) != 100 {
		t.Errorf("%d readings of %d meters", f.Len(), len(f.Meters()))
	}
	for _, m := range f.Meters() {
		if f.Interval(m) != 30*time.Minute {
			t.Errorf("%s has an interval of %s", m, f.Interval(m))
		}
	}
	if read != size || size == 0 {
		t.Errorf("progress ended at %d of %d bytes", read, size)
	}
	n, last := 0, feedfile.Row{}
	for r := range f.InOrder() {
		if end, before := r.End(), last.End(); n > 0 && (end.Before(before) || end.Equal(before) && r.MeterID < last.MeterID) {
			t.Fatalf("%v comes after %v", r, last)
		}
		n, last = n+1, r
	}
	if n != f.Len() {
		t.Errorf("%d rows in order, %d in all", n, f.Len())
	}
}

func BenchmarkReadLondon(b *testing.B) {
	path := realData(b, "lcl100_2013.csv.gz")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := feedfile.Open(path, feedfile.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInOrderLondon(b *testing.B) {
	f, err := feedfile.Open(realData(b, "lcl100_2013.csv.gz"), feedfile.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for range f.InOrder() {
			n++
		}
		if n != f.Len() {
			b.Fatal(n)
		}
	}
}

func feeds(name string) string { return filepath.Join("..", "..", "testdata", "feeds", name) }

func read(t testing.TB, csv string, opt feedfile.Options) *feedfile.Feed {
	t.Helper()
	f, err := feedfile.ReadReadings(strings.NewReader(csv), opt)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func inOrder(f *feedfile.Feed) []string {
	var got []string
	for r := range f.InOrder() {
		got = append(got, r.End().Format(time.RFC3339)+" "+r.MeterID+" "+wh(r.Wh))
	}
	return got
}
