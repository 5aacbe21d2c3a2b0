package evaluate

import (
	"math"
	"slices"
	"testing"
	"time"

	"weimang/ingest"
)

// TestBaseHumsLikeTheQuietNightsItWasLearnedFrom compares mean, spread and how
// one reading follows another.
func TestBaseHumsLikeTheQuietNightsItWasLearnedFrom(t *testing.T) {
	moments := func(wh []float64) (mean, sd, follow float64) {
		for _, v := range wh {
			mean += v / float64(len(wh))
		}
		for i, v := range wh {
			sd += (v - mean) * (v - mean) / float64(len(wh))
			if i > 0 {
				follow += (v - mean) * (wh[i-1] - mean) / float64(len(wh))
			}
		}
		return mean, math.Sqrt(sd), follow / sd
	}
	for _, h := range village() {
		b := h.baseAt(h.at(len(h.wh) / 2))
		var nights, hummed []float64
		for _, n := range quiet(h.nights(h.at(len(h.wh)/2)-3*weekTicks, h.at(len(h.wh)/2)+4*weekTicks), h.step.hours()) {
			nights = append(nights, n.wh...)
		}
		hum := b.hum(dice(1, h.id))
		for range 4000 {
			hummed = append(hummed, hum.next())
		}
		m, sd, f := moments(nights)
		hm, hsd, hf := moments(hummed)
		near(t, h.id+": mean", hm/m, 1, 0.1)
		near(t, h.id+": spread", hsd/sd, 1, 0.35)
		near(t, h.id+": one after the other", hf, f, 0.25)
	}
}

func TestARegisterLosesNothing(t *testing.T) {
	rng := dice(1, "register")
	for _, unit := range []uint32{1, 10} {
		r := newRegister(unit, rng)
		exact, read := 0.0, 0.0
		for range 5000 {
			wh := 25 * rng.Float64()
			exact += wh
			v := r.read(wh)
			if v%unit != 0 {
				t.Fatalf("%d Wh of a meter of %d Wh steps", v, unit)
			}
			read += float64(v)
		}
		near(t, "energy read", read, exact, float64(unit))
	}
}

func TestTheMetersStepIsFound(t *testing.T) {
	for _, unit := range []uint32{1, 2, 10, 100} {
		var wh []uint32
		rng := dice(1, "step")
		for range 500 {
			wh = append(wh, unit*uint32(rng.IntN(90)))
		}
		wh = append(wh, absent, ingest.NoValue, unit+1)
		if got := unitOf(wh); got != unit {
			t.Errorf("a step of %d is taken for %d", unit, got)
		}
	}
}

func TestCoarserReadingsAreSumsAndMissingWhereAPartIs(t *testing.T) {
	h := &home{start: tickOf(day0) + 1, step: 1, wh: []uint32{9, 9, 9, 1, 2, 3, 4, 5, absent, 7, 8, absent, absent, absent, absent, 1}}
	h.coarsen(4)
	want := []uint32{ingest.NoValue, 10, ingest.NoValue, absent}
	if !slices.Equal(h.wh, want) || h.start != tickOf(day0) || h.step != 4 {
		t.Errorf("%v from %s, want %v", h.wh, h.start.time(), want)
	}
}

func TestMetersOfAHouseholdAreAddedUp(t *testing.T) {
	a := &home{id: "h", meters: []string{"a"}, start: 100, step: 2, wh: []uint32{1, 2, 3, absent}}
	b := &home{id: "h", meters: []string{"b"}, start: 102, step: 2, wh: []uint32{10, ingest.NoValue, 30, 40}}
	b.quality = []ingest.Quality{ingest.Estimated, ingest.Valid, ingest.Valid, ingest.Valid}
	sum, err := a.join(b)
	if err != nil {
		t.Fatal(err)
	}
	if want := []uint32{12, ingest.NoValue, absent}; sum.start != 102 || !slices.Equal(sum.wh, want) || len(sum.meters) != 2 || sum.qualityAt(0) != ingest.Estimated || sum.qualityAt(1) != ingest.Valid {
		t.Errorf("%+v", sum)
	}
	b.step = 4
	if _, err := a.join(b); err == nil {
		t.Error("meters of different intervals were added up")
	}
}

func TestHomesWithoutAreaAreDealtEvenly(t *testing.T) {
	var homes []*home
	for i := range 38 {
		homes = append(homes, flatHome(string(rune('A'+i)), 1, func(int) uint32 { return 1 }))
	}
	homes[0].area, homes[1].area = "tq-07", "tq-07"
	judged := func(h *home) bool { return h != homes[1] && h != homes[2] }
	areas := deal(homes, judged, 30, 1)
	if len(areas) != 3 || len(areas[0].homes) != 2 || len(areas[0].judged) != 1 {
		t.Fatalf("%d areas, the first of %d homes, %d judged", len(areas), len(areas[0].homes), len(areas[0].judged))
	}
	if a, b := len(areas[1].homes), len(areas[2].homes); a+b != 35 || a-b > 1 || b-a > 1 {
		t.Errorf("dealt into %d and %d", a, b)
	}
	if again := deal(homes, judged, 30, 2); slices.Equal(again[1].homes, areas[1].homes) {
		t.Error("another seed deals alike")
	}
}

func TestIncidentsReachTheAreasTheyConcern(t *testing.T) {
	feed, roster := villageFeed(t, 6, 2, 50, time.Hour)
	homes, _, err := readHomes(feed, roster, 0)
	if err != nil {
		t.Fatal(err)
	}
	areas := deal(homes, func(*home) bool { return true }, 30, 1)
	one := ingest.Report{Incident: ingest.Incident{ID: "i-1", Scope: ingest.Scope{Areas: []string{areas[1].id}}, From: day0}}
	inform(areas, roster, []ingest.Report{one})
	if len(areas[0].reports) != 0 || len(areas[1].reports) != 1 || !areas[1].reports[0].at.Equal(day0) {
		t.Errorf("%v and %v", areas[0].reports, areas[1].reports)
	}
}
