package fit

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"weimang/detectors"
)

var day0 = time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC)

// seen is what the models see at a time, marked in the first input.
func seen(at time.Time, silent, mark float64) *detectors.Features {
	f := &detectors.Features{At: at, Silent: silent, Life: new(detectors.LifeFeatures)}
	f.Life.X[0], f.Life.Level = float32(mark), int(mark)%levels
	if at.Minute() == 0 {
		f.Day = new(detectors.DayFeatures)
		f.Day.X[0] = float32(mark)
	}
	return f
}

// hours fills a track with half-hours of which silent says how long nothing
// has been used.
func hours(t *Track, from, until int, silent func(hour float64) float64) {
	for half := 2*from + 1; half <= 2*until; half++ {
		hour := float64(half) / 2
		t.Add(seen(day0.Add(time.Duration(half)*30*time.Minute), silent(hour), hour))
	}
}

func never(float64) float64 { return 0 }

func TestSilencesAndTheDaysAfterThemAreNoOrdinaryTimes(t *testing.T) {
	opt := DefaultCollectOptions()
	opt.Warmup = 24 * time.Hour
	c := NewCollector(opt)
	hours(c.Untouched("b"), 0, 200, func(hour float64) float64 {
		switch {
		case hour > 40 && hour <= 48: // a night
			return hour - 40
		case hour > 100 && hour <= 120: // nobody was there
			return hour - 100
		default:
			return 0
		}
	})
	life := c.Life()
	for i := range life.Len() {
		if hour := life.Row(i)[0]; hour < 24 || hour > 100 && hour <= 120 {
			t.Errorf("life learns from hour %g", hour)
		}
	}
	// From the first moment seen, at half past midnight, a day on: 24.5 to 200
	// but for 40 half-hours.
	if want := 2*(200-24) - 40; life.Len() != want {
		t.Errorf("life learns from %d half-hours, not %d", life.Len(), want)
	}
	d := c.Days()
	learned := 0
	for i := range d.Len() {
		hour := d.Row(i)[0]
		if want := hour <= 100 || hour > 156; d.Ordinary[i] != want {
			t.Errorf("hour %g: ordinary %t", hour, d.Ordinary[i])
		}
		if d.Weight[i] > 0 {
			learned++
			if !d.Ordinary[i] {
				t.Errorf("the day model learns from hour %g", hour)
			}
		}
	}
	// 25 to 100 and 157 to 200, one in five.
	if d.Len() != 176 || learned != 24 {
		t.Errorf("%d hours, of which %d are learned from", d.Len(), learned)
	}
	n := len(detectors.DayFeatures{}.X)
	if row := d.Row(0); len(row) != n+n*(n+1)/2 || row[n] != row[0]*row[0]/3 {
		t.Errorf("%d inputs are not the quadratic terms", len(row))
	}
}

func TestACaseStandsForItsClassWhenItHasHadTimeToShow(t *testing.T) {
	c := NewCollector(DefaultCollectOptions())
	onset := day0.Add(10 * time.Hour)
	// Who is first must not matter.
	hours(c.Case("b", Case{Class: "still", Label: "still/in-bed", Onset: onset}), 5, 60, never)
	hours(c.Case("a", Case{Class: "lamp", Label: "frozen/lamp", Onset: onset}), 5, 60, never)
	hours(c.Case("a", Case{Class: "no such", Label: "x", Onset: onset}), 5, 60, never)
	d := c.Days()
	if d.Len() != 2*19 || len(d.Cases) != 2 || d.Cases[0].Label != "frozen/lamp" {
		t.Fatalf("%d hours of %v", d.Len(), d.Cases)
	}
	for i := range d.Len() {
		if hour := d.Row(i)[0]; hour != float32(28+i%19) || d.Weight[i] != 1 || d.Ordinary[i] {
			t.Errorf("row %d is hour %g", i, hour)
		}
		want := "lamp"
		if d.Case[i] == 1 {
			want = "still"
		}
		if d.Classes[d.Y[i]] != want || d.Group[i] != d.Case[i] {
			t.Errorf("row %d of case %d: class %s, home %d", i, d.Case[i], d.Classes[d.Y[i]], d.Group[i])
		}
	}
	if n := c.Life().Len(); n != 0 {
		t.Errorf("life learns from %d half-hours of cases", n)
	}
}

func TestStillCountsWhatFollowsALevel(t *testing.T) {
	c := NewCollector(DefaultCollectOptions())
	track := c.Case("a", Case{Class: "still", Onset: day0})
	for i := range 60 { // 0, 1, 0, 1, ...
		track.Add(seen(day0.Add(time.Duration(i+1)*30*time.Minute), 0, float64(i%2)))
	}
	hours(c.Case("a", Case{Class: "lamp", Onset: day0}), 0, 30, never) // all levels
	p := c.Still("still")
	for from := range p {
		sum := 0.0
		for _, v := range p[from] {
			if !(v > 0) {
				t.Errorf("level %d is followed by one with a chance of %g", from, v)
			}
			sum += v
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("what follows level %d adds up to %g", from, sum)
		}
	}
	if p[0][1] < 0.9 || p[1][0] < 0.9 {
		t.Errorf("0 to 1 %.3f, 1 to 0 %.3f: they took turns", p[0][1], p[1][0])
	}
	if math.Abs(p[5][0]-p[5][1]) > 0.05 || p[5][0] < 0.4 {
		t.Errorf("a level never seen is followed by %.3f", p[5])
	}
}

func TestAMomentDecidedAgainCountsOnce(t *testing.T) {
	opt := DefaultCollectOptions()
	opt.Warmup = 0
	c := NewCollector(opt)
	track := c.Untouched("a")
	hours(track, 0, 10, never)
	hours(track, 5, 12, never)
	if n := c.Life().Len(); n != 24 {
		t.Errorf("%d half-hours of 12 hours", n)
	}
}

func TestTailsFindAnExponential(t *testing.T) {
	// One excursion in eight hours or so, exponential peaks of mean 2.
	rng := rand.New(rand.NewPCG(9, 10))
	opt := DefaultCollectOptions()
	opt.Warmup, opt.ScoresOnly = 0, true
	c := NewCollector(opt)
	for _, home := range []string{"a", "b", "c", "d"} {
		track := c.Untouched(home)
		at, peak, left := day0, 0.0, 0
		for range 2 * 24 * 300 {
			if left--; left < -12 {
				peak, left = 2*rng.ExpFloat64(), 4
			}
			f := &detectors.Features{At: at}
			f.Scores[0] = -10
			if left > 0 {
				f.Scores[0] = peak
			}
			f.Scores[1] = 7 // always
			track.Add(f)
			at = at.Add(30 * time.Minute)
		}
	}
	tails := c.Tails([]float64{0.05, 0.05})
	got := tails[0]
	if got.Often > 0.05 || got.Often < 0.045 || math.Abs(got.Mean-2) > 0.35 {
		t.Errorf("%+v", got)
	}
	// 48/17 a day, of which exp(-u/2) reach beyond u.
	if u := -2 * math.Log(0.05*17/48); math.Abs(got.U-u) > 0.5 {
		t.Errorf("begins at %.2f, not %.2f", got.U, u)
	}
	if got := tails[1]; got.U != 7 || !(got.Often > 0 && got.Often < 0.001) || !(got.Mean > 0) {
		t.Errorf("a score that never changes: %+v", got)
	}
	if got := NewCollector(opt).Tails([]float64{0.05})[0]; !(got.U > 1e9 && got.Mean > 0) {
		t.Errorf("without homes: %+v", got)
	}
}
