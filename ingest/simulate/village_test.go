package simulate

import (
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"weimang/ingest"
)

var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

func at(month time.Month, day, hour, minute int) time.Time {
	return time.Date(2026, month, day, hour, minute, 0, 0, shanghai)
}

// village builds options changed from the default, with no reading missing.
func village(t testing.TB, change func(*Options)) *Village {
	t.Helper()
	o := DefaultOptions()
	o.MissingRate = 0
	if change != nil {
		change(&o)
	}
	return build(t, o)
}

func build(t testing.TB, o Options) *Village {
	t.Helper()
	v, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func story(t testing.TB, seed uint64, without ...string) *Village {
	t.Helper()
	o, err := Story(seed, without...)
	if err != nil {
		t.Fatal(err)
	}
	return build(t, o)
}

func collect(v *Village, from, to time.Time) []ingest.Block {
	return slices.Collect(v.Blocks(from, to))
}

func sameBlocks(t *testing.T, got, want []ingest.Block) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d blocks, want %d", len(got), len(want))
	}
	for i := range got {
		if !sameBlock(got[i], want[i]) {
			t.Fatalf("block %d: %+v, want %+v", i, got[i], want[i])
		}
	}
}

func sameBlock(a, b ingest.Block) bool {
	return a.MeterID == b.MeterID && a.AreaID == b.AreaID && a.Start.Equal(b.Start) &&
		a.Interval == b.Interval && slices.Equal(a.KWh, b.KWh) && a.SentAt.Equal(b.SentAt)
}

func TestSameOptionsSameBytes(t *testing.T) {
	bytes := func(seed uint64) string {
		v := story(t, seed)
		b, err := json.Marshal([]any{v.Homes(), collect(v, at(7, 21, 12, 0), at(7, 22, 12, 0)), v.Reports()})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	once, again, other := bytes(7), bytes(7), bytes(8)
	if once != again {
		t.Error("seed 7 twice differs")
	}
	if once == other {
		t.Error("seeds 7 and 8 are alike")
	}
}

func TestOneVillageServesManyReaders(t *testing.T) {
	v := story(t, 1)
	want := collect(v, at(7, 1, 0, 0), at(7, 3, 0, 0))
	got := make([][]ingest.Block, 4)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i] = collect(v, at(7, 1, 0, 0), at(7, 3, 0, 0)) })
	}
	wg.Wait()
	for i := range got {
		sameBlocks(t, got[i], want)
	}
}

func TestSubSpanIsSliceOfTheWhole(t *testing.T) {
	o, err := Story(3)
	if err != nil {
		t.Fatal(err)
	}
	o.Start, o.MissingRate = at(6, 17, 0, 0), 0.02
	v := build(t, o)
	whole := collect(v, time.Time{}, time.Time{})
	for _, span := range [][2]time.Time{
		{at(6, 17, 0, 0), at(6, 18, 0, 0)},
		{at(6, 18, 13, 30), at(6, 20, 2, 0)},
		{at(7, 21, 18, 47), at(7, 22, 9, 13)}, // not on the edges of intervals
		{at(7, 31, 22, 0), at(9, 1, 0, 0)},
	} {
		want := slices.DeleteFunc(slices.Clone(whole), func(b ingest.Block) bool {
			return b.Start.Before(span[0]) || b.End().After(span[1])
		})
		sameBlocks(t, collect(v, span[0], span[1]), want)
	}

	later := o // a village that begins later has the same days
	later.Start = at(7, 12, 0, 0)
	sameBlocks(t, collect(build(t, later), time.Time{}, at(7, 15, 0, 0)), collect(v, at(7, 12, 0, 0), at(7, 15, 0, 0)))
}

func TestHomesDoNotDependOnTheirNumber(t *testing.T) {
	large := village(t, nil)
	small := village(t, func(o *Options) { o.Households = 20; o.Areas = 1 })
	known := make(map[string]bool)
	for _, home := range small.Homes() {
		known[home.MeterID] = true
	}
	want := slices.DeleteFunc(collect(large, at(2, 16, 0, 0), at(2, 19, 0, 0)), func(b ingest.Block) bool { return !known[b.MeterID] })
	sameBlocks(t, collect(small, at(2, 16, 0, 0), at(2, 19, 0, 0)), want)
}

