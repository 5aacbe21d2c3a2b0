package evaluate

import (
	"math/rand/v2"
	"slices"
	"time"

	"weimang/detectors"
)

// Events in which the whole area uses much more, and a home that usually does
// so too stays at its ordinary level: the Wandi case.

const kindNotRising = "not-rising"

// Before the event the area has some such days on which the home rises too.
const (
	risingLead  = 35 * 24 * time.Hour
	fewestRises = 4
	mostRises   = 6
	riseFrom    = 1.6
	riseUntil   = 2.2
)

func notRisingRecipes() []Recipe {
	rising := Recipe{
		Kind: kindNotRising, Own: []detectors.Kind{detectors.Shortfall},
		Length: 48 * time.Hour, Windows: usualWindows, Within: 36 * time.Hour, lead: risingLead, onset: morning,
	}
	heat, cold := rising, rising
	heat.Name, heat.Headline = "heat", true
	heat.Says = "on 2 days the area uses 1.6 to 2.2 times as much above base, most in the afternoon; this home, which rose on 4 to 6 such days before, does not"
	heat.inject = func(s *scene) { s.rise(heatShape) }
	cold.Name = "cold"
	cold.Says = "the same, most in the morning and evening"
	cold.inject = func(s *scene) { s.rise(coldShape) }
	return []Recipe{heat, cold}
}

// morning is 6:00, when a warm day begins to differ.
func morning(h *home, rng *rand.Rand, from, until tick) (tick, bool) {
	for range tries {
		t, ok := anyTime(h, rng, from, until)
		if !ok {
			return 0, false
		}
		l := t.in(h.loc)
		t -= tick(time.Duration(l.minutes()-6*60) * time.Minute / tickLen)
		t -= t % hourTicks // so that any interval begins here
		if t >= from && t < until {
			return t, true
		}
	}
	return 0, false
}

// heatShape and coldShape are the share of the day's rise at an hour.
func heatShape(hour int) float64 {
	switch {
	case hour >= 12 && hour < 22:
		return 1.15
	case hour >= 9 && hour < 24:
		return 0.9
	default:
		return 0.6
	}
}

func coldShape(hour int) float64 {
	switch {
	case hour >= 6 && hour < 11, hour >= 17 && hour < 23:
		return 1.15
	default:
		return 0.75
	}
}

// rise lets the area's use above base rise on days before the event, the home
// with it, and on the event's days, when only the control rises.
func (s *scene) rise(shape func(hour int) float64) {
	type spell struct {
		from, until tick
		factor      float64
	}
	factor := func() float64 { return between(s.rng, riseFrom, riseUntil) }
	var spells []spell
	// The last three days before the event are ordinary.
	room := int((s.onset-s.from)/dayTicks) - 3
	for _, day := range s.rng.Perm(max(room, 0))[:min(fewestRises+s.rng.IntN(mostRises-fewestRises+1), max(room, 0))] {
		from := s.onset - tick(4+day)*dayTicks
		spells = append(spells, spell{from, from + dayTicks, factor()})
	}
	slices.SortFunc(spells, func(a, b spell) int { return int(a.from - b.from) })
	spells = append(spells, spell{s.onset, s.until, factor()})

	rising := func(h *home, b *base, rng *rand.Rand, curve []uint32, spells []spell) {
		hum := b.hum(rng)
		for _, sp := range spells {
			own := sp.factor * between(rng, 0.92, 1.08) // no two homes rise alike
			from := sp.from
			if from < s.from {
				from = s.from
			}
			rewrite(h, curve, s.from, from, min(sp.until, s.until), rng, func(t tick, wh float64) float64 {
				use, rest := hum.split(wh)
				return rest + use*(1+(own-1)*shape(t.in(h.loc).hour))
			})
		}
	}
	s.shared = make([][]uint32, len(s.homes))
	for i, h := range s.homes {
		rng := rand.New(rand.NewPCG(s.rng.Uint64(), s.rng.Uint64()))
		if i == s.self {
			before := len(spells) - 1
			rising(h, s.base, rng, s.copy, spells[:before])
			s.control = slices.Clone(s.copy)
			rising(h, s.base, rng, s.control, spells[before:])
			continue
		}
		curve := h.span(s.from, s.until)
		rising(h, h.baseAt(s.onset), rng, curve, spells)
		s.shared[i] = curve
	}
}
