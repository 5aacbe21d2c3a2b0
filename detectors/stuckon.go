package detectors

import "math"

// aboveState follows strong use that stays.
type aboveState struct {
	Score   float32           // log-odds that something has been left on, of the newest half-hour
	Least   float32           // W above the quiet nights, of the weakest half-hour of what was told
	Told    tick              // when something was last told of
	Highest float32           // W above the quiet nights that held for heldFor, of the day under way
	Held    [heldLevels]share // of days on which each level held for so long
}

// What a run of strong use looks like, in the order of the model's inputs.
const (
	runShort  = iota // ln of what has held for two hours, kW above the quiet nights
	runLong          // the same for four hours
	runOver          // ln of the mean above what has held, over it, two hours
	runOver4         // the same, four hours
	runRise3         // what has held for three hours against the hour before them, as a share
	runRise4         // the same, four hours
	runStep          // the clearest start: how far up, kW, and how long held since
	runSince         // half-hours since then
	runUsual         // standard deviations of √W above what is usual at this time, three hours
	runLeast         // the same, of the half-hour that is least unusual
	runBefore        // ln of the half-hours of the day before that were nearly as strong
	runLife          // ln of what is used beside it over what is usual at this time
	runRough         // ln of the mean step from one half-hour to the next, over what has held
	runHeld          // ln of the share of days on which as much held for three hours
	runInputs
)

// stuckInputs is the quadratic expansion of what a run looks like.
const stuckInputs = runInputs + runInputs*(runInputs+1)/2

// StuckFeatures is what the model of strong use sees. Centred by hand, so
// that products mean something.
type StuckFeatures struct{ X [runInputs]float32 }

// StuckClasses are what strong use can be, in the order of the model.
var StuckClasses = []string{"ordinary", "stuck"}

const (
	// Less above the quiet nights for two hours is not looked at, W; and less
	// for aboveHours is not worth a word.
	runWatts   = 500
	worthWatts = 700
	aboveHours = 2.5
	// runNever is the score of what is not looked at.
	runNever = -10
	// A run that is told of is over when less than this share of it is left.
	runLeft = 0.5
	// The half-hours that are looked back upon.
	runBack = 56
	// A start lies between these many half-hours back.
	runFirst, runLast = 3, 16
)

// Levels of use, W above the quiet nights, in equal steps of their logarithm,
// of which it is known on how many days each held for heldFor half-hours.
const (
	heldFor    = 6
	heldLevels = 10
	heldLowest = 400
	heldStep   = 0.25
	heldDays   = 56
)

// pass learns of a day that has ended, after so many others.
func (a *aboveState) pass(days float64) {
	part := float32(1 / min(days+1, heldDays))
	for k := range a.Held {
		a.Held[k].toward(fully(float64(a.Highest) >= heldLowest*math.Exp(heldStep*float64(k))), part)
	}
	a.Highest = 0
}

// held is the share of days on which that much held for three hours.
func (a *aboveState) held(watts float64) float64 {
	at := max(0, min(math.Log(watts/heldLowest)/heldStep, heldLevels-1))
	k := min(int(at), heldLevels-2)
	part := at - float64(k)
	return (1-part)*a.Held[k].float() + part*a.Held[k+1].float()
}

// run is the last hours as the model of strong use needs them.
type run struct {
	above [runBack]float64 // W above the quiet nights, the newest first
	least [runLast + 1]float64
}

// mean of the newest n half-hours.
func (r *run) mean(n int) float64 {
	sum := 0.0
	for _, w := range r.above[:n] {
		sum += w
	}
	return sum / float64(n)
}

// over is how much is used beside what has held for n half-hours.
func (r *run) over(n int) float32 {
	return float32(math.Log((max(0, r.mean(n)-r.least[n]) + 30) / (r.least[n] + 30)))
}

// before is the stronger of the two half-hours before the newest n.
func (r *run) before(n int) float64 { return max(r.above[n], r.above[n+1], 0) }

// rise is how far what has held for n half-hours stands out.
func (r *run) rise(n int) float32 {
	return float32(max(-2, (r.least[n]-r.before(n))/r.least[n]))
}

// start is how many half-hours back the clearest start lies, and how clear
// it is.
func (r *run) start() (n int, best float64) {
	best = math.Inf(-1)
	for k := runFirst; k <= runLast; k++ {
		v := min((r.least[k]-max(0, r.above[k]))/1000, 1.5) + 0.1*float64(min(k, 8))
		if v > best {
			n, best = k, v
		}
	}
	return n, best
}

