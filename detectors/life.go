package detectors

import "math"

// lifeState is the evidence that nobody is using anything.
type lifeState struct {
	Score        float32 // ln likelihood ratio, never below zero
	Prev, Before uint8   // levels of the last half-hour and the one before
	Begun        bool    // something was used since five in the morning
	Due          float32 // how often the last half-hour of the day is low
	Low          float32 // hours of the present run of low half-hours
	Missed       float32 // half-hours of it in which something is usually used
	Sum, N       float32 // of its levels
	Longest      float32 // hours of the longest such run of late, slowly forgotten
	LowShare     float32 // share of low half-hours, of the last six hours
	Still        float32 // rate of false alarms of how still the last day looked, 0: not judged yet
	LastLife     tick    // end of the last interval that a hand must have shaped
	Wh, Usual    float32 // used since LastLife, and usual for those hours
	ZeroSince    tick    // start of the present run of nothing at all, 0: none
	ZeroShare    float32 // how often the home reads nothing at all
}

// lifeInputs is what the model of life sees; see inputs.
const lifeInputs = 3*levels + 9

// LifeFeatures are the inputs of the model of life and what came.
type LifeFeatures struct {
	X     [lifeInputs]float32
	Level int // of the half-hour
}

// Bounds of the evidence of one half-hour. A single one can say much more
// against silence (a kettle) than for it.
const (
	lifeGainMax = 3
	lifeLossMax = 8
	// someLoss is what any use says at the least.
	someLoss = -0.5
	// zeroGain is what a half-hour without even a fridge says where no
	// neighbours tell whether it is the area's supply.
	zeroGain = 0.5
	// longestFloor and longestDays: a run of low half-hours of 3 h is nothing.
	longestFloor = 3
	longestDays  = 40
)

// inputs describes a half-hour before its level is known: how often the home
// is at each level at this time (log odds), the two levels before, how often
// it was low in the last week and is on days like this, for how long it has
// been low and how much is usually done in that time, whether the day has
// begun, how many more neighbours than usual are low, how long the run is
// against the longest of late, its mean level, and the last six hours.
func (l *lifeState) inputs(x *[lifeInputs]float32, s *shares, neighbours float64) {
	for k := range levels {
		x[k] = logOdds(s.of[k])
	}
	for i := levels; i < 3*levels; i++ {
		x[i] = 0
	}
	x[levels+int(l.Prev)] = 1
	x[2*levels+int(l.Before)] = 1
	c := x[3*levels:]
	c[0] = logOdds(s.fast)
	c[1] = 0
	if s.day != s.all {
		c[1] = logOdds(s.day) - logOdds(s.all)
	}
	c[2] = log1p(l.Low)
	c[3] = log1p(l.Missed)
	c[4] = 0
	if l.Begun {
		c[4] = 1
	}
	c[5] = float32(neighbours)
	c[6] = float32(math.Log(float64(l.Low+1) / float64(l.Longest+1)))
	c[7] = (l.Sum + 3) / (l.N + 2)
	c[8] = l.LowShare
}

func log1p(x float32) float32 { return float32(math.Log1p(float64(x))) }

// gain is what a half-hour says for silence: the logarithm of how often its
// level comes in a home that is still, after the level before, over how often
// it comes in this home with people in it.
func (m *Model) gain(x *[lifeInputs]float32, prev, level int) float64 {
	var logit [levels]float64
	m.Life.logits(logit[:], x[:])
	usual := logit[level] - logSum(logit[:]...)
	return m.logStill[prev][level] - max(usual, lifeRare)
}

// lifeRare is the least chance, ln, that a model fitted on some homes is
// believed about another.
const lifeRare = -9

// half takes a half-hour into the evidence. Method: Wald's sequential ratio
// with restart at zero (Page 1954, "Continuous inspection schemes"); the
// chance of a level under "a day like any other" by multinomial logistic
// regression pooled over homes on each home's own habits.
func (st *homeState) half(p *Params, half *halfHour, o *observation, f *Features) {
	l, h := &st.Life, &st.Levels
	st.Quiet.add(half.slot, half.watts)
	if !st.Quiet.known() {
		return
	}
	level := st.Quiet.level(half.watts)
	o.level = level
	if half.slot == 8 {
		l.Begun = false
	}
	usual := h.at(half.slot, half.rest)
	if l.Longest == 0 {
		l.Longest = 6
	}
	dark := half.watts == 0 && l.ZeroShare < usuallyZero
	gain := float64(-lifeLossMax) // of what a hand has switched on
	// Where there is no evidence, what speaks against silence changes nothing.
	counts := level < levelHigh && (l.Score != 0 || isLow(level))
	if f != nil || counts {
		x := &o.life.X
		l.inputs(x, &usual, o.lowNeighbours)
		o.life.Level = level
		if counts {
			gain = p.Model.gain(x, int(l.Prev), level)
		}
		if f != nil {
			f.Life = &o.life
		}
	}
	if !isLow(level) {
		gain = min(gain, someLoss) // less than usual is still something
	}
	switch {
	case dark && o.areaLit:
		gain = 0 // a tripped breaker says nothing about the person; it is an alarm of its own
	case dark:
		gain = max(gain, zeroGain)
	}
	score := max(0, float64(l.Score)+min(lifeGainMax, max(-lifeLossMax, gain)))
	if level == levelHigh {
		score /= 2 // however long the silence was, a few kettles end it
	}
	l.Score = float32(score)

	if isLow(level) {
		l.Low += 0.5
		l.Missed += float32(1 - usual.all)
		l.Sum += float32(level)
		l.N++
	} else {
		l.Longest = max(l.Longest, l.Low)
		l.Low, l.Missed, l.Sum, l.N = 0, 0, 0, 0
		if half.slot >= nightLen {
			l.Begun = true
		}
	}
	hit := float32(0)
	if isLow(level) {
		hit = 1
	}
	l.LowShare += (hit - l.LowShare) / 12
	l.Longest = longestFloor + (l.Longest-longestFloor)*float32(1-1.0/(slotsADay*longestDays))
	l.Prev, l.Before, l.Due = uint8(level), l.Prev, float32(usual.all)
	if o.learns {
		h.learn(half.slot, level, half.rest)
	}
}

