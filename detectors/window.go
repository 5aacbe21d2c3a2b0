package detectors

import "weimang/ingest"

// A cell of a window: one reading, at the grid position of its end.
const (
	cellQuality  = 0x07 // ingest.Quality
	cellRegister = 0x08 // the value is a register, not an energy
	cellKnown    = 0x10 // a reading has been received; its value may be missing
	cellLen      = 0x60 // log2 of the reading's length in grid steps
	cellLenShift = 5
)

// window holds the recent readings of one meter, so that a late, corrected or
// repeated one can be applied as if it had come in order. Position i stands
// for the interval that ends at from + (i+1)·grid.
type window struct {
	from   tick // multiple of grid
	grid   tick // ticks between positions: the shortest interval seen
	newest tick // end of the newest reading, 0 before the first
	wh     []uint32
	flags  []uint8
}

// reading is one interval of a meter or a home.
type reading struct {
	length  tick // 0: no reading ends here
	wh      uint32
	quality ingest.Quality
	reg     bool
}

// noValue is an interval of which nothing is known.
func noValue(length tick) reading {
	return reading{length: length, wh: ingest.NoValue, quality: ingest.Missing}
}

// put stores a reading that ends at end and reports whether anything changed.
// It must lie after w.from. Revisions follow ingest.Quality.Rank, then order
// of arrival.
func (w *window) put(end, length tick, wh uint32, q ingest.Quality, register bool) bool {
	switch {
	case w.grid == 0:
		w.grid = length
	case length < w.grid:
		w.regrid(length)
	}
	i := int((end-w.from)/w.grid) - 1
	for len(w.wh) <= i {
		w.wh, w.flags = append(w.wh, 0), append(w.flags, 0)
	}
	if wh == ingest.NoValue {
		q = ingest.Missing
	}
	steps := uint8(0)
	for l := w.grid; l < length; l *= 2 {
		steps++
	}
	flags := cellKnown | uint8(q) | steps<<cellLenShift
	if register {
		flags |= cellRegister
	}
	if old := w.flags[i]; old&cellKnown != 0 {
		if ingest.Quality(old&cellQuality).Rank() > q.Rank() || (old == flags && w.wh[i] == wh) {
			return false
		}
	}
	w.wh[i], w.flags[i] = wh, flags
	w.newest = max(w.newest, end)
	return true
}

// at is the reading that ends at end.
func (w *window) at(end tick) reading {
	after := end - w.from
	if w.grid == 0 || after <= 0 || after&(w.grid-1) != 0 {
		return reading{}
	}
	i := int(after>>(w.grid>>1)) - 1 // 1, 2 or 4 ticks
	if i >= len(w.flags) || i >= len(w.wh) || w.flags[i]&cellKnown == 0 {
		return reading{}
	}
	f := w.flags[i]
	return reading{
		length:  w.grid << (f & cellLen >> cellLenShift),
		wh:      w.wh[i],
		quality: ingest.Quality(f & cellQuality),
		reg:     f&cellRegister != 0,
	}
}

// oldest is the end of the oldest reading after a time; false: there is none.
func (w *window) oldest(after tick) (tick, bool) {
	if w.grid == 0 || w.newest <= after {
		return 0, false
	}
	for i := max(0, int((after-w.from)/w.grid)); i < len(w.flags); i++ {
		if end := w.from + tick(i+1)*w.grid; w.flags[i]&cellKnown != 0 && end > after {
			return end, true
		}
	}
	return 0, false
}

// over is the energy of the length that ends at end, from readings that may
// be shorter: missing unless they fill it.
func (w *window) over(end, length tick) reading {
	sum := reading{length: length}
	wh := uint64(0)
	for t := end; t > end-length; {
		r := w.at(t)
		t -= r.length
		if r.length == 0 || r.reg || r.wh == ingest.NoValue || t < end-length {
			return noValue(length)
		}
		if r.quality.Rank() < sum.quality.Rank() {
			sum.quality = r.quality
		}
		wh += uint64(r.wh)
	}
	sum.wh = uint32(min(wh, ingest.NoValue-1))
	return sum
}

// forget drops what ends at or before upTo.
func (w *window) forget(upTo tick) {
	if w.grid == 0 {
		w.from = upTo
		return
	}
	upTo = upTo.floor(w.grid)
	if upTo <= w.from {
		return
	}
	n := min(int((upTo-w.from)/w.grid), len(w.wh))
	w.wh = w.wh[:copy(w.wh, w.wh[n:])]
	w.flags = w.flags[:copy(w.flags, w.flags[n:])]
	w.from = upTo
}

// regrid changes to a finer grid; the readings so far become longer ones.
func (w *window) regrid(grid tick) {
	old := *w
	factor := int(w.grid / grid)
	w.grid = grid
	w.wh, w.flags = make([]uint32, len(old.wh)*factor), make([]uint8, len(old.wh)*factor)
	shift := uint8(0)
	for f := factor; f > 1; f /= 2 {
		shift++
	}
	for i, f := range old.flags {
		if f&cellKnown != 0 {
			j := (i+1)*factor - 1
			w.wh[j], w.flags[j] = old.wh[i], f+shift<<cellLenShift
		}
	}
}
