package detectors

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"weimang/ingest"
)

// put stores one reading.
func (w *window) put(end, length tick, wh uint32, q ingest.Quality, register bool) bool {
	o := opening{w: w, a: new(Area)}
	defer o.close()
	return o.put(end, length, wh, q, register)
}

func TestRevisionsFollowQualityThenArrival(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second ingest.Quality
		wantSecond    bool
	}{
		{"an estimate is replaced by a measurement", ingest.Estimated, ingest.Valid, true},
		{"a measurement is not replaced by an estimate", ingest.Valid, ingest.Estimated, false},
		{"of two measurements the later counts", ingest.Valid, ingest.Valid, true},
		{"a correction stays against the first value sent again", ingest.Edited, ingest.Valid, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWindow(0, 396)
			w.put(8, 2, 100, c.first, false)
			changed := w.put(8, 2, 200, c.second, false)
			want := uint32(100)
			if c.wantSecond {
				want = 200
			}
			if got := w.at(8); got.wh != want || changed != c.wantSecond {
				t.Errorf("value %d, changed %v", got.wh, changed)
			}
		})
	}
	w := newWindow(0, 396)
	w.put(8, 2, 100, ingest.Valid, false)
	if w.put(8, 2, 100, ingest.Valid, false) {
		t.Error("a repeat counted as a change")
	}
}

func TestWindowChangesItsGrid(t *testing.T) {
	w := newWindow(96, 396)
	w.put(100, 4, 400, ingest.Valid, false)
	w.put(101, 1, 7, ingest.Valid, false) // from now on quarter-hours
	w.put(104, 2, 9, ingest.Valid, false)
	for end, want := range map[tick]reading{
		100: {length: 4, wh: 400}, 101: {length: 1, wh: 7}, 102: {}, 104: {length: 2, wh: 9}, 99: {},
	} {
		if got := w.at(end); got != want {
			t.Errorf("at %d: %+v, want %+v", end, got, want)
		}
	}
	w.forget(100, new(cells))
	if got := w.at(101); got.wh != 7 {
		t.Errorf("after forgetting: %+v", got)
	}
	if got := w.at(100); got.length != 0 {
		t.Errorf("not forgotten: %+v", got)
	}
}

func TestRegister(t *testing.T) {
	type step struct {
		end     tick
		wh      uint32
		want    uint32
		quality ingest.Quality
		event   registerEvent
	}
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"counts up", []step{{2, 5000, ingest.NoValue, ingest.Missing, registerFirst}, {4, 5300, 300, ingest.Valid, registerCounted}}},
		{"over a gap only the mean is known", []step{{2, 5000, ingest.NoValue, ingest.Missing, registerFirst}, {8, 5300, 100, ingest.Estimated, registerCounted}}},
		{"passes its last digit", []step{{2, 99_999_900, ingest.NoValue, ingest.Missing, registerFirst}, {4, 200, 300, ingest.Valid, registerRollover}}},
		{"steps back", []step{
			{2, 8_000_000, ingest.NoValue, ingest.Missing, registerFirst},
			{4, 7_000_000, ingest.NoValue, ingest.Missing, registerBackward},
			{6, 7_000_200, 200, ingest.Valid, registerCounted},
		}},
		{"a new meter shows more than the old", []step{
			{2, 3000, ingest.NoValue, ingest.Missing, registerFirst},
			{4, 54_321_000, ingest.NoValue, ingest.Missing, registerBackward},
			{6, 54_321_250, 250, ingest.Valid, registerCounted},
		}},
		{"a new meter begins at nought", []step{
			{2, 54_321_000, ingest.NoValue, ingest.Missing, registerFirst},
			{4, 10, ingest.NoValue, ingest.Missing, registerBackward},
			{6, 260, 250, ingest.Valid, registerCounted},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p registerPoint
			for _, s := range c.steps {
				got, event := p.energy(s.end, reading{length: 2, wh: s.wh, reg: true})
				if got.wh != s.want || got.quality != s.quality || event != s.event {
					t.Errorf("at %d: %+v, event %d", s.end, got, event)
				}
			}
		})
	}
}

func TestWhatIsCountedFromAnEstimateIsOne(t *testing.T) {
	var p registerPoint
	for _, s := range []struct {
		end           tick
		wh            uint32
		quality, want ingest.Quality
	}{
		{2, 5000, ingest.Valid, ingest.Missing},
		{4, 5000, ingest.Estimated, ingest.Estimated}, // nobody has read the meter
		{6, 5600, ingest.Valid, ingest.Estimated},     // when the 600 Wh were used is not known
		{8, 5700, ingest.Valid, ingest.Valid},
	} {
		if got, _ := p.energy(s.end, reading{length: 2, wh: s.wh, quality: s.quality, reg: true}); got.quality != s.want {
			t.Errorf("at %d: %+v, want %s", s.end, got, s.want)
		}
	}
}

func TestSlotsFollowTheClockOfTheHousehold(t *testing.T) {
	z, err := newZone("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	for when, want := range map[string]int{
		"2013-03-31T00:30:00Z": 1,  // 00:30 GMT
		"2013-03-31T01:00:00Z": 4,  // 02:00 BST: the clock has gone forward
		"2013-07-01T11:00:00Z": 24, // noon
		"2013-10-27T00:30:00Z": 3,  // 01:30 BST
		"2013-10-27T01:30:00Z": 3,  // 01:30 GMT, the hour again
		"1969-12-31T23:30:00Z": 1,  // London kept summer time that winter
	} {
		start, _ := time.Parse(time.RFC3339, when)
		if got := z.at(tickOf(start), nil).slot; got != want {
			t.Errorf("%s is slot %d, want %d", when, got, want)
		}
	}
}