// restart begins a new silence at a moment.
func (l *lifeState) restart(at tick) {
	l.Score, l.Still, l.Low, l.Missed, l.Sum, l.N = 0, 0, 0, 0, 0, 0
	l.LastLife, l.Wh, l.Usual = max(at, l.LastLife), 0, 0
}

// quietShare is the minimum effect of a silence: use over usual since the
// last sign of life.
const quietShare = 0.7

// observeLife judges the evidence after an interval.
func observeLife(p *Params, st *homeState, o *observation) signal {
	l, sig := &st.Life, st.Signals[sigLife]
	zero := o.wh == 0
	if zero && l.ZeroSince == 0 {
		l.ZeroSince = o.end - o.length
	} else if !zero {
		l.ZeroSince = 0
	}
	if sig.Severity == 0 {
		hit := float32(0)
		if zero {
			hit = 1
		}
		l.ZeroShare += (hit - l.ZeroShare) / 1000
	}
	dark := zero && l.ZeroShare < usuallyZero
	if l.LastLife == 0 || o.level == levelHigh || (l.Score == 0 && !isLow(o.level)) {
		l.LastLife, l.Wh, l.Usual = o.end, 0, 0
	} else {
		l.Wh += float32(o.wh)
		l.Usual += float32(o.usualWh)
	}
	score := float64(l.Score)
	rate := st.Tails.judge(p, detLife, score)
	if o.dayJudged {
		l.Still = float32(st.Tails.judge(p, detStill, o.looks[dayStill]))
	}
	still := math.Inf(1)
	if l.Still != 0 {
		still = float64(l.Still) // holds until the next hour is judged
	}
	if !o.judged {
		return signal{}
	}

	silent := o.end.hoursSince(l.LastLife)
	if silent >= absentHours {
		st.Tails.excuse() // a real absence is no chance
	}
	severity := Severity(0)
	if l.Wh <= quietShare*l.Usual && silent >= lifeHours {
		severity = p.severity(detLife, rate)
		if s := p.severity(detStill, still); s > severity {
			severity, rate = s, still
		}
		if severity == Orange && rate <= p.Budgets.Visit*redShare && silent >= redHours {
			severity = Red
		}
	}
	cause := CauseQuiet
	// Not even a fridge, while the neighbours have light.
	if hours := o.end.hoursSince(l.ZeroSince); dark && o.areaLit && hours >= darkHours {
		severity, cause, rate = max(severity, Orange), CauseDark, 0
		if hours >= redHours {
			severity = Red
		}
	}
	switch {
	case severity > sig.Severity:
		return signal{
			Severity: severity, Cause: code(Causes, cause), Onset: l.LastLife, At: o.end,
			Value: l.Wh, Usual: l.Usual, Hours: float32(silent), Rate: float32(rate),
		}
	case sig.Severity != 0 && severity == 0 && rate > 30*p.Budgets.Pushed && !isLow(o.level) && l.ZeroSince == 0:
		l.LastLife, l.Wh, l.Usual, l.Still = o.end, 0, 0, 0 // the next silence is another one
		return signal{}
	default:
		return sig
	}
}

const (
	// absentHours of silence are an absence.
	absentHours = 24
	darkHours   = 2  // how long a home must read nothing at all
	lifeHours   = 3  // the least silence worth a word
	redHours    = 30 // the least for red
	redShare    = 0.1
)

// more is whether the home is low beyond what is usual for the time, and
// whether that is known.
func (l *lifeState) more(st *homeState) (beyond float64, n int) {
	if !st.Quiet.known() || st.Levels.Count[0] == 0 {
		return 0, 0
	}
	beyond = -float64(l.Due)
	if isLow(int(l.Prev)) {
		beyond++
	}
	return beyond, 1
}

// sound: what a decoded home remembers of its levels is in range.
func (l *lifeState) sound() bool { return l.Prev < levels && l.Before < levels }
