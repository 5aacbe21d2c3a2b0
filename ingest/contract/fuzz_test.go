package contract_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
)

// What decodes must come back the same from either encoding, what does not
// must be refused for a reason of the closed set; nothing may panic.

func FuzzDecodeJSON(f *testing.F) {
	for _, value := range examples(f, "reading-*.json") {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value []byte) { checkReading(t, contract.JSON, value) })
}

func FuzzDecodeProtobuf(f *testing.F) {
	for _, value := range examples(f, "reading-good-*.json") {
		b, err := contract.Decode(contract.JSON, value)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(contract.EncodeProtobuf(&b))
	}
	f.Fuzz(func(t *testing.T, value []byte) { checkReading(t, contract.Protobuf, value) })
}

func checkReading(t *testing.T, contentType string, value []byte) {
	b, err := contract.Decode(contentType, value)
	if err != nil {
		checkReason(t, err)
		return
	}
	for contentType, again := range map[string][]byte{
		contract.JSON: contract.EncodeJSON(&b), contract.Protobuf: contract.EncodeProtobuf(&b),
	} {
		if got, err := contract.Decode(contentType, again); err != nil || !sameBlock(got, b) {
			t.Errorf("by %s\n got  %+v, %v\n want %+v", contentType, got, err, b)
		}
	}
	if r := contract.ToReadings(&b, ingest.Home{}); len(r.Wh) != len(b.KWh) {
		t.Errorf("%d values became %d", len(b.KWh), len(r.Wh))
	}
}

func FuzzDecodeIncident(f *testing.F) {
	for _, value := range examples(f, "incident-*.json") {
		f.Add(value, false)
	}
	f.Fuzz(func(t *testing.T, value []byte, protobuf bool) {
		contentType := contract.JSON
		if protobuf {
			contentType = contract.Protobuf
		}
		r, err := contract.DecodeIncident(contentType, value)
		if err != nil {
			checkReason(t, err)
			return
		}
		got, err := contract.DecodeIncident(contract.JSON, contract.EncodeReport(&r))
		if err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("got  %+v, %v\nwant %+v", got, err, r)
		}
	})
}

func FuzzDecodeDirective(f *testing.F) {
	for _, value := range examples(f, "directive-*.json") {
		f.Add(value, false)
	}
	f.Fuzz(func(t *testing.T, value []byte, protobuf bool) {
		contentType := contract.JSON
		if protobuf {
			contentType = contract.Protobuf
		}
		d, err := contract.DecodeDirective(contentType, value)
		if err != nil {
			checkReason(t, err)
			return
		}
		for contentType, again := range map[string][]byte{
			contract.JSON: contract.EncodeDirective(&d), contract.Protobuf: contract.EncodeDirectiveProtobuf(&d),
		} {
			if got, err := contract.DecodeDirective(contentType, again); err != nil || !reflect.DeepEqual(got, d) {
				t.Errorf("by %s\ngot  %+v, %v\nwant %+v", contentType, got, err, d)
			}
		}
	})
}

func FuzzDecodeInputs(f *testing.F) {
	for _, inputs := range [][]ingest.Input{
		{{Clock: afternoon, Readings: &ingest.Readings{
			MeterID: "m1", HouseholdID: "H-1", Start: afternoon, Interval: time.Hour, Wh: []uint32{214, ingest.NoValue},
		}}},
		{{Clock: afternoon, Incident: &ingest.Incident{ID: "NB-17", From: afternoon, Scope: ingest.Scope{Households: []string{"H-1"}}}}},
	} {
		value, err := contract.EncodeInputs("TQ-1", inputs)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		want, err := contract.DecodeInputs(value)
		if err != nil || len(want) == 0 {
			return
		}
		again, err := contract.EncodeInputs(want[0].AreaID, want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := contract.DecodeInputs(again)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
		}
	})
}

func checkReason(t *testing.T, err error) {
	t.Helper()
	var rej *ingest.Rejection
	if !errors.As(err, &rej) || !slices.Contains(ingest.Reasons, rej.Reason) || rej.Text == "" {
		t.Errorf("not a refusal of the closed set: %#v", err)
	}
}
