package detectors

import (
	"encoding/binary"
	"math/bits"
)

// Numbers that are mostly small are packed by an adaptive Golomb-Rice code (Rice
// and Plaunt 1971; the parameter from the mean of the last numbers as in LOCO-I,
// Weinberger et al. 2000): a number's part above 2^k as so many ones and a zero,
// then its k low bits. Both sides follow the numbers to the same k.

// riceMean follows the mean of numbers.
type riceMean struct {
	sum uint32
	n   uint8
}

// The mean forgets half of its riceMemory numbers at a time, and takes in none
// as more than riceMost.
const (
	riceMemory = 32
	riceMost   = 1 << 24
)

// k is the number of low bits: about as many as the mean has.
func (m *riceMean) k() uint {
	return uint(max(0, bits.Len32(m.sum)-bits.Len8(m.n)))
}

func (m *riceMean) learn(v uint64) {
	m.sum += uint32(min(v, riceMost))
	if m.n++; m.n >= riceMemory {
		m.sum, m.n = m.sum/2, m.n/2
	}
}

// A number with longestOnes or more is written as it is instead, in longestBits;
// the mean takes it in as one of longestOnes.
const (
	longestOnes = 20
	longestBits = 33
)

// bitWriter appends bits to bytes, the low ones first.
type bitWriter struct {
	b    []byte
	room uint64 // bits that fill no byte yet
	used uint
}

// put writes n bits, 56 at most. (The masks of shifts here change nothing: they
// spare the processor a comparison.)
func (w *bitWriter) put(v uint64, n uint) {
	w.room |= v << (w.used & 63)
	if w.used += n; w.used >= 8 {
		w.spill()
	}
}

// spill empties the room of whole bytes.
func (w *bitWriter) spill() {
	full := w.used / 8
	w.b = binary.LittleEndian.AppendUint64(w.b, w.room)[:uint(len(w.b))+full]
	w.room >>= 8 * full & 63
	w.used %= 8
}

func (w *bitWriter) flag(on bool) {
	v := uint64(0)
	if on {
		v = 1
	}
	w.put(v, 1)
}

// rice writes a number of at most longestBits.
func (w *bitWriter) rice(v uint64, m *riceMean) {
	k := m.k()
	ones := uint(v >> (k & 63))
	if ones < longestOnes {
		w.put(v&(1<<(k&63)-1)<<((ones+1)&63)|(1<<(ones&63)-1), ones+1+k)
		m.learn(v)
		return
	}
	w.put(1<<longestOnes-1, longestOnes)
	w.put(v, longestBits)
	m.learn(longestOnes << (k & 63))
}

// bytes is what was written, in whole bytes.
func (w *bitWriter) bytes() []byte {
	if w.used > 0 {
		w.b = append(w.b, byte(w.room))
		w.room, w.used = 0, 0
	}
	return w.b
}

// bitReader reads what bitWriter wrote; past the end there are zeroes.
type bitReader struct {
	b  []byte
	at uint // bits read
}

// ahead is the next bits, 57 at the least.
func (r *bitReader) ahead() uint64 {
	if i := r.at / 8; i+8 <= uint(len(r.b)) {
		return binary.LittleEndian.Uint64(r.b[i:]) >> (r.at & 7)
	}
	return r.last()
}

// last is what is ahead at the end.
func (r *bitReader) last() uint64 {
	var b [8]byte
	if i := r.at / 8; i < uint(len(r.b)) {
		copy(b[:], r.b[i:])
	}
	return binary.LittleEndian.Uint64(b[:]) >> (r.at & 7)
}

func (r *bitReader) take(n uint) uint64 { // n at most 56
	v := r.ahead() & (1<<(n&63) - 1)
	r.at += n
	return v
}

func (r *bitReader) flag() bool { return r.take(1) != 0 }

func (r *bitReader) rice(m *riceMean) uint64 {
	k, next := m.k(), r.ahead()
	ones := uint(bits.TrailingZeros64(^next))
	if ones < longestOnes {
		v := uint64(ones)<<(k&63) | next>>((ones+1)&63)&(1<<(k&63)-1)
		r.at += ones + 1 + k
		m.learn(v)
		return v
	}
	r.at += longestOnes + longestBits
	m.learn(longestOnes << (k & 63))
	return next >> longestOnes & (1<<longestBits - 1)
}

// zigzag makes numbers that are small either way small: 0, -1, 1, -2, 2 become
// 0, 1, 2, 3, 4.
func zigzag(d int32) uint32 { return uint32(d<<1 ^ d>>31) }

func unzigzag(s uint32) int32 { return int32(s>>1 ^ -(s & 1)) }
