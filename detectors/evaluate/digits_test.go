package evaluate

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"weimang/ingest/intake"
)

// The tests in this file are scripts that know nothing of life and look at
// digits and repetitions alone. If one of them could tell copies from
// controls, so could a detector that is fitted to them, and its figures would
// mean nothing.

// digitScripts give a window of readings a number.
var digitScripts = []struct {
	name  string
	score func(h *home, wh []uint32) float64
}{
	{"share of odd steps", func(h *home, wh []uint32) float64 {
		return share(wh, func(_ int, v uint32) bool { return v/h.unit%2 == 1 })
	}},
	{"share of steps that end in 0 or 5", func(h *home, wh []uint32) float64 {
		return share(wh, func(_ int, v uint32) bool { return v/h.unit%5 == 0 })
	}},
	{"mean last digit", func(h *home, wh []uint32) float64 {
		sum := 0.0
		for d := uint32(1); d < 10; d++ {
			sum += float64(d) * share(wh, func(_ int, v uint32) bool { return v/h.unit%10 == d })
		}
		return sum
	}},
}

// repeatScripts look for values that come again. How often they do depends on
// how much a home uses, so they are tried by night only.
var repeatScripts = []struct {
	name  string
	score func(h *home, wh []uint32) float64
}{
	{"repeats of the reading before", func(_ *home, wh []uint32) float64 {
		return share(wh, func(i int, v uint32) bool { return i > 0 && wh[i-1] == v })
	}},
	{"repeats of the second reading before", func(_ *home, wh []uint32) float64 {
		return share(wh, func(i int, v uint32) bool { return i > 1 && wh[i-2] == v })
	}},
	{"different values", func(_ *home, wh []uint32) float64 {
		s := slices.Clone(wh)
		slices.Sort(s)
		return float64(len(slices.Compact(s))) / float64(len(wh))
	}},
}

func share(wh []uint32, is func(i int, v uint32) bool) float64 {
	n, all := 0.0, 0.0
	for i, v := range wh {
		if measured(v) {
			all++
			if is(i, v) {
				n++
			}
		}
	}
	return n / max(all, 1)
}

// auc is the chance that a copy scores higher than a control, and the
// standard error of that if there is nothing to tell (Hanley and McNeil 1982).
func auc(copies, controls []float64) (area, se float64) {
	for _, a := range copies {
		for _, b := range controls {
			switch {
			case a > b:
				area++
			case a == b:
				area += 0.5
			}
		}
	}
	n, m := float64(len(copies)), float64(len(controls))
	return area / (n * m), math.Sqrt((n + m + 1) / (12 * n * m))
}

// chance fails where a script tells copies from controls.
func chance(t *testing.T, what string, copies, controls []float64) {
	t.Helper()
	const errors = 3 // several dozen scripts are tried
	area, se := auc(copies, controls)
	if math.Abs(area-0.5) > errors*se {
		t.Errorf("%s tells copies from controls: AUC %.3f, chance is 0.5 within %.3f (%d copies)", what, area, errors*se, len(copies))
	} else {
		t.Logf("%s: AUC %.3f within %.3f", what, area, errors*se)
	}
}

