package simulate

// home is what stays the same for one household: its appliances and its ways.
// Powers are in watts, hours of the day in hours, chances per day.
type home struct {
	index int
	area  int
	plan  *plan // what Given and Events have in store for it; nil for most

	couple   bool
	standby  float64 // router, set-top box, clock, charger
	fridge   fridge
	cooker   float64 // rice cooker
	kettle   float64 // 0: boils water with gas
	hob      float64 // induction hob, 0: cooks with gas
	washer   float64 // chance of a wash
	heater   float64 // electric water heater, 0: none or solar
	lamp     float64
	tv       float64
	ac       airConditioner
	blanket  float64 // 0: none
	stove    float64 // electric room heater, 0: none
	radio    bool
	porridge float64 // chance of a breakfast cooked on electricity

	wake, lunch, dinner, bed float64
	spread                   float64 // hours by which a day departs from the usual
	nap                      float64 // chance
	daytimeTV                float64 // chance
	morningOut, afternoonOut float64 // chances
	sociable                 float64 // how many visits, 1 is most
	roaming                  float64 // chance of a journey in a quarter of a year
	nightly                  int     // times up at night, at most
}

type fridge struct {
	watts  float64
	period float64 // seconds from start to start
	duty   float64 // share of time running at 20 degrees
}

// airConditioner of the split kind; watts 0 is a home without.
type airConditioner struct {
	watts     float64
	from      float64 // indoor temperature without it at which it is switched on
	set       float64 // its thermostat
	thrifty   bool    // in the nap and before sleep only
	nightFor  float64 // hours after bedtime
	forsworn  float64 // chance of a day without it, if not a hot one
	breathing float64 // seconds from start to start of the compressor
}

// home makes the household at an index from seed, index and plan alone. That is
// so cheap that it is done again every day, and a million homes need no memory.
func (v *Village) home(index int, d *dice, h *home) {
	d.roll(v.opt.Seed, streamHome, index, 0)
	*h = home{
		index: index,
		area:  areaOf(index, &v.opt),
		plan:  v.plans[index],

		couple:  d.chance(0.2),
		standby: d.between(9, 24),
		fridge: fridge{
			watts:  d.between(65, 125),
			period: d.between(34, 75) * 60,
			duty:   d.between(0.2, 0.34),
		},
		cooker:   d.between(400, 700),
		washer:   d.between(0.12, 0.4),
		lamp:     d.between(7, 26),
		tv:       d.between(45, 115),
		radio:    d.chance(0.4),
		porridge: d.between(0, 0.7),

		wake:         clamp(d.about(5.5, 0.7), 4.2, 7.4),
		lunch:        d.about(11.2, 0.3),
		dinner:       d.about(16.9, 0.45),
		bed:          d.about(20.4, 0.8),
		spread:       d.between(0.12, 0.75),
		nap:          d.between(0.3, 0.95),
		daytimeTV:    d.between(0.1, 0.8),
		morningOut:   d.between(0.2, 0.8),
		afternoonOut: d.between(0.05, 0.45),
		sociable:     d.between(0.35, 1),
		roaming:      d.between(0.1, 0.55),
		nightly:      d.IntN(4),
	}
	if d.chance(0.8) {
		h.kettle = d.between(1300, 1800)
	}
	if d.chance(0.3) {
		h.hob = d.between(1100, 1700)
	}
	if d.chance(0.35) {
		h.heater = d.between(1400, 2000)
	}
	if d.chance(0.75) {
		h.blanket = d.between(55, 100)
	}
	if d.chance(0.45) {
		h.stove = d.between(700, 1100)
	}
	h.ac = airConditioner{
		watts:     d.between(720, 1080),
		from:      d.about(30.3, 0.9),
		set:       d.between(26, 28),
		thrifty:   d.chance(0.4),
		nightFor:  d.between(0, 6),
		forsworn:  d.between(0.02, 0.12),
		breathing: d.between(11, 24) * 60,
	}
	owns := d.chance(0.72)
	if h.plan != nil && h.plan.airConditioned {
		owns = true
		h.ac.from, h.ac.thrifty, h.ac.forsworn = 27.4, false, 0
		h.ac.watts, h.ac.set, h.ac.nightFor = max(h.ac.watts, 900), min(h.ac.set, 26.5), max(h.ac.nightFor, 2)
	}
	if !owns {
		h.ac.watts = 0
	}
	if h.couple {
		h.lamp *= 1.4
		h.cooker *= 1.15
	}
}
