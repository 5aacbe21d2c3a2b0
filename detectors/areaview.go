package detectors

import "time"

// minNeighbours is the least number of reporting homes for a rule about an
// area.
const minNeighbours = 5

// An area is dark when at least darkShare of the homes that never read
// nothing read nothing, and lit again when fewer than litShare do.
const (
	darkShare = 0.6
	litShare  = 0.4
)

// areaState is the area's view at one moment of event time: a plain value.
type areaState struct {
	Dark     bool
	LitSince tick  // end of the first interval after the last darkness
	Homes    int32 // most homes dark together in this episode
	OfHomes  int32
	Judged   tick // when enough homes were last heard
	Episode  episode
	Silence  areaSilence
}

// lookAround judges the area as a whole before any of its homes: darkness
// that most homes share is nobody's silence. Most of those who were there when
// it began must be heard for its end, or after a day anybody: a few homes that
// stay silent must not keep the others from being watched.
func (v *areaState) lookAround(end, length tick, reporting, dark int) {
	most := min(minNeighbours, int(v.OfHomes)/2+1)
	switch {
	case !v.Dark && reporting >= minNeighbours && float64(dark) >= darkShare*float64(reporting):
		*v = areaState{Silence: v.Silence, Dark: true, Homes: int32(dark), OfHomes: int32(reporting), Judged: end, Episode: episode{
			Open: true, Kind: code(Kinds, AreaDark), First: end,
			signal: signal{Severity: Yellow, Cause: code(Causes, CauseOutage), Onset: end - length, At: end},
		}}
	case !v.Dark || reporting < most && end-v.Judged < ticksADay:
	case float64(dark) < litShare*float64(reporting):
		v.Dark, v.LitSince = false, end-length
		v.Episode.Open, v.Episode.End = false, end
		v.Episode.EndCause = code(Causes, CausePowerBack)
	default:
		v.Homes, v.Judged = max(v.Homes, int32(dark)), end
	}
}

// darkAlone reports whether a home that reads nothing at t had been dark for
// long before the area was: it says nothing about the area.
func (v *areaState) darkAlone(l *lifeState, t tick) bool {
	if v.Dark {
		t = v.Episode.Onset
	}
	return l.ZeroSince != 0 && t.hoursSince(l.ZeroSince) >= darkHours
}

// rollCall is who is not back when the others are: a home that had nothing at
// the end of the darkness and still has nothing rollCallAfter later.
func (v *areaState) rollCall(st *homeState, o *observation) {
	sig := &st.Signals[sigBack]
	since := o.end - v.LitSince
	if !st.Dark || v.LitSince == 0 || sig.Severity != 0 || since < rollCallAfter || since > rollCallUntil {
		return
	}
	if st.Life.ZeroSince > v.LitSince {
		return // came back and went again: not the outage's doing
	}
	if st.Life.ZeroShare >= usuallyZero {
		return
	}
	*sig = signal{
		Severity: Orange, Cause: code(Causes, CauseNotBack), Onset: v.LitSince, At: o.end,
		Usual: float32(o.usualWh), Hours: float32(since.hoursSince(0)),
	}
}

// The roll-call waits until the others have been back for an hour, and is
// over after a day.
const (
	rollCallAfter = tick(time.Hour / tickLen)
	rollCallUntil = ticksADay
	usuallyZero   = 0.02 // share of readings of nothing from which zero is no news
)
