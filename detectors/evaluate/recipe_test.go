package evaluate

import (
	"math"
	"slices"
	"testing"
	"time"
)

const testWarmup = 42 * 24 * time.Hour

// scenes draws cases of a recipe on every home of the simulated village.
func scenes(t *testing.T, id string, cases int) []*scene {
	t.Helper()
	homes := village()
	all := Recipes()
	i := slices.IndexFunc(all, func(r Recipe) bool { return r.ID() == id })
	if i < 0 {
		t.Fatalf("no recipe %s", id)
	}
	var out []*scene
	for self := range homes {
		for n := range cases {
			if s, ok := draw(&all[i], homes, self, testWarmup, 7, n); ok {
				out = append(out, s)
			}
		}
	}
	if len(out) < len(homes)*cases/2 {
		t.Fatalf("%s: only %d cases", id, len(out))
	}
	return out
}

// event is what the copy reads from the onset on, and what the home read.
func (s *scene) event() (copied, was []uint32) {
	return s.copy[(s.onset-s.from)/s.home().step:], s.home().span(s.onset, s.until)
}

func TestEveryRecipeLeavesAloneWhatWasBeforeItsOnsetAndWhatIsMissing(t *testing.T) {
	for _, r := range Recipes() {
		t.Run(r.ID(), func(t *testing.T) {
			changed := 0
			for _, s := range scenes(t, r.ID(), 2) {
				h := s.home()
				before := int((s.onset - s.from) / h.step)
				if len(s.copy) != int((s.until-s.from)/h.step) {
					t.Fatalf("the copy has %d readings", len(s.copy))
				}
				if s.onset < h.start+ticksIn(testWarmup) || s.until > h.end() {
					t.Errorf("from %s to %s is outside of the home's data", s.onset.time(), s.until.time())
				}
				if s.control != nil && !slices.Equal(s.copy[:before], s.control[:before]) {
					t.Error("copy and control differ before the onset")
				}
				if r.lead == 0 && before != 0 {
					t.Error("a copy begins before its onset")
				}
				was := h.span(s.from, s.until)
				for i := range was {
					if !measured(was[i]) && measured(s.copy[i]) {
						t.Fatal("a missing reading has come back")
					}
					if measured(s.copy[i]) && s.copy[i]%h.unit != 0 {
						t.Fatalf("%d Wh is no multiple of the meter's %d", s.copy[i], h.unit)
					}
				}
				if !slices.Equal(s.copy, was) {
					changed++
				}
			}
			if changed == 0 && r.Kind != kindNotRising {
				t.Error("nothing has changed")
			}
		})
	}
}

func TestADrawnCaseIsTheSameEveryTime(t *testing.T) {
	for _, r := range Recipes() {
		homes := village()
		a, okA := draw(&r, homes, 3, testWarmup, 9, 1)
		b, okB := draw(&r, homes, 3, testWarmup, 9, 1)
		c, okC := draw(&r, homes, 3, testWarmup, 10, 1)
		if okA != okB || okA && (a.onset != b.onset || !slices.Equal(a.copy, b.copy)) {
			t.Errorf("%s: two draws of one seed differ", r.ID())
		}
		if okA && okC && a.onset == c.onset && slices.Equal(a.copy, c.copy) && r.Kind != kindSilentMeter {
			t.Errorf("%s: another seed changes nothing", r.ID())
		}
	}
}

func mean(wh []uint32) float64 {
	sum, n := 0.0, 0.0
	for _, v := range wh {
		if measured(v) {
			sum, n = sum+float64(v), n+1
		}
	}
	return sum / max(n, 1)
}

func highest(wh []uint32) (most uint32) {
	for _, v := range wh {
		if measured(v) {
			most = max(most, v)
		}
	}
	return most
}

// left is the share of the use above base that is left of what was.
func left(b *base, now, was []uint32) float64 {
	sum, all := 0.0, 0.0
	for i, v := range was {
		if measured(v) && float64(v) > b.top {
			sum += float64(now[i]) - b.mid
			all += float64(v) - b.mid
		}
	}
	return sum / all
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance {
		t.Errorf("%s: %.3f, want %.3f within %.3f", what, got, want, tolerance)
	}
}