func TestBlocksComeByIntervalEndThenMeter(t *testing.T) {
	v := village(t, nil)
	blocks := collect(v, at(3, 1, 0, 0), at(3, 3, 0, 0))
	if want := 60 * 96; len(blocks) != want {
		t.Fatalf("%d blocks, want %d", len(blocks), want)
	}
	for i := 1; i < len(blocks); i++ {
		a, b := blocks[i-1], blocks[i]
		if c := a.End().Compare(b.End()); c > 0 || c == 0 && a.MeterID >= b.MeterID {
			t.Fatalf("block %d: %s %v after %s %v", i, b.MeterID, b.End(), a.MeterID, a.End())
		}
	}
	for _, b := range blocks {
		if b.Start.Location() != time.UTC || b.Start.Unix()%1800 != 0 || len(b.KWh) != 1 {
			t.Fatalf("not one aligned reading in UTC: %+v", b)
		}
		if wh := b.KWh[0] * 1000; math.Abs(wh-math.Round(wh)) > 1e-9 {
			t.Fatalf("%v kWh is no whole number of Wh", b.KWh[0])
		}
	}
}

// Longer intervals are sums of shorter ones: one meter, read less often.
func TestIntervalsAgree(t *testing.T) {
	hourly := func(interval time.Duration) map[string]map[time.Time]float64 {
		v := village(t, func(o *Options) { o.Interval = interval })
		sums := make(map[string]map[time.Time]float64)
		for b := range v.Blocks(at(1, 20, 0, 0), at(1, 21, 0, 0)) {
			if sums[b.MeterID] == nil {
				sums[b.MeterID] = make(map[time.Time]float64)
			}
			sums[b.MeterID][b.Start.Truncate(time.Hour)] += b.KWh[0]
		}
		return sums
	}
	want := hourly(time.Hour)
	for _, interval := range []time.Duration{15 * time.Minute, 30 * time.Minute} {
		got := hourly(interval)
		for meter, hours := range want {
			if len(hours) != 24 {
				t.Fatalf("%s: %d hours", meter, len(hours))
			}
			for start, kwh := range hours {
				if math.Abs(got[meter][start]-kwh) > 1e-9 {
					t.Fatalf("%v: %s %v: %v kWh, by the hour %v", interval, meter, start, got[meter][start], kwh)
				}
			}
		}
	}
}

// A day of 23 or 25 hours leaves no gap and nothing twice.
func TestSummerTimeLeavesNoGap(t *testing.T) {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	v := village(t, func(o *Options) { o.Households, o.Areas, o.Zone, o.Holidays = 1, 1, "Europe/London", "gb" })
	for _, change := range []time.Time{
		time.Date(2026, time.March, 29, 0, 0, 0, 0, london),
		time.Date(2026, time.October, 25, 0, 0, 0, 0, london),
	} {
		want, end := change.AddDate(0, 0, -1), change.AddDate(0, 0, 2)
		for b := range v.Blocks(want, end) {
			if !b.Start.Equal(want) {
				t.Fatalf("reading starts %v, want %v", b.Start, want)
			}
			want = b.End()
		}
		if !want.Equal(end) {
			t.Errorf("readings end %v, want %v", want, end)
		}
	}
}

func TestCallerMayStopAnywhere(t *testing.T) {
	v := village(t, func(o *Options) { o.LateRate = 0.3 })
	for _, limit := range []int{1, 59, 60, 61, 5000} {
		n := 0
		for range v.Blocks(time.Time{}, time.Time{}) {
			if n++; n == limit {
				break
			}
		}
		if n != limit {
			t.Errorf("stopped after %d, want %d", n, limit)
		}
	}
}

func TestMissingReadingsAreFew(t *testing.T) {
	v := village(t, func(o *Options) { o.MissingRate = 0.01 })
	n, longest := 0, time.Duration(0)
	last := make(map[string]time.Time)
	for b := range v.Blocks(at(4, 1, 0, 0), at(6, 1, 0, 0)) {
		n++
		if before, ok := last[b.MeterID]; ok {
			longest = max(longest, b.Start.Sub(before))
		}
		last[b.MeterID] = b.End()
	}
	all := 60 * 48 * 61
	if share := 1 - float64(n)/float64(all); share < 0.006 || share > 0.014 {
		t.Errorf("share missing %.4f, want about 0.01", share)
	}
	if longest < 2*time.Hour || longest > 9*time.Hour {
		t.Errorf("longest stretch missing %v, want some hours", longest)
	}
}

