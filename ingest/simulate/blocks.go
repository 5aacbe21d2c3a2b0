package simulate

import (
	"iter"
	"maps"
	"math"
	"slices"
	"time"

	"weimang/ingest"
)

// missing marks a reading that never arrives. No home draws 65 kWh in an hour.
const missing = math.MaxUint16

// Blocks yields the readings whose interval lies within from and to and within
// the village's own span, one to a block, in order of interval end and then of
// meter id; a zero time leaves that side to the village. Missing readings are
// left out. Late and duplicate readings come among those of the interval in
// which they arrive, after its own, with SentAt set; what would arrive after
// the last interval comes last.
//
// It keeps one day of readings in memory, two bytes each.
func (v *Village) Blocks(from, to time.Time) iter.Seq[ingest.Block] {
	if from.Before(v.opt.Start) {
		from = v.opt.Start
	}
	if to.IsZero() || to.After(v.opt.End) {
		to = v.opt.End
	}
	return func(yield func(ingest.Block) bool) {
		if !to.After(from) {
			return
		}
		out := delivery{v: v, yield: yield}
		t := newToday(v)
		day := dayNumber(from, v.loc)
		before, s := v.sky(day-1, t.dice), v.sky(day, t.dice)
		var wh []uint16
		for s.start.Before(to) {
			wh = t.readings(s, before, wh)
			rows := len(wh) / len(v.homes)
			for row := range rows {
				start := s.start.Add(time.Duration(row) * v.opt.Interval)
				if start.Before(from) {
					continue
				}
				if start.Add(v.opt.Interval).After(to) {
					break
				}
				if !out.interval(start.UTC(), wh[row*len(v.homes):][:len(v.homes)]) {
					return
				}
			}
			day++
			before, s = s, v.sky(day, t.dice)
		}
		out.rest()
	}
}

// readings makes a day of the village: a row per interval, a column per home
// in order of meter id, in whole Wh. It uses wh's memory when that suffices.
func (t *today) readings(s, before *sky, wh []uint16) []uint16 {
	perReading := int(t.v.opt.Interval.Seconds()) / cell
	rows, homes := s.cells/perReading, len(t.v.homes)
	wh = slices.Grow(wh[:0], rows*homes)[:rows*homes]
	for column, index := range t.v.byMeter {
		t.run(index, s, before)
		for row := range rows {
			// Each cell is rounded by itself, so that an event changes no
			// reading after it and longer intervals are sums of shorter ones.
			sum := 0.0
			for _, energy := range t.meter.energy[row*perReading : (row+1)*perReading] {
				sum += math.Round(energy / 3600)
			}
			wh[row*homes+column] = uint16(min(sum, missing-1))
		}
		t.lose(rows, func(row int) { wh[row*homes+column] = missing })
	}
	return wh
}

// lose picks the readings that never arrive: half of them singly, half in
// stretches of two to six hours.
func (t *today) lose(rows int, drop func(row int)) {
	rate := t.v.opt.MissingRate
	if rate == 0 {
		return
	}
	t.roll(streamMissing)
	single := math.Log1p(-rate / 2)
	skip := func() int { return int(min(math.Log1p(-t.dice.Float64())/single, 1e6)) }
	for row := skip(); row < rows; row += 1 + skip() {
		drop(row)
	}
	if t.dice.chance(rate / 2 * 24 / 4) {
		first := t.dice.IntN(rows)
		long := int(t.dice.between(2, 6) * hour / t.v.opt.Interval.Seconds())
		for row := first; row < min(first+long, rows); row++ {
			drop(row)
		}
	}
}

// delivery hands blocks over, holding back the late ones.
type delivery struct {
	v       *Village
	yield   func(ingest.Block) bool
	pending map[int64][]ingest.Block // by the end of the interval in which they arrive, Unix seconds
}

// interval hands over one interval of all homes; false means stop.
func (d *delivery) interval(start time.Time, wh []uint16) bool {
	o := &d.v.opt
	disturbed := o.LateRate > 0 || o.DuplicateRate > 0
	kwh := make([]float64, len(wh)) // one allocation for all: blocks may be kept
	for column, value := range wh {
		if value == missing {
			continue
		}
		kwh[column] = float64(value) / 1000
		home := &d.v.homes[d.v.byMeter[column]]
		b := ingest.Block{
			MeterID: home.MeterID, AreaID: home.AreaID,
			Start: start, Interval: o.Interval, KWh: kwh[column : column+1 : column+1],
		}
		if disturbed && d.holdBack(b, d.v.byMeter[column]) {
			continue
		}
		if !d.yield(b) {
			return false
		}
	}
	return d.flush(start.Add(o.Interval).Unix())
}

// holdBack reports whether a block is late and keeps it, or a copy of one that
// will be sent again, for later.
func (d *delivery) holdBack(b ingest.Block, index int) (late bool) {
	o := &d.v.opt
	h := mix(mix(o.Seed^uint64(streamDelivery)<<32) ^ mix(uint64(index)) ^ uint64(b.Start.Unix()))
	u := uniform(h)
	if u >= o.LateRate+o.DuplicateRate {
		return false
	}
	delay := time.Duration(1+mix(h)%12) * o.Interval
	b.SentAt = b.End().Add(delay)
	if d.pending == nil {
		d.pending = make(map[int64][]ingest.Block)
	}
	d.pending[b.SentAt.Unix()] = append(d.pending[b.SentAt.Unix()], b)
	return u < o.LateRate
}

func (d *delivery) flush(due int64) bool {
	for _, b := range d.pending[due] {
		if !d.yield(b) {
			return false
		}
	}
	delete(d.pending, due)
	return true
}

func (d *delivery) rest() {
	for _, due := range slices.Sorted(maps.Keys(d.pending)) {
		if !d.flush(due) {
			return
		}
	}
}
