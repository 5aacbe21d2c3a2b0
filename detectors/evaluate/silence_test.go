package evaluate

import (
	"testing"
)

// lived uses 20 Wh a half-hour at night and 200 by day, but only 20 while
// away, in intervals from day0.
func lived(i, awayFrom, awayUntil int) uint32 {
	if hour := i % 48 / 2; hour < 7 || i >= awayFrom && i < awayUntil {
		return 20 + uint32(i%3)
	}
	return 200
}

func TestASilenceIsADayAndMoreWithoutAnyUse(t *testing.T) {
	for _, c := range []struct {
		name        string
		from, until int // intervals away
		want        int
	}{
		{"at home", 0, 0, 0},
		{"out for an afternoon", 480 + 20, 480 + 40, 0},
		{"away for two days", 480 + 20, 480 + 20 + 96, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := flatHome("h", 30, func(i int) uint32 { return lived(i, c.from, c.until) })
			all := h.silences()
			if len(all) != c.want {
				t.Fatalf("%d silences", len(all))
			}
			if c.want == 0 {
				return
			}
			if s := all[0]; s.from > h.at(c.from) || s.until < h.at(c.until) || s.until-s.from > 3*dayTicks {
				t.Errorf("from %s until %s", s.from.time(), s.until.time())
			}
		})
	}
}

func TestMissingReadingsNeitherEndASilenceNorMakeOne(t *testing.T) {
	h := flatHome("h", 30, func(i int) uint32 { return lived(i, 480+20, 480+20+96) })
	h.wh[480+60] = absent
	if n := len(h.silences()); n != 1 {
		t.Errorf("a missing reading makes %d silences of one", n)
	}
	gone := flatHome("h", 30, func(i int) uint32 { return lived(i, 0, 0) })
	for i := 480 + 14; i < 480+14+96; i++ {
		gone.wh[i] = absent
	}
	if n := len(gone.silences()); n != 0 {
		t.Errorf("two days without readings make %d silences", n)
	}
}

func TestAnAlertIsAboutASilenceIfItBeganInIt(t *testing.T) {
	all := []silence{{from: 1000, until: 1200}}
	for _, c := range []struct {
		name      string
		onset, at tick
		want      bool
	}{
		{"begins and comes in it", 1010, 1100, true},
		{"begins in it, comes within a day after", 1010, 1290, true},
		{"begins in it, comes later", 1010, 1300, false},
		{"begins with the last use before it", 996, 1100, true},
		{"began long before", 900, 1100, false},
		{"begins after it", 1210, 1250, false},
	} {
		if got := during(all, &push{onset: c.onset, at: c.at}); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestTheBoundIsTheEndOfTheNextReadingInUse(t *testing.T) {
	h := flatHome("h", 20, func(i int) uint32 { return lived(i, 0, 0) })
	for _, c := range []struct {
		interval int
		want     float64 // hours
	}{
		{480, 7.5},      // at midnight: up at 7, known at 7:30
		{480 + 20, 0.5}, // by day: in this very reading
		{480 + 13, 1},
	} {
		if got := h.nextUse(h.at(c.interval)).hours(); got != c.want {
			t.Errorf("interval %d: %.1f h, want %.1f", c.interval, got, c.want)
		}
	}
	if h.nextUse(h.end()) != never {
		t.Error("somebody uses something after the end of the data")
	}
}
