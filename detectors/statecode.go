package detectors

import (
	"fmt"
	"math/bits"
	"reflect"
	"unsafe"
)

// A state that is seldom looked at is kept packed: as how it differs from a
// guess that both sides make (see foresee), or from nothing, when the numbers of
// a row are taken for those before them.

// packState appends st, which stands at a place, to b. guess is nil, or what
// unpackState will be given.
func packState(b []byte, st, guess *homeState, at tick) []byte {
	w := bitWriter{b: b}
	c := stateCode{w: &w, guessed: guess != nil, at: at}
	if guess == nil {
		guess = &homeState{}
	}
	c.rows(stateRows, unsafe.Pointer(st), unsafe.Pointer(guess))
	c.signals(&st.Signals)
	w.put(uint64(c.check()), checkBits)
	return w.bytes()
}

// unpackState makes st what packState was given; false: b is damaged, or the
// guess, which is what st was before, is another.
func unpackState(b []byte, st *homeState, guessed bool, at tick) bool {
	c := stateCode{r: bitReader{b: b}, guessed: guessed, at: at}
	if !guessed {
		*st = homeState{}
	}
	c.rows(stateRows, unsafe.Pointer(st), unsafe.Pointer(st))
	c.signals(&st.Signals)
	return c.r.take(checkBits) == uint64(c.check()) && int(c.r.at+7)/8 == len(b)
}

// checkBits of a sum tell a wrong guess, as another version of the program may
// make one.
const checkBits = 16

// stateCode goes through a state, to pack or to unpack it.
type stateCode struct {
	w       *bitWriter // nil: unpack from r
	r       bitReader
	guessed bool
	at      tick   // most times in a state are near it
	sum     uint32 // of all numbers
}

func (c *stateCode) add(v uint32) { c.sum = bits.RotateLeft32(c.sum, 5) + v }

func (c *stateCode) check() uint16 { return uint16(c.sum ^ c.sum>>16) }

// stateRow is numbers of one kind that lie side by side in a state.
type stateRow struct {
	kind   reflect.Kind // Bool, Uint8, Uint16, Uint32 or Float32
	offset uintptr
	n      int
	back   int // how many places back the number is that one is like, 0: none
}

var (
	stateRows  = rowsOf(nil, reflect.TypeFor[homeState](), 0)
	signalRows = rowsOf(nil, reflect.TypeFor[signal](), 0)
)

// rowsOf appends the rows of a type that lies at an offset: all it holds but
// pointers. A type that is no number is a mistake of the program.
func rowsOf(rows []stateRow, t reflect.Type, at uintptr) []stateRow {
	row := stateRow{kind: t.Kind(), offset: at, n: 1}
	switch t.Kind() {
	case reflect.Pointer:
		return rows
	case reflect.Struct:
		for i := range t.NumField() {
			rows = rowsOf(rows, t.Field(i).Type, at+t.Field(i).Offset)
		}
		return rows
	case reflect.Array:
		of := rowsOf(nil, t.Elem(), 0)
		if len(of) == 1 { // numbers, or rows of them
			row = stateRow{kind: of[0].kind, offset: at, n: of[0].n * t.Len(), back: of[0].n}
			break
		}
		for i := range t.Len() {
			rows = rowsOf(rows, t.Elem(), at+uintptr(i)*t.Elem().Size())
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
		if last := &rows[len(rows)-1]; last.back == 0 && last.kind == row.kind && last.offset+uintptr(last.n)*sizeOf(row.kind) == at {
			last.n += row.n
			return rows
		}
	}
	return append(rows, row)
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
		switch row.kind {
		case reflect.Bool:
			c.bools(unsafe.Slice((*bool)(v), row.n))
		case reflect.Uint8:
			numbers(c, row, unsafe.Slice((*uint8)(v), row.n), unsafe.Slice((*uint8)(guess), row.n), 4)
		case reflect.Uint16:
			first := uint32(1024)
			if c.guessed {
				first = 4
			}
			numbers(c, row, unsafe.Slice((*uint16)(v), row.n), unsafe.Slice((*uint16)(guess), row.n), first)
		case reflect.Float32:
			c.floats(unsafe.Slice((*uint32)(v), row.n), unsafe.Slice((*uint32)(guess), row.n))
		default:
			c.words(unsafe.Slice((*uint32)(v), row.n), unsafe.Slice((*uint32)(guess), row.n))
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

// numbers codes whether all are as guessed or else how far each is from what it
// is taken for, in Rice code; first is the mean to begin with.
func numbers[T uint8 | uint16](c *stateCode, row *stateRow, v, guess []T, first uint32) {
	mean, back := riceMean{first, 1}, row.back
	if c.guessed || back == 0 {
		back = len(v) + 1
	}
	same := c.guessed
	if c.w == nil {
		same = c.r.flag()
	} else {
		for i := 0; i < len(v) && same; i++ {
			same = v[i] == guess[i]
		}
		c.w.flag(same)
	}
	for i := range v {
		taken := int32(guess[i])
		if i >= back {
			taken = int32(v[i-back])
		}
		switch {
		case same:
		case c.w == nil:
			v[i] = T(taken + unzigzag(uint32(c.r.rice(&mean))))
		default:
			c.w.rice(uint64(zigzag(int32(v[i])-taken)), &mean)
		}
		c.add(uint32(v[i]))
	}
}

// floats codes the bits in which each is another, in steps of four.
func (c *stateCode) floats(v, guess []uint32) {
	for i := range v {
		if c.w == nil {
			x := uint32(0)
			if c.r.flag() {
				ends := uint(c.r.take(6))
				low := 4 * (ends >> 3)
				x = uint32(c.r.take(32-min(32, 4*(ends&7)+low))) << low
			}
			v[i] = guess[i] ^ x
		} else {
			x := v[i] ^ guess[i]
			c.w.flag(x != 0)
			if x != 0 {
				high, low := uint(bits.LeadingZeros32(x)/4), uint(bits.TrailingZeros32(x)/4)
				c.w.put(uint64(high|low<<3), 6)
				c.w.put(uint64(x>>(4*low)), 32-4*(high+low))
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
