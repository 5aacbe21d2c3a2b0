package detectors

import "math/bits"

// Readings in a checkpoint are packed by an adaptive Golomb-Rice code (Rice and
// Plaunt 1971; the parameter from the mean of the last values as in LOCO-I,
// Weinberger et al. 2000): a value's part above 2^k as so many ones and a zero,
// then its k low bits. Both sides follow the values to the same k.

// riceMean follows the mean of values.
type riceMean struct{ sum, n uint64 }

// The mean begins as that of a small home's half-hours, Wh, forgets half of
// its riceMemory values at a time, and takes in one value as at most riceFar
// times itself.
const (
	riceFirst  = 48
	riceMemory = 32
	riceFar    = 64
)

// longestOnes marks a value that is written as it is, in 32 bits.
const longestOnes = 20

// k is the number of low bits: of the mean's.
func (m *riceMean) k() int {
	return max(0, bits.Len64(m.sum/m.n)-1)
}

func (m *riceMean) learn(v uint32, k int) {
	m.sum += min(uint64(v), riceFar<<k)
	if m.n++; m.n >= riceMemory {
		m.sum, m.n = m.sum/2, m.n/2
	}
}

// pack appends the code of the values to b, in whole bytes.
func pack(b []byte, values []uint32) []byte {
	mean := riceMean{riceFirst, 1}
	room, used := uint64(0), 0
	put := func(v uint64, n int) { // n at most 32
		room |= v << used
		for used += n; used >= 8; used -= 8 {
			b = append(b, byte(room))
			room >>= 8
		}
	}
	for _, v := range values {
		k := mean.k()
		if ones := int(v >> k); ones < longestOnes {
			put(1<<ones-1, ones+1)
			put(uint64(v)&(1<<k-1), k)
		} else {
			put(1<<longestOnes-1, longestOnes)
			put(uint64(v), 32)
		}
		mean.learn(v, k)
	}
	put(0, (8-used)%8)
	return b
}

// unpack reads as many values as there is room for and returns what follows
// their code in b; false: b ends before.
func unpack(b []byte, values []uint32) ([]byte, bool) {
	mean := riceMean{riceFirst, 1}
	room, left := uint64(0), 0
	take := func(n int) uint64 { // n at most 32
		for left < n && len(b) > 0 {
			room |= uint64(b[0]) << left
			b, left = b[1:], left+8
		}
		v := room & (1<<n - 1)
		room >>= n
		left -= n // below nought past the end
		return v
	}
	for i := range values {
		k, ones := mean.k(), 0
		for ones < longestOnes && take(1) == 1 {
			ones++
		}
		if ones < longestOnes {
			values[i] = uint32(uint64(ones)<<k | take(k))
		} else {
			values[i] = uint32(take(32))
		}
		if left < 0 {
			return nil, false
		}
		mean.learn(values[i], k)
	}
	return b, true
}
