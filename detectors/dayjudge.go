package detectors

import "math"

// Three detectors read the same likeness of the last day: the home in which
// what was on stays on, the one that uses less though life goes on, and the
// one whose day has lost its shape.

// observeDay judges the hour just completed.
func observeDay(p *Params, st *homeState, o *observation) {
	s := &o.looks
	st.judgeDay(p, o, &dayJudges[likeFrozen], s.frozen())
	st.judgeDay(p, o, &dayJudges[likeBelow], s[dayShortfall])
	// A night out turns a day around; it is the second such day that counts.
	d := &st.Day
	d.Odd += float32((min(oddMax, max(-oddMax, s.night())) - float64(d.Odd)) / oddHours)
	st.judgeDay(p, o, &dayJudges[likeNight], float64(d.Odd))
	st.notRising(p, o)
}

// What one hour can say of a reversed day, and for how long it counts.
const (
	oddMax   = 8
	oddHours = 30
)

// Likenesses of the last day that detectors judge.
const (
	likeFrozen = iota
	likeBelow
	likeNight
	likes
)

// dayJudge is a detector of one of them.
type dayJudge struct {
	like, signal, detector int
	least                  uint8 // hours for which the likeness must have held
}

var dayJudges = [likes]dayJudge{
	likeFrozen: {likeFrozen, sigFrozen, detFrozen, 6},
	likeBelow:  {likeBelow, sigBelow, detBelow, 3},
	likeNight:  {likeNight, sigNight, detNight, 6},
}

const (
	// dayHours is the span that a likeness of the day stands for, and
	// likeLag how long it takes until a day looks like what has begun.
	dayHours = 24
	likeLag  = 6
	// What has been said of a day holds for leastDay at least, and a shortfall
	// until the home lacks less than this against its neighbours.
	leastDay = 12 * ticksAnHour
	lacking  = -0.75
)

// judgeDay judges one likeness by its score.
func (st *homeState) judgeDay(p *Params, o *observation, j *dayJudge, score float64) {
	sig, like := &st.Signals[j.signal], &st.Day.Like[j.like]
	switch {
	case score <= 0:
		*like = 0
	case *like < math.MaxUint8:
		*like++
	}
	rate := st.Tails[j.detector].judge(p, j.detector, score)
	if !o.judged {
		return
	}
	if sig.Severity != 0 {
		over := p.ordinary(j.detector, rate) && score < 0 && o.end-sig.At >= leastDay
		if over && (j.detector != detBelow || o.likeDay.X[lookAlone] > lacking) {
			*sig = signal{}
		}
	}
	severity := p.severity(j.detector, rate)
	if severity <= sig.Severity || *like < j.least {
		return
	}
	use, usual := st.lastHours(dayHours)
	cause := CauseBelow
	switch j.detector {
	case detBelow:
		// A silence is not a shortfall: that life goes on is the point of it.
		if o.end-st.Life.LastLife > aliveWithin || use > belowRatio*usual {
			return
		}
	case detFrozen:
		// What all do is the weather, and a value that repeats to the last
		// digit is more likely the meter's fault than anything in the home.
		if o.neighbours-float64(st.Day.AreaMean) > weather || st.Plausible.repeats(o.length) {
			return
		}
		if *like < stuckLeast && o.end-st.Above.Told < dayHours*ticksAnHour {
			return // it has been told as what it is
		}
		cause = CauseFlat
		if o.looks[dayThermostat] > max(o.looks[dayFrozen], o.looks[dayLamp], o.looks[dayHeater]) {
			cause = CauseCycling
		}
	case detNight:
		cause = CauseReversed
		if o.looks[dayRestless] > o.looks[dayReversed] {
			cause = CauseRestless
		}
	}
	onset := o.end - min(tick(*like)+likeLag, 4*dayHours)*ticksAnHour
	if sig.Severity != 0 {
		onset = sig.Onset
	}
	*sig = signal{
		Severity: severity, Cause: code(Causes, cause), Onset: onset, At: o.end, Hours: dayHours,
		Value: float32(use), Usual: float32(usual), Rate: float32(rate), Neighbours: float32(math.Exp(o.neighbours)),
	}
}

// stuckLeast is how many hours a home must look frozen when something strong
// has been told to run on in the last day.
const stuckLeast = 16

// weather is the rise of the neighbours' use, log, that explains a home's.
const weather = 0.2

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
