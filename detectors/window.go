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
	span
	n    uint16 // cells
	used uint8  // bits of the last byte
	bits []byte
	end  cellCode // after the last cell
	live cursor
}

// cellCode is what the code of a cell depends on: the cells before it. The
// same cells always have the same code.
//
// A known cell is a number in Rice code: 0 for no value, 1 when the flags of 8
// bits that follow are another's, and 2 more than the energy, or than how far a
// register is on from the one before (zigzag). An unknown cell is a bit of
// nought; a one precedes the flags of a known one.
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
func newWindow(from tick) window {
	return window{span: span{from: from}, end: firstCells, live: cursor{cellCode: firstCells}}
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

func (c *cellCode) read(r *bitReader) (wh uint32) {
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
	}
	b := w.writer()
	n := uint16((end - w.from) / w.grid)
	for w.n++; w.n < n; w.n++ {
		w.end.write(&b, 0, 0)
	}
	w.end.write(&b, w.cell(length, wh, q, register), wh)
	w.written(b)
	w.newest = end
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

// isNewest reports whether a reading is the one that live has read last, as
// when a sender repeats itself.
func (w *window) isNewest(end, length tick, wh uint32, q ingest.Quality, register bool) bool {
	i, ok := w.place(end)
	return ok && i+1 == int(w.live.next) && w.live.wh == wh && w.live.flags == w.cell(length, wh, q, register)
}

// at is the reading that ends at end. To read one after the other is fast.
func (w *window) at(end tick) reading {
	i, ok := w.place(end)
	if !ok || i >= int(w.n) {
		return reading{}
	}
	if c := &w.live; i+1 != int(c.next) {
		if i < int(c.next) {
			*c = cursor{cellCode: firstCells}
		}
		w.read(c, i)
	}
	return w.reading(w.live.flags, w.live.wh)
}

// read moves a cursor on, behind the cell at a place.
func (w *window) read(c *cursor, to int) {
	r := bitReader{b: w.bits, at: uint(c.bit)}
	for ; int(c.next) <= to; c.next++ {
		c.wh = c.cellCode.read(&r)
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
		c = cursor{cellCode: firstCells}
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
	w             *window
	c             *cells
	open, changed bool
}

// put stores a reading that ends at end and reports whether anything changed.
func (o *opening) put(end, length tick, wh uint32, q ingest.Quality, register bool) bool {
	if !o.open {
		switch {
		case o.w.follows(end, length):
			o.w.append(end, length, wh, q, register)
			return true
		case o.w.isNewest(end, length, wh, q, register):
			return false
		}
		o.w.open(o.c)
		o.open = true
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
	c.span, c.wh, c.flags = w.span, c.wh[:0], c.flags[:0]
	code, r := firstCells, bitReader{b: w.bits}
	for range w.n {
		wh := code.read(&r)
		c.wh, c.flags = append(c.wh, wh), append(c.flags, code.flags)
	}
}

// pack makes the window what c is.
func (w *window) pack(c *cells) {
	b := bitWriter{b: w.bits[:0]}
	*w = newWindow(c.from)
	w.span, w.n = c.span, uint16(len(c.wh))
	for i, wh := range c.wh {
		w.end.write(&b, c.flags[i], wh)
	}
	w.written(b)
}

// forget drops what ends at or before upTo. It is laid open in c.
func (w *window) forget(upTo tick, c *cells) {
	if w.n == 0 {
		w.from = max(w.from, upTo)
		return
	}
	if upTo = upTo.floor(w.grid); upTo <= w.from {
		return
	}
	w.open(c)
	c.forget(upTo)
	w.pack(c)
	w.bits = append(make([]byte, 0, len(w.bits)), w.bits...)
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
func (d *decoder) window(w *window, from tick) {
	*w = newWindow(from)
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
		return
	}
	w.bits = slices.Clone(d.bytes())
	w.newest = from + tick(w.n)*w.grid
	r := bitReader{b: w.bits}
	for range w.n {
		w.end.read(&r)
		if w.reading(w.end.flags, 0).length > longestInterval {
			d.err = errDamaged
		}
	}
	w.used = uint8(r.at % 8)
	if r.over() || int(r.at+7)/8 != len(w.bits) || w.end.flags&cellKnown == 0 {
		d.err = errDamaged
		return
	}
	if w.used != 0 {
		w.bits[len(w.bits)-1] &= 1<<w.used - 1
	}
}
