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

// cells are a window laid open, so that any reading of it can be changed.
// Position i stands for the interval that ends at from + (i+1)·grid.
type cells struct {
	extent
	step  tick // see window
	wh    []uint32
	flags []uint8
}

// extent is where a window lies.
type extent struct {
	from   tick // multiple of grid
	grid   tick // ticks between positions: the shortest interval seen, 0 before the first
	newest tick // end of the newest reading, 0 before the first
}

// place is the position of what ends at end; false: none ends there.
func (s *extent) place(end tick) (int, bool) {
	after := end - s.from
	if s.grid == 0 || after <= 0 || after&(s.grid-1) != 0 {
		return 0, false
	}
	return int(after>>(s.grid>>1)) - 1, true // 1, 2 or 4 ticks
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
func (w *cells) put(end, length tick, wh uint32, q ingest.Quality, register bool) bool {
	if length < w.grid {
		w.regrid(length)
	}
	i := int((end-w.from)/w.grid) - 1
	for len(w.wh) <= i {
		w.wh, w.flags = append(w.wh, 0), append(w.flags, 0)
	}
	flags := w.cell(length, wh, q, register)
	if old := w.flags[i]; old&cellKnown != 0 {
		if ingest.Quality(old&cellQuality).Rank() > ingest.Quality(flags&cellQuality).Rank() || (old == flags && w.wh[i] == wh) {
			return false
		}
	}
	w.wh[i], w.flags[i] = wh, flags
	w.newest = max(w.newest, end)
	return true
}

// cell is what a reading's flags are.
func (s *extent) cell(length tick, wh uint32, q ingest.Quality, register bool) uint8 {
	if wh == ingest.NoValue {
		q = ingest.Missing
	}
	flags := cellKnown | uint8(q)
	for l := s.grid; l < length; l *= 2 {
		flags += 1 << cellLenShift
	}
	if register {
		flags |= cellRegister
	}
	return flags
}

// reading is what a cell means.
func (s *extent) reading(flags uint8, wh uint32) reading {
	if flags&cellKnown == 0 {
		return reading{}
	}
	return reading{
		length:  s.grid << (flags & cellLen >> cellLenShift),
		wh:      wh,
		quality: ingest.Quality(flags & cellQuality),
		reg:     flags&cellRegister != 0,
	}
}

// forget drops what ends by upTo, which is after w.from.
func (w *cells) forget(upTo tick) {
	n := min(int((upTo-w.from)/w.grid), len(w.wh))
	w.wh = w.wh[:copy(w.wh, w.wh[n:])]
	w.flags = w.flags[:copy(w.flags, w.flags[n:])]
	w.from = upTo
}

// regrid changes to a finer grid; the readings so far become longer ones.
func (w *cells) regrid(grid tick) {
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
