package simulate

// Appliances that answer to the temperature.

const (
	fanFrom     = 28.0 // indoor degrees from which a fan turns
	fanWatts    = 45.0
	acLinger    = 1.0  // degrees below bearable at which an air conditioner is switched off again
	acFanWatts  = 35.0 // indoor and outdoor fan and electronics, while it is on
	blanketFrom = 11.0 // indoor degrees below which a bed is warmed
	stoveFrom   = 8.0
)

// condition runs the air conditioner: on and off by habit and temperature,
// quarter-hour by quarter-hour, and while on, the compressor's thermostat.
func (t *today) condition() {
	ac := &t.home.ac
	if ac.watts == 0 {
		return
	}
	t.roll(streamAirConditioner)
	from := ac.from + t.dice.between(-0.5, 0.5)
	if t.dice.chance(ac.forsworn*clamp((33.5-t.sky.high)/4, 0, 1)) && t.routine.guests == 0 {
		return // saved today; not in real heat
	}
	running := false
	started := 0.0
	for i := range t.sky.cells {
		at := float64(i) * cell
		limit := from
		if running {
			limit -= acLinger
		}
		on := t.sky.indoor[i] > limit && t.acWanted(at) && !within(t.absent, at)
		if on && !running {
			started = at
		}
		if !on && running {
			t.compress(started, at)
		}
		running = on
	}
	if running {
		t.compress(started, t.sky.seconds)
	}
}

// acWanted: by the hours of the home, whatever the temperature.
func (t *today) acWanted(at float64) bool {
	ac, r, y := &t.home.ac, &t.routine, &t.yesterday
	if r.guests > 0 && r.visit.holds(at) {
		return true
	}
	if ac.thrifty {
		return r.nap.holds(at) || at >= r.bed-1.5*hour && at < r.bed+1*hour || at < y.bed+1*hour-secondsADay
	}
	return at >= r.wake && at < r.bed+ac.nightFor*hour || at < y.bed+ac.nightFor*hour-secondsADay
}

// compress runs at full power until the room is cool, then in turns whose share
// grows with the heat outside.
func (t *today) compress(from, until float64) {
	ac := &t.home.ac
	t.acDraw(from, until, acFanWatts)
	cool := min(from+t.dice.between(10, 25)*minute, until)
	t.acDraw(from, cool, ac.watts)
	for at := cool; at < until; {
		period := ac.breathing * t.dice.between(0.8, 1.2)
		share := clamp(0.2+(t.indoors(at)-ac.set)/16, 0.15, 1)
		t.acDraw(at, min(at+share*period, until), ac.watts)
		at += period
	}
}

func (t *today) acDraw(from, until, watts float64) {
	without(t.broken, from, until, func(from, until float64) { t.meter.add(from, until, watts) })
}

// fan turns in the heat where no air conditioner does.
func (t *today) fan() {
	t.roll(streamFan)
	from := fanFrom + t.dice.between(-1, 1)
	r, y := &t.routine, &t.yesterday
	for i := range t.sky.cells {
		at := float64(i) * cell
		if t.sky.indoor[i] <= from || t.home.ac.watts > 0 && !within(t.broken, at) {
			continue
		}
		if at >= r.wake && at < r.bed+2*hour || at < y.bed+2*hour-secondsADay {
			t.while(at, at+cell, fanWatts)
		}
	}
}

// warmRoom runs an electric heater on the coldest evenings.
func (t *today) warmRoom() {
	if t.home.stove == 0 || t.indoors(18*hour) > stoveFrom {
		return
	}
	t.roll(streamStove)
	from := t.routine.dinner + t.dice.between(0.2, 1)*hour
	until := min(from+t.dice.between(0.7, 2.6)*hour, t.routine.bed)
	if !t.dice.chance(0.7) {
		return
	}
	for at := from; at < until; {
		period := t.dice.between(8, 15) * minute
		t.while(at, min(at+0.65*period, until), t.home.stove)
		at += period
	}
}

// night is what runs between one bedtime and the morning after: the blanket,
// and a lamp on the way to the toilet. It is drawn from the day of the bedtime
// and laid on the day before and after midnight alike.
func (t *today) night(r routine, shift float64, day int) {
	seed, index := t.v.opt.Seed, t.home.index
	bed := r.bed + shift
	t.dice.roll(seed, streamNight, index, day)
	for range t.dice.IntN(t.home.nightly + 1) {
		at := bed + t.dice.between(1.5, 8)*hour
		t.once(at, t.dice.between(3, 11)*minute, t.dice.between(6, 22))
	}
	if t.home.blanket == 0 {
		return
	}
	t.dice.roll(seed, streamBlanket, index, day)
	from, long := bed-t.dice.between(0, 1)*hour, t.dice.between(1.5, 8.5)*hour
	if t.indoors(max(bed, 0)) < blanketFrom+t.dice.between(-2, 2) && !within(t.away, max(from, 0)) {
		for at := from; at < from+long; at += 20 * minute {
			t.meter.add(at, at+14*minute, t.home.blanket)
		}
	}
}
