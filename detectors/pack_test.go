package detectors

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

func FuzzPack(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7})
	for _, v := range []uint32{0, 1, 40, 3000, math.MaxUint32} {
		f.Add(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, v), v/2))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		values := make([]uint32, len(b)/4)
		for i := range values {
			values[i] = binary.LittleEndian.Uint32(b[4*i:])
		}
		packed := pack(nil, values)
		got := make([]uint32, len(values))
		rest, ok := unpack(append(slices.Clone(packed), 7), got)
		if !ok || len(rest) != 1 || !slices.Equal(got, values) {
			t.Errorf("unpacked %v, %d bytes left, want %v", got, len(rest), values)
		}
		if _, ok := unpack(packed[:max(0, len(packed)-1)], got); ok && len(packed) > 0 {
			t.Error("what is cut off was taken")
		}
		unpack(b, got) // of nothing that was packed: no panic
	})
}

// What homes use in quarter-hours takes less than a byte each, what their
// registers show hardly more.
func TestReadingsArePackedTight(t *testing.T) {
	v := &village{homes: 1, seed: 3}
	for _, register := range []bool{false, true} {
		w := window{from: tickOf(day0)}
		total := uint32(12_345_678)
		for i, in := range v.inputs(0, 6) {
			quarter := in.Readings.Wh[0] / 2
			total += quarter
			value := quarter
			if register {
				value = total
			}
			w.put(w.from+tick(i+1), 1, value, 0, register)
		}
		var e encoder
		w.encode(&e)
		if perReading := float64(len(e.b)) / float64(len(w.wh)); perReading > 1.2 {
			t.Errorf("register %v: %.2f bytes a reading", register, perReading)
		}
		d := decoder{b: e.b, version: stateVersion}
		var got window
		if d.window(&got); d.err != nil || !slices.Equal(got.wh, w.wh) || !slices.Equal(got.flags, w.flags) {
			t.Errorf("register %v: came back as another (%v)", register, d.err)
		}
	}
}
