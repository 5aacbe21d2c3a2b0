package simulate

// span is a stretch of a local day, in seconds since its midnight; it may
// begin before and end after the day.
type span struct{ from, until float64 }

func (s span) holds(t float64) bool { return s.from <= t && t < s.until }

func within(spans []span, t float64) bool {
	for _, s := range spans {
		if s.holds(t) {
			return true
		}
	}
	return false
}

// meter adds up one day of one home, in watt-seconds per cell.
type meter struct {
	energy  [maxCells]float64
	seconds float64
	dark    []span // no supply: whatever runs draws nothing
}

func (m *meter) reset(seconds float64) {
	m.energy = [maxCells]float64{}
	m.seconds = seconds
	m.dark = m.dark[:0]
}

// add draws watts from one second of the day until another. What falls outside
// the day is another day's.
func (m *meter) add(from, until, watts float64) {
	if len(m.dark) == 0 {
		m.draw(from, until, watts)
		return
	}
	without(m.dark, from, until, func(from, until float64) { m.draw(from, until, watts) })
}

// without calls f for what is left of a stretch when spans, in any order, are
// taken away.
func without(spans []span, from, until float64, f func(from, until float64)) {
	for i, s := range spans {
		if s.from >= until || s.until <= from {
			continue
		}
		if s.from > from {
			without(spans[i+1:], from, s.from, f)
		}
		if from = s.until; from >= until {
			return
		}
	}
	f(from, until)
}

func (m *meter) draw(from, until, watts float64) {
	from, until = max(from, 0), min(until, m.seconds)
	if from >= until {
		return
	}
	i := int(from / cell)
	for edge := float64(i+1) * cell; until > edge; edge += cell {
		m.energy[i] += (edge - from) * watts
		from = edge
		i++
	}
	m.energy[i] += (until - from) * watts
}
