package evaluate

import (
	"slices"
	"testing"
)

func TestHindsightCountsSilencesThatAreNoAbsence(t *testing.T) {
	// Seven quiet hours each night, and from one in the afternoon eight; away
	// for two days from the 20th.
	h := flatHome("h", 30, func(i int) uint32 {
		if hour := i % 48 / 2; hour >= 13 && hour < 21 && i < 480 {
			return 20
		}
		return lived(i, 20*48, 22*48)
	})
	from := h.at(2 * 48)
	l := h.lengths(from)
	if l.days < 27.9 || l.days > 28.1 {
		t.Errorf("%.2f days, want 28", l.days)
	}
	nights, afternoons := 0, 0
	for _, n := range l.natural {
		switch {
		case n >= shortestSilence:
			t.Errorf("%g h is an absence", n.hours())
		case n >= 8*hourTicks:
			afternoons++
		case n >= 7*hourTicks-h.step:
			nights++
		}
	}
	if !slices.IsSorted(l.natural) || afternoons != 8 || nights < 20 {
		t.Errorf("%d afternoons and %d nights in %v", afternoons, nights, l.natural)
	}
	if got := h.lastUse(h.at(9*48 + 10)); got != h.at(8*48+48) {
		t.Errorf("at five in the morning it was last used at %s", got.time())
	}
}

// One home is silent for ten hours once in a hundred days and for eight on ten
// of them, the other once for four: an alarm there saves more.
func TestHindsightSpendsAlarmsWhereTheyFindMost(t *testing.T) {
	const half, watched = hourTicks / 2, 2 * dayTicks
	restless := lengths{days: 100, before: []tick{0, 2 * hourTicks}, watched: []tick{watched, watched}}
	for range 10 {
		restless.natural = append(restless.natural, 8*hourTicks)
	}
	restless.natural = append(restless.natural, 10*hourTicks)
	steady := lengths{days: 100, natural: []tick{4 * hourTicks}, before: []tick{0}, watched: []tick{watched}}
	for _, c := range []struct {
		rate, alarms     float64
		restless, steady tick // the lengths at which a silence is told
	}{
		{0, 0, 10*hourTicks + half, 4*hourTicks + half},
		{0.006, 0.005, 10*hourTicks + half, half},
		{0.011, 0.01, 8*hourTicks + half, half},
	} {
		alarms, d := bestLengths([]lengths{restless, steady}, c.rate)
		if alarms != c.alarms {
			t.Errorf("at %g a day: %g alarms, want %g", c.rate, alarms, c.alarms)
		}
		if d[0][0] != c.restless || d[0][1] != c.restless-2*hourTicks || d[1][0] != c.steady {
			t.Errorf("at %g a day: told after %v, want %d and %d", c.rate, d, c.restless, c.steady)
		}
	}
}
