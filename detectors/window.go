package detectors

import (
	"slices"

	"weimang/ingest"
)

// window holds the recent readings of one meter, so that a late, corrected or
// repeated one can be applied as if it had come in order. It is kept packed: a
// reading that comes in order is appended, and live reads one after the other.
// What comes out of order has the window laid open.
type window struct {
	extent
	n       uint16 // cells
	step    uint16 // ticks of the markGrid
	bits    []byte
	end     cellCode // after the last cell
	live    cursor
	last    uint32 // value of the last cell
	cutByte uint32 // where the code begins anew, once the cell is there
	cutCell uint16 // at which it does, see cut
	used    uint8  // bits of the last byte
}

// cellCode is what the code of a cell depends on: the cells before it. The
// same cells always have the same code.
//
// A known cell is a number in Rice code: 0 for no value, 1 when the flags of 8
// bits that follow are another's, and 2 more than the energy, or than how far a
// register is on from the one before (zigzag). An unknown cell is a bit of
// nought; a one precedes the flags of a known one. At a place of the grid on
// which settled moves next the code begins anew, in a byte of its own, so that
// what lies before it can be cut off.
type cellCode struct {
	mean     riceMean
	register uint32 // the last
	flags    uint8
}

const (
	codeNoValue = iota
	codeFlags
	codeValue
)

// firstCells: the mean begins as that of a small home's half-hours, Wh.
var firstCells = cellCode{mean: riceMean{48, 1}}

// newWindow is empty, and begins at from.
func newWindow(from, step tick) window {
	return window{extent: extent{from: from}, step: uint16(step), end: firstCells, live: cursor{cellCode: firstCells}}
}

// cut is the cell that begins at the next place of the grid after the window's
// begin.
func (w *window) cut() uint16 {
	step := tick(w.step)
	return uint16((w.from.floor(step) + step - w.from) / w.grid)
}

// cursor stands behind the cell read last.
type cursor struct {
	cellCode
	wh   uint32
	bit  uint32
	next uint16 // place of the cell that comes next
}

func (c *cellCode) write(w *bitWriter, flags uint8, wh uint32) {
	if flags != c.flags {
		if c.flags&cellKnown != 0 {
			w.rice(codeFlags, &c.mean)
		} else {
			w.flag(true)
		}
		w.put(uint64(flags), 8)
		c.flags = flags
	}
	switch {
	case flags&cellKnown == 0:
		w.flag(false)
	case wh == ingest.NoValue:
		w.rice(codeNoValue, &c.mean)
	case flags&cellRegister != 0:
		w.rice(codeValue+uint64(zigzag(int32(wh-c.register))), &c.mean)
		c.register = wh
	default:
		w.rice(codeValue+uint64(wh), &c.mean)
	}
}

func (c *cellCode) readCell(r *bitReader) (wh uint32) {
	for {
		if c.flags&cellKnown == 0 {
			if !r.flag() {
				return 0
			}
			c.flags = uint8(r.take(8))
			continue
		}
		switch s := r.rice(&c.mean); {
		case s == codeNoValue:
			return ingest.NoValue
		case s == codeFlags:
			c.flags = uint8(r.take(8))
		case c.flags&cellRegister != 0:
			c.register += uint32(unzigzag(uint32(s - codeValue)))
			return c.register
		default:
			return uint32(s - codeValue)
		}
	}
}

// follows reports whether a reading comes after all others and fits in.
func (w *window) follows(end, length tick) bool {
	return w.grid == 0 || length >= w.grid && end > w.newest && end > w.from+tick(w.n)*w.grid
}

// append takes in a reading that follows.
func (w *window) append(end, length tick, wh uint32, q ingest.Quality, register bool) {
	if w.grid == 0 {
		w.grid = length
		w.cutCell = w.cut()
	}
	w.newest = end
	b := w.writer()
	for last, _ := w.place(end); int(w.n) < last; {
		w.write(&b, 0, 0)
	}
	w.write(&b, w.cell(length, wh, q, register), wh)
	w.written(b)
}

