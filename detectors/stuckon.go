package detectors

// aboveState follows a run of strong and even use.
type aboveState struct {
	Since     tick    // start of the present run, 0: none
	Wh, Usual float32 // since Since
	Least     float32 // W above the quiet nights, of the weakest interval
	Told      tick    // when a run was last told of
}

const (
	// Strong use is so far above the quiet nights, and so far above what is
	// usual at this time of day, W.
	strongWatts  = 900
	unusualWatts = 500
	// A run is even while its weakest interval has this share of its mean: a
	// heater or a stove that stays on is, a meal and a wash are not.
	evenShare = 0.7
	// The least run worth a word.
	aboveHours = 2.5
)

// observeAbove tells something strong that has run on for hours from the
// home's usual runs: a step up that does not come back. The score is the
// length of the run in hours.
func observeAbove(p *Params, st *homeState, o *observation) signal {
	a, sig := &st.Above, st.Signals[sigAbove]
	above := float32(o.watts - st.Quiet.mid())
	if above < strongWatts || o.watts < o.mid+unusualWatts {
		if a.Since != 0 {
			st.Tails[detAbove].judge(p, detAbove, 0)
		}
		a.Since = 0
		return signal{}
	}
	begin := o.end - o.length
	if a.Since != 0 {
		mean := (a.Wh+float32(o.wh))/float32(o.end.hoursSince(a.Since)) - float32(st.Quiet.mid())
		if min(a.Least, above) < evenShare*mean && sig.Severity == 0 {
			st.Tails[detAbove].judge(p, detAbove, 0)
			a.Since = 0
		}
	}
	if a.Since == 0 {
		*a = aboveState{Since: begin, Least: above, Told: a.Told}
	}
	a.Least = min(a.Least, above)
	a.Wh += float32(o.wh)
	a.Usual += float32(o.usualWh)
	hours := o.end.hoursSince(a.Since)
	rate := st.Tails[detAbove].judge(p, detAbove, hours)
	severity := p.severity(detAbove, rate)
	// What all do is the weather.
	if !o.judged || hours < aboveHours || severity <= sig.Severity || o.others.rise()-float64(st.Day.AreaMean) > weather {
		return sig
	}
	a.Told = o.end
	return signal{
		Severity: severity, Cause: code(Causes, CauseAbove), Onset: a.Since, At: o.end,
		Value: a.Wh, Usual: a.Usual, Hours: float32(hours), Rate: float32(rate),
	}
}
