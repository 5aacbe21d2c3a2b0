package contract_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
)

func TestDirectivesAreRead(t *testing.T) {
	at := func(day, hour int) time.Time { return time.Date(2026, 7, day, hour, 0, 0, 0, time.UTC) }
	for line, want := range map[string]ingest.Directive{
		`{"directive_id":"d1","household_id":"h-1","kind":"away","from":"2026-07-12T08:00:00+08:00","until":"2026-07-19T08:00:00+08:00","issued_at":"2026-07-12T09:00:00+08:00","by":"chair"}`: {
			ID: "d1", HouseholdID: "h-1", Kind: ingest.Away, From: at(12, 0), Until: at(19, 0), IssuedAt: at(12, 1),
		},
		`{"directive_id":"d2","household_id":"h-1","kind":"away","from":"2026-07-12T00:00:00Z","until":null,"issued_at":"2026-07-12T01:00:00Z"}`: {
			ID: "d2", HouseholdID: "h-1", Kind: ingest.Away, From: at(12, 0), IssuedAt: at(12, 1),
		},
		`{"directive_id":"d3","household_id":"h-1","kind":"outcome","outcome":"appliance","issued_at":"2026-07-12T01:00:00Z"}`: {
			ID: "d3", HouseholdID: "h-1", Kind: ingest.Outcome, Outcome: ingest.OutcomeAppliance, IssuedAt: at(12, 1),
		},
	} {
		got, err := contract.DecodeDirective(contract.JSON, []byte(line))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v, %v\nwant %+v", line, got, err, want)
		}
		for contentType, again := range map[string][]byte{
			contract.JSON: contract.EncodeDirective(&want), contract.Protobuf: contract.EncodeDirectiveProtobuf(&want),
		} {
			if got, err := contract.DecodeDirective(contentType, again); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("by %s\ngot  %+v, %v\nwant %+v", contentType, got, err, want)
			}
		}
	}
}

func TestABadDirectiveIsRefusedWithItsPlace(t *testing.T) {
	good := `{"directive_id":"d1","household_id":"h-1","kind":"mute","from":"2026-07-12T00:00:00Z","until":"2026-07-13T00:00:00Z","issued_at":"2026-07-12T01:00:00Z"}`
	if _, err := contract.DecodeDirective(contract.JSON, []byte(good)); err != nil {
		t.Fatal(err)
	}
	outcome := `{"directive_id":"d1","household_id":"h-1","kind":"outcome","outcome":"false","issued_at":"2026-07-12T01:00:00Z"}`
	for name, c := range map[string]struct{ line, old, now, field string }{
		"no id":                   {good, `"d1"`, `""`, "directive_id"},
		"an id with a space":      {good, `"d1"`, `"d 1"`, "directive_id"},
		"no household":            {good, `"h-1"`, `null`, "household_id"},
		"another kind":            {good, `mute`, `sleep`, "kind"},
		"no time of issue":        {good, `issued_at`, `issued`, "issued_at"},
		"a time without offset":   {good, `12T01:00:00Z`, `12T01:00:00`, "issued_at"},
		"no beginning":            {good, `"from"`, `"form"`, "from"},
		"muted for ever":          {good, `"until"`, `"till"`, "until"},
		"muted for years":         {good, `2026-07-13`, `2028-07-13`, "until"},
		"a muting with a finding": {good, `"kind"`, `"outcome":"false","kind"`, "outcome"},
		"an unknown finding":      {outcome, `false`, `fine`, "outcome"},
		"an outcome with a time":  {outcome, `"kind"`, `"from":"2026-07-12T00:00:00Z","kind"`, "from"},
	} {
		line := strings.Replace(c.line, c.old, c.now, 1)
		_, err := contract.DecodeDirective(contract.JSON, []byte(line))
		var rejection *ingest.Rejection
		if !errors.As(err, &rejection) || rejection.Field != c.field {
			t.Errorf("%s: %v, want field %s", name, err, c.field)
		}
	}
}

func TestADirectiveOfTheFutureIsRefused(t *testing.T) {
	d := ingest.Directive{IssuedAt: afternoon}
	limits := contract.DefaultLimits()
	if err := contract.CheckIssued(&d, afternoon.Add(-limits.Skew), limits); err != nil {
		t.Errorf("a clock that runs ahead a little: %v", err)
	}
	if rej := rejection(t, contract.CheckIssued(&d, afternoon.Add(-limits.Skew-time.Second), limits)); rej.Reason != ingest.Future || rej.Field != "issued_at" {
		t.Errorf("refused as %v", rej)
	}
}

func TestADirectiveMustBeWhatItsHeaderSays(t *testing.T) {
	for contentType, want := range map[string]ingest.Reason{contract.Protobuf: ingest.NotProtobuf, "text/plain": ingest.UnknownContent} {
		_, err := contract.DecodeDirective(contentType, []byte(`{"directive_id":"d1"}`))
		if got := rejection(t, err).Reason; got != want {
			t.Errorf("%s: %s, want %s", contentType, got, want)
		}
	}
}