func TestRegisterFeedEqualsEnergyFeed(t *testing.T) {
	v := eventful(21)
	total := make(map[string]uint32)
	var registers []ingest.Input
	for _, in := range v.inputs(0, 30) {
		r := *in.Readings
		total[r.MeterID] += r.Wh[0]
		r.Wh, r.Register = []uint32{5_000_000 + total[r.MeterID]}, true
		registers = append(registers, ingest.Input{AreaID: in.AreaID, Clock: in.Clock, Readings: &r})
	}
	_, want := watch(t, DefaultParams(), v.inputs(0, 30))
	_, got := watch(t, DefaultParams(), registers)
	if len(want) == 0 || len(got) != len(want) {
		t.Fatalf("%d findings from registers, %d from energies", len(got), len(want))
	}
	for i := range want {
		if got[i].Kind != want[i].Kind || got[i].State != want[i].State || !got[i].Onset.Equal(want[i].Onset) {
			t.Errorf("finding %d: %s %s, want %s %s", i, got[i].Kind, got[i].State, want[i].Kind, want[i].State)
		}
	}
}

// A packed window holds what a list of cells does, however readings come.
func FuzzWindow(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, uint16(400))
	}
	f.Fuzz(func(t *testing.T, seed uint64, puts uint16) {
		rng := rand.New(rand.NewPCG(seed, 3))
		const step = 96
		w, want := newWindow(4*step, step), cells{extent: extent{from: 4 * step}, step: step}
		next := want.from
		check := func() {
			t.Helper()
			for end := want.from + 1; end <= want.newest+5; end++ {
				if got, want := w.at(end), want.at(end); got != want {
					t.Fatalf("at %d: %+v, want %+v", end, got, want)
				}
			}
			after := want.from + tick(rng.IntN(3*step))
			gotEnd, got := w.oldest(after)
			if wantEnd, ok := want.oldest(after); got != ok || gotEnd != wantEnd {
				t.Fatalf("oldest after %d is %d (%t), want %d (%t)", after, gotEnd, got, wantEnd, ok)
			}
		}
		for range puts % 1000 {
			length := tick(1) << rng.IntN(3)
			if seed%2 == 0 {
				length = 2
			}
			next = next.floor(length) + length
			end := next
			switch rng.IntN(20) {
			case 0: // late
				end = want.from + length*tick(1+rng.IntN(int(next-want.from)/int(length)))
			case 1: // after a gap
				next += length * tick(rng.IntN(step))
				end = next
			}
			wh, q := uint32(rng.IntN(300)), ingest.Quality(0)
			switch rng.IntN(12) {
			case 0:
				wh, q = rng.Uint32(), ingest.Estimated
			case 1:
				wh = ingest.NoValue
			}
			register := seed%3 == 0 && rng.IntN(4) > 0
			if want.grid == 0 {
				want.grid = length
			}
			if got, want := w.put(end, length, wh, q, register), want.put(end, length, wh, q, register); got != want {
				t.Fatalf("put at %d: changed %t, want %t", end, got, want)
			}
			if rng.IntN(50) == 0 {
				check()
			}
			if place := next.floor(step) - step; place > want.from && rng.IntN(30) == 0 {
				w.forget(place, new(cells))
				want.forget(place)
			}
		}
		check()

		// The same cells have the same code, and come back from it.
		again := newWindow(want.from, step)
		if again.pack(&want); want.grid != 0 && (!bytes.Equal(again.bits, w.bits) || again.n != w.n) {
			t.Error("packed at once the window is another")
		}
		var e encoder
		w.encode(&e)
		d := decoder{b: e.b, version: stateVersion}
		if d.window(&again, want.from, step); d.err != nil || len(d.b) != 0 {
			t.Fatalf("decoding: %v, %d bytes left", d.err, len(d.b))
		}
		w = again
		check()
		if next += 8; next > want.newest {
			if w.put(next, 4, 7, 0, false); w.at(next) != (reading{length: 4, wh: 7}) {
				t.Errorf("after decoding a reading is put as %+v", w.at(next))
			}
		}
	})
}

// oldest is what a window's is.
func (c *cells) oldest(after tick) (tick, bool) {
	for end := max(after, c.from) + 1; end <= c.newest; end++ {
		if c.at(end).length != 0 {
			return end, true
		}
	}
	return 0, false
}

// at is the reading that ends at end.
func (c *cells) at(end tick) reading {
	i, ok := c.place(end)
	if !ok || i >= len(c.wh) {
		return reading{}
	}
	return c.reading(c.flags[i], c.wh[i])
}

// What homes use in quarter-hours takes less than a byte each, what their
// registers show hardly more.
func TestReadingsArePackedTight(t *testing.T) {
	v := &village{homes: 1, seed: 3}
	for _, register := range []bool{false, true} {
		from := tickOf(day0)
		w, total := newWindow(from, 1000), uint32(12_345_678)
		for i, in := range v.inputs(0, 6) {
			quarter := in.Readings.Wh[0] / 2
			total += quarter
			value := quarter
			if register {
				value = total
			}
			w.put(from+tick(i+1), 1, value, 0, register)
		}
		if perReading := float64(len(w.bits)) / float64(w.n); perReading > 1.2 {
			t.Errorf("register %v: %.2f bytes a reading", register, perReading)
		}
	}
}
