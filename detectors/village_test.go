package detectors

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"weimang/ingest"
)

// day0 is a Monday in the village's spring.
var day0 = time.Date(2026, 3, 2, 0, 0, 0, 0, time.FixedZone("CST", 8*3600))

// at is the time of day on the nth day of the story.
func at(day int, hour float64) time.Time {
	return day0.AddDate(0, 0, day).Add(time.Duration(hour * float64(time.Hour)))
}

// village is an area of regular homes on a half-hourly feed: breakfast, lunch,
// a television in the evening, a fridge all night. Events edit the curve.
type village struct {
	homes int
	seed  uint64
	edit  func(home int, start time.Time, wh float64) float64
}

// wh is what a home uses in the half-hour that begins at start.
func (v *village) wh(home int, start time.Time) uint32 {
	rng := rand.New(rand.NewPCG(v.seed, uint64(home)<<40^uint64(start.Unix())))
	local := start.In(day0.Location())
	hour := float64(local.Hour()) + float64(local.Minute())/60
	use := 18 + 6*rng.Float64() // fridge and stand-by, a 40 W mean
	on := func(from, to, watts, chance float64) {
		if hour >= from && hour < to && rng.Float64() < chance {
			use += watts / 2 * (0.7 + 0.6*rng.Float64())
		}
	}
	shift := float64(home%5) * 0.5
	on(6.5+shift, 7.5+shift, 900, 0.9)
	on(8, 11, 90, 0.7)
	on(11+shift, 12+shift, 900, 0.9)
	on(13.5, 17, 90, 0.6)
	on(17.5, 18.5+shift, 800, 0.9)
	on(18.5, 21+shift, 180, 0.95)
	if v.edit != nil {
		use = v.edit(home, start, use)
	}
	return uint32(math.Max(0, math.Round(use)))
}

func homeID(home int) string { return string(rune('a'+home)) + "-home" }

// input is the reading of one home's half-hour as its area's log carries it.
func (v *village) input(home int, start time.Time) ingest.Input {
	return ingest.Input{AreaID: "tq", Clock: start.Add(30 * time.Minute), Readings: &ingest.Readings{
		MeterID: "m-" + homeID(home), HouseholdID: homeID(home), Zone: "Asia/Shanghai",
		Start: start.UTC(), Interval: 30 * time.Minute, Wh: []uint32{v.wh(home, start)},
	}}
}

// inputs is the log of days from..to in the order of the clock.
func (v *village) inputs(from, to int) []ingest.Input {
	var all []ingest.Input
	for start := at(from, 0); start.Before(at(to, 0)); start = start.Add(30 * time.Minute) {
		for home := range v.homes {
			all = append(all, v.input(home, start))
		}
	}
	return all
}

// watch applies a log to a new area.
func watch(t testing.TB, p Params, log []ingest.Input) (*Area, []Finding) {
	t.Helper()
	a := NewArea(&p, "tq")
	out := apply(t, a, log)
	return a, out.Findings
}

func apply(t testing.TB, a *Area, log []ingest.Input) *Output {
	t.Helper()
	out := new(Output)
	for i := range log {
		if err := a.Apply(&log[i], out); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// of keeps the findings about one subject.
func of(findings []Finding, subject string) (some []Finding) {
	for _, f := range findings {
		if f.Subject() == subject {
			some = append(some, f)
		}
	}
	return some
}

// between reports whether from <= t < to.
func between(t, from, to time.Time) bool { return !t.Before(from) && t.Before(to) }
