package detectors

import "math"

// lifeState is the evidence that nobody is using anything.
type lifeState struct {
	Score     float32 // ln likelihood ratio, never below zero
	LastLife  tick    // end of the last interval that a hand must have shaped
	Wh, Usual float32 // used since LastLife, and usual for those hours
	ZeroSince tick    // start of the present run of nothing at all, 0: none
	ZeroShare float32 // how often the home reads nothing at all
}

// levelPrior is how many days the prior is worth at first; it is gone when the
// memory is full.
const levelPrior = 4

// quietShare is the minimum effect of a silence: use over usual since the
// last sign of life.
const quietShare = 0.7

// Bounds of the evidence of one half-hour. A single interval can say much
// more against silence (a kettle) than for it (an empty half-hour).
const (
	lifeGainMax = 2.5
	lifeLossMax = 15
	lifeSure    = -2
	// zeroGain is what a half-hour without even a fridge says where no
	// neighbours tell whether it is the area's supply: yellow in half a day.
	zeroGain = 1
)

// observeLife adds one interval to the evidence. Method: Wald's sequential
// ratio with restart at zero (Page 1954, "Continuous inspection schemes"),
// quiet nights of the same home standing for "nobody is using anything", the
// home's own habit at this half-hour after a reading of this kind for "a day
// like any other".
func observeLife(p *Params, st *homeState, o *observation) signal {
	l, sig := &st.Life, st.Signals[sigLife]
	zero := o.wh == 0
	rate := float32(1.0 / 1000)
	hit := float32(0)
	if zero {
		hit = 1
		if l.ZeroSince == 0 {
			l.ZeroSince = o.end - o.length
		}
	} else {
		l.ZeroSince = 0
	}
	if sig.Severity == 0 {
		l.ZeroShare += rate * (hit - l.ZeroShare)
	}

	h := &st.Habits
	quiet := probability(&h.Quiet[o.after], o.level, 0.004)
	usual := probability(&h.Level[o.after][o.slot], o.level, 0.03)
	// Few days prove little: the home's own frequency counts against a prior
	// that takes every level for as likely.
	n := float64(h.Count[o.slot])
	prior := levelPrior * (1 - n/memory)
	usual = (n*usual + prior/levels) / (n + prior)
	gain := math.Log(quiet/usual) * float64(o.length) / 2
	dark := zero && l.ZeroShare < usuallyZero
	switch {
	case dark && o.areaLit:
		gain = 0 // a tripped breaker says nothing about the person; it is an alarm of its own below
	case dark:
		gain = max(gain, zeroGain*float64(o.length)/2)
	}
	score := float64(l.Score) + min(lifeGainMax, max(-lifeLossMax, gain))
	if gain < lifeSure {
		score = min(score, float64(l.Score)/2) // however long the silence was, a few kettles end it
	}
	l.Score = float32(min(p.Life[2]*1.1, max(0, score)))

	if l.LastLife == 0 || (o.level == levelHigh && gain < 0) || (l.Score == 0 && !dark) {
		l.LastLife, l.Wh, l.Usual = o.end, 0, 0
	} else {
		l.Wh += float32(o.wh)
		l.Usual += float32(o.usualWh)
	}
	if !o.judged {
		return signal{}
	}

	silent := o.end.hoursSince(l.LastLife)
	severity := Severity(0)
	for i, s := range []Severity{Yellow, Orange, Red} {
		if float64(l.Score) >= p.Life[i]*o.caution && silent >= p.LifeHours[i] && l.Wh <= quietShare*l.Usual {
			severity = s
		}
	}
	cause := CauseQuiet
	// Not even a fridge, while the neighbours have light.
	if hours := o.end.hoursSince(l.ZeroSince); dark && o.areaLit && hours >= darkHours {
		severity, cause = max(severity, Orange), CauseDark
		if hours >= p.LifeHours[2] {
			severity = Red
		}
	}
	switch {
	case severity > sig.Severity:
		return signal{
			Severity: severity, Cause: code(Causes, cause), Onset: l.LastLife, At: o.end,
			Value: l.Wh, Usual: l.Usual, Hours: float32(silent),
		}
	case sig.Severity != 0 && severity == 0 && float64(l.Score) < p.Life[0]/2 && l.ZeroSince == 0:
		l.LastLife, l.Wh, l.Usual = o.end, 0, 0 // the next silence is another one
		return signal{}
	default:
		return sig
	}
}

// darkHours is how long a home must read nothing at all.
const darkHours = 2
