package detectors

import (
	"math"
	"slices"
)

// What version 1 wrote: the first detectors, whose habits are carried over as
// far as they mean the same; the rest is learned anew. The layout is frozen.

type tickV1 = int64

var (
	kindsV1 = []Kind{NoSignOfLife, NotBack, Shortfall, StuckOn, AreaDark, Announced}
	// signalsV1 are the places in Signals of what version 1 could say.
	signalsV1 = [4]int{sigLife, sigBack, sigBelow, sigAbove}
	causesV1  = []Cause{
		CauseQuiet, CauseDark, CauseBelow, CauseBelowArea, CauseAbove, CauseNotBack, CauseOutage, CausePlanned,
		CauseAnnounced, CauseLifeBack, CauseUsualBack, CausePowerBack, CauseOver, CauseCorrection,
	}
)

type signalV1 struct {
	Severity                        Severity
	Cause                           uint8
	Onset, At                       tickV1
	Value, Usual, Hours, Neighbours float32
}

type episodeV1 struct {
	Open                 bool
	Kind, Also, EndCause uint8
	First, End           tickV1
	Warmup               bool
	Signal               signalV1
}

type publishedV1 struct {
	Open, Pushed bool
	Severity     Severity
	Kind         uint8
	Seq          uint16
	Number       int64
	Onset        tickV1
}

type areaHeaderV1 struct {
	ClockMS                        int64
	Watermark, Settled, Live, Grid tickV1
	Dark                           bool
	LitSince                       tickV1
	Homes, OfHomes                 int32
	Judged                         tickV1
	Episode                        episodeV1
	Public                         publishedV1
	Fill                           backfill
	Incidents, HomesEncoded        uint32
}

type homeStateV1 struct {
	Count                        [48]uint8
	Mean, LogMean, LogVar        [48]float32
	QuietMid, QuietHigh, Base    float32
	Nights                       uint16
	Level                        [2][48][2]float32
	Quiet                        [2][2]float32
	Days                         float32
	After                        uint8
	Score                        float32
	LastLife                     tickV1
	Wh, Usual                    float32
	ZeroSince                    tickV1
	ZeroShare                    float32
	Below                        [15]float32
	Hour                         tickV1
	HourUse, HourUsual           [24]uint16
	Since, Last                  tickV1
	AboveWh, AboveUsual, Longest float32
	Dark                         bool
	Signals                      [4]signalV1
	Episode                      episodeV1
}

type meterStateV1 struct {
	End     tickV1
	Wh      uint32
	Guessed bool
	Seen    tickV1
}

// codeV1 finds a code of version 1 in today's set; one that was none then is
// damage now.
func codeV1[T comparable](d *decoder, then, now []T, was uint8) uint8 {
	if int(was) >= len(then) {
		d.err = errDamaged
		return 0
	}
	return uint8(slices.Index(now, then[was]))
}

func (d *decoder) signalV1(s signalV1) signal {
	return signal{
		Severity: s.Severity, Cause: codeV1(d, causesV1, Causes, s.Cause), Onset: tick(s.Onset), At: tick(s.At),
		Value: s.Value, Usual: s.Usual, Hours: s.Hours, Neighbours: s.Neighbours,
	}
}

func (d *decoder) episodeV1(e episodeV1) episode {
	ep := episode{
		Open: e.Open, Kind: codeV1(d, kindsV1, Kinds, e.Kind), EndCause: codeV1(d, causesV1, Causes, e.EndCause),
		First: tick(e.First), End: tick(e.End), Warmup: e.Warmup, signal: d.signalV1(e.Signal),
	}
	for i, now := range signalsV1 {
		if e.Also&(1<<i) != 0 {
			ep.Also |= 1 << now
		}
	}
	return ep
}

func (d *decoder) publishedV1() published {
	var p publishedV1
	d.fixed(&p)
	return d.fromPublishedV1(p)
}

func (d *decoder) fromPublishedV1(p publishedV1) published {
	return published{
		Open: p.Open, Pushed: p.Pushed, Severity: p.Severity, Kind: codeV1(d, kindsV1, Kinds, p.Kind),
		Seq: p.Seq, Number: p.Number, Onset: tick(p.Onset),
	}
}