// copiesOf draws cases of a recipe on homes that stand in one area.
func copiesOf(homes []*home, id string, cases int) []*scene {
	all := Recipes()
	i := slices.IndexFunc(all, func(r Recipe) bool { return r.ID() == id })
	var out []*scene
	for self := range homes {
		for n := range cases {
			if s, ok := draw(&all[i], homes, self, testWarmup, 11, n); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

// inUseOnly leaves readings above base: a refrigerator has digits of its own,
// which are compared by night.
func inUseOnly(b *base, wh []uint32) []uint32 {
	return slices.DeleteFunc(slices.Clone(wh), func(v uint32) bool { return !measured(v) || float64(v) <= b.limit })
}

func testDigits(t *testing.T, homes []*home, cases int) {
	t.Helper()
	drawn := make(map[string][]*scene)
	for _, r := range Recipes() {
		if r.lead > 0 { // five weeks of all neighbours: one case a home shows as much
			drawn[r.ID()] = copiesOf(homes, r.ID(), 1)
		} else {
			drawn[r.ID()] = copiesOf(homes, r.ID(), cases)
		}
	}
	for _, r := range Recipes() {
		if slices.Contains([]string{kindSilentMeter, kindNotBack, kindImpossible, kindDecline}, r.Kind) {
			continue // nothing to look at; or, for the first month of a decline, the like of shortfall
		}
		for _, script := range digitScripts {
			var copies, controls []float64
			for _, s := range drawn[r.ID()] {
				copied, was := s.event()
				if s.control != nil {
					was = s.control[(s.onset-s.from)/s.home().step:]
				}
				if copied, was = inUseOnly(s.base, copied), inUseOnly(s.base, was); len(copied) >= 8 && len(was) >= 8 {
					copies = append(copies, script.score(s.home(), copied))
					controls = append(controls, script.score(s.home(), was))
				}
			}
			if len(copies) > 0 {
				chance(t, r.ID()+", "+script.name, copies, controls)
			}
		}
	}
	for _, script := range append(slices.Clone(digitScripts), repeatScripts...) {
		var copies, controls []float64
		for _, s := range drawn["still/any-time"] {
			h := s.home()
			at := func(from tick, value func(tick) uint32) (wh []uint32) {
				for t := from; t < from+2*dayTicks; t += h.step {
					if hour := t.in(h.loc).hour; hour >= nightFrom && hour < nightUntil && measured(value(t)) {
						wh = append(wh, value(t))
					}
				}
				return wh
			}
			// As many readings of real nights, from quiet ones of that week.
			nights := quiet(h.nights(s.onset-3*weekTicks, s.onset+4*weekTicks), h.step.hours())
			pick := dice(1, h.id, int(s.onset)).Perm(len(nights))
			var nightly []uint32
			for _, n := range pick[:min(2, len(pick))] {
				for _, v := range nights[n].wh {
					nightly = append(nightly, uint32(v))
				}
			}
			if len(nightly) < int(2*0.8*(nightUntil-nightFrom)/h.step.hours()) {
				continue
			}
			copies = append(copies, script.score(h, at(s.onset, func(t tick) uint32 { return s.copy[(t-s.from)/h.step] })))
			controls = append(controls, script.score(h, nightly))
		}
		chance(t, "still, "+script.name, copies, controls)
	}
	// A run of readings that stood there before, in the same order, would be
	// copied ones. Only readings above base are asked: a quiet night has few
	// different values.
	for _, r := range Recipes() {
		if r.Kind == kindImpossible {
			continue // where it is the event
		}
		var copies, controls []float64
		for _, s := range drawn[r.ID()] {
			h := s.home()
			copied, was := s.event()
			if s.control != nil {
				was = s.control[(s.onset-s.from)/h.step:]
			}
			past := h.span(s.onset-14*dayTicks, s.onset)
			copies = append(copies, seenBefore(s.base, past, copied))
			controls = append(controls, seenBefore(s.base, past, was))
		}
		if len(copies) > 0 {
			// Fewer are no sign: what a heater adds is hardly ever the same twice.
			if area, se := auc(copies, controls); area > 0.5+3*se {
				t.Errorf("%s: runs of readings stand there twice, AUC %.3f, chance is at most %.3f", r.ID(), area, 0.5+3*se)
			}
		}
	}
}

// seenBefore is the share of three readings in a row, all above base, that
// stand somewhere in the past as well.
func seenBefore(b *base, past, wh []uint32) float64 {
	run := func(wh []uint32, i int) (key string, ok bool) {
		for _, v := range wh[i : i+3] {
			if !measured(v) || float64(v) <= b.limit {
				return "", false
			}
		}
		return fmt.Sprint(wh[i : i+3]), true
	}
	seen := make(map[string]bool)
	for i := range len(past) - 2 {
		if key, ok := run(past, i); ok {
			seen[key] = true
		}
	}
	n, hit := 0, 0
	for i := range len(wh) - 2 {
		if key, ok := run(wh, i); ok {
			n++
			if seen[key] {
				hit++
			}
		}
	}
	return float64(hit) / float64(max(n, 1))
}

// TestDigitsDoNotGiveACopyAway takes quarter-hours: the simulator rounds each
// of them, so that a half-hour of one constant load is always even.
func TestDigitsDoNotGiveACopyAway(t *testing.T) {
	feed, roster := villageFeed(t, 12, 1, 75, 15*time.Minute)
	homes, _, err := readHomes(feed, roster, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range homes {
		h.learnBases()
	}
	testDigits(t, homes, 4)
}

func TestDigitsDoNotGiveACopyOfARealHomeAway(t *testing.T) {
	feed, regular := london(t)
	homes, _, err := readHomes(feed, intake.Open{Zone: "Europe/London"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	homes = slices.DeleteFunc(homes, func(h *home) bool { return !slices.Contains(regular, h.id) })
	for _, h := range homes {
		h.learnBases()
	}
	testDigits(t, homes, 3)
}

// TestADigitScriptSeesARepeatedBase shows that the scripts would notice: a
// base that repeats the median of the nights, and one of even steps.
func TestADigitScriptSeesARepeatedBase(t *testing.T) {
	var odd, plain []float64
	for _, s := range copiesOf(village(), "still/any-time", 6) {
		copied, was := s.event()
		for i := range copied {
			copied[i] -= copied[i] % 2
		}
		odd = append(odd, digitScripts[0].score(s.home(), copied))
		plain = append(plain, digitScripts[0].score(s.home(), was))
	}
	if area, se := auc(odd, plain); math.Abs(area-0.5) < 5*se {
		t.Errorf("even steps go unseen: AUC %.3f", area)
	}
	for _, s := range copiesOf(village(), "still/any-time", 1) {
		past := s.home().span(s.onset-14*dayTicks, s.onset)
		if got := seenBefore(s.base, past, past[:96]); got != 1 && got != 0 {
			t.Errorf("copied readings: %.2f of them stood there before", got)
		}
	}
}
