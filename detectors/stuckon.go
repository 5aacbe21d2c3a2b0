package detectors

import "math"

// aboveState follows runs of strong use.
type aboveState struct {
	Since     tick    // start of the present run, 0: none
	Last      tick    // end of its last strong interval
	Wh, Usual float32 // since Since
	Longest   float32 // hours of the longest run of late, slowly forgotten
}

// A run survives a pause of runPause: a thermostat's, not a person's.
const runPause = 4 // ticks

// observeAbove tells something strong that has run on for hours from the
// home's usual runs: every interval above the usual band by AboveWatts, for
// longer than the longest run remembered.
func observeAbove(p *Params, st *homeState, o *observation) signal {
	a, sig := &st.Above, st.Signals[sigAbove]
	a.Longest *= float32(math.Exp(-float64(o.length) / float64(60*ticksADay)))
	strong := o.watts > o.high+p.AboveWatts
	if strong {
		if a.Since == 0 {
			a.Since, a.Wh, a.Usual = o.end-o.length, 0, 0
		}
		a.Last = o.end
	}
	if a.Since == 0 {
		return signal{}
	}
	a.Wh += float32(o.wh)
	a.Usual += float32(o.usualWh)
	hours := a.Last.hoursSince(a.Since)
	if o.end-a.Last > runPause {
		a.Longest = max(a.Longest, float32(hours))
		a.Since = 0
		return signal{}
	}
	if !o.judged || sig.Severity != 0 || !strong || hours < max(p.AboveHours, 1.3*float64(a.Longest)+0.5)*o.caution {
		return sig
	}
	return signal{
		Severity: Yellow, Cause: code(Causes, CauseAbove), Onset: a.Since, At: o.end,
		Value: a.Wh, Usual: a.Usual, Hours: float32(hours),
	}
}
