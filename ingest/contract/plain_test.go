package contract

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"weimang/ingest"
)

// same reads a record both ways: what the plain way takes, the careful one
// must read alike. It returns whether the plain way took it.
func same(t *testing.T, value []byte) bool {
	t.Helper()
	got, gotArray, ok := plainReading(value)
	if !ok {
		return false
	}
	want, wantArray, rej := carefulReading(value)
	if rej != nil {
		t.Fatalf("plain takes what is refused: %v in %s", rej, value)
	}
	equal := got.MeterID == want.MeterID && got.AreaID == want.AreaID && reflect.DeepEqual(got.Start, want.Start) &&
		got.Interval == want.Interval && got.Register == want.Register && got.Quality == want.Quality &&
		got.Seq == want.Seq && reflect.DeepEqual(got.SentAt, want.SentAt) && len(got.KWh) == len(want.KWh) && gotArray == wantArray
	for i := 0; equal && i < len(got.KWh); i++ {
		equal = math.Float64bits(got.KWh[i]) == math.Float64bits(want.KWh[i])
	}
	if !equal {
		t.Errorf("%s\nplain   %+v %v\ncareful %+v %v", value, got, gotArray, want, wantArray)
	}
	return true
}

func TestThePlainWayReadsWhatTheCarefulOneDoes(t *testing.T) {
	for value, taken := range map[string]bool{
		`{"meter_id":"m","ts":"2026-07-12T14:00:00+08:00","interval_s":1800,"kwh":0.214}`:                                                  true,
		` { "kwh" : [ 0.05 , null,12 ] , "interval_s":3600, "ts" : "2024-02-29T00:00:00Z", "meter_id":"m" } `:                              true,
		`{"meter_id":"m","area_id":"a","ts":"2026-07-12T14:00:00-09:30","interval_s":900,"register_kwh":123456.789}`:                       true,
		`{"meter_id":"m","ts":"2026-07-12T14:00:00Z","interval_s":900,"kwh":0,"quality":"valid","seq":7,"sent_at":"2026-07-12T15:00:01Z"}`: true,
		`{"meter_id":"m","ts":"2026-07-12T14:00:00Z","interval_s":900,"kwh":0.1,"kwh":0.2}`:                                                false,
		`{"meter_id":"m","ts":"2026-07-12T14:00:00Z","interval_s":900,"kwh":0.1,"register_kwh":0.2}`:                                       false,
		`{"meter_id":"m","ts":"2026-06-31T14:00:00Z","interval_s":900,"kwh":0.1}`:                                                          false,
		`{"meter_id":"m","ts":"2026-02-29T14:00:00Z","interval_s":900,"kwh":0.1}`:                                                          false,
		`{"meter_id":"m","ts":"2026-07-12T24:00:00Z","interval_s":900,"kwh":0.1}`:                                                          false,
		`{"meter_id":"m","ts":"2026-07-12T14:00:00+24:00","interval_s":900,"kwh":0.1}`:                                                     false,
		`{"meter_id":"m","ts":"2026-07-12T14:00:00","interval_s":900,"kwh":0.1}`:                                                           false,
		`{"meter_id":"m","ts":"2026-07-12T14:00:00Z","interval_s":900,"kwh":01}`:                                                           false,
		`{"meter_id":"m","ts":"2026-07-12T14:00:00Z","interval_s":900,"kwh":1.}`:                                                           false,
		`{"meter_id":"m","ts":"2026-07-12T14:00:00Z","interval_s":900,"kwh":.1}`:                                                           false,
		`{"meter_id":"m","ts":"2026-07-12T14:00:00Z","interval_s":900,"kwh":1.2.3}`:                                                        false,
		`{"meter_id":"m","ts":"2026-07-12T14:00:00Z","interval_s":900,"kwh":-0.1}`:                                                         false,
		`{"meter_id":"m","ts":"2026-07-12T14:00:00Z","interval_s":900,"kwh":1e3}`:                                                          false,
		`{"meter_id":"m","ts":"2026-07-12T14:00:00Z","interval_s":900,"kwh":[0.1,]}`:                                                       false,
		`{"meter_id":"m","ts":"2026-07-12T14:00:00Z","interval_s":900,"kwh":[]}`:                                                           false,
		`{"meter_id":"m","ts":"2026-07-12T14:00:00Z","interval_s":900,"kwh":0.1,}`:                                                         false,
		`{"meter_id":"m","ts":"2026-07-12T14:00:00Z","interval_s":900,"kwh":0.1} {}`:                                                       false,
		`{"meter_id":"m\u0041","ts":"2026-07-12T14:00:00Z","interval_s":900,"kwh":0.1}`:                                                    false,
		`{"meter_id":"m","ts":"2026-07-12T14:00:00Z","interval_s":900,"kwh":0.1,"more":1}`:                                                 false,
	} {
		if got := same(t, []byte(value)); got != taken {
			t.Errorf("taken: %v, want %v: %s", got, taken, value)
		}
	}
}

// Every number that a meter shows to the last digit, and those at the edges.
func TestPlainNumbersAreTheNearest(t *testing.T) {
	for i := range int64(200_000) {
		n := i * 7_919_003 % 1_000_000_000_000_000
		b := ingest.Block{KWh: []float64{float64(n) / 1000, float64(n) / 1e15}}
		s := scan{rest: appendValues(nil, b.KWh)}
		values, _, ok := s.energy()
		if !ok {
			continue // more digits than are exact
		}
		for j := range values {
			if values[j] != b.KWh[j] {
				t.Fatalf("%v became %v", b.KWh[j], values[j])
			}
		}
	}
}

func FuzzPlainReading(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "contract", "reading-*.json"))
	if err != nil || len(files) == 0 {
		f.Fatal(errors.Join(err, errors.New("no examples")))
	}
	for _, file := range files {
		value, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.TrimSpace(value))
	}
	f.Fuzz(func(t *testing.T, value []byte) { same(t, value) })
}
