package contract_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/wirepb"
)

func TestUnknownClassIsTakenAndUnknownFieldsAreKept(t *testing.T) {
	const name = "incident-good-unknown-class-and-fields.json"
	got, err := contract.DecodeIncident("", examples(t, name)[name])
	want := ingest.Report{
		Incident: ingest.Incident{
			ID: "WG-88121", Source: ingest.SocialGrid, Class: "邻里纠纷", State: ingest.Accepted, Level: "3",
			Scope: ingest.Scope{Households: []string{"H-0042"}, GridCells: []string{"WG-12"}},
			From:  time.Date(2026, 7, 12, 1, 30, 0, 0, time.UTC),
		},
		Text: "老人说夜里睡不好", ReporterRole: "grid-worker",
		Extra: map[string]json.RawMessage{
			"photo_count": json.RawMessage(`2`),
			"geo":         json.RawMessage(`{"lat":29.8,"lon":121.5}`),
			"scope":       json.RawMessage(`{"towns":["T-3"]}`),
		},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

func TestReportsRoundTrip(t *testing.T) {
	for name, value := range examples(t, "incident-good-*.json") {
		want, err := contract.DecodeIncident(contract.JSON, value)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := contract.DecodeIncident(contract.JSON, contract.EncodeReport(&want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got  %+v, %v\n want %+v", name, got, err, want)
		}
	}
}

func TestIncidentInProtobufIsTheSameIncident(t *testing.T) {
	const name = "incident-good-planned-outage.json"
	want, err := contract.DecodeIncident(contract.JSON, examples(t, name)[name])
	if err != nil {
		t.Fatal(err)
	}
	m := &wirepb.Incident{
		IncidentId: want.ID, Source: "power-grid", Class: "planned-outage", State: "reported",
		Scope: &wirepb.Scope{Areas: []string{"TQ-0107", "TQ-0108"}}, From: want.From.Unix(), Until: want.Until.Unix(),
	}
	got, err := contract.DecodeIncident(contract.Protobuf, marshal(t, m))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}

	m.Scope = nil
	if _, err := contract.DecodeIncident(contract.Protobuf, marshal(t, m)); rejection(t, err).Reason != ingest.NoScope {
		t.Errorf("without a scope: %v", err)
	}
	m.From = -1
	if _, err := contract.DecodeIncident(contract.Protobuf, marshal(t, m)); rejection(t, err).Reason != ingest.BadTime {
		t.Errorf("before 1970: %v", err)
	}
	if _, err := contract.DecodeIncident(contract.Protobuf, []byte("{")); rejection(t, err).Reason != ingest.NotProtobuf {
		t.Errorf("not Protobuf: %v", err)
	}
}
