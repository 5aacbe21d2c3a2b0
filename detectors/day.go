package detectors

import (
	"math"
	"math/bits"
)

// dayState is the last day and a half of a home and what its days are like.
type dayState struct {
	lastHalves
	N float32 // hours learned
	// Moments of what a day looks like, of the home's own days: see looks.
	Mean, Var [dayInputsOwn]float32
	XA, AA    float32 // how far the home follows its neighbours
	AreaMean  float32
	Lifted    float32      // share of hours on days on which the neighbours needed more
	Like      [likes]uint8 // hours for which each likeness has held
	Odd       float32      // how reversed or restless the last days look
	Strong    strengths
}

// lastHalves are the half-hours of the last day and a half.
type lastHalves struct {
	Ring [dayRing]uint16 // W, the newest at Last
	// Guessed has a bit for each half-hour that is in Ring as usual, since it was
	// not heard or is accounted for; the newest is the lowest.
	Guessed uint64
	Last    uint32 // newest half-hour, counted from 1970
	Slot    uint8  // its place in the local day
}

const (
	dayRing = 72 // 36 h
	// dayMemory is how many hours of looks count.
	dayMemory = 28 * 24
	// A few days' worth of a wide guess keeps a young home's spread from zero.
	dayPrior, dayPriorVar = 48, 0.1
	// dayKnown is how many hours a home must have shown.
	dayKnown = 72
	// guessedMost half-hours of a day that is told of may be guessed.
	guessedMost = slotsADay / 4
	// dayClip bounds one input.
	dayClip = 6
	// lookLessScale makes numbers about 1 of sums of evidence.
	lookLessScale = 20
)

// What a day looks like, in the order of the model's inputs.
const (
	lookUse    = iota // ln of use above base over usual, 24 h
	lookSlope         // of √W on usual √W: 1 is the usual shape, 0 none, below that the reverse
	lookCorr          // their correlation
	lookMax           // ln of the highest hour
	lookMin           // ln of the lowest hour
	lookRough         // ln of the mean step from hour to hour
	lookNight         // share of use between midnight and six
	lookHalf          // ln of use over usual, 12 h
	lookSpread        // ln of the spread of √W
	lookAlone         // lookUse less what the neighbours explain
	lookTop           // ln of the four highest half-hours
	lookActive        // share of 36 hours in which something was used
	lookLess          // evidence that use is weaker, of some 16 h
	lookWeak          // the same of those of 36 hours in which something was used
	dayInputsOwn
)

// dayInputs is the quadratic expansion of the looks.
const dayInputs = dayInputsOwn + dayInputsOwn*(dayInputsOwn+1)/2

// DayFeatures is what the model of the day sees, each look in standard
// deviations of the home's own days.
type DayFeatures struct{ X [dayInputsOwn]float32 }

// DayClasses are what a day can look like, in the order of the model.
var DayClasses = []string{"ordinary", "shortfall", "still", "frozen", "lamp", "heater", "thermostat", "reversed", "restless"}

const (
	dayOrdinary = iota
	dayShortfall
	dayStill
	dayFrozen
	dayLamp
	dayHeater
	dayThermostat
	dayReversed
	dayRestless
	dayClasses
)

// put stores a half-hour; what was missed since the newest counts as usual.
func (d *dayState) put(h *habits, q *quiet, half *halfHour, learns bool) {
	if q.known() {
		d.Strong.add(half.slot, half.watts-q.mid(), learns)
	}
	d.turn(h, half)
}

// turn puts a half-hour into the ring.
func (d *lastHalves) turn(h *habits, half *halfHour) {
	now := uint32(half.end / 2)
	missed := min(now-d.Last, dayRing)
	d.Guessed = d.Guessed<<missed | (1<<missed-1)&^1
	for i := missed - 1; i > 0 && d.Last != 0; i-- {
		d.Ring[(now-i)%dayRing] = saturate(h.mean((half.slot - int(i) + 2*slotsADay) % slotsADay))
	}
	d.Last, d.Slot = now, uint8(half.slot)
	d.Ring[now%dayRing] = saturate(half.watts)
}

