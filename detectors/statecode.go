package detectors

import (
	"fmt"
	"math/bits"
	"reflect"
	"slices"
	"unsafe"
)

// A state that is seldom looked at is kept packed. The settled one stands alone:
// the numbers of a row are taken for those before them. A mark is kept as how it
// differs from settled, and what was learned between not at all, where that can
// be learned again from the readings: see foresee.

// packAlone appends st, which stands at a place, to b.
func packAlone(b []byte, st *homeState, at tick) []byte {
	w := bitWriter{b: b}
	c := stateCode{w: &w, at: at}
	c.rows(stateRows, unsafe.Pointer(st), unsafe.Pointer(&homeState{}))
	c.signals(&st.Signals)
	return w.bytes()
}

// unpackAlone makes st what packAlone was given; false: b is damaged.
func unpackAlone(b []byte, st *homeState, at tick) bool {
	c := stateCode{r: bitReader{b: b}, at: at}
	*st = homeState{}
	c.rows(stateRows, unsafe.Pointer(st), unsafe.Pointer(st))
	c.signals(&st.Signals)
	return int(c.r.at+7)/8 == len(b)
}

// unpackJudged makes st the same without what is learned.
func unpackJudged(b []byte, st *homeState, at tick) {
	*st = homeState{}
	c := stateCode{r: bitReader{b: b}, at: at}
	c.rows(judgedRows, unsafe.Pointer(st), unsafe.Pointer(st))
}

// packMark appends st, which stands at a place, to b, by the settled state before
// it; foreseen: without what was learned.
func packMark(b []byte, st, before *homeState, foreseen bool, at tick) []byte {
	w := bitWriter{b: b}
	c := stateCode{w: &w, at: at, by: true, foreseen: foreseen}
	w.flag(foreseen)
	c.rows(stateRows, unsafe.Pointer(st), unsafe.Pointer(before))
	c.signals(&st.Signals)
	w.put(uint64(c.sum), sumBits)
	return w.bytes()
}

// isForeseen reports whether unpackMark needs what was learned in st.
func isForeseen(b []byte) bool { return b[0]&1 != 0 }

// unpackMark makes st, which is the settled state, what packMark was given;
// false: b is damaged, or something else was learned.
func unpackMark(b []byte, st *homeState, at tick) bool {
	c := stateCode{r: bitReader{b: b}, at: at, by: true}
	c.foreseen = c.r.flag()
	c.rows(stateRows, unsafe.Pointer(st), unsafe.Pointer(st))
	c.signals(&st.Signals)
	return c.r.take(sumBits) == uint64(c.sum) && int(c.r.at+7)/8 == len(b)
}

// A sum over all numbers tells when something else was learned: in another version
// of the program, or on a processor of another kind.
const sumBits = 32

// stateCode goes through a state, to pack or to unpack it.
type stateCode struct {
	w        *bitWriter // nil: unpack from r
	r        bitReader
	by       bool   // by a state before it
	foreseen bool   // rows that are learned are there already
	at       tick   // most times in a state are near it
	sum      uint32 // of all numbers
}

func (c *stateCode) add(v uint32) { c.sum = bits.RotateLeft32(c.sum, 5) + v }

// stateRow is numbers of one kind that lie side by side in a state.
type stateRow struct {
	kind    reflect.Kind // Bool, Uint8, Uint16, Uint32 or Float32
	offset  uintptr
	n       int
	back    int  // how many places back the number is that one is like, 0: none
	noise   bool // what is near tells nothing of a number
	learned bool
}

var (
	stateRows  = learnedLast(rowsOf(nil, reflect.TypeFor[homeState](), 0, false))
	judgedRows = stateRows[:slices.IndexFunc(stateRows, func(row stateRow) bool { return row.learned })]
	signalRows = rowsOf(nil, reflect.TypeFor[signal](), 0, false)
)

