package evaluate

import (
	"math"
	"slices"
)

// peer is a rule of somebody else's, with what it remembers of one home. Its
// alert stands for a push.
type peer interface {
	// observe takes the home's next reading and reports whether the rule's
	// condition holds, and since when.
	observe(t tick, wh float64) (onset tick, holds bool)
	clone() peer
}

// peerRule describes a rule. Published descriptions leave levels open; where
// they do, the choice is named in Says and is the same for every home.
type peerRule struct {
	Name   string
	Says   string
	Source string
	// anew: it says so again in every hour in which its condition holds, not
	// only when that begins to.
	anew bool
	make func(h *home) peer
}

func peerRules() []peerRule {
	return []peerRule{
		{
			Name: "stand-by", Says: "nothing above stand-by for 14 h; stand-by is what the quietest nights of two weeks come to",
			Source: "after Hokuriku Electric Power's watch-over service (public description)",
			make:   func(h *home) peer { return &standby{quiet: newQuiet(h), limit: 14 * hourTicks} },
		},
		{
			Name: "inactivity-line", Says: "no use for three times the longest that was usual at this hour in four weeks, and at least 4.5 h",
			Source: "after Cuddihy et al., Algorithm to automatically detect abnormally long periods of inactivity in a home, HealthNet 2007",
			make:   func(h *home) peer { return &inactivity{quiet: newQuiet(h)} },
		},
		{
			Name: "day-ratio", Says: "the last 24 h come to less than half of the mean day of four weeks",
			Source: "after Seoul's smart-plug service (public description)",
			make:   func(h *home) peer { return &ratio{hourly: newHourly(h)} },
		},
		{
			Name: "sigma-3", Says: "an hour lies more than 3 standard deviations from that hour's mean of four weeks, on either side",
			Source: "after banshee (github.com/eleme/banshee), 3-sigma rule", anew: true,
			make: func(h *home) peer { return &sigma{hourly: newHourly(h), k: 3} },
		},
		{
			Name: "sigma-5", Says: "the same with 5 standard deviations",
			Source: "after banshee, with a wider limit", anew: true,
			make: func(h *home) peer { return &sigma{hourly: newHourly(h), k: 5} },
		},
	}
}

// fourWeeks is how many days the rules look back.
const fourWeeks = 28

// history is a value of each of the last days, the newest last.
type history struct {
	v [fourWeeks]float64
	n int
}

func (h *history) add(v float64) {
	if h.n == len(h.v) {
		copy(h.v[:], h.v[1:])
		h.n--
	}
	h.v[h.n] = v
	h.n++
}

func (h *history) values() []float64 { return h.v[:h.n] }

