package detectors

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math"
	"os"
	"testing"
	"time"
)

// testdata/state-v1.bin.gz is what version 1 wrote of six homes after 32 days,
// the fourth of which had been still for two days and was told so.
func TestAStateOfTheVersionBeforeIsRead(t *testing.T) {
	packed, err := os.ReadFile("testdata/state-v1.bin.gz")
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	old, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	p := DefaultParams()
	a, err := DecodeArea(&p, old)
	if err != nil {
		t.Fatal(err)
	}
	if !a.homes[3].public.Open || Kinds[a.homes[3].public.Kind] != NoSignOfLife {
		t.Fatalf("the open alert is lost: %+v", a.homes[3].public)
	}
	number, seq := a.homes[3].public.Number, a.homes[3].public.Seq

	v := &village{homes: 6, seed: 2}
	st := &a.homes[0].live
	for slot := range slotsADay {
		sum := 0.0
		for day := range 28 {
			sum += 2 * float64(v.wh(0, at(day+4, float64(slot)/2)))
		}
		if got, want := st.Habits.mean(slot), sum/28; math.Abs(got-want) > 0.3*want+30 {
			t.Errorf("slot %d: %.0f W are usual now, %.0f W were used", slot, got, want)
		}
	}
	if !st.Quiet.known() || st.Quiet.level(2*20) > levelEdge || st.Quiet.level(2*400) != levelHigh {
		t.Errorf("quiet nights: %+v", st.Quiet)
	}

	again, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if again[0] != stateVersion {
		t.Errorf("written again as version %d", again[0])
	}
	b, err := DecodeArea(&p, again)
	if err != nil {
		t.Fatal(err)
	}
	third, err := b.Encode()
	if err != nil || !bytes.Equal(again, third) {
		t.Errorf("not the same when written again: %v", err)
	}

	out := new(Output)
	tell(t, a, v.inputs(32, 34), out)
	if len(out.Findings) == 0 {
		t.Fatal("life has returned, and nobody is told")
	}
	last := out.Findings[len(out.Findings)-1]
	if last.State != Resolved || last.Episode != number || last.Seq != int(seq)+1 || !between(last.At, at(32, 0), at(34, 0)) {
		t.Errorf("ended as %+v; %s", last, last.At.In(day0.Location()).Format(time.DateTime))
	}
}

func TestAStateOfAnUnknownVersionIsRefused(t *testing.T) {
	p := DefaultParams()
	for _, b := range [][]byte{nil, {0}, {stateVersion + 1, 0, 0}} {
		if _, err := DecodeArea(&p, b); !errors.Is(err, ErrStateVersion) {
			t.Errorf("%v: %v", b, err)
		}
	}
}
