package contract_test

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/wirepb"
)

func TestInputsRoundTrip(t *testing.T) {
	clock := time.Date(2026, 7, 12, 8, 0, 0, 5e6, time.UTC)
	want := []ingest.Input{
		{AreaID: "TQ-1", Clock: clock, Readings: &ingest.Readings{
			MeterID: "m1", HouseholdID: "H-1", Zone: "Asia/Shanghai", Start: afternoon, Interval: time.Hour,
			Wh: []uint32{0, 214, ingest.NoValue, ingest.NoValue - 1}, Quality: ingest.Edited,
		}},
		{AreaID: "TQ-1", Clock: clock.Add(time.Second), Readings: &ingest.Readings{
			MeterID: "m2", HouseholdID: "H-2", Start: afternoon, Interval: 15 * time.Minute, Wh: []uint32{18244310}, Register: true,
		}},
		{AreaID: "TQ-1", Clock: clock, Incident: &ingest.Incident{
			ID: "NB-17", Source: ingest.PowerGrid, Class: ingest.ClassOutage, State: ingest.Accepted, Level: "II",
			Scope: ingest.Scope{Households: []string{"H-1"}}, From: afternoon, Until: afternoon.Add(time.Hour),
			Place: ingest.Place{Partition: 3, Next: 1 << 40},
		}},
		{AreaID: "TQ-1", Clock: clock, Incident: &ingest.Incident{
			ID: "NB-18", Source: ingest.PowerGrid, Class: ingest.ClassOutage, State: ingest.Reported, From: afternoon,
		}},
		{AreaID: "TQ-1", Clock: clock, Directive: &ingest.Directive{
			ID: "d-1", HouseholdID: "H-1", Kind: ingest.Away, From: afternoon, Until: afternoon.Add(48 * time.Hour), IssuedAt: afternoon,
		}},
		{AreaID: "TQ-1", Clock: clock, Directive: &ingest.Directive{
			ID: "d-2", HouseholdID: "H-1", Kind: ingest.Outcome, Outcome: ingest.OutcomeNewNormal, IssuedAt: afternoon,
		}},
		{AreaID: "TQ-1", Clock: clock, Residence: &ingest.Residence{HouseholdID: "H-1", Stays: []ingest.Stay{
			{MeterID: "m1", Zone: "Asia/Shanghai", Until: afternoon},
			{MeterID: "m2", From: afternoon, Until: afternoon.Add(time.Hour), To: "TQ-2"},
		}}},
		{AreaID: "TQ-1", Residence: &ingest.Residence{HouseholdID: "H-1"}}, // before any clock is known
		{AreaID: "TQ-1", Clock: clock, Handover: &ingest.Handover{
			HouseholdID: "H-3", From: "TQ-0", At: afternoon, Version: 2, State: []byte{2, 0, 0xff},
		}},
		{AreaID: "TQ-1", Clock: clock.Add(time.Hour)}, // the clock alone
	}
	value, err := contract.EncodeInputs("TQ-1", want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := contract.DecodeInputs(value)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

func TestIncidentOfTheWholeAreaNamesNoHousehold(t *testing.T) {
	in := &ingest.Incident{ID: "NB-17", Scope: ingest.Scope{Areas: []string{"TQ-1", "TQ-2"}, Households: []string{"H-9"}}, From: afternoon}
	value, err := contract.EncodeInputs("TQ-1", []ingest.Input{{Incident: in}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := contract.DecodeInputs(value)
	if err != nil || !reflect.DeepEqual(got[0].Incident.Scope, ingest.Scope{}) {
		t.Errorf("got %+v, %v; want an empty scope, the whole area", got, err)
	}
}

func TestEncodeInputsRefusesWhatIsNoEntry(t *testing.T) {
	r, in := &ingest.Readings{}, &ingest.Incident{}
	for name, entry := range map[string]ingest.Input{
		"both":         {Readings: r, Incident: in},
		"both others":  {Incident: in, Directive: &ingest.Directive{}},
		"both rare":    {Residence: &ingest.Residence{}, Handover: &ingest.Handover{}},
		"another area": {AreaID: "TQ-2", Readings: r},
		"not UTF-8":    {Readings: &ingest.Readings{MeterID: "\xff"}},
	} {
		if _, err := contract.EncodeInputs("TQ-1", []ingest.Input{entry}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := contract.EncodeInputs("", nil); err == nil {
		t.Error("no area: no error")
	}
}

func TestDecodeInputsRefusesForeignRecords(t *testing.T) {
	readings := func(m *wirepb.HomeReadings) *wirepb.Inputs {
		return &wirepb.Inputs{AreaId: "TQ-1", Entries: []*wirepb.Input{{Entry: &wirepb.Input_Readings{Readings: m}}}}
	}
	tests := []struct {
		name, why string
		m         *wirepb.Inputs
	}{
		{"no area", "no area", &wirepb.Inputs{}},
		{"an interval of ours it is not", "interval", readings(&wirepb.HomeReadings{IntervalS: 60})},
		{"an unknown quality", "quality", readings(&wirepb.HomeReadings{IntervalS: 900, Quality: 256})},
		{"a value that does not fit", "value 1", readings(&wirepb.HomeReadings{IntervalS: 900, WhPlus_1: []uint64{1, 1 << 32}})},
	}
	for _, tt := range tests {
		if _, err := contract.DecodeInputs(marshal(t, tt.m)); err == nil || !strings.Contains(err.Error(), tt.why) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	// An entry of a later version must not be taken for a clock.
	if _, err := contract.DecodeInputs([]byte("\x0a\x04TQ-1\x12\x02\x7a\x00")); err == nil || !strings.Contains(err.Error(), "none of the kinds") {
		t.Errorf("an unknown entry: %v", err)
	}
	if _, err := contract.DecodeInputs([]byte("{")); err == nil {
		t.Error("not Protobuf: no error")
	}
}

func TestWattHoursRoundsHalfAwayFromZero(t *testing.T) {
	for kwh, want := range map[float64]uint32{
		0: 0, 0.0004: 0, 0.0005: 1, 0.0025: 3, 0.214: 214, contract.MaxRegisterKWh: 4_294_967_000,
		-0.001: ingest.NoValue, 4_294_968: ingest.NoValue, math.Inf(1): ingest.NoValue, 1e300: ingest.NoValue,
	} {
		if got := contract.WattHours(kwh); got != want {
			t.Errorf("%g kWh is %d Wh, want %d", kwh, got, want)
		}
	}
	if got := contract.WattHours(nan); got != ingest.NoValue {
		t.Errorf("a missing value is %d Wh", got)
	}
}

// A file's whole Wh go through the broker as kWh: none may change on the way.
func TestWholeWattHoursSurviveTheWire(t *testing.T) {
	for _, wh := range []uint32{0, 1, 3, 7, 999, 1001, 59_999, 18_244_310, 4_294_966_999, ingest.NoValue} {
		b := ingest.Block{
			MeterID: "m1", Start: afternoon, Interval: time.Hour, KWh: []float64{contract.KWh(wh)}, Register: true,
		}
		for contentType, value := range map[string][]byte{
			contract.JSON: contract.EncodeJSON(&b), contract.Protobuf: contract.EncodeProtobuf(&b),
		} {
			got, err := contract.Decode(contentType, value)
			if err != nil {
				t.Fatal(err)
			}
			if r := contract.ToReadings(&got, ingest.Home{}); r.Wh[0] != wh {
				t.Errorf("%d Wh came back as %d by %s", wh, r.Wh[0], contentType)
			}
		}
	}
}

func TestToReadingsTakesHouseholdAndZoneFromTheRoster(t *testing.T) {
	b := &ingest.Block{
		MeterID: "m1", Start: afternoon, Interval: 30 * time.Minute, KWh: []float64{0.214, nan}, Register: true, Quality: ingest.Edited,
	}
	got := contract.ToReadings(b, ingest.Home{MeterID: "m1", HouseholdID: "H-1", Zone: "Asia/Shanghai"})
	want := &ingest.Readings{
		MeterID: "m1", HouseholdID: "H-1", Zone: "Asia/Shanghai", Start: afternoon, Interval: 30 * time.Minute,
		Wh: []uint32{214, ingest.NoValue}, Register: true, Quality: ingest.Edited,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestDeadLettersRoundTrip(t *testing.T) {
	want := &contract.DeadLetter{
		Topic: ingest.TopicReadings, Partition: 3, Offset: 42, Reason: ingest.Negative, Field: "kwh[17]", Text: "below zero",
		ContentType: contract.Protobuf, At: afternoon, Value: []byte{0, 0xff, '{'},
	}
	value, err := contract.EncodeDeadLetter(want)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(value), `"value":"AP97"`) {
		t.Errorf("raw bytes are not base64: %s", value)
	}
	got, err := contract.DecodeDeadLetter(value)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
	if _, err := contract.DecodeDeadLetter([]byte("{")); err == nil {
		t.Error("half a dead letter: no error")
	}
}
