package detectors

import "math"

// levelHabits is how often a home is at each level of use, by hour of the
// local day.
type levelHabits struct {
	Hour      [24][levels - 1]share // of half-hours; the last level is the rest
	Fast      [24]share             // of low half-hours, of the last week
	Rest      [24]share             // the same on weekends and holidays
	Count     [24]uint8             // half-hours seen, up to levelMemory
	RestCount [24]uint8
}

const (
	levelMemory = 56 // half-hours of one hour of the day: 28 days
	fastMemory  = 14
	restMemory  = 16
)

// isLow reports a level at which nobody need be using anything.
func isLow(level int) bool { return level <= levelEdge }

// shares are how often a home is at each level in a half-hour, and low: in all
// weeks, in the last one, and on days like this one.
type shares struct {
	of             [levels]float64
	all, fast, day float64
}

// at is the shares of a half-hour: its hour's, and a quarter of the next hour's
// on its other side.
func (h *levelHabits) at(slot int, rest bool) (s shares) {
	hour, beside := hoursOf(slot)
	last := 1.0
	for k := range levels - 1 {
		s.of[k] = mix(h.Hour[hour][k], h.Hour[beside][k], h.Count[hour], h.Count[beside])
		last -= s.of[k]
	}
	s.of[levels-1] = max(last, 0)
	for k := levelLow; isLow(k); k++ {
		s.all += s.of[k]
	}
	s.fast = mix(h.Fast[hour], h.Fast[beside], h.Count[hour], h.Count[beside])
	s.day = s.all
	if n := float64(h.RestCount[hour]); rest && n > 0 {
		own := mix(h.Rest[hour], h.Rest[beside], h.RestCount[hour], h.RestCount[beside])
		s.day = (n*own + 4*s.all) / (n + 4)
	}
	return s
}

// mix blends two hours; an hour not yet seen has no say.
func mix(own, beside share, n, m uint8) float64 {
	switch {
	case n == 0 && m == 0:
		return 1.0 / levels
	case m == 0:
		return own.float()
	case n == 0:
		return beside.float()
	default:
		return 0.75*own.float() + 0.25*beside.float()
	}
}

func hoursOf(slot int) (own, beside int) {
	own = slot / 2
	if slot%2 == 0 {
		return own, (own + 23) % 24
	}
	return own, (own + 1) % 24
}

// learn takes in the level of a half-hour.
func (h *levelHabits) learn(slot, level int, rest bool) {
	hour := slot / 2
	n := min(h.Count[hour]+1, levelMemory)
	h.Count[hour] = n
	if n == 1 {
		for k := range levels - 1 {
			h.Hour[hour][k] = shareOf(1.0 / levels)
		}
		h.Fast[hour] = shareOf(0.5)
	}
	part, shares := 1/(float32(n)+2), &h.Hour[hour]
	for k := range shares {
		if k != level {
			shares[k].toward(0, part)
		}
	}
	if level < len(shares) {
		shares[level].toward(shareOne, part)
	}
	h.Fast[hour].toward(fully(isLow(level)), 1/(float32(min(n, fastMemory-1))+1))
	if rest {
		m := min(h.RestCount[hour]+1, restMemory)
		h.RestCount[hour] = m
		h.Rest[hour].toward(fully(isLow(level)), 1/(float32(m)+1))
	}
}

// logOdds keeps away from certainty.
func logOdds(p float64) float32 { return float32(math.Log((p + 0.02) / (1.02 - p))) }
