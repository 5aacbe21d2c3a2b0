package detectors

import "math"

// Three detectors read the same likeness of the last day: the home in which
// what was on stays on, the one that uses less though life goes on, and the
// one whose day has lost its shape.

// observeDay judges the hour just completed.
func observeDay(p *Params, st *homeState, o *observation) {
	s := &o.looks
	st.judgeDay(p, o, sigFrozen, detFrozen, s.frozen(), CauseFlat)
	st.judgeDay(p, o, sigBelow, detBelow, s[dayShortfall], CauseBelow)
	// A night out turns a day around; it is the second such day that counts.
	d := &st.Day
	d.Odd += float32((min(oddMax, max(-oddMax, s.night())) - float64(d.Odd)) / oddHours)
	st.judgeDay(p, o, sigNight, detNight, float64(d.Odd), CauseReversed)
	st.notRising(p, o)
}

// What has been said of a day holds for leastDay at least, and a shortfall
// until the home lacks less than this against its neighbours.
const (
	leastDay = 12 * ticksAnHour
	lacking  = -0.75
)

// What one hour can say of a reversed day, and for how long it counts.
const (
	oddMax   = 8
	oddHours = 30
)

// dayHours is the span that a likeness of the day stands for.
const dayHours = 24

func (st *homeState) judgeDay(p *Params, o *observation, which, detector int, score float64, cause Cause) {
	sig := &st.Signals[which]
	rate := st.Tails[detector].judge(p, detector, score)
	if !o.judged {
		return
	}
	if sig.Severity != 0 {
		over := p.ordinary(detector, rate) && score < 0 && o.end-sig.At >= leastDay
		if over && (detector != detBelow || o.day.X[lookAlone] > lacking) {
			*sig = signal{}
		}
	}
	severity := p.severity(detector, rate)
	if severity <= sig.Severity {
		return
	}
	use, usual := st.lastHours(dayHours)
	switch detector {
	case detBelow:
		// A silence is not a shortfall: that life goes on is the point of it.
		if o.end-st.Life.LastLife > aliveWithin || use > belowRatio*usual {
			severity = 0
		}
	case detFrozen:
		if o.looks[dayThermostat] > max(o.looks[dayFrozen], o.looks[dayLamp], o.looks[dayHeater]) {
			cause = CauseCycling
		}
	case detNight:
		if o.looks[dayRestless] > o.looks[dayReversed] {
			cause = CauseRestless
		}
	}
	if severity <= sig.Severity {
		return
	}
	onset := o.end - dayHours*ticksAnHour
	if sig.Severity != 0 {
		onset = sig.Onset
	}
	*sig = signal{
		Severity: severity, Cause: code(Causes, cause), Onset: onset, At: o.end, Hours: dayHours,
		Value: float32(use), Usual: float32(usual), Rate: float32(rate), Neighbours: float32(math.Exp(o.neighbours)),
	}
}

// lastHours is use and usual over the last hours, Wh.
func (st *homeState) lastHours(hours int) (use, usual float64) {
	for ago := range hours {
		use += st.Day.at(ago)
		usual += st.Habits.meanHour((int(st.Day.Slot)/2 - ago + 48) % 24)
	}
	return use, usual
}

func (s *dayScores) frozen() float64 {
	return logSum(s[dayFrozen], s[dayLamp], s[dayHeater], s[dayThermostat])
}

func (s *dayScores) night() float64 { return logSum(s[dayReversed], s[dayRestless]) }
