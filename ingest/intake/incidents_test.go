package intake

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/segmentio/kafka-go"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/deadletters"
	"weimang/ingest/stream"
)

func incident(id string, scope ingest.Scope) stream.Record {
	r := ingest.Report{
		Incident: ingest.Incident{
			ID: id, Source: ingest.PowerGrid, Class: ingest.ClassPlannedOutage, State: ingest.Reported,
			Scope: scope, From: noon, Until: noon.Add(2 * time.Hour),
		},
		Text: "Transformer change at the Wang family's house", ReporterRole: "grid worker",
	}
	return stream.Record{Key: []byte("grid"), Value: contract.EncodeReport(&r)}
}

func TestAnIncidentReachesItsAreasWithoutItsText(t *testing.T) {
	w := newWorld(t)
	w.send(
		ingest.TopicIncidents,
		incident("i-area", ingest.Scope{Areas: []string{"A", "elsewhere"}}),
		incident("i-house", ingest.Scope{Households: []string{"h2", "h3"}}),
		incident("i-village", ingest.Scope{Villages: []string{"V"}}),
		incident("i-far", ingest.Scope{Areas: []string{"elsewhere"}}),
		incident("i-cell", ingest.Scope{GridCells: []string{"g1"}}),
		text(`{"incident_id":"i-social","source":"social-grid","class":"dispute","state":"reported","scope":{"households":["h1"]},"from":"2026-07-12T11:00:00Z"}`),
		text(`{"incident_id":`),
	)
	s := w.service(village())
	w.run(s.Run)
	w.caught(s)

	want := []string{"i-area", "i-house", "i-village", "i-far", "i-cell", "i-social"}
	got := w.reports.ids()
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("saved %v, want %v", got, want)
	}
	if w.reports.saved[0].Text == "" || w.reports.saved[0].ReporterRole == "" {
		t.Error("the report was saved without its text or reporter")
	}

	scopes := map[string]map[string][]string{} // area: incident: households
	places := map[string]ingest.Place{}
	for area, entries := range w.inputs() {
		scopes[area] = map[string][]string{}
		for _, e := range entries {
			scopes[area][e.Incident.ID] = e.Incident.Scope.Households
			if places[e.Incident.ID] = e.Incident.Place; e.Incident.Place.Next == 0 {
				t.Errorf("nobody can tell whether %s came before: %+v", e.Incident.ID, e.Incident.Place)
			}
			if !e.Clock.Equal(noon) {
				t.Errorf("clock %v", e.Clock)
			}
		}
	}
	if first, later := places["i-area"], places["i-house"]; !first.Repeats(later) || later.Repeats(first) {
		t.Errorf("one after the other at %+v and %+v", first, later)
	}
	if want := map[string]map[string][]string{
		"A": {"i-area": nil, "i-house": {"h2"}, "i-village": nil, "i-social": {"h1"}},
		"B": {"i-house": {"h3"}, "i-village": nil},
	}; !reflect.DeepEqual(scopes, want) {
		t.Errorf("areas were told\n%v, want\n%v", scopes, want)
	}
	w.each(ingest.TopicInputs, func(r stream.Record) {
		if bytes.Contains(r.Value, []byte("Wang")) || bytes.Contains(r.Value, []byte("worker")) {
			t.Error("text or reporter of an incident is in the stream")
		}
	})
	for name, want := range map[string]float64{
		"weimang_ingest_incidents_accepted_total":      6,
		"weimang_ingest_incidents_unplaced_total":      2,
		"weimang_ingest_incident_grid_cells_total":     1,
		"weimang_ingest_incidents_unknown_class_total": 1,
		"weimang_ingest_records_rejected_total":        1,
	} {
		if got := w.metric(name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

func TestWithoutARosterAreasAreTakenAsTheyAre(t *testing.T) {
	got := Open{}.Areas(ingest.Scope{Areas: []string{"A"}, Households: []string{"m7"}}, noon)
	if want := map[string][]string{"A": nil, "meter:m7": {"m7"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("areas %v, want %v", got, want)
	}
}

func TestAnAreaUnknownToTheRosterMayBeMeantWhenHomesBringTheirOwn(t *testing.T) {
	f := village()
	if got := f.Areas(ingest.Scope{Areas: []string{"C"}}, noon); len(got) != 0 {
		t.Errorf("with all homes placed: %v", got)
	}
	f.apply([]stream.Record{{Key: []byte("m9"), Value: []byte(`{"meter_id":"m9","household_id":"h9"}`)}})
	if got := f.Areas(ingest.Scope{Areas: []string{"C"}}, noon); len(got) != 1 {
		t.Errorf("with a home that has no area: %v", got)
	}
}

func TestAnIncidentIsNotAnnouncedBeforeItIsSaved(t *testing.T) {
	w := newWorld(t)
	w.reports.err = errors.New("disk full")
	w.send(ingest.TopicIncidents, incident("i1", ingest.Scope{Areas: []string{"A"}}))
	tried := make(chan struct{}, 16)
	s := w.service(village(), func(o *Options) { o.Sink = tap{w.reports, tried} })
	w.run(s.Run)
	<-tried
	<-tried // the group has called the handler again
	if in := w.inputs(); len(in) != 0 {
		t.Errorf("announced: %v", in)
	}
	w.reports.mu.Lock()
	w.reports.err = nil
	w.reports.mu.Unlock()
	w.caught(s)
	if in := w.inputs(); len(in["A"]) != 1 {
		t.Errorf("after the disk has room again: %v", in)
	}
}

// tap tells of each try to save.
type tap struct {
	ReportSink
	tried chan<- struct{}
}

func (t tap) SaveReport(ctx context.Context, r ingest.Report) error {
	select {
	case t.tried <- struct{}{}:
	default:
	}
	return t.ReportSink.SaveReport(ctx, r)
}

func TestAServiceKilledBeforeItsCommitRepeatsAndLosesNothing(t *testing.T) {
	w := newWorld(t)
	var recs []stream.Record
	for i := range 300 {
		recs = append(recs, reading("m1", 0, float64(i+1)/1000))
	}
	w.send(ingest.TopicReadings, recs...)

	// The first service produces everything and dies before it commits: its
	// partition is handled outside a group, and nobody commits.
	first := w.service(village())
	for p := range 3 {
		_, err := stream.ReadAll(w.ctx(), w.client, ingest.TopicReadings, p, func(r stream.Record) error {
			return first.readings(w.ctx(), []stream.Record{r})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	second := w.service(village(), func(o *Options) { o.Registry = nil })
	w.run(second.Run)
	w.caught(second)

	values := wh(w.inputs()["A"])
	if len(values) != 600 {
		t.Fatalf("%d entries, want each of 300 twice", len(values))
	}
	if !slices.IsSorted(values[:300]) || !slices.Equal(values[:300], values[300:]) {
		t.Error("the repetition is not the same in the same order")
	}
}

func TestTheRosterBecomesTheListAndNothingElse(t *testing.T) {
	w := newWorld(t)
	homes := []ingest.Home{
		{MeterID: "m1", HouseholdID: "h1", AreaID: "A"},
		{MeterID: "m2", HouseholdID: "h2", AreaID: "A"},
	}
	sync := func(homes ...ingest.Home) int {
		t.Helper()
		was, err := ReadRoster(w.ctx(), w.client)
		if err != nil {
			t.Fatal(err)
		}
		removed, err := SyncRoster(w.ctx(), w.producer, was, homes, Sync{Whole: true})
		if err != nil {
			t.Fatal(err)
		}
		return removed
	}
	records := func() (n int) {
		t.Helper()
		if _, err := stream.ReadAll(w.ctx(), w.client, ingest.TopicRoster, 0, func(stream.Record) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if removed := sync(homes...); removed != 0 || records() != 2 {
		t.Fatalf("a new list: %d removed, %d records", removed, records())
	}
	if removed := sync(homes...); removed != 0 || records() != 2 {
		t.Errorf("the same list again: %d removed, %d records", removed, records())
	}
	moved := ingest.Home{MeterID: "m1", HouseholdID: "h1", AreaID: "B"}
	if removed := sync(moved); removed != 1 || records() != 4 {
		t.Errorf("one moves, one leaves: %d removed, %d records", removed, records())
	}
	f := NewFollower(nil)
	w.run(func(ctx context.Context) error { return f.Follow(ctx, w.client) })
	if err := f.Wait(w.ctx()); err != nil {
		t.Fatal(err)
	}
	if h, ok := f.Lookup("m1", noon); !ok || h != moved || f.Len() != 1 {
		t.Errorf("the roster holds %d homes, m1 at %+v", f.Len(), h)
	}
}

func TestARosterIsFollowedFromItsBegin(t *testing.T) {
	w := newWorld(t)
	homes := []ingest.Home{
		{MeterID: "m1", HouseholdID: "h1", AreaID: "A"},
		{MeterID: "m2", HouseholdID: "h2", AreaID: "A"},
	}
	if err := PublishRoster(w.ctx(), w.producer, homes); err != nil {
		t.Fatal(err)
	}
	w.send(ingest.TopicRoster, stream.Record{Key: []byte("m3"), Value: []byte("no home")})
	if err := RemoveFromRoster(w.ctx(), w.producer, []string{"m2"}); err != nil {
		t.Fatal(err)
	}

	f := NewFollower(nil)
	s := w.service(f)
	w.send(ingest.TopicReadings, reading("m1", 0, 0.1))
	w.run(s.Run) // waits for the roster, or it would leave m1 out
	time.Sleep(10 * time.Millisecond)
	w.run(func(ctx context.Context) error { return f.Follow(ctx, w.client) })
	w.caught(s)
	heard := slices.ContainsFunc(w.inputs()["A"], func(in ingest.Input) bool { return in.Readings != nil })
	if !heard {
		t.Error("read before the roster was")
	}
	if f.Len() != 1 {
		t.Errorf("%d meters, want only m1", f.Len())
	}

	// A home that joins later is known without a restart.
	if err := PublishRoster(w.ctx(), w.producer, []ingest.Home{{MeterID: "m4", HouseholdID: "h4"}}); err != nil {
		t.Fatal(err)
	}
	for ctx := w.ctx(); ; {
		if _, ok := f.Lookup("m4", noon); ok {
			break
		}
		if ctx.Err() != nil {
			t.Fatal("the new home does not come")
		}
		time.Sleep(time.Millisecond)
	}
}

// A meter that was written down before its reading was sent is known, however far
// the roster's follower has got.
func TestAReadingOfAMeterThatWasJustWrittenDownCounts(t *testing.T) {
	w := newWorld(t)
	f := NewFollower(nil)
	w.run(func(ctx context.Context) error { return f.Follow(ctx, w.client) })
	s := w.service(f)
	w.run(s.Run)
	const meters = 30
	for n := range meters {
		meter := "m" + strconv.Itoa(n)
		if err := PublishRoster(w.ctx(), w.producer, []ingest.Home{{MeterID: meter, HouseholdID: "h" + meter, AreaID: "A"}}); err != nil {
			t.Fatal(err)
		}
		w.send(ingest.TopicReadings, reading(meter, 0, 0.1))
	}
	w.caught(s)
	heard := make(map[string]bool)
	for _, in := range w.inputs()["A"] {
		if in.Readings != nil {
			heard[in.Readings.MeterID] = true
		}
	}
	if len(heard) != meters {
		t.Errorf("readings of %d meters count, want %d; unknown: %v", len(heard), meters, s.UnknownMeters())
	}
}

// behind is a roster that is told of a meter only when it is asked to be current.
type behind struct {
	*Follower
	asked int
}

func (b *behind) Current(context.Context, *stream.Client) error {
	b.asked++
	b.set("m9", []ingest.Home{{MeterID: "m9", HouseholdID: "h9", AreaID: "A"}})
	return nil
}

func TestABatchAsksForTheRosterOnceAndOnlyForUnknownMeters(t *testing.T) {
	w := newWorld(t)
	b := &behind{Follower: village()}
	s := w.service(b)
	known := []stream.Record{reading("m1", 0, 0.1), reading("m2", 0, 0.1)}
	if err := s.readings(w.ctx(), known); err != nil || b.asked != 0 {
		t.Fatalf("asked %d times for meters it knows, %v", b.asked, err)
	}
	if err := s.readings(w.ctx(), append(known, reading("town-1", 0, 0.1), reading("m9", 0, 0.1), reading("town-2", 0, 0.1))); err != nil || b.asked != 1 {
		t.Fatalf("asked %d times, %v", b.asked, err)
	}
	var heard []string
	for _, in := range w.inputs()["A"] {
		heard = append(heard, in.Readings.HouseholdID)
	}
	if !slices.Contains(heard, "h9") {
		t.Errorf("only %v were heard", heard)
	}
}

// noise is bytes that cannot be compressed.
func noise(n int) []byte {
	noise := make([]byte, n)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	return noise
}

// Whatever a sender puts into headers, its record can be buried: one that
// cannot would be tried for ever, and nothing behind it would be handled.
func TestHeadersCannotKeepARecordFromTheDeadLetters(t *testing.T) {
	for name, header := range map[string]kafka.Header{
		"a content type larger than a letter may be": {Key: contract.ContentTypeHeader, Value: noise(3000)},
		"a clock beyond the year 9999 in UTC":        {Key: ingest.FeedClockHeader, Value: []byte("9999-12-31T23:59:59-12:00")},
		"a clock before the year 0 in UTC":           {Key: ingest.FeedClockHeader, Value: []byte("0000-01-01T00:00:00+12:00")},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, stream.Topic{Name: ingest.TopicDeadLetters, Partitions: 1, MaxBytes: 2000})
			s := w.service(village(), func(o *Options) { o.Clock = Feed() })
			rec := stream.Record{Topic: ingest.TopicReadings, Value: []byte("{"), Headers: []kafka.Header{header}}
			if err := s.readings(w.ctx(), []stream.Record{rec}); err != nil {
				t.Fatal(err)
			}
			if n := len(w.letters()); n != 1 {
				t.Errorf("%d dead letters", n)
			}
		})
	}
}

func TestABatchWhoseLettersCannotBeWrittenDoesNotFillTheLogs(t *testing.T) {
	w := newWorld(t, stream.Topic{Name: ingest.TopicDeadLetters, Partitions: 1, MaxBytes: 1}) // takes nothing
	s := w.service(village())
	good := ingest.Block{MeterID: "m1", Start: noon.Add(-time.Hour), Interval: time.Hour, KWh: []float64{0.1}}
	batch := []stream.Record{{Value: contract.EncodeJSON(&good)}, {Value: []byte("{")}}
	for range 3 {
		if err := s.readings(w.ctx(), batch); !stream.TooLarge(err) {
			t.Fatalf("got %v: the letter must not fit", err)
		}
	}
	if in := w.inputs(); len(in) != 0 {
		t.Errorf("three tries left %v in the logs", in)
	}
}

func TestALetterThatDoesNotFitStillSaysWhy(t *testing.T) {
	large := noise(deadletters.MaxValue + 1)
	rej := ingest.Reject(ingest.TooLarge, "", "too large")
	for name, tc := range map[string]struct {
		made []stream.Topic // before ours
		kept int            // bytes of the large record
	}{
		"a topic of ours":                   {nil, deadletters.MaxValue},
		"a topic made with a smaller limit": {[]stream.Topic{{Name: ingest.TopicDeadLetters, Partitions: 1, MaxBytes: 2000}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tc.made...)
			s := w.service(village())
			var dead []letter
			for i, value := range [][]byte{[]byte("{"), large, []byte("{")} {
				dead = append(dead, s.refuse(&stream.Record{Topic: ingest.TopicReadings, Offset: int64(i), Value: value}, rej))
			}
			if err := deadletters.Bury(w.ctx(), w.producer, dead); err != nil {
				t.Fatal(err)
			}
			// One that was written before the large one was refused may come
			// twice.
			kept := map[int64]*contract.DeadLetter{}
			for _, d := range w.letters() {
				kept[d.Offset] = d
			}
			if len(kept) != 3 {
				t.Fatalf("letters of %d records, want 3", len(kept))
			}
			if d := kept[1]; len(d.Value) != tc.kept || !strings.Contains(d.Text, "of 2097153 bytes") {
				t.Errorf("the large one keeps %d bytes and says %q", len(d.Value), d.Text)
			}
			if d := kept[2]; string(d.Value) != "{" {
				t.Errorf("the one behind it keeps %q", d.Value)
			}
		})
	}
}

func TestMetricsPassTheLinter(t *testing.T) {
	w := newWorld(t)
	w.service(village())
	if problems, err := testutil.GatherAndLint(w.registry); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

// A sender's request whose answer was lost is written twice. The areas' logs
// then hold its entries twice, in the same order, which detection ignores; there
// are no dead letters of it, and the roster is as it was.
func TestWhatComesTwiceGoesOnTwiceAndNothingElse(t *testing.T) {
	w := newWorld(t)
	away := saidAway("d1", "h1")
	said := text("%s", contract.EncodeDirective(&away))
	twice := func(topic string, recs ...stream.Record) {
		w.send(topic, recs...)
		w.send(topic, recs...)
	}
	homes := []ingest.Home{{MeterID: "m1", HouseholdID: "h1", AreaID: "A"}, {MeterID: "m3", HouseholdID: "h3", AreaID: "B"}}
	for range 2 {
		if err := PublishRoster(w.ctx(), w.producer, homes); err != nil {
			t.Fatal(err)
		}
	}
	f := NewFollower(nil)
	w.run(func(ctx context.Context) error { return f.Follow(ctx, w.client) })
	s := w.service(f)
	w.run(s.Run)
	twice(ingest.TopicReadings, reading("m1", time.Hour, 0.1), reading("m1", 0, 0.2), reading("m3", 0, 0.3))
	w.caught(s)
	w.each(ingest.TopicInputs, func(r stream.Record) {
		if in, err := contract.DecodeInputs(r.Value); err != nil || in[0].Readings == nil {
			return // the roster's entries have not arrived from a sender
		}
		ms, ok := r.Header(ingest.ArrivedHeader)
		at, err := strconv.ParseInt(ms, 10, 64)
		if age := time.Since(time.UnixMilli(at)); !ok || err != nil || age < 0 || age > within {
			t.Errorf("arrived %q: %v", ms, err)
		}
	})
	twice(ingest.TopicIncidents, incident("i1", ingest.Scope{Areas: []string{"A"}}))
	w.caught(s)
	twice(ingest.TopicDirectives, said)
	w.caught(s)
	if f.Len() != 2 {
		t.Errorf("%d meters in the roster", f.Len())
	}
	in := w.inputs()
	for area, entries := range in { // who is there may be told twice, too
		told := residencesOf(entries, map[string]string{"A": "h1", "B": "h3"}[area])
		for _, r := range told {
			if !reflect.DeepEqual(r, told[0]) {
				t.Errorf("area %s is told %+v and %+v", area, told[0], r)
			}
		}
		in[area] = slices.DeleteFunc(entries, func(e ingest.Input) bool { return e.Residence != nil })
	}
	a := in["A"]
	if len(a) != 8 || len(in["B"]) != 2 || len(w.letters()) != 0 {
		t.Fatalf("the logs hold %v, and there are %d dead letters", in, len(w.letters()))
	}
	if got := wh(a[:4]); !slices.Equal(got, []uint32{100, 200, 100, 200}) {
		t.Errorf("readings %v", got)
	}
	if a[4].Incident == nil || a[5].Incident == nil || a[4].Incident.ID != a[5].Incident.ID || a[6].Directive == nil || *a[6].Directive != *a[7].Directive {
		t.Errorf("then %+v", a[4:])
	}
	if ids := w.reports.ids(); !slices.Equal(ids, []string{"i1", "i1"}) {
		t.Errorf("reports %v: the store goes by their id", ids)
	}
}