// write appends a cell.
func (w *window) write(b *bitWriter, flags uint8, wh uint32) {
	if w.n == w.cutCell {
		w.end, w.cutByte = firstCells, uint32(len(b.bytes()))
	}
	w.end.write(b, flags, wh)
	w.last = wh
	w.n++
}

// writer goes on where the last cell ends. Windows grow by an eighth: there are
// many, and none shrinks before settled moves.
func (w *window) writer() bitWriter {
	const most = 16 // bytes that one reading takes
	if cap(w.bits)-len(w.bits) < most {
		w.bits = append(make([]byte, 0, len(w.bits)+len(w.bits)/8+2*most), w.bits...)
	}
	if w.used == 0 {
		return bitWriter{b: w.bits}
	}
	last := len(w.bits) - 1
	return bitWriter{b: w.bits[:last], room: uint64(w.bits[last]), used: uint(w.used)}
}

func (w *window) written(b bitWriter) {
	w.used = uint8(b.used)
	w.bits = b.bytes()
}

// isLast reports whether a reading is the last there is, as when a sender repeats
// itself.
func (w *window) isLast(end, length tick, wh uint32, q ingest.Quality, register bool) bool {
	return end == w.newest && w.n > 0 && w.last == wh && w.end.flags == w.cell(length, wh, q, register)
}

// at is the reading that ends at end. To read one after the other is fast.
func (w *window) at(end tick) reading {
	i, ok := w.place(end)
	if !ok || i >= int(w.n) {
		return reading{}
	}
	if i+1 == int(w.n) { // as nearly always
		return w.reading(w.end.flags, w.last)
	}
	if c := &w.live; i+1 != int(c.next) {
		if i < int(c.next) {
			*c = w.before(i)
		}
		w.read(c, i)
	}
	return w.reading(w.live.flags, w.live.wh)
}

// before is a cursor where the code of a cell, or of one before it, begins.
func (w *window) before(cell int) cursor {
	c := cursor{cellCode: firstCells}
	if cell >= int(w.cutCell) {
		c.next, c.bit = w.cutCell, 8*w.cutByte
	}
	return c
}

// read moves a cursor on, behind the cell at a place.
func (w *window) read(c *cursor, to int) {
	r := bitReader{b: w.bits, at: uint(c.bit)}
	for ; int(c.next) <= to; c.next++ {
		if c.next == w.cutCell {
			c.cellCode, r.at = firstCells, (r.at+7)/8*8
		}
		c.wh = c.readCell(&r)
	}
	c.bit = uint32(r.at)
}

// oldest is the end of the oldest reading after a time; false: there is none.
func (w *window) oldest(after tick) (tick, bool) {
	if w.n == 0 || w.newest <= after {
		return 0, false
	}
	c, first := w.live, max(0, int((after-w.from)/w.grid))
	if int(c.next) > first {
		c = w.before(first)
	}
	for i := first; i < int(w.n); i++ {
		w.read(&c, i)
		if end := w.from + tick(i+1)*w.grid; c.flags&cellKnown != 0 && end > after {
			return end, true
		}
	}
	return 0, false
}

