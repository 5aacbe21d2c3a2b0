package detectors

import (
	"encoding/binary"
	"math"
	"testing"
)

func FuzzRice(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7})
	for _, v := range []uint32{0, 1, 40, 3000, math.MaxUint32} {
		f.Add(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, v), v/2))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		values := make([]uint64, len(b)/4)
		var w bitWriter
		var mean riceMean
		for i := range values {
			values[i] = uint64(binary.LittleEndian.Uint32(b[4*i:])) << (b[4*i] % 2)
			w.rice(values[i], &mean)
			w.flag(values[i]%3 == 0)
		}
		packed := w.bytes()
		r := bitReader{b: packed}
		mean = riceMean{}
		for i, v := range values {
			if got := r.rice(&mean); got != v {
				t.Fatalf("number %d came back as %d, not %d", i, got, v)
			}
			if r.flag() != (v%3 == 0) {
				t.Fatalf("the flag of number %d came back as another", i)
			}
		}
		if len(packed) != int(r.at+7)/8 {
			t.Errorf("%d bits of %d bytes were read", r.at, len(packed))
		}
		r, mean = bitReader{b: b}, riceMean{} // of nothing that was packed: no panic, and an end
		for n := 0; r.at <= 8*uint(len(b)); n++ {
			if r.rice(&mean); n > 8*len(b) {
				t.Fatal("more numbers than bits")
			}
		}
	})
}