func TestStillLeavesOnlyBase(t *testing.T) {
	for _, s := range scenes(t, "still/any-time", 2) {
		copied, _ := s.event()
		for _, v := range copied {
			if measured(v) && float64(v) > s.base.limit {
				t.Fatalf("%s: %d Wh is more than base, whose limit is %.0f", s.home().id, v, s.base.limit)
			}
		}
		near(t, "mean over mid of base", mean(copied)/s.base.mid, 1, 0.25)
	}
}

func TestStillBeginsWhenItSays(t *testing.T) {
	for _, s := range scenes(t, "still/in-bed", 2) {
		if hour := s.onset.in(s.home().loc).hour; hour < 23 && hour >= 5 {
			t.Errorf("in bed at %d o'clock", hour)
		}
	}
	for _, s := range scenes(t, "still/in-use", 2) {
		if v := float64(s.home().value(s.onset)); v <= s.base.limit {
			t.Errorf("in use at %.0f Wh, with base up to %.0f", v, s.base.limit)
		}
	}
}

func TestFrozenHoldsTheLevelForADayAndThenOnlyBaseRemains(t *testing.T) {
	for _, s := range scenes(t, "frozen/as-it-was", 2) {
		copied, was := s.event()
		day := int(dayTicks / s.home().step)
		near(t, "level held", mean(copied[:day])/float64(was[0]), 1, 0.15)
		near(t, "base afterwards", mean(copied[day:])/s.base.mid, 1, 0.25)
	}
	for _, s := range scenes(t, "frozen/lamp", 2) {
		copied, _ := s.event()
		day := int(dayTicks / s.home().step)
		watts := s.home().watts(mean(copied[:day]) - mean(copied[day:]))
		if watts < 50 || watts > 160 {
			t.Errorf("a lamp of %.0f W", watts)
		}
	}
	for _, s := range scenes(t, "frozen/heater", 2) {
		copied, _ := s.event()
		day := int(dayTicks / s.home().step)
		watts := s.home().watts(mean(copied[:day]) - mean(copied[day:]))
		if watts < 450 || watts > 2100 {
			t.Errorf("a heater of %.0f W", watts)
		}
	}
}

func TestAThermostatCyclesAndNothingElseIsOn(t *testing.T) {
	for _, s := range scenes(t, "thermostat/cycling", 2) {
		copied, _ := s.event()
		watts := s.home().watts(mean(copied) - s.base.mid)
		if watts < 0.6*250*0.7 || watts > 2000*0.7*1.2 {
			t.Errorf("%.0f W on average", watts)
		}
		if most := s.home().watts(float64(highest(copied))); most > 2000*1.1+s.home().watts(s.base.limit) {
			t.Errorf("%.0f W at most", most)
		}
	}
	c := newCycle(dice(1, "cycle"), 40, 0.3)
	on, times := 0.0, 0
	for range 20_000 {
		part := c.on(7)
		if on += part; part > 7 {
			t.Fatal("on for longer than the interval")
		}
		times++
	}
	near(t, "share of time on", on/float64(times)/7, 0.3, 0.01)
}

func TestShortfallLeavesThirtyFivePercent(t *testing.T) {
	for _, s := range scenes(t, "shortfall/scaled", 2) {
		copied, was := s.event()
		near(t, "use above base left", left(s.base, copied, was), 0.35, 0.03)
	}
	sum := 0.0
	all := scenes(t, "shortfall/largest-gone", 3)
	for _, s := range all {
		copied, was := s.event()
		sum += left(s.base, copied, was) / float64(len(all))
		for i := range copied {
			if float64(copied[i]) > float64(was[i])+s.base.top {
				t.Fatal("more than before")
			}
		}
	}
	near(t, "use above base left on average when the largest is gone", sum, 0.35, 0.12)
	for _, s := range scenes(t, "shortfall/afternoons", 2) {
		copied, was := s.event()
		for i := range copied {
			hour := (s.onset + tick(i)*s.home().step).in(s.home().loc).hour
			if (hour < 11 || hour >= 22) && math.Abs(float64(copied[i])-float64(was[i])) > 2 {
				t.Fatalf("changed at %d o'clock", hour)
			}
		}
	}
}

