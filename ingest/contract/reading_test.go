package contract_test

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/wirepb"
)

var nan = math.NaN()

var afternoon = time.Date(2026, 7, 12, 6, 0, 0, 0, time.UTC)

func TestDecodeReadsWhatTheSenderMeant(t *testing.T) {
	tests := map[string]ingest.Block{
		"reading-good-single.json": {
			MeterID: "330212-0042", AreaID: "TQ-0107", Start: afternoon, Interval: 30 * time.Minute, KWh: []float64{0.214},
		},
		"reading-good-no-value.json": {
			MeterID: "330212-0042", Start: afternoon, Interval: 15 * time.Minute, KWh: []float64{nan}, Quality: ingest.Missing,
		},
		"reading-good-null-value.json": {
			MeterID: "330212-0042", Start: afternoon, Interval: 15 * time.Minute, KWh: []float64{nan},
		},
		"reading-good-missing-with-placeholder.json": {
			MeterID: "330212-0042", Start: afternoon, Interval: 15 * time.Minute, KWh: []float64{nan, nan, nan}, Quality: ingest.Missing,
		},
		"reading-good-register-block-with-null.json": {
			MeterID: "330212-0042", Start: afternoon, Interval: time.Hour, KWh: []float64{18244.31, nan, 18245.02}, Register: true,
		},
		"reading-good-null-for-every-absent-field.json": {
			MeterID: "330212-0042", Start: afternoon, Interval: 15 * time.Minute, KWh: []float64{18244.31}, Register: true,
		},
		"reading-good-sent-at.json": {
			MeterID: "330212-0042", Start: afternoon, Interval: 30 * time.Minute, KWh: []float64{0.2},
			SentAt: time.Date(2026, 7, 12, 6, 31, 7, 250e6, time.UTC),
		},
	}
	files := examples(t, "reading-good-*.json")
	for name, want := range tests {
		got, err := contract.Decode(contract.JSON, files[name])
		if err != nil || !sameBlock(got, want) {
			t.Errorf("%s\n got  %+v, %v\n want %+v", name, got, err, want)
		}
	}
}

func TestRefusalNamesThePlace(t *testing.T) {
	tests := map[string]string{
		"reading-bad-negative-in-block.json":            "kwh[17]",
		"reading-bad-not-a-number-python-nan.json":      "kwh[1]",
		"reading-bad-bad-field-object-in-block.json":    "kwh[1]",
		"reading-bad-absurd-register.json":              "register_kwh[1]",
		"reading-bad-negative.json":                     "kwh",
		"reading-bad-bad-time-sent-at.json":             "sent_at",
		"incident-bad-bad-field-name-in-scope.json":     "scope.households[1]",
		"incident-bad-bad-time-until-before-from.json":  "until",
		"reading-bad-not-a-number-unknown-field.json":   "",
		"reading-bad-too-large-more-than-a-week.json":   "kwh",
		"reading-bad-bad-field-address-as-area.json":    "area_id",
		"reading-bad-bad-interval-in-quotes.json":       "interval_s",
		"reading-bad-bad-time-without-offset.json":      "ts",
		"reading-bad-no-energy-both.json":               "kwh",
		"reading-bad-absurd-quarter-hour.json":          "kwh[1]",
		"incident-bad-no-scope-empty.json":              "scope",
		"incident-bad-bad-field-sentence-as-class.json": "class",
		"incident-bad-bad-time-no-from.json":            "from",
		"incident-bad-bad-field-no-class.json":          "class",
		"incident-bad-no-incident-id.json":              "incident_id",
		"reading-bad-not-a-number-infinity.json":        "kwh",
		"reading-bad-bad-field-seq.json":                "seq",
		"reading-bad-bad-field-quality.json":            "quality",
		"reading-bad-no-meter.json":                     "meter_id",
	}
	files := examples(t, "*-bad-*.json")
	for name, want := range tests {
		rej := rejection(t, decodeExample(name, files[name]))
		if rej.Field != want {
			t.Errorf("%s: place %q, want %q", name, rej.Field, want)
		}
	}
}

