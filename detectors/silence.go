package detectors

import "weimang/ingest"

// No data is its own state: neither life nor its absence. A home is silent
// when its readings have stopped while most of its neighbours' go on; an area
// is silent when most of its homes are.
const (
	// silentBlue is worth a line on the page, silentYellow a call.
	silentBlue   = 4 * ticksAnHour
	silentYellow = ticksADay
	// silentParked is when nobody waits for a meter any more: taken out, most
	// likely.
	silentParked = 14 * ticksADay
	// longestInterval is how long a home that reports need not be heard.
	longestInterval = 4
)

// An area is silent when at least silentShare of its homes have not been
// heard for silentBlue, and heard again when fewer than litShare are missing.
const silentShare = 0.6

// silence is when a home was last heard: measured, and plausible.
type silence struct {
	Seen uint32 // end of that reading, ticks; 0: never
}

// areaSilence is what the area knows of the silence of its homes.
type areaSilence struct {
	Homes, OfHomes int32 // most that were silent together in this episode
	Episode        episode
}

// roll counts who is heard in an interval.
type roll struct {
	known, missing, quiet int
	stopped               tick // end of the newest reading of those that are quiet
}

// call takes in whether a home is heard.
func (c *roll) call(s *silence, o *observation) {
	if o.length != 0 {
		s.Seen = uint32(o.end)
	}
	gap := s.gap(o.end)
	if gap < 0 || gap >= silentParked {
		return
	}
	c.known++
	if gap >= longestInterval {
		c.missing++
	}
	if gap >= silentBlue {
		c.quiet++
		c.stopped = max(c.stopped, tick(s.Seen))
	}
}

// mostHeard reports whether at least as many as a rule about areas needs, and
// most, are heard: only then is a home silent that is not.
func (c *roll) mostHeard() bool {
	return c.known-c.missing >= minNeighbours && 2*c.missing < c.known
}

// listen judges whether a home is silent in the interval that ends at end. It
// runs only where at least one reading of the area ends, so that a silence is
// the same whether its empty intervals are stepped through or passed over.
func (a *Area) listen(h *home, o *observation, end tick, alone bool) {
	st := &h.live
	h.said.begin(st, end)
	sig, gap := &st.Signals[sigSilent], st.Silence.gap(end)
	if o.length == 0 && h.said.at(st, end) != nil {
		h.said.heed(st, o, end)
		return
	}
	seen := max(tick(st.Silence.Seen), tick(st.Heeded.Reset)) // nobody was expected before
	switch {
	case gap >= silentParked && sig.Severity != 0:
		*sig = signal{}
		if st.arbitrate(end, a.p.FullDays); !st.Episode.Open && st.Episode.End == end {
			st.Episode.EndCause = code(Causes, CauseOver)
		}
	case o.length != 0 && sig.Severity != 0:
		*sig = signal{}
		if a.view[live].Dark { // nothing else is judged in the dark
			st.arbitrate(end, a.p.FullDays)
		}
	case alone && gap >= silentBlue && gap < silentParked && end-seen >= silentBlue:
		sig.silent(end, seen, st.Signals[sigOdd])
		st.arbitrate(end, a.p.FullDays)
	case tick(st.Plausible.At) == end:
		st.arbitrate(end, a.p.FullDays)
	}
	if sig.Severity != 0 {
		a.unheard++
	}
}

// gap is how long the home has not been heard, -1: it never was.
func (s *silence) gap(end tick) tick {
	if s.Seen == 0 {
		return -1
	}
	return max(0, end-tick(s.Seen))
}

// silent raises the signal of a home last heard at seen. What the meter sends
// instead of readings is the better reason, where it does.
func (sig *signal) silent(end, seen tick, odd signal) {
	severity, cause := Blue, code(Causes, CauseSilent)
	if end-seen >= silentYellow {
		severity = Yellow
	}
	if odd.Severity != 0 && odd.At > seen {
		cause = odd.Cause
	}
	if severity > sig.Severity {
		*sig = signal{Severity: severity, Cause: cause, Onset: seen, At: end, Hours: float32(end.hoursSince(seen))}
	}
}

// judge decides whether most homes of the area are silent.
func (v *areaSilence) judge(end tick, c *roll) {
	switch {
	case !v.Episode.Open && c.known >= minNeighbours && float64(c.quiet) >= silentShare*float64(c.known):
		*v = areaSilence{Homes: int32(c.quiet), OfHomes: int32(c.known), Episode: episode{
			Open: true, Kind: code(Kinds, SilentMeter), First: end,
			signal: signal{Severity: Yellow, Cause: code(Causes, CauseAreaSilent), Onset: c.stopped, At: end},
		}}
	case !v.Episode.Open:
	case float64(c.missing) < litShare*float64(c.known):
		v.Episode.Open, v.Episode.End = false, end
		v.Episode.EndCause = code(Causes, CauseDataBack)
	case int32(c.quiet) > v.Homes:
		v.Homes, v.OfHomes = int32(c.quiet), int32(c.known)
	}
}

