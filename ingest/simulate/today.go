package simulate

// today is the scratch in which one day of one home is made: everything an
// appliance needs to know. It is used again for the next.
type today struct {
	v     *Village
	sky   *sky
	dice  *dice
	home  home
	meter meter

	routine, yesterday routine // yesterday's evening reaches past midnight
	away               []span  // on a journey
	absent             []span  // on a journey or an errand
	broken             []span  // the air conditioner, by an event
}

func newToday(v *Village) *today { return &today{v: v, dice: newDice()} }

// run fills the meter for the home at an index.
func (t *today) run(index int, s, before *sky) {
	t.sky = s
	t.v.home(index, t.dice, &t.home)
	t.meter.reset(s.seconds)
	t.events()

	t.away = t.v.away(&t.home, s, t.dice, t.away[:0])
	t.yesterday = t.v.routine(&t.home, before, t.dice)
	t.routine = t.v.routine(&t.home, s, t.dice)
	if len(t.away) > 0 {
		t.routine.guests = 0 // they ring and find nobody
	}
	t.absent = append(t.absent[:0], t.away...)
	for _, errand := range t.routine.out {
		if errand.until > errand.from {
			t.absent = append(t.absent, errand)
		}
	}

	t.standby()
	t.cool()
	t.boil()
	t.cook()
	t.light()
	t.watch()
	t.small()
	t.wash()
	t.bathe()
	t.condition()
	t.fan()
	t.warmRoom()
	t.night(t.yesterday, -secondsADay, s.number-1)
	t.night(t.routine, 0, s.number)
}

// events takes from the home's plan what touches this day.
func (t *today) events() {
	t.broken = t.broken[:0]
	take := func(to []span, all []instants) []span {
		for _, e := range all {
			from, until := e.from.Sub(t.sky.start).Seconds(), e.until.Sub(t.sky.start).Seconds()
			if from < t.sky.seconds && until > 0 {
				to = append(to, span{from, until})
			}
		}
		return to
	}
	t.meter.dark = take(t.meter.dark, t.v.outages[t.home.area])
	if t.home.plan != nil {
		t.meter.dark = take(t.meter.dark, t.home.plan.dark)
		t.broken = take(t.broken, t.home.plan.acBroken)
	}
}

func (t *today) roll(s stream) { t.dice.roll(t.v.opt.Seed, s, t.home.index, t.sky.number) }

// indoors is the temperature of an unconditioned room at a second of the day.
func (t *today) indoors(at float64) float64 {
	return t.sky.indoor[min(max(int(at)/cell, 0), t.sky.cells-1)]
}

// once runs an appliance that somebody has to start and that stops by itself.
func (t *today) once(from, seconds, watts float64) {
	if !within(t.absent, from) {
		t.meter.add(from, from+seconds, watts)
	}
}

// while runs an appliance for as long as somebody is in.
func (t *today) while(from, until, watts float64) {
	without(t.absent, from, until, func(from, until float64) { t.meter.add(from, until, watts) })
}