// A network that delays and repeats changes the order, not what was measured.
func TestLateAndDuplicateReadings(t *testing.T) {
	calm := collect(village(t, nil), at(4, 1, 0, 0), at(4, 4, 0, 0))
	rough := collect(village(t, func(o *Options) { o.LateRate, o.DuplicateRate = 0.05, 0.03 }), at(4, 1, 0, 0), at(4, 4, 0, 0))

	type id struct {
		meter string
		start int64
	}
	want := make(map[id]float64)
	for _, b := range calm {
		want[id{b.MeterID, b.Start.Unix()}] = b.KWh[0]
	}
	seen := make(map[id]int)
	late, clock := 0, time.Time{}
	for _, b := range rough {
		k := id{b.MeterID, b.Start.Unix()}
		if kwh, ok := want[k]; !ok || kwh != b.KWh[0] {
			t.Fatalf("%+v was never measured", b)
		}
		if seen[k]++; seen[k] == 1 && b.End().Before(clock) {
			late++
		}
		if !b.SentAt.IsZero() && !b.SentAt.After(b.End()) {
			t.Fatalf("late block sent at %v, measured until %v", b.SentAt, b.End())
		}
		if b.End().After(clock) {
			clock = b.End()
		}
	}
	twice := len(rough) - len(calm)
	if len(seen) != len(calm) {
		t.Errorf("%d readings arrived, want %d", len(seen), len(calm))
	}
	if share := float64(late) / float64(len(calm)); share < 0.04 || share > 0.06 {
		t.Errorf("share late %.3f, want about 0.05", share)
	}
	if share := float64(twice) / float64(len(calm)); share < 0.02 || share > 0.04 {
		t.Errorf("share twice %.3f, want about 0.03", share)
	}
}

func TestRosterHoldsIdsAndLabels(t *testing.T) {
	v := village(t, func(o *Options) { o.Households, o.Areas = 20_000, 300 })
	patterns := map[string]*regexp.Regexp{
		"meter":     regexp.MustCompile(`^\d{12}$`),
		"household": regexp.MustCompile(`^h-(\d{4}|\d{7})$`),
		"label":     regexp.MustCompile(`^\d+组\d+号$`),
	}
	seen := make(map[string]bool)
	areas := make(map[string]int)
	for _, home := range v.Homes() {
		for kind, value := range map[string]string{"meter": home.MeterID, "household": home.HouseholdID, "label": home.Label} {
			if !patterns[kind].MatchString(value) {
				t.Fatalf("%s %q", kind, value)
			}
			if seen[value] {
				t.Fatalf("%s %q twice", kind, value)
			}
			seen[value] = true
		}
		if home.VillageID != "wd" || home.Zone != "Asia/Shanghai" {
			t.Fatalf("home %+v", home)
		}
		areas[home.AreaID]++
	}
	if len(areas) != 300 || areas["tq-01"] < 60 || areas["tq-300"] < 60 {
		t.Errorf("%d areas, %d and %d homes in the first and last", len(areas), areas["tq-01"], areas["tq-300"])
	}
}

func TestBadOptionsAreExplained(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Options)
		says   string
	}{
		{"no homes", func(o *Options) { o.Households = 0 }, "households: 0"},
		{"more areas than homes", func(o *Options) { o.Areas = 61 }, "areas: 61"},
		{"odd interval", func(o *Options) { o.Interval = time.Minute }, "interval: 1m0s"},
		{"nothing between start and end", func(o *Options) { o.End = o.Start }, "is not after start"},
		{"rate above one half", func(o *Options) { o.MissingRate = 0.6 }, "missing rate: 0.6"},
		{"rate not a number", func(o *Options) { o.LateRate = math.NaN() }, "late rate: NaN"},
		{"unknown zone", func(o *Options) { o.Zone = "Asia/Wandi" }, "unknown time zone Asia/Wandi"},
		{"unknown holidays", func(o *Options) { o.Holidays = "fr" }, "holidays: unknown"},
		{"midnight inside an interval", func(o *Options) { o.Zone, o.Interval = "Asia/Kolkata", time.Hour }, "midnight in Asia/Kolkata"},
		{"event of a stranger", func(o *Options) { o.Events = []Event{ACFailure{Household: "h-9999", At: o.Start}} }, `event ac-failure: no household "h-9999"`},
		{"outage elsewhere", func(o *Options) { o.Events = []Event{Outage{Area: "tq-04", From: o.Start, Until: o.End}} }, `event outage: no area "tq-04"`},
		{"outage that ends before it begins", func(o *Options) { o.Events = []Event{Outage{Area: "tq-01", From: o.End, Until: o.Start}} }, "event outage: until"},
		{"trip of a stranger", func(o *Options) { o.Given.Trips = []Trip{{Household: "h-9999"}} }, `given trip: no household "h-9999"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := DefaultOptions()
			tt.change(&o)
			_, err := New(o)
			if err == nil {
				t.Fatal("accepted")
			}
			if !regexp.MustCompile(regexp.QuoteMeta(tt.says)).MatchString(err.Error()) {
				t.Errorf("error %q does not say %q", err, tt.says)
			}
		})
	}
}

func BenchmarkBlocks(b *testing.B) {
	v := village(b, func(o *Options) { o.MissingRate = 0.002 })
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for range v.Blocks(at(7, 1, 0, 0), at(7, 31, 0, 0)) {
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "readings/s")
}