func (d *decoder) headerV1() areaHeader {
	var h areaHeaderV1
	d.fixed(&h)
	return areaHeader{
		ClockMS: h.ClockMS, Watermark: tick(h.Watermark), Settled: tick(h.Settled), Live: tick(h.Live), Shortest: tick(h.Grid),
		View: areaState{
			Dark: h.Dark, LitSince: tick(h.LitSince), Homes: h.Homes, OfHomes: h.OfHomes, Judged: tick(h.Judged),
			Episode: d.episodeV1(h.Episode),
		},
		Public: d.fromPublishedV1(h.Public), Fill: h.Fill, Incidents: h.Incidents, Homes: h.HomesEncoded,
	}
}

func (d *decoder) meterStateV1() meterState {
	var m meterStateV1
	d.fixed(&m)
	return meterState{
		Register: registerPoint{End: tick(m.End), Wh: m.Wh, Guessed: m.Guessed},
		Seen:     tick(m.Seen),
	}
}

func (d *decoder) homeV1(h *home, at tick) {
	h.public = d.publishedV1()
	d.fixed(&h.fill)
	var v homeStateV1
	d.fixed(&v)
	if d.err != nil {
		return
	}
	st := new(homeState)
	v.habits(st)
	v.levels(st)
	st.Life.LastLife, st.Life.Wh, st.Life.Usual = tick(v.LastLife), v.Wh, v.Usual
	st.Life.ZeroSince, st.Life.ZeroShare = tick(v.ZeroSince), v.ZeroShare
	st.Dark = v.Dark
	for i, now := range signalsV1 {
		if v.Signals[i].Severity != 0 {
			if st.Signals == nil {
				st.Signals = new([signals]signal)
			}
			st.Signals[now] = d.signalV1(v.Signals[i])
		}
	}
	st.Episode = d.episodeV1(v.Episode)
	h.kept.keep(packAlone(nil, st, at), nil, nil)
}

// habits carries over what was usual. The median of version 1 was e^LogMean
// less 20 W.
func (v *homeStateV1) habits(st *homeState) {
	st.Habits.Days = v.Days
	for i := range slotsADay {
		middle := max(0, math.Exp(float64(v.LogMean[i]))-20)
		st.Habits.Count[i] = min(v.Count[i], memory)
		st.Habits.Root[i] = saturate(math.Sqrt(middle) * rootSteps)
		st.Habits.Var[i] = saturate(max(0, float64(v.Mean[i])-middle) * varSteps)
	}
	if v.Nights < 16 { // readings, then
		return
	}
	q := &st.Quiet
	*q = quiet{
		Nights: uint16(len(q.Highs)), Quiet: knownNights,
		Low: 0.9 * v.QuietMid, Mid: v.QuietMid, Top: v.QuietHigh, Base: v.Base,
	}
	for i := range q.Highs {
		q.Highs[i] = saturate(float64(v.QuietHigh))
	}
}

// levels carries over how often a home was low, or in the middle.
func (v *homeStateV1) levels(st *homeState) {
	for hour := range 24 {
		low, mid := 0.0, 0.0
		for after := range 2 {
			for half := range 2 {
				low += float64(v.Level[after][2*hour+half][0]) / 4
				mid += float64(v.Level[after][2*hour+half][1]) / 4
			}
		}
		st.Levels.Count[hour] = min(2*v.Count[2*hour], levelMemory)
		for k := range levels - 1 {
			if isLow(k) {
				st.Levels.Hour[hour][k] = shareOf(low / 4)
			} else {
				st.Levels.Hour[hour][k] = shareOf(mid)
			}
		}
		st.Levels.Fast[hour] = shareOf(low)
	}
}

func (d *decoder) windowV1(w *window, step tick) {
	var head [3]tickV1
	d.fixed(&head)
	n := d.uint()
	grid := tick(head[1])
	if d.err != nil || n > uint64(min(len(d.b), int(longestLive))) || !soundGrid(grid) && (grid != 0 || n != 0) {
		d.err = errDamaged
		return
	}
	c := cells{extent: extent{tick(head[0]), grid, tick(head[2])}, step: step, wh: make([]uint32, n), flags: make([]uint8, n)}
	for i := range c.wh {
		if len(d.b) == 0 {
			d.err = errDamaged
			return
		}
		c.flags[i], d.b = d.b[0], d.b[1:]
		if c.flags[i]&cellKnown != 0 {
			c.wh[i] = uint32(d.uint())
		}
	}
	w.pack(&c)
}
