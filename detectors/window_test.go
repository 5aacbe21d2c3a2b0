package detectors

import (
	"testing"
	"time"

	"weimang/ingest"
)

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
			w := window{}
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
	w := window{}
	w.put(8, 2, 100, ingest.Valid, false)
	if w.put(8, 2, 100, ingest.Valid, false) {
		t.Error("a repeat counted as a change")
	}
}

func TestWindowChangesItsGrid(t *testing.T) {
	w := window{from: 96}
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
	w.forget(100)
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
