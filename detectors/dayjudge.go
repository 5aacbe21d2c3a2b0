package detectors

import "math"

// Three detectors read the same likeness of the last day: the home in which
// what was on stays on, the one that uses less though life goes on, and the
// one whose day has lost its shape.

// observeDay judges the hour just completed.
func observeDay(p *Params, st *homeState, o *observation) {
	// A night out turns a day around; it is the second such day that counts.
	d := &st.Day
	d.Odd += float32((min(oddMax, max(-oddMax, o.looks.night())) - float64(d.Odd)) / oddHours)
	for i := range dayJudges {
		st.judgeDay(p, o, &dayJudges[i])
	}
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

// dayJudge is a detector of one of them. A nil rule asks nothing.
type dayJudge struct {
	like, signal, detector int
	least                  uint8 // hours for which the likeness must have held
	// score is how much the home looks like it.
	score func(st *homeState, o *observation) float64
	// goesOn keeps what has been said though the day looks ordinary again.
	goesOn func(o *observation) bool
	// tells decides whether a score that is rare enough is told. use and
	// usual are Wh of the last day.
	tells func(st *homeState, o *observation, use, usual float64) bool
	// cause is the reason that is given.
	cause func(o *observation) Cause
}

var dayJudges = [likes]dayJudge{
	likeFrozen: {
		like: likeFrozen, signal: sigFrozen, detector: detFrozen, least: 6,
		score: func(_ *homeState, o *observation) float64 { return o.looks.frozen() },
		tells: tellsFrozen, cause: causeFrozen,
	},
	likeBelow: {
		like: likeBelow, signal: sigBelow, detector: detBelow, least: 3,
		score:  func(_ *homeState, o *observation) float64 { return o.looks[dayShortfall] },
		goesOn: lacks, tells: tellsBelow,
		cause: func(*observation) Cause { return CauseBelow },
	},
	likeNight: {
		like: likeNight, signal: sigNight, detector: detNight, least: 6,
		score: func(st *homeState, _ *observation) float64 { return float64(st.Day.Odd) },
		cause: causeNight,
	},
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
func (st *homeState) judgeDay(p *Params, o *observation, j *dayJudge) {
	sig, like := &st.Signals[j.signal], &st.Day.Like[j.like]
	score := j.score(st, o)
	switch {
	case score <= 0:
		*like = 0
	case *like < math.MaxUint8:
		*like++
	}
	rate := st.Tails.judge(p, j.detector, score)
	if !o.judged {
		return
	}
	if sig.Severity != 0 {
		over := p.ordinary(j.detector, rate) && score < 0 && o.end-sig.At >= leastDay
		if over && (j.goesOn == nil || !j.goesOn(o)) {
			*sig = signal{}
		}
	}
	severity := p.severity(j.detector, rate)
	if severity <= sig.Severity || *like < j.least || !st.Day.seen() {
		return
	}
	use, usual := st.lastHours(dayHours)
	if j.tells != nil && !j.tells(st, o, use, usual) {
		return
	}
	onset := o.end - min(tick(*like)+likeLag, 4*dayHours)*ticksAnHour
	if sig.Severity != 0 {
		onset = sig.Onset
	}
	*sig = signal{
		Severity: severity, Cause: code(Causes, j.cause(o)), Onset: onset, At: o.end, Hours: dayHours,
		Value: float32(use), Usual: float32(usual), Rate: float32(rate), Neighbours: float32(math.Exp(o.neighbours)),
	}
}

// tellsFrozen: what all do is the weather, a value that repeats to the last
// digit is more likely the meter's fault than anything in the home, and what
// runs on may have been told as that.
func tellsFrozen(st *homeState, o *observation, _, _ float64) bool {
	return o.neighbours-float64(st.Day.AreaMean) <= weather && !st.Plausible.repeats(o.length) &&
		(st.Day.Like[likeFrozen] >= stuckLeast || o.end-st.Above.Told >= dayHours*ticksAnHour)
}

func causeFrozen(o *observation) Cause {
	if o.looks[dayThermostat] > max(o.looks[dayFrozen], o.looks[dayLamp], o.looks[dayHeater]) {
		return CauseCycling
	}
	return CauseFlat
}

// tellsBelow: a silence is not a shortfall; that life goes on is the point of
// it.
func tellsBelow(st *homeState, o *observation, use, usual float64) bool {
	return o.end-st.Life.LastLife <= aliveWithin && use <= belowRatio*usual
}

// lacks reports whether the home still uses less than its neighbours explain.
func lacks(o *observation) bool { return o.likeDay.X[lookAlone] <= lacking }

func causeNight(o *observation) Cause {
	if o.looks[dayRestless] > o.looks[dayReversed] {
		return CauseRestless
	}
	return CauseReversed
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