func (h *history) mean() (mean, sd float64) {
	for _, v := range h.values() {
		mean += v
	}
	mean /= float64(h.n)
	for _, v := range h.values() {
		sd += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(sd / float64(max(h.n-1, 1)))
}

// atQuantile is a quantile of the days' values.
func (h *history) atQuantile(p float64) float64 {
	var scratch [fourWeeks]float64
	s := scratch[:copy(scratch[:], h.values())]
	slices.Sort(s)
	return quantile(s, p)
}

// quietLevel learns a home's stand-by from its nights: the 90th percentile of
// a night, the lower quartile of the last nights, a fifth and 10 W more.
type quietLevel struct {
	h       *home
	tonight []float64
	nights  history
	day     int
	level   float64
}

func newQuiet(h *home) quietLevel { return quietLevel{h: h, day: -1, level: -1} }

func (q *quietLevel) observe(l local, wh float64) {
	if l.hour >= nightFrom && l.hour < nightUntil {
		if l.day != q.day {
			q.day, q.tonight = l.day, nil
		}
		q.tonight = append(q.tonight[:len(q.tonight):len(q.tonight)], wh)
		return
	}
	if len(q.tonight) > 0 {
		s := slices.Clone(q.tonight)
		slices.Sort(s)
		q.nights.add(quantile(s, 0.9))
		q.tonight = nil
		if q.nights.n >= 7 {
			q.level = 1.2*q.nights.atQuantile(0.25) + 10*q.h.step.hours()
		}
	}
}

// above reports whether wh is more than stand-by; before that is known
// everything is.
func (q *quietLevel) above(wh float64) bool { return q.level < 0 || wh > q.level }

// standby is Hokuriku's.
type standby struct {
	quiet quietLevel
	since tick // end of the last use
	limit tick
}

func (p *standby) observe(t tick, wh float64) (tick, bool) {
	above := p.quiet.above(wh)
	p.quiet.observe(t.in(p.quiet.h.loc), wh)
	end := t + p.quiet.h.step
	if above || p.since == 0 {
		p.since = end
	}
	return p.since, end-p.since >= p.limit
}

func (p *standby) clone() peer { c := *p; return &c }

// inactivity is Cuddihy's: at each hour the longest inactivity that was usual.
type inactivity struct {
	quiet   quietLevel
	since   tick
	longest [24]history
	now     float64 // longest in this hour so far
	hour    int
}

func (p *inactivity) observe(t tick, wh float64) (tick, bool) {
	const factor, shortest = 3, 1.5 // times, and hours that always count as usual
	above := p.quiet.above(wh)
	l := t.in(p.quiet.h.loc)
	p.quiet.observe(l, wh)
	end := t + p.quiet.h.step
	if above || p.since == 0 {
		p.since = end
	}
	if l.hour != p.hour {
		p.longest[p.hour].add(p.now)
		p.hour, p.now = l.hour, 0
	}
	length := (end - p.since).hours()
	p.now = max(p.now, length)
	past := &p.longest[l.hour]
	if past.n < 7 || p.quiet.level < 0 {
		return 0, false
	}
	return p.since, length > factor*max(past.atQuantile(1), shortest)
}

func (p *inactivity) clone() peer { c := *p; return &c }

// hourly sums readings up to hours.
type hourly struct {
	h    *home
	sum  float64
	have tick
	at   tick
}

func newHourly(h *home) hourly { return hourly{h: h} }

// observe returns the hour that the reading completes.
func (p *hourly) observe(t tick, wh float64) (float64, bool) {
	if hour := t - t%hourTicks; hour != p.at {
		p.at, p.sum, p.have = hour, 0, 0
	}
	p.sum += wh
	p.have += p.h.step
	return p.sum, p.have == hourTicks
}

// ratio is Seoul's.
type ratio struct {
	hourly
	holds bool
	last  [24]float64
	n     int // hours in last
	days  history
}

func (p *ratio) observe(t tick, wh float64) (tick, bool) {
	sum, whole := p.hourly.observe(t, wh)
	if !whole {
		return t - 12*hourTicks, p.holds
	}
	copy(p.last[:], p.last[1:])
	p.last[23] = sum
	p.n++
	total := 0.0
	for _, v := range p.last {
		total += v
	}
	usual, _ := p.days.mean()
	p.holds = p.days.n >= 7 && total < usual/2
	if p.n%24 == 0 {
		p.days.add(total)
	}
	// Most of the shortfall lies in the last half of the day.
	return t - 12*hourTicks, p.holds
}

func (p *ratio) clone() peer { c := *p; return &c }

// sigma is banshee's.
type sigma struct {
	hourly
	k    float64
	past [24]history
}

func (p *sigma) observe(t tick, wh float64) (tick, bool) {
	sum, whole := p.hourly.observe(t, wh)
	if !whole {
		return 0, false
	}
	past := &p.past[p.at.in(p.h.loc).hour]
	mean, sd := past.mean()
	holds := past.n >= 7 && math.Abs(sum-mean) > p.k*max(sd, 1)
	past.add(sum)
	return p.at, holds
}

func (p *sigma) clone() peer { c := *p; return &c }
