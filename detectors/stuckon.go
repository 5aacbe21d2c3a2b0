package detectors

// aboveState follows runs of strong use.
type aboveState struct {
	Since     tick    // start of the present run, 0: none
	Last      tick    // end of its last strong interval
	Wh, Usual float32 // since Since
}

const (
	// Strong use is so far above what is usual at this time of day.
	strongWatts = 700
	// The least run worth a word.
	aboveHours = 2.5
)

// observeAbove tells something strong that has run on for hours from the
// home's usual runs: a step up that does not come back. The score is the
// length of the run in hours.
func observeAbove(p *Params, st *homeState, o *observation) signal {
	a, sig := &st.Above, st.Signals[sigAbove]
	if o.watts <= o.mid+strongWatts {
		if a.Since != 0 {
			st.Tails[detAbove].judge(p, detAbove, 0)
		}
		a.Since = 0
		return signal{}
	}
	if a.Since == 0 {
		a.Since, a.Wh, a.Usual = o.end-o.length, 0, 0
	}
	a.Last = o.end
	a.Wh += float32(o.wh)
	a.Usual += float32(o.usualWh)
	hours := o.end.hoursSince(a.Since)
	rate := st.Tails[detAbove].judge(p, detAbove, hours)
	severity := p.severity(detAbove, rate)
	if !o.judged || hours < aboveHours || severity <= sig.Severity {
		return sig
	}
	return signal{
		Severity: severity, Cause: code(Causes, CauseAbove), Onset: a.Since, At: o.end,
		Value: a.Wh, Usual: a.Usual, Hours: float32(hours), Rate: float32(rate),
	}
}
