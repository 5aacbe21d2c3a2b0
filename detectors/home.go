package detectors

import (
	"math"
	"slices"

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
// time.
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
	Tails     tails
	Silence   silence
	Plausible plausibility
	Heeded    heeded
	Dark      bool // read nothing at all in its newest interval
	Unusual   bool // something since the last mark or settled is not as foresee makes it
	Episode   episode
	// Signals is nil while none speaks, as nearly always: see lend.
	Signals *[signals]signal
}

// clone is a copy that shares nothing.
func (st *homeState) clone() homeState {
	c := *st
	if st.Signals != nil {
		signals := *st.Signals
		c.Signals = &signals
	}
	return c
}

// home is one household of an area.
type home struct {
	id     string
	zone   *zone
	meters []*meter
	meter  meter // the first that was heard
	live   homeState
	kept   kept // the other copies
	public published
	fill   backfill
	rhythm rhythm
	said   *said // nil: nothing, see say
	// changed is the end of the earliest late reading since live was last
	// computed, 0: none.
	changed tick

	since tick       // from when the roster has it waited for, 0: it does not name it
	res   *residence // nil: the roster has said nothing else
}

// meter is one meter of a home.
type meter struct {
	id     string
	win    window
	states [near]meterState // that near live is replayed
	spans  []span           // when the roster has it at this home, nil: always
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

// decided reports whether live has stepped over a reading of the home.
func (h *home) decided() bool {
	return slices.ContainsFunc(h.meters, func(m *meter) bool { return m.states[live].Seen != 0 })
}

// at is the home's use in the interval that ends at end: the sum over its
// meters, over the longest of their intervals. While a meter that reported
// within a day and is still there has not, there is none: no data is never zero.
// of is the copy that is stepped.
func (h *home) at(end tick, of int) (sum reading, events registerEvents) {
	late := false
	for _, m := range h.meters {
		st := &m.states[of]
		if r := m.win.at(end); !m.holds(end) {
			continue
		} else if r.length != 0 {
			st.Seen = end
			sum.length = max(sum.length, r.length)
			if !r.reg && len(h.meters) == 1 { // as nearly always
				if r.wh == ingest.NoValue {
					r.wh, r.quality = 0, ingest.Missing
				}
				return r, events
			}
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
		if r.length == 0 || !m.holds(end) {
			continue
		}
		if r.reg {
			var event registerEvent
			r.length = sum.length
			r, event = m.states[of].Register.energy(end, r)
			events.add(event)
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
	end, length tick // length 0: not heard, or not to be taken for use
	moment           // at which it begins
	wh          float64
	watts       float64
	usualWh     float64 // mean of this slot, for the same length
	mid         float64 // the middle of the usual band, W
	level       int     // of the newest half-hour, against the quiet nights
	others      others
	// lowNeighbours is how many more neighbours than usual, as a share, are low;
	// 0 with fewer than minNeighbours.
	lowNeighbours float64
	areaLit       bool // at least minNeighbours report and the area is not dark
	learns        bool // what it shows may be taken for usual
	judged        bool // enough history to say anything
	dayEnded      bool // a local day has ended before it
	dayJudged     bool // an hour has been completed, and the day looked at
	gone          bool // the home is not in the area
	strongJudged  bool // a half-hour has been completed, and strong use looked at
	*sight
}

// sight is what the models see of an interval and make of it. Only one home is
// judged at a time: they share it.
type sight struct {
	life       LifeFeatures
	likeDay    DayFeatures
	looks      dayScores
	neighbours float64 // see others.rise

	stuck StuckFeatures
	worth bool    // what is strong has held for long enough to be told
	since int     // half-hours since it most likely began
	held  float64 // W above the quiet nights since
}

// others are the neighbours a home is compared with: none with fewer than
// minNeighbours.
type others struct {
	homes      int
	use, usual float64 // Wh above stand-by, averaged over a day
}

// rise is the log of their use over their usual; 0 without neighbours.
func (n *others) rise() float64 {
	if n.homes == 0 {
		return 0
	}
	return logRatio(n.use/float64(n.homes), n.usual/float64(n.homes))
}

// learnAnyway is how long an open episode keeps a home from learning: a
// lasting new normal is learned after it.
const learnAnyway = 7 * ticksADay

// observe runs every detector over one interval.
func (st *homeState) observe(p *Params, o *observation, f *Features) {
	st.Dark, o.dayJudged, o.strongJudged = o.wh == 0, false, false
	h := &st.Habits
	o.judged = float64(h.Days) >= p.MinDays && st.Quiet.known()
	o.mid = h.middle(o.slot)
	o.level = levelHigh // unless a half-hour says otherwise
	if st.Quiet.known() {
		o.level = int(st.Life.Prev)
	}
	days := float32(o.length) / float32(ticksADay)
	if o.dayEnded {
		st.Tails.pass()
		st.Above.pass(float64(h.Days))
	}
	st.Quarter.halves(o, func(half halfHour) {
		st.half(p, &half, o, f)
		st.Day.put(h, &st.Quiet, &half, o.learns)
		st.strong(p, o, f)
		if half.slot%2 == 1 {
			st.hour(p, &half, o, f)
		}
	})

	silent := st.Signals[sigLife].Severity != 0
	st.Signals[sigLife] = observeLife(p, st, o)
	if silent && st.Signals[sigLife].Severity == 0 {
		st.clearDay() // the silence has accounted for what was missing
	}
	if o.dayJudged {
		observeDay(p, st, o)
	}
	stuck := st.Signals[sigAbove].Severity != 0
	st.Signals[sigAbove] = observeAbove(p, st, o)
	if stuck && st.Signals[sigAbove].Severity == 0 {
		st.clearDay() // and the run for what was too much
	}
	if st.Signals[sigBack].Severity != 0 && !st.Dark {
		st.Signals[sigBack] = signal{}
	}
	if !o.learns {
		st.Unusual = true
	} else {
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
	s[detAbove] = float64(st.Above.Score)
	never := math.NaN() // not judged in this interval
	s[detFrozen], s[detBelow], s[detNight], s[detStill] = never, never, never, never
	if o.dayJudged {
		s[detFrozen], s[detBelow], s[detStill] = o.looks.frozen(), o.looks[dayShortfall], o.looks[dayStill]
		s[detNight] = float64(st.Day.Odd)
	}
	s[detDecline] = float64(st.Slow.Score)
	return s
}