// Whatever a sender writes into a record, a refusal does not repeat it: it
// ends up in logs and answers that more people read than the dead letters.
func TestRefusalRepeatsNoText(t *testing.T) {
	for name, value := range examples(t, "*-bad-*.json") {
		err := decodeExample(name, value)
		for _, secret := range []string{"张三", "湾底村", "power failed, again", "yesterday", "done"} {
			if bytes.Contains(value, []byte(secret)) && strings.Contains(err.Error(), secret) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if rej := rejection(t, err); len(rej.Text) < 10 || len(rej.Text) > 300 {
			t.Errorf("%s: not a sentence: %q", name, rej.Text)
		}
	}
	_, err := contract.Decode("text/张三", []byte(`{}`))
	if strings.Contains(err.Error(), "张三") {
		t.Error(err)
	}
}

func TestContentTypes(t *testing.T) {
	value := examples(t, "reading-good-single.json")["reading-good-single.json"]
	for _, ok := range []string{"", "application/json", "Application/JSON", "application/json; charset=utf-8"} {
		if _, err := contract.Decode(ok, value); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	for _, bad := range []string{"text/plain", "application/avro", "json"} {
		if _, err := contract.Decode(bad, value); rejection(t, err).Reason != ingest.UnknownContent {
			t.Errorf("%q: %v", bad, err)
		}
		if _, err := contract.DecodeIncident(bad, value); rejection(t, err).Reason != ingest.UnknownContent {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := contract.Decode(contract.Protobuf, value); rejection(t, err).Reason != ingest.NotProtobuf {
		t.Errorf("JSON announced as Protobuf: %v", err)
	}
}

func TestLargeRecordIsRefusedUnread(t *testing.T) {
	value := append([]byte(`{"pad":"`), bytes.Repeat([]byte("x"), contract.MaxRecordBytes)...)
	if _, err := contract.Decode(contract.JSON, value); rejection(t, err).Reason != ingest.TooLarge {
		t.Error(err)
	}
	if _, err := contract.DecodeIncident(contract.Protobuf, value); rejection(t, err).Reason != ingest.TooLarge {
		t.Error(err)
	}
}

func TestFieldNamesCountAsWritten(t *testing.T) {
	_, err := contract.Decode(contract.JSON, []byte(`{"Meter_ID":"m1","ts":"2026-07-12T06:00:00Z","interval_s":900,"kwh":1}`))
	if rejection(t, err).Reason != ingest.NoMeter {
		t.Errorf("the schema knows no Meter_ID, the code must not either: %v", err)
	}
}

func TestNegativeZeroIsZero(t *testing.T) {
	b, err := contract.Decode(contract.JSON, []byte(`{"meter_id":"m1","ts":"2026-07-12T06:00:00Z","interval_s":900,"kwh":-0.0}`))
	if err != nil || math.Signbit(b.KWh[0]) {
		t.Errorf("got %v, %v", b.KWh, err)
	}
}

func TestSiteMayRaiseThePowerLimit(t *testing.T) {
	value := examples(t, "reading-bad-absurd.json")["reading-bad-absurd.json"]
	l := contract.DefaultLimits()
	l.MaxKW = 500
	if _, err := l.Decode(contract.JSON, value); err != nil {
		t.Error(err)
	}
}

func TestDecodeProtobufRefuses(t *testing.T) {
	tests := []struct {
		name   string
		spoil  func(m *wirepb.Reading)
		reason ingest.Reason
		field  string
	}{
		{"no meter", func(m *wirepb.Reading) { m.MeterId = "" }, ingest.NoMeter, "meter_id"},
		{"a name as meter", func(m *wirepb.Reading) { m.MeterId = "张三家" }, ingest.BadField, "meter_id"},
		{"no time", func(m *wirepb.Reading) { m.Ts = 0 }, ingest.BadTime, "ts"},
		{"milliseconds for seconds", func(m *wirepb.Reading) { m.Ts *= 1000 }, ingest.BadTime, "ts"},
		{"not aligned", func(m *wirepb.Reading) { m.Ts++ }, ingest.BadTime, "ts"},
		{"sent before 1970", func(m *wirepb.Reading) { m.SentAtMs = -5 }, ingest.BadTime, "sent_at_ms"},
		{"no interval", func(m *wirepb.Reading) { m.IntervalS = 0 }, ingest.BadInterval, "interval_s"},
		{"no energy", func(m *wirepb.Reading) { m.Kwh = nil }, ingest.NoEnergy, "kwh"},
		{"both kinds of energy", func(m *wirepb.Reading) { m.RegisterKwh = []float64{1} }, ingest.NoEnergy, "kwh"},
		{"NaN", func(m *wirepb.Reading) { m.Kwh[1] = nan }, ingest.NotANumber, "kwh[1]"},
		{"infinity", func(m *wirepb.Reading) { m.Kwh[0] = math.Inf(1) }, ingest.NotANumber, "kwh[0]"},
		{"negative", func(m *wirepb.Reading) { m.Kwh[1] = -1 }, ingest.Negative, "kwh[1]"},
		{"Wh for kWh", func(m *wirepb.Reading) { m.Kwh[1] = 214 }, ingest.Absurd, "kwh[1]"},
		{"missing beyond the block", func(m *wirepb.Reading) { m.Missing = []uint32{0, 2} }, ingest.BadField, "missing[1]"},
		{"unknown quality", func(m *wirepb.Reading) { m.Quality = 9 }, ingest.BadField, "quality"},
		{"negative sequence", func(m *wirepb.Reading) { m.Seq = -1 }, ingest.BadField, "seq"},
		{"more than a week", func(m *wirepb.Reading) { m.Kwh = make([]float64, 673) }, ingest.TooLarge, "kwh"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := &wirepb.Reading{MeterId: "m1", Ts: afternoon.Unix(), IntervalS: 900, Kwh: []float64{0.1, 0.2}}
			if _, err := contract.Decode(contract.Protobuf, marshal(t, m)); err != nil {
				t.Fatalf("the unspoilt record: %v", err)
			}
			tt.spoil(m)
			_, err := contract.Decode(contract.Protobuf, marshal(t, m))
			if rej := rejection(t, err); rej.Reason != tt.reason || rej.Field != tt.field {
				t.Errorf("got %v, want %s at %s", err, tt.reason, tt.field)
			}
		})
	}
}

func TestProtobufMissingPositionsHideTheirPlaceholders(t *testing.T) {
	m := &wirepb.Reading{MeterId: "m1", Ts: afternoon.Unix(), IntervalS: 900, Kwh: []float64{0.1, -999, 0.3}, Missing: []uint32{1}}
	b, err := contract.Decode(contract.Protobuf, marshal(t, m))
	want := ingest.Block{MeterID: "m1", Start: afternoon, Interval: 15 * time.Minute, KWh: []float64{0.1, nan, 0.3}}
	if err != nil || !sameBlock(b, want) {
		t.Errorf("got %+v, %v", b, err)
	}
}

func TestQualitiesAreNumberedAlike(t *testing.T) {
	for number, name := range wirepb.Quality_name {
		if got := ingest.Quality(number).String(); got != strings.ToLower(name) {
			t.Errorf("%d is %s on the wire and %s inside", number, name, got)
		}
	}
}

func TestBlocksRoundTrip(t *testing.T) {
	full := ingest.Block{
		MeterID: "330212-0042", AreaID: "TQ-0107", Start: afternoon, Interval: time.Hour, KWh: []float64{0, 0.001, nan, 1e-7, 60},
		Quality: ingest.Estimated, Seq: 7, SentAt: afternoon.Add(5*time.Hour + 250*time.Millisecond),
	}
	single, register, missing := full, full, full
	single.KWh = []float64{0.214}
	register.KWh, register.Register = []float64{18244.31, nan, 18244.9}, true
	missing.KWh, missing.Quality = []float64{nan}, ingest.Missing
	for name, b := range map[string]ingest.Block{"block": full, "single": single, "register": register, "missing": missing} {
		got, err := contract.Decode(contract.JSON, contract.EncodeJSON(&b))
		if err != nil || !sameBlock(got, b) {
			t.Errorf("%s as JSON\n got  %+v, %v\n want %+v", name, got, err, b)
		}
		got, err = contract.Decode(contract.Protobuf, contract.EncodeProtobuf(&b))
		if err != nil || !sameBlock(got, b) {
			t.Errorf("%s as Protobuf\n got  %+v, %v\n want %+v", name, got, err, b)
		}
	}
}

func TestCheckClock(t *testing.T) {
	const usualDelayAndWindow = 30*time.Minute + 96*time.Hour
	l := contract.DefaultLimits()
	b := ingest.Block{Start: afternoon, Interval: 30 * time.Minute, KWh: make([]float64, 2)}
	end := afternoon.Add(time.Hour)
	tests := []struct {
		name  string
		clock time.Time
		want  ingest.Reason
	}{
		{"ends a quarter of an hour ahead", end.Add(-15 * time.Minute), ""},
		{"ends a second further ahead", end.Add(-15*time.Minute - time.Second), ingest.Future},
		{"as old as may be", end.Add(usualDelayAndWindow), ""},
		{"a second older", end.Add(usualDelayAndWindow + time.Second), ingest.TooLate},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := contract.CheckClock(&b, tt.clock, l)
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if rej := rejection(t, err); rej.Reason != tt.want || rej.Field != "ts" {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func decodeExample(name string, value []byte) error {
	var err error
	switch kind, _, _ := strings.Cut(name, "-"); kind {
	case "reading":
		_, err = contract.Decode(contract.JSON, value)
	case "incident":
		_, err = contract.DecodeIncident(contract.JSON, value)
	case "directive":
		_, err = contract.DecodeDirective(contract.JSON, value)
	default:
		err = fmt.Errorf("no decoder for %s", name)
	}
	return err
}

// sameBlock compares blocks, missing values being alike.
func sameBlock(a, b ingest.Block) bool {
	if len(a.KWh) != len(b.KWh) || !a.Start.Equal(b.Start) || !a.SentAt.Equal(b.SentAt) {
		return false
	}
	for i := range a.KWh {
		if math.IsNaN(a.KWh[i]) != math.IsNaN(b.KWh[i]) || a.KWh[i] != b.KWh[i] && !math.IsNaN(a.KWh[i]) {
			return false
		}
	}
	return a.MeterID == b.MeterID && a.AreaID == b.AreaID && a.Interval == b.Interval && a.Register == b.Register &&
		a.Quality == b.Quality && a.Seq == b.Seq
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	value, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
