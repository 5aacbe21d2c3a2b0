package detectors

import (
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"reflect"
	"testing"
)

// scramble fills every number of a value at random: most small, some none.
func scramble(v reflect.Value, rng *rand.Rand) {
	bits := rng.Uint64() >> rng.IntN(64)
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			scramble(v.Field(i), rng)
		}
	case reflect.Array:
		for i := range v.Len() {
			scramble(v.Index(i), rng)
		}
	case reflect.Pointer:
		if rng.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			scramble(v.Elem(), rng)
		}
	case reflect.Bool:
		v.SetBool(bits%2 != 0)
	case reflect.Float32:
		v.SetFloat(float64(float32(rng.NormFloat64()) * float32(rng.IntN(3))))
	case reflect.Int32:
		v.SetInt(int64(int32(bits)))
	default:
		v.SetUint(bits & (1<<(8*v.Type().Size()) - 1))
	}
}

// A state that another version of the program has saved is read by the order and
// the types of its fields. Where they change, stateVersion must, with code that
// reads the version before; until the first release the sum alone.
func TestTheLayoutOfAStateIsThatOfItsVersion(t *testing.T) {
	const layout = 0xb8a668e4
	sum := fnv.New32a()
	for _, v := range []any{areaHeader{}, homeState{}, signal{}, meterState{}, published{}, backfill{}, rhythm{}, window{}} {
		writeLayout(sum, reflect.TypeOf(v))
	}
	if got := sum.Sum32(); got != layout {
		t.Errorf("the layout is %#x, was %#x in version %d", got, layout, stateVersion)
	}
}

// writeLayout writes the fields of a type as they lie.
func writeLayout(w io.Writer, t reflect.Type) {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			_, _ = fmt.Fprint(w, t.Field(i).Name, " ")
			writeLayout(w, t.Field(i).Type)
		}
	case reflect.Array:
		_, _ = fmt.Fprint(w, t.Len(), "x")
		writeLayout(w, t.Elem())
	default:
		_, _ = fmt.Fprintln(w, t.Kind())
	}
}

// No field of a state is forgotten, whatever it holds.
func TestAStateIsUnpackedAsItWasPacked(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var settledState, markState homeState
		scramble(reflect.ValueOf(&settledState).Elem(), rng)
		markState = settledState
		if rng.IntN(3) > 0 {
			markState = homeState{}
			scramble(reflect.ValueOf(&markState).Elem(), rng)
		}
		at := tick(rng.Int32N(int32(lastTick)))

		var alone homeState
		packed := packAlone(nil, &markState, at)
		if !unpackAlone(packed, &alone, at) || !reflect.DeepEqual(alone, markState) {
			t.Fatalf("alone: got\n%+v, want\n%+v", alone, markState)
		}
		by := settledState
		packed = packMark(nil, &markState, &settledState, false, at)
		if isForeseen(packed) || !unpackMark(packed, &by, at) || !reflect.DeepEqual(by, markState) {
			t.Fatalf("by settled: got\n%+v, want\n%+v", by, markState)
		}
		for n := range packed {
			if by := settledState; unpackMark(packed[:n], &by, at) {
				t.Fatalf("%d of %d bytes were taken for a state", n, len(packed))
			}
		}
	}
}

// A mark that was left without what is learned is not taken for one when
// something else has been learned.
func TestAMarkTellsWhenItWasForeseenOtherwise(t *testing.T) {
	a, _ := watch(t, DefaultParams(), eventful(32).inputs(0, 18))
	if !a.marked() {
		t.Fatal("no mark")
	}
	foreseen := 0
	for _, h := range a.homes {
		packed := h.kept.markState()
		if !isForeseen(packed) {
			continue
		}
		foreseen++
		var st homeState
		if !a.markState(h, &st) {
			t.Fatalf("home %s: the mark cannot be read", h.id)
		}
		a.settledState(h, &st)
		a.foresee(h, &st, a.pos[mark])
		st.Levels.Hour[7][levelMid]++
		if unpackMark(packed, &st, a.pos[mark]) {
			t.Errorf("home %s: another habit was taken for the mark's", h.id)
		}
	}
	if foreseen < len(a.homes)/2 {
		t.Errorf("only %d of %d marks are left to be foreseen", foreseen, len(a.homes))
	}
}

// A mark that cannot be read costs time and nothing else, wherever it is missed.
func TestAMarkThatCannotBeReadIsComputedAgain(t *testing.T) {
	p := DefaultParams()
	log := eventful(33).inputs(0, 32)
	whole, want := watch(t, p, log)
	x, err := whole.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, miss := range map[string]func(*testing.T, *Area) *Area{
		"when settled comes to it": func(_ *testing.T, a *Area) *Area { return a },
		"when live goes back": func(_ *testing.T, a *Area) *Area {
			a.change(a.pos[live])
			return a
		},
		"when an area is restored": func(t *testing.T, a *Area) *Area {
			restored, _ := saveAndRestore(t, &p, a)
			return restored
		},
	} {
		cut := len(log) * 3 / 4
		a, got := watch(t, p, log[:cut])
		if !a.marked() {
			t.Fatal("no mark")
		}
		h := a.homes[3]
		damaged := append([]byte(nil), h.kept.markState()...)
		damaged[len(damaged)-3] ^= 0x55
		h.kept.keep(h.kept.settledState(), damaged, nil)
		if a.markState(h, new(homeState)) {
			t.Fatal("the damaged mark can be read")
		}
		a = miss(t, a)
		got = append(got, apply(t, a, log[cut:]).Findings...)
		y, err := a.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if string(x) != string(y) || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d findings, want %d; the state is the same: %t", name, len(got), len(want), string(x) == string(y))
		}
	}
}
