package contract

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"weimang/ingest"
	"weimang/ingest/wirepb"
)

func someInputs() []ingest.Input {
	clock := time.UnixMilli(1_783_836_000_123).UTC()
	start := time.Unix(1_783_832_400, 0).UTC()
	return []ingest.Input{
		{Clock: clock, Readings: &ingest.Readings{
			MeterID: "m1", HouseholdID: "h1", Zone: "Asia/Shanghai", Start: start, Interval: 15 * time.Minute, Wh: []uint32{53},
		}},
		{Clock: clock, Readings: &ingest.Readings{
			MeterID: "m2", HouseholdID: "h2", Zone: "Asia/Shanghai", Start: start, Interval: time.Hour,
			Wh: []uint32{0, ingest.NoValue, 65_000, ingest.NoValue - 1}, Register: true, Quality: ingest.Estimated,
		}},
		{Clock: clock, Readings: &ingest.Readings{MeterID: "m3", Start: start, Interval: time.Hour, Wh: []uint32{}}},
		{Clock: clock, Readings: &ingest.Readings{MeterID: "m4", Start: time.Unix(-1, 0).UTC(), Interval: time.Hour, Wh: []uint32{1}}},
		{Clock: clock, Incident: &ingest.Incident{ID: "i", Class: "outage", From: start, Scope: ingest.Scope{Households: []string{"h1"}}}},
		{Clock: clock, Directive: &ingest.Directive{ID: "d", HouseholdID: "h1", From: start}},
		{Clock: clock, Residence: &ingest.Residence{HouseholdID: "h1", Stays: []ingest.Stay{{MeterID: "m1", Until: start, To: "b"}}}},
		{Clock: clock, Handover: &ingest.Handover{HouseholdID: "h1", From: "b", At: start, Version: 1, State: []byte{2}}},
		{Clock: clock},
		{Clock: time.UnixMilli(0).UTC()},
	}
}

// What is written is what the generated code would write.
func TestTheLogIsWrittenAsItsSchemaSays(t *testing.T) {
	inputs := someInputs()
	got, err := EncodeInputs("a", inputs)
	if err != nil {
		t.Fatal(err)
	}
	var m wirepb.Inputs
	if err := proto.Unmarshal(got, &m); err != nil {
		t.Fatal(err)
	}
	want, err := deterministic.Marshal(&m)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("written  %x\ngenerated %x", got, want)
	}
	plain, ok := plainInputs(got)
	careful, err := carefulInputs(got)
	if err != nil || !ok || !reflect.DeepEqual(plain, careful) || len(plain) != len(inputs) {
		t.Errorf("plain %v %+v\ncareful %v %+v", ok, plain, err, careful)
	}
}

func TestWhatIsNotUTF8IsNotWritten(t *testing.T) {
	bad := []ingest.Input{{Readings: &ingest.Readings{MeterID: "m", HouseholdID: "\xff", Interval: time.Hour}}}
	if _, err := EncodeInputs("a", bad); err == nil {
		t.Error("a household that is not UTF-8 was written")
	}
	if _, err := EncodeInputs("\xff", nil); err == nil {
		t.Error("an area that is not UTF-8 was written")
	}
}

// What the plain way takes, the careful one reads alike.
func FuzzPlainInputs(f *testing.F) {
	all := someInputs()
	for i := range all {
		value, err := EncodeInputs("a", all[i:])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		got, ok := plainInputs(value)
		if !ok {
			return
		}
		want, err := carefulInputs(value)
		if err != nil {
			t.Fatalf("plain takes what is refused: %v", err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("plain   %+v\ncareful %+v", got, want)
		}
	})
}