// publishSilence says what is new about the silence of the area as a whole.
// The clock alone may be news, so every input is an occasion, once its
// readings are taken in.
func (a *Area) publishSilence(out *Output) {
	v := a.view[live].Silence
	waited := a.ticks.now - a.watermark
	switch {
	case v.Episode.Open || a.unheardPublic.Open:
	case waited < silentBlue+ticksIn(a.p.UsualDelay):
		return // as nearly always
	}
	if !v.Episode.Open {
		if v = a.allUnheard(v); !v.Episode.Open && a.unheardPublic.Open && a.pos[live] < v.Episode.End {
			return // somebody is heard, but who else is has yet to be decided
		}
	}
	if v.Episode.Open && !a.unheardPublic.Open && (a.fill.goesOn(a.clock) || a.pos[live] >= v.Episode.At && a.tooSoon(&v.Episode, rhythm{})) {
		return
	}
	before := a.unheardPublic
	state, cause, changed := a.unheardPublic.next(&v.Episode)
	if !changed {
		return
	}
	f := a.finding(&v.Episode, &before, &a.unheardPublic, state, cause)
	if state != Resolved {
		f.Reason.Homes, f.Reason.OfHomes = int(v.Homes), int(v.OfHomes)
	}
	if x := a.explanation(f.Onset); x != nil { // meters that fall silent in an outage
		f.IncidentID = x.ID
	}
	a.say(out, &f, &before, &a.unheardPublic)
}

// allUnheard is the silence of all homes at once, after which no reading is
// left to judge it by: the clock of other entries of the log does. It is open
// while nothing comes, and ended by the first reading after it.
func (a *Area) allUnheard(v areaSilence) areaSilence {
	newest, known := tick(0), int32(0)
	for _, h := range a.homes {
		if s := &h.live.Silence; s.Seen != 0 && a.pos[live]-tick(s.Seen) < silentParked && h.here(a.ticks.now) {
			newest = max(newest, tick(s.Seen))
			known++
		}
	}
	now := a.ticks.now
	switch {
	case known < minNeighbours:
	case now-max(newest, a.watermark) >= silentBlue+ticksIn(a.p.UsualDelay):
		return areaSilence{Homes: known, OfHomes: known, Episode: episode{
			Open: true, Kind: code(Kinds, SilentMeter), First: now,
			signal: signal{Severity: Yellow, Cause: code(Causes, CauseAreaSilent), Onset: newest, At: now},
		}}
	case a.unheardPublic.Open && v.Episode.End <= a.unheardPublic.Onset:
		first := a.oldest(a.unheardPublic.Onset)
		v.Episode = episode{Kind: code(Kinds, SilentMeter), EndCause: code(Causes, CauseDataBack), End: first}
		v.Episode.Onset = a.unheardPublic.Onset
		if first-v.Episode.Onset < silentBlue { // the gap has been filled: there was none
			v.Episode.End = v.Episode.Onset
		}
	}
	return v
}

// Unheard is the number of homes whose readings have stopped while their
// neighbours' go on.
func (a *Area) Unheard() int { return a.unheard }

// rhythm is how long one usually waits for a home's next reading, by the run's
// clock: pauses and delays alike. It decides only when a silence is told, not
// what is one.
type rhythm struct {
	Wait float32 // ticks, towards the longest of the last days
}

// longestWait bounds what one arrival can teach; waitMemory is how long it is
// remembered.
const (
	longestWait = 2 * ticksADay
	waitMemory  = 7 * ticksADay
)

// arrived takes in that readings come after a wait.
func (r *rhythm) arrived(wait tick) {
	w := float32(min(max(0, wait), longestWait))
	if w > r.Wait {
		r.Wait += (w - r.Wait) / 4
	} else {
		r.Wait -= (r.Wait - w) * (w + 1) / float32(waitMemory)
	}
}

// tooSoon reports whether a silence must not be told yet: a reading may come
// with this very clock, or this home's readings often let one wait as long.
func (a *Area) tooSoon(ep *episode, r rhythm) bool {
	return ep.Open && Kinds[ep.Kind] == SilentMeter &&
		(a.ticks.overdue <= ep.At || float32(a.ticks.now-ep.Onset) < 2*r.Wait)
}

// heard takes the arrival of r into the home's rhythm, before r is stored.
func (a *Area) heard(h *home, r *ingest.Readings) {
	if newest := h.newest(); newest != 0 && tickOf(r.Start) >= newest {
		h.rhythm.arrived(a.ticks.now - newest - ticksIn(r.Interval))
	}
}