// rowsOf appends the rows of a type that lies at an offset: all it holds but
// pointers. A type that is no number is a mistake of the program.
func rowsOf(rows []stateRow, t reflect.Type, at uintptr, isLearned bool) []stateRow {
	isLearned = isLearned || slices.Contains(learned, t)
	row := stateRow{kind: t.Kind(), offset: at, n: 1, noise: t == reflect.TypeFor[share](), learned: isLearned}
	switch t.Kind() {
	case reflect.Pointer:
		return rows
	case reflect.Struct:
		for i := range t.NumField() {
			rows = rowsOf(rows, t.Field(i).Type, at+t.Field(i).Offset, isLearned)
		}
		return rows
	case reflect.Array:
		of := rowsOf(nil, t.Elem(), 0, isLearned)
		if len(of) == 1 { // numbers, or rows of them
			row = stateRow{kind: of[0].kind, offset: at, n: of[0].n * t.Len(), back: of[0].n, noise: of[0].noise, learned: isLearned}
			break
		}
		for i := range t.Len() {
			rows = rowsOf(rows, t.Elem(), at+uintptr(i)*t.Elem().Size(), isLearned)
		}
		return rows
	case reflect.Uint64:
		row.kind, row.n = reflect.Uint32, 2
	case reflect.Int32:
		row.kind = reflect.Uint32
	case reflect.Bool, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Float32:
	default:
		panic(fmt.Sprintf("a state holds a %s", t))
	}
	if len(rows) > 0 && row.back == 0 {
		if last := &rows[len(rows)-1]; last.back == 0 && last.kind == row.kind && last.learned == row.learned && last.offset+uintptr(last.n)*sizeOf(row.kind) == at {
			last.n += row.n
			return rows
		}
	}
	return append(rows, row)
}

// learnedLast lets what is judged be read without what is learned.
func learnedLast(rows []stateRow) []stateRow {
	slices.SortStableFunc(rows, func(x, y stateRow) int {
		switch {
		case x.learned == y.learned:
			return 0
		case x.learned:
			return 1
		default:
			return -1
		}
	})
	return rows
}

func sizeOf(kind reflect.Kind) uintptr {
	switch kind {
	case reflect.Bool, reflect.Uint8:
		return 1
	case reflect.Uint16:
		return 2
	default:
		return 4
	}
}

// rows packs what lies at v by what lies at guess. To unpack, both are the same.
func (c *stateCode) rows(rows []stateRow, v, guess unsafe.Pointer) {
	for i := range rows {
		row := &rows[i]
		v, guess := unsafe.Add(v, row.offset), unsafe.Add(guess, row.offset)
		if c.foreseen && row.learned {
			c.sumUp(row, v)
			continue
		}
		switch row.kind {
		case reflect.Bool:
			c.bools(unsafe.Slice((*bool)(v), row.n))
		case reflect.Uint8:
			numbers(c, row, unsafe.Slice((*uint8)(v), row.n), unsafe.Slice((*uint8)(guess), row.n))
		case reflect.Uint16:
			numbers(c, row, unsafe.Slice((*uint16)(v), row.n), unsafe.Slice((*uint16)(guess), row.n))
		case reflect.Float32:
			c.floats(unsafe.Slice((*uint32)(v), row.n), unsafe.Slice((*uint32)(guess), row.n))
		default:
			c.words(unsafe.Slice((*uint32)(v), row.n), unsafe.Slice((*uint32)(guess), row.n))
		}
	}
}

// sumUp takes a row into the sum.
func (c *stateCode) sumUp(row *stateRow, v unsafe.Pointer) {
	switch row.kind {
	case reflect.Uint8:
		for _, v := range unsafe.Slice((*uint8)(v), row.n) {
			c.add(uint32(v))
		}
	case reflect.Uint16:
		for _, v := range unsafe.Slice((*uint16)(v), row.n) {
			c.add(uint32(v))
		}
	default:
		for _, v := range unsafe.Slice((*uint32)(v), row.n) {
			c.add(v)
		}
	}
}

func (c *stateCode) bools(v []bool) {
	for i := range v {
		if c.w == nil {
			v[i] = c.r.flag()
		} else {
			c.w.flag(v[i])
		}
	}
}

// group numbers are coded in as many bits as the farthest of them from what it is
// taken for needs.
const (
	group     = 8
	widthBits = 5
	atOnce    = 3 // numbers of 16 bits that are ahead of a reader
)

// numbers codes how far each is from what it is taken for.
func numbers[T uint8 | uint16](c *stateCode, row *stateRow, v, guess []T) {
	back := 0
	if !c.by && !row.noise {
		back = row.back
	}
	for at := 0; at < len(v); at += group {
		to := min(at+group, len(v))
		if c.w != nil {
			writeGroup(c, v[:to], guess[:to], at, back)
		} else {
			readGroup(c, v[:to], at, back)
		}
	}
}

