package evaluate

import (
	"cmp"
	"math"
	"slices"

	"weimang/detectors"
)

// Hindsight is what the length of a silence alone could tell of one recipe's
// cases, had somebody known beforehand each home's base and every silence of
// its year: see hindsight.
type Hindsight struct {
	Bound
	Rate float64 `json:"false_alarms_per_home_day"`
}

// lengths is how long the silences of one home are.
type lengths struct {
	days    float64 // measured, after the warm-up
	natural []tick  // of the silences shorter than a day, sorted
	before  []tick  // of each case: how long it had been silent at the onset
	watched []tick  // of each case: how long from the onset on
}

// hindsight gives each home the one length of silence that finds its cases
// soonest, where all homes together raise false alarms no more often than the
// detectors call no-sign-of-life outside silences. It is chosen on the very
// silences and cases it is judged on, and knows base when it sees it; a detector
// that learns as it goes can only beat it by what else it looks at: the hour,
// the kind of day, the level, the neighbours. Method: one threshold per home by
// a Lagrange multiplier on the rate.
func (s *scorer) hindsight(u *Untouched) []Hindsight {
	rate := 0.0
	for _, k := range u.ByKind {
		if k.Kind == detectors.NoSignOfLife {
			rate = k.PushesOutside
		}
	}
	var all []Hindsight
	for r := range s.tr.recipes {
		recipe := &s.tr.recipes[r]
		if recipe.Kind != kindStill {
			continue
		}
		homes := make([]lengths, len(s.homes))
		for i, h := range s.homes {
			homes[i] = h.lengths(h.start + ticksIn(s.tr.warmup))
		}
		cases := 0
		for _, j := range s.tr.jobs {
			if j.recipe != r {
				continue
			}
			h := j.area.homes[j.self]
			l := &homes[s.index[h]]
			l.before = append(l.before, j.scene.onset-h.lastUse(j.scene.onset))
			l.watched = append(l.watched, j.scene.until-j.scene.onset)
			cases++
		}
		alarms, d := bestLengths(homes, rate)
		all = append(all, Hindsight{
			Bound: Bound{Kind: recipe.Kind, Recipe: recipe.Name, Cases: cases, Found: s.found(recipe, d)}, Rate: alarms,
		})
	}
	return all
}

// lengths of the home's silences from a time on.
func (h *home) lengths(from tick) lengths {
	var l lengths
	run := tick(0)
	flush := func() {
		if run > 0 && run < shortestSilence {
			l.natural = append(l.natural, run)
		}
		run = 0
	}
	for i := max(h.index(from), 0); i < len(h.wh); i++ {
		switch {
		case !measured(h.wh[i]):
		case h.uses(i):
			l.days += h.step.hours() / 24
			flush()
		default:
			l.days += h.step.hours() / 24
			run += h.step
		}
	}
	slices.Sort(l.natural)
	return l
}

// uses reports whether interval i is above anything that is base in its week.
func (h *home) uses(i int) bool { return float64(h.wh[i]) > h.baseAt(h.at(i)).top }

// lastUse is the end of the last use before a time.
func (h *home) lastUse(t tick) tick {
	for i := min(h.index(t-1), len(h.wh)-1); i >= 0; i-- {
		if measured(h.wh[i]) && h.uses(i) {
			return h.at(i) + h.step
		}
	}
	return h.start
}

// delays of the home's cases when a silence of a length is told, and how
// often a day that is wrong.
func (l *lengths) delays(length tick) (d []tick, alarms float64) {
	for k, before := range l.before {
		delay := max(length-before, 1)
		if delay > l.watched[k] {
			delay = never
		}
		d = append(d, delay)
	}
	first, _ := slices.BinarySearchFunc(l.natural, length, cmp.Compare)
	return d, float64(len(l.natural)-first) / max(l.days, 1)
}

// bestLengths finds each home's length under a rate of false alarms per
// home-day over all homes.
func bestLengths(homes []lengths, rate float64) (alarms float64, d byHome) {
	const slow = dayTicks // later than this is all the same
	try := func(price float64) (float64, byHome) {
		sum, days, found := 0.0, 0.0, make(byHome, len(homes))
		for i := range homes {
			l := &homes[i]
			best, chosen := math.Inf(1), 0.0
			for length := hourTicks / 2; length <= shortestSilence; length += hourTicks / 2 {
				delays, alarms := l.delays(length)
				cost := price * alarms
				for _, v := range delays {
					cost += min(v, slow).hours() / float64(len(delays))
				}
				if cost < best {
					best, chosen, found[i] = cost, alarms, delays
				}
			}
			sum, days = sum+chosen*l.days, days+l.days
		}
		return sum / max(days, 1), found
	}
	low, high := 1e-3, 1e6 // hours of delay that a false alarm per day is worth
	for range 50 {
		if price := math.Sqrt(low * high); first(try(price)) > rate {
			low = price
		} else {
			high = price
		}
	}
	return try(high)
}

func first[A, B any](a A, _ B) A { return a }
