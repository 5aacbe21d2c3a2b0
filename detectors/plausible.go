package detectors

import "math"

// What a meter reports may be impossible. Such an interval counts as missing:
// it is never read as life or as its absence, and teaches nothing.
const (
	// A peak is more than the connection carries (Params.MaxKW), or
	// peakTimes the most the home has ever drawn, and more than a single-phase
	// connection's peakWatts.
	peakTimes = 5
	peakWatts = 15000
	// A value is stuck when it has not changed in its last digit for a day,
	// though it is so many steps of the meter that mains voltage alone would
	// change it, and for stuckTimes as long as it ever does in this home. A
	// router draws the same few watt-hours for weeks, a coarse meter shows the
	// same one or two steps: neither is stuck. Nothing at all is darkness.
	stuckSteps = 50
	stuckTimes = 3
	stuckFor   = ticksADay
	// oddFor is how long plausible readings must have come for the end.
	oddFor = ticksADay
)

// plausibility is what a home remembers to tell what its meter cannot mean.
type plausibility struct {
	Wh      uint32 // the newest value
	Step    uint32 // greatest common divisor of all values: the meter's resolution, Wh
	At      uint32 // end of the newest impossible reading, ticks; 0: none
	Run     uint16 // readings in a row that repeated it
	Longest uint16 // of such runs, slowly forgotten
	Max     uint16 // W, of all plausible readings
}

// check judges the interval that ends at end. An impossible one comes back
// as a missing one, with its cause.
func (st *homeState) check(p *Params, end tick, r reading, backward bool) (reading, Cause) {
	q := &st.Plausible
	cause, since := Cause(""), end-r.length
	switch {
	case backward:
		cause = CauseBackward
	case r.length == 0 || !r.quality.ProvesLife():
		return r, ""
	case q.peak(p, float64(r.wh)/r.length.hoursSince(0)):
		cause = CausePeak
	case q.stuck(r):
		cause, since = CauseStuckValue, end-r.length*(1+tick(q.Run))
	}
	sig := &st.Signals[sigOdd]
	if cause == "" {
		if sig.Severity != 0 && end-tick(q.At) >= oddFor {
			*sig = signal{}
		}
		return r, ""
	}
	q.At, st.Unusual = uint32(end), true
	if sig.Severity == 0 {
		*sig = signal{Severity: Blue, Cause: code(Causes, cause), Onset: since}
	}
	sig.At = end
	return noValue(r.length), cause
}

// peak reports whether a home cannot have drawn so much. A jump that comes
// again and again is believed in the end, after a day of it at most: each
// raises what the home is known to draw by a twentieth.
func (q *plausibility) peak(p *Params, watts float64) bool {
	switch {
	case watts > p.MaxKW*1000:
		return true
	case q.Max != 0 && watts > max(peakWatts, peakTimes*float64(q.Max)):
		q.Max = uint16(min(int(q.Max)+int(q.Max)/20+1, math.MaxUint16))
		return true
	default:
		q.Max = max(q.Max, uint16(min(math.Ceil(watts), math.MaxUint16)))
		return false
	}
}

// stuck reports whether the value has repeated for longer than can be.
func (q *plausibility) stuck(r reading) bool {
	if r.wh != 0 {
		q.Step = gcd(q.Step, r.wh)
	}
	if r.wh == q.Wh {
		if q.Run < math.MaxUint16 {
			q.Run++
		}
	} else {
		if q.Run > 0 && !q.tooLong(r.length) { // a run that was impossible teaches nothing
			q.Longest = max(q.Run, q.Longest-q.Longest/8)
		}
		q.Wh, q.Run = r.wh, 0
	}
	return q.tooLong(r.length)
}

// repeats reports whether the value has been the same for so long that it may
// turn out to be stuck.
func (q *plausibility) repeats(length tick) bool {
	return q.repeatsFor(length, stuckFor/4)
}

// repeatsFor is the same for a time.
func (q *plausibility) repeatsFor(length, least tick) bool {
	return q.Wh != 0 && tick(q.Run)*length >= least && uint64(q.Wh) >= stuckSteps*uint64(q.Step)
}

func (q *plausibility) tooLong(length tick) bool {
	return q.Wh != 0 && tick(q.Run)*length >= stuckFor && uint64(q.Wh) >= stuckSteps*uint64(q.Step) &&
		uint64(q.Run) > stuckTimes*uint64(q.Longest)
}

func gcd(a, b uint32) uint32 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