// looks describes the run; since is how many half-hours back it most likely
// began.
func (r *run) looks(x *[runInputs]float32, st *homeState) (since int) {
	since, best := r.start()
	base, held := st.Quiet.mid(), r.least[since]
	z, least, usual, rough := 0.0, math.Inf(1), 0.0, 0.0
	for ago := range max(since, heldFor) {
		slot := (int(st.Day.Slot) - ago + slotsADay) % slotsADay
		if ago < heldFor {
			root := math.Sqrt(max(0, r.above[ago]+base))
			v := min(max((root-st.Habits.root(slot))/math.Sqrt(st.Habits.variance(slot)+4), -3), 6)
			z, least = z+v/heldFor, min(least, v)
		}
		if ago < since {
			usual += max(0, st.Habits.mean(slot)-base) / float64(since)
			if ago > 0 {
				rough += math.Abs(r.above[ago]-r.above[ago-1]) / float64(since)
			}
		}
	}
	strong := 0.0
	for _, w := range r.above[8:] {
		if w > 0.8*r.least[4] {
			strong++
		}
	}
	*x = [runInputs]float32{
		runShort:  float32(math.Log(r.least[4] / 1000)),
		runLong:   float32(math.Log(r.least[8] / 1000)),
		runOver:   r.over(4),
		runOver4:  r.over(8),
		runRise3:  r.rise(6),
		runRise4:  r.rise(8),
		runStep:   float32(best - 1),
		runSince:  float32(since)/4 - 2,
		runUsual:  float32(z) - 1,
		runLeast:  float32(least),
		runBefore: float32(math.Log1p(strong)) - 2,
		runLife:   float32(math.Log((max(0, r.mean(since)-held) + 40) / (usual + 40))),
		runRough:  float32(math.Log((rough+10)/(held+10))) + 1,
		runHeld:   float32(math.Log(st.Above.held(r.least[heldFor])+0.01)) + 2,
	}
	return since
}

// strong looks at the half-hour that has just been completed: how much more
// likely is it that something strong has been left on than that this home does
// what it does? Method: logistic regression pooled over homes, on what the run
// looks like against the home's own habits; see Model.Stuck.
func (st *homeState) strong(p *Params, o *observation, f *Features) {
	a, d := &st.Above, &st.Day
	if !st.Quiet.known() {
		return
	}
	base := st.Quiet.mid()
	above := func(ago int) float64 { return float64(d.Ring[(d.Last-uint32(ago))%dayRing]) - base }
	least := above(0)
	short := least
	for ago := 1; ago < heldFor && least > heldLowest; ago++ {
		least = min(least, above(ago))
		if ago < 4 {
			short = least
		}
	}
	if o.learns {
		a.Highest = max(a.Highest, float32(least))
	}
	a.Score, o.strongJudged, o.worth = runNever, true, false
	if short < runWatts || d.N < dayRing/2 {
		return
	}
	var r run
	for ago := range r.above {
		r.above[ago] = above(ago)
	}
	r.least[0] = math.Inf(1)
	for n := 1; n <= runLast; n++ {
		r.least[n] = min(r.least[n-1], max(r.above[n-1], 30))
	}
	o.since = r.looks(&o.stuck.X, st)
	o.held = r.least[o.since]
	if f != nil {
		f.Stuck = &o.stuck
	}
	a.Score = float32(p.Model.stuckScore(&o.stuck))
	o.worth = r.least[int(2*aboveHours)] >= worthWatts
}

// stuckScore is the log-odds that something has been left on.
func (m *Model) stuckScore(f *StuckFeatures) float64 {
	var room [stuckInputs]float32
	var logit [2]float64
	m.Stuck.logits(logit[:], Quadratic(room[:0], f.X[:]))
	return logit[1] - logit[0]
}

// observeAbove tells something strong that has run on for hours.
func observeAbove(p *Params, st *homeState, o *observation) signal {
	a, sig := &st.Above, st.Signals[sigAbove]
	if !o.strongJudged {
		return sig
	}
	rate := st.Tails.judge(p, detAbove, float64(a.Score))
	if sig.Severity != 0 && o.watts-st.Quiet.mid() < runLeft*float64(a.Least) {
		return signal{}
	}
	severity := p.severity(detAbove, rate)
	// What all do is the weather; a run stands out further than a day does. And
	// to the last digit nothing in a home repeats: that is the meter's fault.
	if !o.judged || !o.worth || severity <= sig.Severity || o.others.rise()-float64(st.Day.AreaMean) > 2*weather ||
		st.Plausible.repeatsFor(o.length, 2*ticksAnHour) {
		return sig
	}
	a.Told, a.Least = o.end, float32(o.held)
	use, usual := st.lastHalves(o.since)
	return signal{
		Severity: severity, Cause: code(Causes, CauseAbove), Onset: o.end - 2*tick(o.since), At: o.end,
		Value: float32(use), Usual: float32(usual), Hours: float32(o.since) / 2, Rate: float32(rate),
	}
}

// lastHalves is use and usual over the last half-hours, Wh.
func (st *homeState) lastHalves(n int) (use, usual float64) {
	for ago := range n {
		use += float64(st.Day.Ring[(st.Day.Last-uint32(ago))%dayRing]) / 2
		usual += st.Habits.mean((int(st.Day.Slot)-ago+slotsADay)%slotsADay) / 2
	}
	return use, usual
}