// writeGroup writes the numbers from a place on: each is taken for the one so many
// back, 0: for its guess.
func writeGroup[T uint8 | uint16](c *stateCode, v, guess []T, at, back int) {
	wrap := 32 - 8*unsafe.Sizeof(T(0)) // differences are those of T
	var far [group]uint32
	all, sum := uint32(0), c.sum
	for i := at; i < len(v); i++ {
		taken := guess[i]
		if back > 0 && i >= back {
			taken = v[i-back]
		}
		d := zigzag(int32(v[i]-taken) << wrap >> wrap)
		far[i-at] = d
		all |= d
		sum = bits.RotateLeft32(sum, 5) + uint32(v[i])
	}
	c.sum = sum
	width := uint(bits.Len32(all))
	c.w.put(uint64(width), widthBits)
	if width == 0 {
		return
	}
	for i := 0; i < len(v)-at; i += atOnce {
		three := uint64(far[i])
		n := width
		for j := i + 1; j < min(i+atOnce, len(v)-at); j++ {
			three |= uint64(far[j]) << (n & 63)
			n += width
		}
		c.w.put(three, n)
	}
}

// readGroup reads what writeGroup has written; v holds what numbers are taken for.
func readGroup[T uint8 | uint16](c *stateCode, v []T, at, back int) {
	width := uint(c.r.take(widthBits))
	mask, next, sum := uint32(1)<<(width&31)-1, uint64(0), c.sum
	for i := at; i < len(v); i++ {
		if back > 0 && i >= back {
			v[i] = v[i-back]
		}
		if width > 0 {
			if (i-at)%atOnce == 0 {
				next = c.r.ahead()
			}
			v[i] += T(unzigzag(uint32(next) & mask))
			next >>= width & 63
			c.r.at += width
		}
		sum = bits.RotateLeft32(sum, 5) + uint32(v[i])
	}
	c.sum = sum
}

// floats codes the bits in which each is another, in steps of four.
func (c *stateCode) floats(v, guess []uint32) {
	for i := range v {
		if c.w == nil {
			next := c.r.ahead()
			if next&1 == 0 {
				c.r.at++
				v[i] = guess[i]
			} else {
				high, low := uint(4*(next>>1&7)), uint(4*(next>>4&7))
				n := 32 - min(32, high+low)
				c.r.at += 7 + n
				v[i] = guess[i] ^ uint32(next>>7&(1<<n-1))<<low
			}
		} else {
			x := v[i] ^ guess[i]
			if x == 0 {
				c.w.put(0, 1)
			} else {
				high, low := uint(bits.LeadingZeros32(x)/4), uint(bits.TrailingZeros32(x)/4)
				c.w.put(uint64(1|high<<1|low<<4)|uint64(x>>(4*low&31))<<7, 7+32-4*(high+low))
			}
		}
		c.add(v[i])
	}
}

// words codes numbers of 32 bits, which are mostly times: as taken for, or how
// far from that or from where the state stands, by their lengths in bits.
func (c *stateCode) words(v, guess []uint32) {
	for i := range v {
		if c.w == nil {
			if c.r.flag() {
				from := guess[i]
				if c.r.flag() {
					from = uint32(c.at)
				}
				v[i] = from + uint32(unzigzag(uint32(c.r.take(uint(c.r.take(5))+1))))
			} else {
				v[i] = guess[i]
			}
		} else {
			c.w.flag(v[i] != guess[i])
			if v[i] != guess[i] {
				d, near := zigzag(int32(v[i]-guess[i])), zigzag(int32(v[i]-uint32(c.at)))
				c.w.flag(near < d)
				d = min(d, near)
				n := max(1, uint(bits.Len32(d)))
				c.w.put(uint64(n-1), 5)
				c.w.put(uint64(d), n)
			}
		}
		c.add(v[i])
	}
}

// signals codes those that speak.
func (c *stateCode) signals(all **[signals]signal) {
	if c.w == nil {
		*all = nil
	}
	for i := range signals {
		var s signal
		if c.w != nil && *all != nil {
			s = (*all)[i]
		}
		speaks := s != signal{}
		if c.w == nil {
			speaks = c.r.flag()
		} else {
			c.w.flag(speaks)
		}
		if !speaks {
			continue
		}
		c.rows(signalRows, unsafe.Pointer(&s), unsafe.Pointer(&signal{}))
		if c.w == nil {
			if *all == nil {
				*all = new([signals]signal)
			}
			(*all)[i] = s
		}
	}
}