// over is the energy of the length that ends at end, from readings that may
// be shorter: missing unless they fill it.
func (w *window) over(end, length tick) reading {
	var ends [longestInterval]reading
	for t := end - length + 1; t <= end; t++ {
		ends[end-t] = w.at(t)
	}
	sum := reading{length: length}
	wh := uint64(0)
	for ago := tick(0); ago < length; {
		r := ends[ago]
		ago += r.length
		if r.length == 0 || r.reg || r.wh == ingest.NoValue || ago > length {
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

// opening puts readings into a window, and lays it open for one that does not
// follow. It must be closed.
type opening struct {
	w       *window
	a       *Area
	c       *cells // nil: not open
	changed bool
}

// put stores a reading that ends at end and reports whether anything changed.
func (o *opening) put(end, length tick, wh uint32, q ingest.Quality, register bool) bool {
	if o.c == nil {
		switch {
		case o.w.follows(end, length):
			o.w.append(end, length, wh, q, register)
			return true
		case o.w.isLast(end, length, wh, q, register):
			return false
		}
		o.c = &o.a.borrow().cells
		o.w.open(o.c)
	}
	if !o.c.put(end, length, wh, q, register) {
		return false
	}
	o.changed = true
	return true
}

func (o *opening) close() {
	if o.changed {
		o.w.pack(o.c)
	}
}

// open lays the window open in c.
func (w *window) open(c *cells) {
	c.extent, c.step, c.wh, c.flags = w.extent, tick(w.step), c.wh[:0], c.flags[:0]
	read := cursor{cellCode: firstCells}
	for i := range int(w.n) {
		w.read(&read, i)
		c.wh, c.flags = append(c.wh, read.wh), append(c.flags, read.flags)
	}
}

// pack makes the window what c is.
func (w *window) pack(c *cells) {
	b := bitWriter{b: w.bits[:0]}
	*w = newWindow(c.from, c.step)
	w.extent = c.extent
	if w.grid != 0 {
		w.cutCell = w.cut()
	}
	for i, wh := range c.wh {
		w.write(&b, c.flags[i], wh)
	}
	w.written(b)
}

// forget drops what ends at or before upTo. It is laid open in c.
func (w *window) forget(upTo tick, c *cells) {
	if w.n == 0 {
		w.from = max(w.from, upTo)
		if w.grid != 0 {
			w.cutCell = w.cut()
		}
		return
	}
	if upTo = upTo.floor(w.grid); upTo <= w.from {
		return
	}
	cells := uint16((upTo - w.from) / w.grid)
	if cells != w.cutCell || w.n <= cells || w.n >= 2*cells {
		w.open(c)
		c.forget(upTo)
		w.pack(c)
		return
	}
	// As nearly always: the code before the cut is cut off.
	w.bits = append(make([]byte, 0, len(w.bits)-int(w.cutByte)), w.bits[w.cutByte:]...)
	if w.live.next > cells {
		w.live.next, w.live.bit = w.live.next-cells, w.live.bit-8*w.cutByte
	} else {
		w.live = cursor{cellCode: firstCells}
	}
	w.from, w.n = upTo, w.n-cells
	w.cutCell, w.cutByte = w.cut(), 0
}

func (w *window) encode(e *encoder) {
	e.uint(uint64(w.grid))
	e.uint(uint64(w.n))
	if w.n == 0 {
		e.uint(uint64(w.newest))
		return
	}
	e.bytes(w.bits)
}

// window reads a window that begins at from.
func (d *decoder) window(w *window, from, step tick) {
	*w = newWindow(from, step)
	grid, n := d.uint(), d.uint()
	w.grid, w.n = tick(grid), uint16(n)
	switch {
	case d.err != nil:
		return
	case n > uint64(longestLive) || !soundGrid(tick(grid)) && (grid != 0 || n != 0):
		d.err = errDamaged
		return
	case n == 0:
		newest := d.uint()
		w.newest = tick(newest)
		if newest >= uint64(lastTick) {
			d.err = errDamaged
		}
		if grid != 0 {
			w.cutCell = w.cut()
		}
		return
	}
	w.bits = slices.Clone(d.bytes())
	w.newest = from + tick(w.n)*w.grid
	c := cursor{cellCode: firstCells}
	w.cutCell = w.cut()
	for i := range int(w.n) {
		if i == int(w.cutCell) {
			w.cutByte = (c.bit + 7) / 8
		}
		if w.read(&c, i); w.reading(c.flags, 0).length > longestInterval {
			d.err = errDamaged
			return
		}
	}
	w.end, w.used, w.last = c.cellCode, uint8(c.bit%8), c.wh
	if int(c.bit+7)/8 != len(w.bits) || c.flags&cellKnown == 0 {
		d.err = errDamaged
		return
	}
	if w.used != 0 {
		w.bits[len(w.bits)-1] &= 1<<w.used - 1
	}
}