func TestNotRisingAreaRisesBeforeAndOnTheDaysAndOnlyTheCopyStays(t *testing.T) {
	for _, s := range scenes(t, "not-rising/heat", 1) {
		h := s.home()
		copied, was := s.event()
		if !slices.Equal(copied, was) {
			t.Error("the copy does not stay at its ordinary level")
		}
		control := s.control[(s.onset-s.from)/h.step:]
		if rise := left(s.base, control, was); rise < 1.4 || rise > 2.6 {
			t.Errorf("the control rises %.2f times", rise)
		}
		for i, n := range s.homes {
			if i == s.self {
				continue
			}
			from := (s.onset - s.from) / n.step
			if rise := left(s.base, s.shared[i][from:], n.span(s.onset, s.until)); rise < 1.2 {
				t.Errorf("neighbour %s rises only %.2f times", n.id, rise)
			}
		}
		// The home followed before.
		rises := 0
		for day := s.onset - dayTicks; day >= s.from; day -= dayTicks {
			at := (day - s.from) / h.step
			if !slices.Equal(s.copy[at:][:dayTicks/h.step], h.span(day, day+dayTicks)) {
				rises++
			}
		}
		if rises < fewestRises || rises > mostRises {
			t.Errorf("the home rose on %d days before", rises)
		}
	}
}

func TestStuckOnAddsItsPower(t *testing.T) {
	for _, s := range scenes(t, "stuck-on/1.2-kw", 2) {
		copied, was := s.event()
		near(t, "watts more", s.home().watts(mean(copied)-mean(was)), 1200, 40)
	}
}

func TestReversedExchangesDayAndNightAndRestlessSpreadsTheDay(t *testing.T) {
	night := func(s *scene, wh []uint32) float64 {
		sum, all := 0.0, 0.0
		for i, v := range wh {
			if !measured(v) {
				continue
			}
			all += float64(v)
			if hour := (s.onset + tick(i)*s.home().step).in(s.home().loc).hour; hour < 6 {
				sum += float64(v)
			}
		}
		return sum / all
	}
	for _, s := range scenes(t, "reversed/shifted", 1) {
		copied, was := s.event()
		if night(s, copied) <= night(s, was) {
			t.Errorf("%s: %.2f of the use falls into the night, before %.2f", s.home().id, night(s, copied), night(s, was))
		}
	}
	for _, s := range scenes(t, "reversed/restless", 1) {
		copied, was := s.event()
		near(t, "use over the week", mean(copied)/mean(was), 1, 0.03)
		near(t, "share of the night", night(s, copied), 0.25, 0.08)
	}
}

func TestDeclineEndsAtFortyPercent(t *testing.T) {
	for _, id := range []string{"decline/even", "decline/in-steps"} {
		for _, s := range scenes(t, id, 2) {
			copied, was := s.event()
			last := len(was) - int(3*dayTicks/s.home().step)
			near(t, id+": left in the last days", left(s.base, copied[last:], was[last:]), 0.42, 0.07)
			near(t, id+": left on the first day", left(s.base, copied[:48], was[:48]), 0.99, 0.03)
		}
	}
}

func TestTheMeterOrTheSupplyFails(t *testing.T) {
	for _, s := range scenes(t, "silent-meter/lone", 1) {
		if copied, _ := s.event(); slices.ContainsFunc(copied, func(v uint32) bool { return v != absent }) {
			t.Error("a silent meter was heard")
		}
	}
	for _, s := range scenes(t, "not-back/after-2h", 1) {
		copied, was := s.event()
		if mean(s.copy) != 0 || mean(copied) != 0 {
			t.Error("the copy has power")
		}
		if !slices.Equal(s.control[(s.onset-s.from)/s.home().step:], was) {
			t.Error("power is not back at the control as it was")
		}
		for i, h := range s.homes {
			if i != s.self && (mean(s.shared[i][:4]) != 0 || !slices.Equal(s.shared[i][4:], h.span(s.onset, s.until))) {
				t.Error("the neighbour is not dark for two hours and then as it was")
			}
		}
	}
	for _, s := range scenes(t, "impossible/peaks", 1) {
		copied, _ := s.event()
		if most := s.home().watts(float64(highest(copied))); most < 45_000 || most > 60_000 {
			t.Errorf("a peak of %.0f W", most)
		}
	}
	for _, s := range scenes(t, "impossible/stuck-value", 1) {
		copied, was := s.event()
		if slices.ContainsFunc(copied, func(v uint32) bool { return measured(v) && v != was[0] }) {
			t.Error("the value moves")
		}
	}
}
