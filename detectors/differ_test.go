package detectors

import (
	"strings"
	"testing"
)

func TestDifferNamesWhatDiffers(t *testing.T) {
	p := DefaultParams()
	v := &village{homes: 8, seed: 3}
	log := v.inputs(0, 6)
	a, _ := watch(t, p, log)
	x, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if lines, err := Differ(&p, x, x); err != nil || len(lines) > 0 {
		t.Fatalf("one state differs from itself: %q, %v", lines, err)
	}
	other := *log[len(log)-1].Readings
	other.Wh = []uint32{other.Wh[0] + 100}
	log[len(log)-1].Readings = &other
	log = say(log, away("d1", at(5, 9), at(5, 8), at(5, 20)))
	b, _ := watch(t, p, log)
	y, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	lines, err := Differ(&p, x, y)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(lines, "\n")
	for _, want := range []string{"household " + other.HouseholdID + ": ", "the reading that ends at ", "household " + homeID(3) + ": what was said"} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing of %q in\n%s", want, text)
		}
	}
	if len(lines) > 2 {
		t.Errorf("more differs than two homes:\n%s", text)
	}
}