// clearDay forgets the last day: it was as usual.
func (st *homeState) clearDay() {
	d, h := &st.Day, &st.Habits
	st.Unusual = true
	d.Odd, d.Like, d.Guessed = 0, [likes]uint8{}, math.MaxUint64
	d.Strong.Less = lookLessScale * d.Mean[lookLess]
	for i := range uint32(dayRing) {
		d.Ring[(d.Last-i)%dayRing] = saturate(h.mean((int(d.Slot) - int(i) + 2*slotsADay) % slotsADay))
	}
}

// seen reports whether enough of the last day was seen to tell of it.
func (d *dayState) seen() bool {
	const day = 1<<slotsADay - 1
	return bits.OnesCount64(d.Guessed&day) <= guessedMost
}

// inUseAbove is the use, W, from which something is in use in a home that draws
// base when nothing is.
func inUseAbove(base float64) float64 { return 1.25*base + 40 }

func saturate(x float64) uint16 { return uint16(min(max(x+0.5, 0), math.MaxUint16)) }

// at is the hour that ended so many hours ago, W.
func (d *dayState) at(hoursAgo int) float64 {
	i := d.Last - uint32(2*hoursAgo)
	return (float64(d.Ring[i%dayRing]) + float64(d.Ring[(i-1)%dayRing])) / 2
}

// looks describes the last day. Powers are taken on a root scale, on which
// lamps and kettles both count.
func (d *dayState) looks(x *[dayInputsOwn]float64, h *habits, base float64, hour int) {
	const n = 24
	var hours [dayRing / 2]uint32 // twice W, the newest first
	var four [4]uint16
	active, some := 0.0, inUseAbove(base)
	at := int(d.Last % dayRing)
	for ago := range hours {
		v := d.Ring[at]
		if at--; at < 0 {
			at = dayRing - 1
		}
		w := d.Ring[at]
		if at--; at < 0 {
			at = dayRing - 1
		}
		hours[ago] = uint32(v) + uint32(w)
		if float64(hours[ago])/2 > some {
			active++
		}
		if ago < n {
			highest(&four, v)
			highest(&four, w)
		}
	}
	var use, usual, use12, usual12, night float64
	var su, sp, suu, spp, sup, rough float64
	most, least := hours[0], hours[0]
	next := 0.0
	for ago, twice := range hours[:n] {
		of := hour - ago
		if of < 0 {
			of += n
		}
		w := float64(twice) / 2
		mean, p := h.hour(of)
		above, usually := max(0, w-base), max(0, mean-base)
		use += above
		usual += usually
		if ago < 12 {
			use12 += above
			usual12 += usually
		}
		if of < 6 {
			night += above
		}
		most, least = max(most, twice), min(least, twice)
		u := math.Sqrt(w)
		su, sp, suu, spp, sup = su+u, sp+p, suu+u*u, spp+p*p, sup+u*p
		if ago > 0 {
			rough += math.Abs(u - next)
		}
		next = u
	}
	cov := sup/n - su/n*sp/n
	varU, varP := max(0, suu/n-su/n*su/n), max(0, spp/n-sp/n*sp/n)
	strongest := 0.0
	for _, v := range four {
		strongest += max(0, float64(v)-base)
	}
	*x = [dayInputsOwn]float64{
		lookUse:    math.Log((use + 30*n) / (usual + 30*n)),
		lookSlope:  cov / (varP + 0.3),
		lookCorr:   cov / math.Sqrt((varP+0.3)*(varU+0.3)),
		lookMax:    math.Log(max(0, float64(most)/2-base) + 50),
		lookMin:    math.Log(max(0, float64(least)/2-base) + 20),
		lookRough:  math.Log(rough/n + 0.3),
		lookNight:  (night + 60) / (use + 240),
		lookHalf:   math.Log((use12 + 360) / (usual12 + 360)),
		lookSpread: 0.5 * math.Log(varU+0.3),
		lookTop:    math.Log(strongest + 200),
		lookActive: active / (dayRing / 2),
		lookLess:   float64(d.Strong.Less) / lookLessScale,
		lookWeak:   d.weak(base) / lookLessScale,
	}
}

