package detectors

import (
	"reflect"
	"testing"
	"time"
	"unsafe"

	"weimang/ingest"
)

// copyOf is one of a home's copies of its state.
func copyOf(t *testing.T, a *Area, h *home, i int) homeState {
	t.Helper()
	st, ok := h.live, true
	switch {
	case i == settled || i == mark && !a.marked():
		ok = a.settledState(h, &st)
	case i == mark:
		ok = a.markState(h, &st)
	}
	if !ok {
		t.Fatalf("home %s: copy %d is not what it was when it was packed", h.id, i)
	}
	return st
}

// What live leaves on the grid is what settled becomes: a state computed in
// one go up to the same place is no other.
func TestMarksAreWhatSettledBecomes(t *testing.T) {
	for _, window := range []time.Duration{24 * time.Hour, 96 * time.Hour, 168 * time.Hour} {
		for _, delay := range []time.Duration{30 * time.Minute, 72 * time.Hour} {
			p := DefaultParams()
			p.Window, p.UsualDelay = window, delay
			a, places := NewArea(&p, "tq"), 0
			last := tick(0)
			for _, in := range eventful(30).inputs(0, 32) {
				apply(t, a, []ingest.Input{in})
				if a.pos[settled] == last {
					continue
				}
				last = a.pos[settled]
				if last%a.grid.step != 0 || a.watermark-last < a.grid.behind || a.watermark-last >= a.grid.behind+a.grid.step {
					t.Fatalf("settled at %s with a watermark of %s", last.time(), a.watermark.time())
				}
				places++
			}
			if want := int(32*ticksADay/a.grid.step) - 4; places < want {
				t.Errorf("window %s, delay %s: settled at %d places, want %d", window, delay, places, want)
			}
			again, _ := saveAndRestore(t, &p, a)
			again.unmark()
			again.goBack(again.pos[settled])
			again.run(a.pos[live], nil)
			for i := range copies {
				for j, h := range a.homes {
					if a.pos[i] != again.pos[i] || !reflect.DeepEqual(copyOf(t, a, h, i), copyOf(t, again, again.homes[j], i)) {
						t.Errorf("home %s: copy %d at %s is not what follows from settled", h.id, i, a.pos[i].time())
					}
				}
			}
		}
	}
}

// An absence that is called off, or begins later than was said, is no more in
// what has been decided since: a restored area would not know of it.
func TestADirectiveThatIsReplacedIsForgottenAtOnce(t *testing.T) {
	p := DefaultParams()
	for name, next := range map[string]ingest.Directive{
		"later":      away("d1", at(20, 12), at(25, 0), at(26, 0)),
		"called off": away("d1", at(20, 12), at(19, 0), at(19, 0)),
	} {
		log := say(eventful(31).inputs(0, 21), away("d1", at(18, 9), at(18, 9), at(24, 0)))
		a, _ := watch(t, p, say(log, next))
		restored, _ := saveAndRestore(t, &p, a)
		for i, h := range a.homes {
			if !reflect.DeepEqual(h.live, restored.homes[i].live) {
				t.Errorf("%s: home %s is another than after a restore", name, h.id)
			}
		}
	}
}

// What a home takes decides how many a machine can watch: operators.md and
// scale.md reckon with 4 KB.
func TestAHomeTakesLittleMemory(t *testing.T) {
	// A home is one allocation with 8 bytes before it, of the size class of 1,792.
	if size := unsafe.Sizeof(home{}); size > 1792-8 {
		t.Errorf("a home takes %d bytes, and with them the next size class", size)
	}
	if mean, _ := memoryOfAHome(t, 6, 12, 18); mean > 4400 {
		t.Errorf("%.0f bytes of live heap a home", mean)
	}
}

// The worst moment is right before settled moves on.
func TestAHomeOfQuarterHoursTakesLessThan2KiB(t *testing.T) {
	const homes = 10
	v := &village{homes: homes, seed: 1}
	p := DefaultParams()
	a, out, worst := NewArea(&p, "tq"), new(Output), 0
	for i, in := range v.inputs(0, 18) {
		r := *in.Readings
		r.Interval, r.Wh = 15*time.Minute, []uint32{r.Wh[0] / 2, r.Wh[0] - r.Wh[0]/2}
		in.Readings = &r
		if err := a.Apply(&in, out); err != nil {
			t.Fatal(err)
		}
		if i%(8*homes) == 0 {
			b, err := a.Encode()
			if err != nil {
				t.Fatal(err)
			}
			worst = max(worst, len(b)/homes)
		}
	}
	if worst > 2048 {
		t.Errorf("%d bytes a home", worst)
	}
}
