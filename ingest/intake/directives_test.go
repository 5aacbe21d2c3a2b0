package intake

import (
	"bytes"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// saidAway is the word that a household is away for the three days after noon.
func saidAway(id, household string) ingest.Directive {
	return ingest.Directive{
		ID: id, HouseholdID: household, Kind: ingest.Away, From: noon, Until: noon.Add(72 * time.Hour), IssuedAt: noon.Add(-time.Minute),
	}
}

func TestDirectivesReachTheAreaOfTheirHousehold(t *testing.T) {
	w := newWorld(t)
	one, three := saidAway("d1", "h1"), saidAway("d3", "h3")
	found := ingest.Directive{ID: "d2", HouseholdID: "h1", Kind: ingest.Outcome, Outcome: ingest.OutcomeIllness, IssuedAt: noon}
	protobuf := stream.Record{
		Key: []byte("sender"), Value: contract.EncodeDirectiveProtobuf(&three),
		Headers: []kafka.Header{{Key: contract.ContentTypeHeader, Value: []byte(contract.Protobuf)}},
	}
	w.send(
		ingest.TopicDirectives,
		text("%s,\"text\":\"Granny Wang is in hospital\",\"by\":\"Li\"}", bytes.TrimSuffix(contract.EncodeDirective(&one), []byte("}"))),
		text("%s", contract.EncodeDirective(&found)),
		protobuf,
	)
	s := w.service(village())
	w.run(s.Run)
	w.caught(s)

	in := w.inputs()
	if areas := slices.Sorted(maps.Keys(in)); !slices.Equal(areas, []string{"A", "B"}) || len(in["A"]) != 2 || len(in["B"]) != 1 {
		t.Fatalf("the logs hold %v", in)
	}
	for i, want := range []ingest.Directive{one, found, three} {
		entry := append(in["A"], in["B"]...)[i]
		if entry.Directive == nil || *entry.Directive != want || !entry.Clock.Equal(noon) {
			t.Errorf("entry %d is %+v, want %+v", i, entry.Directive, want)
		}
	}
	w.each(ingest.TopicInputs, func(r stream.Record) {
		if bytes.Contains(r.Value, []byte("Wang")) || bytes.Contains(r.Value, []byte("Li")) {
			t.Error("words or names of a directive are in the stream")
		}
	})
	if n := w.metric("weimang_ingest_directives_accepted_total"); n != 3 {
		t.Errorf("%v accepted", n)
	}
}

func TestADirectiveThatCannotBeUsedSaysWhy(t *testing.T) {
	w := newWorld(t)
	nobody, endless, tomorrow := saidAway("d1", "m1"), saidAway("d2", "h1"), saidAway("d3", "h1")
	endless.Kind, endless.Until = ingest.Mute, time.Time{}
	tomorrow.IssuedAt = noon.Add(8 * time.Hour) // local time, called UTC
	good := saidAway("d4", "h1")
	w.send(
		ingest.TopicDirectives,
		text("%s", contract.EncodeDirective(&nobody)),
		text("%s", contract.EncodeDirective(&endless)),
		text("%s", contract.EncodeDirective(&tomorrow)),
		text(`{"directive_id":"d5","household_id":"h1","kind":"sleep","issued_at":"2026-07-12T11:00:00Z"}`),
		text(`away`),
		text("%s", contract.EncodeDirective(&good)),
	)
	s := w.service(village())
	w.run(s.Run)
	w.caught(s)
	want := []struct {
		reason ingest.Reason
		field  string
	}{
		{ingest.UnknownHousehold, "household_id"},
		{ingest.BadTime, "until"},
		{ingest.Future, "issued_at"},
		{ingest.BadField, "kind"},
		{ingest.NotJSON, ""},
	}
	letters := w.letters()
	if len(letters) != len(want) {
		t.Fatalf("%d dead letters, want %d", len(letters), len(want))
	}
	for i, d := range letters {
		if d.Reason != want[i].reason || d.Field != want[i].field || d.Topic != ingest.TopicDirectives || d.Offset != int64(i) || d.Text == "" {
			t.Errorf("letter %d: %+v, want %+v", i, d, want[i])
		}
	}
	if in := w.inputs(); len(in) != 1 || len(in["A"]) != 1 || in["A"][0].Directive.ID != "d4" {
		t.Errorf("the good one behind them: %v", in)
	}
}

// In a gap of a feed its clock stands still, and people go on speaking.
func TestAFeedsClockDoesNotJudgeWhenSomethingWasSaid(t *testing.T) {
	w := newWorld(t)
	d := saidAway("d1", "h1")
	r := text("%s", contract.EncodeDirective(&d))
	r.Headers = []kafka.Header{{Key: ingest.FeedClockHeader, Value: []byte("2026-07-10T00:00:00Z")}}
	w.send(ingest.TopicDirectives, r)
	s := w.service(village(), func(o *Options) { o.Clock, o.Replayed = Feed(), true })
	w.run(s.Run)
	w.caught(s)
	if in := w.inputs()["A"]; len(in) != 1 || !in[0].Clock.Equal(noon.Add(-60*time.Hour)) {
		t.Errorf("the log holds %v", in)
	}
}
