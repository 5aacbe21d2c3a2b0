package evaluate

// silence is a time of a day and more in which a home never left its
// quiet-night level: most likely nobody was there.
type silence struct{ from, until tick }

// shortestSilence is how long its readings must add up to, afterSilence how
// long an alert that began in it may still come.
const (
	shortestSilence = dayTicks
	afterSilence    = dayTicks
	// An alert's onset may lie a little before the first quiet reading, since
	// the last use ended within the reading before.
	onsetSlack = 2 * hourTicks
)

// silences of the untouched curve: maximal runs of readings none of which is
// clearly above the base of its week. A missing reading neither ends a run
// nor adds to its length.
func (h *home) silences() []silence {
	var all []silence
	var run silence
	length := tick(0)
	flush := func() {
		if length >= shortestSilence {
			all = append(all, run)
		}
		length = 0
	}
	for i, wh := range h.wh {
		t := h.at(i)
		switch {
		case !measured(wh):
		case float64(wh) > h.baseAt(t).limit:
			flush()
		default:
			if length == 0 {
				run.from = t
			}
			length += h.step
			run.until = t + h.step
		}
	}
	flush()
	return all
}

// during reports whether a push is about one of the silences: what it is
// about began in it, and it came before it was over for a day.
func during(all []silence, p *push) bool {
	for _, s := range all {
		if p.onset >= s.from-onsetSlack && p.onset <= s.until && p.at > s.from && p.at <= s.until+afterSilence {
			return true
		}
	}
	return false
}

func within(all []silence, t tick) bool {
	for _, s := range all {
		if t >= s.from && t < s.until {
			return true
		}
	}
	return false
}

// nextUse is how long after a time anybody could know at the earliest, from
// the untouched curve, that somebody uses something: the end of the next
// reading clearly above base. No detector can see sooner that it is missing.
func (h *home) nextUse(t tick) tick {
	for i := max(h.index(t), 0); i < len(h.wh); i++ {
		if at := h.at(i); measured(h.wh[i]) && float64(h.wh[i]) > h.baseAt(at).limit {
			return at + h.step - t
		}
	}
	return never
}
