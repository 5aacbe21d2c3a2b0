package simulate

const (
	minute = 60.0
	hour   = 3600.0
)

// standby is what never sleeps: router, set-top box, clocks, chargers left in.
func (t *today) standby() { t.meter.add(0, t.sky.seconds, t.home.standby) }

// cool cycles the fridge's compressor, longer in a warm kitchen.
func (t *today) cool() {
	t.roll(streamFridge)
	f := &t.home.fridge
	for at := -t.dice.Float64() * f.period; at < t.sky.seconds; {
		period := f.period * t.dice.between(0.85, 1.15)
		duty := clamp(f.duty*(1+0.035*(t.indoors(at)-20)), 0.1, 0.9)
		t.meter.add(at, at+duty*period, f.watts)
		at += period
	}
}

// boil heats water for tea and for the flask.
func (t *today) boil() {
	if t.home.kettle == 0 {
		return
	}
	t.roll(streamKettle)
	pot := func(at float64) { t.once(at, t.dice.between(150, 420), t.home.kettle) }
	r := &t.routine
	if at := r.wake + t.dice.between(5, 40)*minute; t.dice.chance(0.92) {
		pot(at)
	}
	if at := t.dice.between(13.5, 16.5) * hour; t.dice.chance(0.55) {
		pot(at)
	}
	if at := r.dinner + t.dice.between(0.5, 2)*hour; t.dice.chance(0.25) {
		pot(at)
	}
	for range min(r.guests, 3) {
		pot(t.dice.between(r.visit.from, r.visit.until))
	}
}

// cook runs rice cooker and hob ahead of the meals.
func (t *today) cook() {
	t.roll(streamCooking)
	h, r := &t.home, &t.routine
	meal := func(at float64, cooked bool, rice, fry float64) {
		much := t.dice.between(0.8, 1.2) * (1 + 0.3*float64(r.guests))
		cooking, warm := t.dice.between(22, 34)*minute, t.dice.between(10, 80)*minute
		frying, steam := t.dice.between(5, 15)*minute, t.dice.chance(rice)
		hob := t.dice.chance(fry)
		if within(t.broken, at-cooking) && within(t.broken, at+1.5*hour) {
			much *= 0.55 // no appetite in a hot room, and no wish to stand at a stove
		}
		if !cooked {
			return
		}
		if steam {
			start := at - cooking - 5*minute
			t.once(start, cooking*much, h.cooker)
			t.once(start+cooking*much, warm, 40)
		}
		if hob && h.hob > 0 {
			t.once(at-15*minute, frying*much, h.hob)
		}
	}
	meal(r.breakfast, true, h.porridge, 0.1)
	meal(r.lunch, r.cookLunch, 0.85, 0.85)
	meal(r.dinner, r.cookDinner, 0.5, 0.7)
}

// light burns before sunrise and from dusk to bed.
func (t *today) light() {
	t.roll(streamLights)
	h, r := &t.home, &t.routine
	dusk := t.sky.sunset - t.dice.between(0, 35)*minute
	off := r.bed + t.dice.between(0, 15)*minute
	t.while(dusk, off, h.lamp)
	if dark := t.sky.sunrise - 10*minute; r.wake < dark {
		t.while(r.wake, dark, h.lamp)
	}
	t.while(r.dinner-35*minute, r.dinner, 12) // kitchen, range hood
	if r.guests > 0 {
		t.while(max(dusk, r.visit.from), r.visit.until, 1.5*h.lamp)
	}
}

// watch turns the television on: the evening always, or nearly; the day by
// habit.
func (t *today) watch() {
	t.roll(streamTelevision)
	h, r := &t.home, &t.routine
	if from, long := r.breakfast+t.dice.between(0.3, 1.5)*hour, t.dice.between(0.5, 2)*hour; t.dice.chance(0.6 * h.daytimeTV) {
		t.while(from, min(from+long, r.lunch-0.5*hour), h.tv)
	}
	if from, long := t.dice.between(13.5, 15)*hour, t.dice.between(0.7, 2.5)*hour; t.dice.chance(h.daytimeTV) {
		t.while(max(from, r.nap.until), min(from+long, r.dinner-0.5*hour), h.tv)
	}
	if from := r.dinner + t.dice.between(0.3, 1)*hour; t.dice.chance(0.94) {
		t.while(from, r.bed-t.dice.between(0, 30)*minute, h.tv)
	}
	if r.guests > 0 {
		t.while(r.visit.from, min(r.visit.until, r.dinner), h.tv)
	}
}

// small are the radio and the things that charge.
func (t *today) small() {
	t.roll(streamSmall)
	r := &t.routine
	if from := r.wake + t.dice.between(0, 40)*minute; t.home.radio {
		t.while(from, from+t.dice.between(0.5, 2)*hour, 6)
	}
	if from := t.dice.between(9, 20) * hour; t.dice.chance(0.6) {
		t.once(from, t.dice.between(1, 2.5)*hour, 8) // phone
	}
	if from := t.dice.between(8, 17) * hour; t.dice.chance(0.15) {
		t.once(from, t.dice.between(2, 9)*minute, t.dice.between(300, 1200)) // iron, blender, hair dryer
	}
}

// wash is a load: some turns of the drum, a pump, a spin.
func (t *today) wash() {
	t.roll(streamWashing)
	at := t.routine.wake + t.dice.between(0.7, 3)*hour
	if !t.dice.chance(t.home.washer*(1+0.4*float64(t.routine.guests))) || within(t.absent, at) {
		return
	}
	for range 4 + t.dice.IntN(4) {
		long := t.dice.between(3, 7) * minute
		t.meter.add(at, at+long, t.dice.between(130, 260))
		at += long + t.dice.between(1, 3)*minute
	}
	t.meter.add(at, at+5*minute, 320)
}

// bathe heats a boiler for one bath, the longer the colder the water comes.
func (t *today) bathe() {
	if t.home.heater == 0 {
		return
	}
	t.roll(streamBath)
	warm := t.indoors(17 * hour)
	long := clamp(44-1.1*warm, 8, 45) * minute * t.dice.between(0.85, 1.15)
	at := t.routine.dinner + t.dice.between(0.3, 1.5)*hour
	if t.dice.chance(clamp(0.15+0.02*warm, 0.2, 0.75)) {
		t.once(at, long, t.home.heater)
	}
}