// weak is the evidence that use is weaker, of the half-hours of the ring in
// which something was used.
func (d *dayState) weak(base float64) float64 {
	used := 0.25*base + 40
	var says [dayParts][strengthSteps]float64 // 0: not asked yet
	product := 1.0                            // within e^±180
	at, slot := int(d.Last%dayRing), int(d.Slot)
	for range dayRing {
		if above := float64(d.Ring[at]) - base; above > used {
			part, step := slot/slotsAPart, strengthOf(above)
			weaker := &says[part][step]
			if *weaker == 0 {
				*weaker = d.Strong.weaker(part, step)
			}
			product *= *weaker
		}
		if at--; at < 0 {
			at = dayRing - 1
		}
		if slot--; slot < 0 {
			slot = slotsADay - 1
		}
	}
	return math.Log(product)
}

// highest keeps the four highest values, the highest first.
func highest(four *[4]uint16, v uint16) {
	if v <= four[3] {
		return
	}
	for k := range four {
		if v > four[k] {
			v, four[k] = four[k], v
		}
	}
}

// standardise turns looks into standard deviations of the home's own days,
// and learns them.
func (d *dayState) standardise(f *DayFeatures, x *[dayInputsOwn]float64, area float64, learns bool) {
	n := float64(min(d.N, dayMemory))
	rate := 1 / float64(min(d.N+1, dayMemory))
	dx, da := x[lookUse]-float64(d.Mean[lookUse]), area-float64(d.AreaMean)
	beta := d.beta()
	x[lookAlone] = dx - beta*da
	learns = learns && (math.Abs(dx) < 1.5 || d.N < dayKnown)
	for i := range x {
		v := float64(d.Var[i])
		mean := float64(d.Mean[i])
		if i == lookAlone {
			v, mean = max(0, float64(d.Var[lookUse])-beta*float64(d.XA)), 0
		}
		sd := math.Sqrt((v*n + dayPrior*dayPriorVar) / (n + dayPrior))
		delta := x[i] - mean
		f.X[i] = float32(min(dayClip, max(-dayClip, delta/max(sd, 0.05))))
		if !learns || i == lookAlone {
			continue
		}
		d.Mean[i] += float32(rate * delta)
		d.Var[i] += float32(rate * (delta*delta - v))
	}
	if learns {
		d.AreaMean += float32(rate * da)
		d.XA += float32(rate * (dx*da - float64(d.XA)))
		d.AA += float32(rate * (da*da - float64(d.AA)))
	}
	d.N = min(d.N+1, math.MaxInt32)
}

// beta is how far the home follows its neighbours: the regression of its log
// use on theirs, held down while little is known.
func (d *dayState) beta() float64 {
	return max(0, min(1.3, float64(d.XA)/(float64(d.AA)+0.01)))
}

// Quadratic writes x, its squares and its products two by two: x_i, x_i²/3,
// and x_i·x_j/3 for j < i.
func Quadratic(dst, x []float32) []float32 {
	dst = append(dst[:0], x...)
	for _, v := range x {
		dst = append(dst, v*v/3)
	}
	for i, v := range x {
		for _, w := range x[:i] {
			dst = append(dst, v*w/3)
		}
	}
	return dst
}

// dayScores are the log-odds of each class against a day like any other or,
// but for stillness, a home in which nobody is.
type dayScores [dayClasses]float64

func (m *Model) dayScores(f *DayFeatures) (s dayScores) {
	var room [dayInputs]float32
	x := Quadratic(room[:0], f.X[:])
	var logit [dayClasses]float64
	m.Day.logits(logit[:], x)
	with := logSum(logit[dayOrdinary], logit[dayStill])
	for c := range s {
		s[c] = logit[c] - with
	}
	s[dayStill] = logit[dayStill] - logit[dayOrdinary]
	return s
}

// hour takes in the hour that has just been completed and judges the day.
func (st *homeState) hour(p *Params, half *halfHour, o *observation, f *Features) {
	d := &st.Day
	hour := half.slot / 2
	if !st.Quiet.known() || st.Habits.Days < 3 {
		return
	}
	var x [dayInputsOwn]float64
	d.looks(&x, &st.Habits, st.Quiet.mid(), hour)
	o.neighbours = o.others.rise()
	d.standardise(&o.likeDay, &x, o.neighbours, o.learns)
	if d.N < dayKnown {
		return
	}
	if f != nil {
		f.Day = &o.likeDay
	}
	o.dayJudged = true
	o.looks = p.Model.dayScores(&o.likeDay)
}
