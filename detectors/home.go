package detectors

import (
	"math"

	"weimang/ingest"
)

// Signals of a home, in order of precedence (see Kinds).
const (
	sigLife = iota
	sigBack
	sigFrozen
	sigBelow
	sigAbove
	sigNight
	sigDecline
	sigSilent
	sigOdd
	signals
)

var signalKinds = [signals]Kind{
	NoSignOfLife, NotBack, Frozen, Shortfall, StuckOn, NightLife, Decline, SilentMeter, Impossible,
}

// signal is what one detector has to say about a home: nothing at Severity 0.
type signal struct {
	Severity     Severity
	Cause        uint8   // position in Causes
	Onset, At    tick    // since when; when the evidence sufficed
	Value, Usual float32 // Wh over Hours
	Hours        float32
	Neighbours   float32
	Rate         float32 // false alarms of this strength per home-day
}

// homeState is everything detection knows of a home at one moment of event
// time: a plain value, so that a copy is an assignment.
type homeState struct {
	Habits    habits
	Quarter   quarter
	Quiet     quiet
	Levels    levelHabits
	Life      lifeState
	Day       dayState
	Share     shareState
	Above     aboveState
	Slow      slowState
	Tails     [detectors]tail
	Silence   silence
	Plausible plausibility
	Heeded    heeded
	Dark      bool // read nothing at all in its newest interval
	Signals   [signals]signal
	Episode   episode
}

// home is one household of an area.
type home struct {
	id     string
	zone   *zone
	meters []*meter
	states [2]homeState
	public published
	fill   backfill
	rhythm rhythm
	said   said
	// changed is the end of the earliest late reading since live was last
	// computed, 0: none.
	changed tick
}

// meter is one meter of a home.
type meter struct {
	id     string
	win    window
	states [2]meterState
}

// meterState is what stepping through a meter's readings remembers of it.
type meterState struct {
	Register registerPoint
	Seen     tick // end of the newest reading stepped over, 0: none
}

// newest is the end of the newest reading of any meter.
func (h *home) newest() tick {
	n := tick(0)
	for _, m := range h.meters {
		n = max(n, m.win.newest)
	}
	return n
}

// at is the home's use in the interval that ends at end: the sum over its
// meters, over the longest of their intervals. While a meter that reported
// within a day has not, there is none: no data is never zero.
func (h *home) at(end tick, which int) (sum reading, events [registerFirst + 1]uint64) {
	late := false
	for _, m := range h.meters {
		st := &m.states[which]
		if r := m.win.at(end); r.length != 0 {
			st.Seen = end
			sum.length = max(sum.length, r.length)
		} else {
			late = late || st.Seen != 0 && st.Seen > end-ticksADay
		}
	}
	if late || sum.length == 0 {
		return reading{}, events
	}
	wh := uint64(0)
	for _, m := range h.meters {
		r := m.win.at(end)
		if r.length == 0 {
			continue
		}
		if r.reg {
			var event registerEvent
			r.length = sum.length
			r, event = m.states[which].Register.energy(end, r)
			events[event]++
		} else if r.length < sum.length {
			r = m.win.over(end, sum.length)
		}
		if r.quality.Rank() < sum.quality.Rank() {
			sum.quality = r.quality
		}
		if r.wh == ingest.NoValue {
			sum.quality = ingest.Missing
		} else {
			wh += uint64(r.wh)
		}
	}
	sum.wh = uint32(min(wh, ingest.NoValue-1))
	return sum, events
}

// observation is one interval of a home as the detectors see it.
type observation struct {
	end, length tick
	slot        int // half-hour of the local day in which it begins
	wh          float64
	watts       float64
	usualWh     float64 // mean of this slot, for the same length
	mid         float64 // the middle of the usual band, W
	rest        bool    // weekend or holiday
	level       int     // of the newest half-hour, against the quiet nights
	// neighbours is the log of the area's use over its usual over a day without
	// this home; lowNeighbours how many more of them than usual, as a
	// share, are low; 0 with fewer than minNeighbours.
	neighbours    float64
	lowNeighbours float64
	areaLit       bool // at least minNeighbours report and the area is not dark
	learns        bool // what it shows may be taken for usual
	judged        bool // enough history to say anything
	dayEnded      bool // a local day has ended before it

	// What the models saw of it.
	life      LifeFeatures
	day       DayFeatures
	looks     dayScores
	dayJudged bool
}

// learnAnyway is how long an open episode keeps a home from learning: a
// lasting new normal is learned after it.
const learnAnyway = 7 * ticksADay

// observe runs every detector over one interval.
func (st *homeState) observe(p *Params, o *observation, f *Features) {
	st.Dark = o.wh == 0
	h := &st.Habits
	o.judged = float64(h.Days) >= p.MinDays && st.Quiet.known()
	o.mid = h.middle(o.slot)
	o.level = levelHigh // unless a half-hour says otherwise
	if st.Quiet.known() {
		o.level = int(st.Life.Prev)
	}
	days := float32(o.length) / float32(ticksADay)
	if o.dayEnded {
		for i := range st.Tails {
			st.Tails[i].pass()
		}
	}
	st.Quarter.halves(o, func(half halfHour) {
		st.half(p, &half, o, f)
		st.Day.put(h, &st.Quiet, &half, o.learns)
		if half.slot%2 == 1 {
			st.hour(p, &half, o, f)
		}
	})

	silent := st.Signals[sigLife].Severity != 0
	st.Signals[sigLife] = observeLife(p, st, o)
	if silent && st.Signals[sigLife].Severity == 0 {
		st.Day.clear(h) // the silence has accounted for what was missing
	}
	if o.dayJudged {
		observeDay(p, st, o)
	}
	stuck := st.Signals[sigAbove].Severity != 0
	st.Signals[sigAbove] = observeAbove(p, st, o)
	if stuck && st.Signals[sigAbove].Severity == 0 {
		st.Day.clear(h) // and the run for what was too much
	}
	if st.Signals[sigBack].Severity != 0 && !st.Dark {
		st.Signals[sigBack] = signal{}
	}
	if o.learns {
		h.learn(o.slot, o.watts)
		if o.length == 4 {
			h.learn((o.slot+1)%slotsADay, o.watts)
		}
	}
	h.Days += days
}

// scores is what each detector made of the newest interval.
func (st *homeState) scores(o *observation) (s [detectors]float64) {
	s[detLife] = float64(st.Life.Score)
	if st.Above.Since != 0 {
		s[detAbove] = o.end.hoursSince(st.Above.Since)
	}
	never := math.NaN() // not judged in this interval
	s[detFrozen], s[detBelow], s[detNight], s[detStill] = never, never, never, never
	if o.dayJudged {
		s[detFrozen], s[detBelow], s[detStill] = o.looks.frozen(), o.looks[dayShortfall], o.looks[dayStill]
		s[detNight] = float64(st.Day.Odd)
	}
	s[detDecline] = float64(st.Slow.Score)
	return s
}
