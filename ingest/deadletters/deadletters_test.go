package deadletters

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/goleak"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
	"weimang/ingest/stream/streamtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newSite(t *testing.T) (*stream.Client, *stream.Producer) {
	t.Helper()
	on := streamtest.Start(t, stream.StartEmbedded)
	client, err := stream.NewClient(stream.Config{Brokers: on.Brokers, Prefix: on.Prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := client.EnsureTopics(t.Context(), stream.Topics(3, stream.Retention{})); err != nil {
		t.Fatal(err)
	}
	return client, stream.NewProducer(client)
}

var rejection = ingest.Reject(ingest.UnknownMeter, "meter_id", "not in the roster")

// refused is a record of weimang.readings as a replayed feed's sender writes it.
func refused(offset int64, value string) stream.Record {
	return stream.Record{
		Topic: ingest.TopicReadings, Partition: 2, Offset: offset, Key: []byte("m7"), Value: []byte(value),
		Headers: []kafka.Header{
			{Key: contract.ContentTypeHeader, Value: []byte(contract.JSON)},
			{Key: ingest.FeedClockHeader, Value: []byte("2026-07-12T01:00:00Z")},
		},
		Time: time.UnixMilli(1_780_000_000_000),
	}
}

func bury(t *testing.T, p *stream.Producer, recs ...stream.Record) {
	t.Helper()
	for i := range recs {
		d := New(&recs[i], rejection, time.UnixMilli(1_790_000_000_000).UTC())
		if err := Bury(t.Context(), p, []contract.DeadLetter{d}); err != nil {
			t.Fatal(err)
		}
	}
}

func letters(t *testing.T, c *stream.Client) (list []*Letter) {
	t.Helper()
	r, err := Open(t.Context(), c)
	if err == nil {
		err = r.Each(t.Context(), func(l *Letter) error { list = append(list, l); return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// replay does what the command does, and counts the verdicts.
func replay(t *testing.T, c *stream.Client, rules Rules) map[Verdict]int {
	t.Helper()
	verdicts := make(map[Verdict]int)
	w := NewReplayer(c)
	for _, l := range letters(t, c) {
		v := rules.Judge(l)
		if verdicts[v]++; v == Go {
			if err := w.Add(t.Context(), l); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return verdicts
}

// ingestAgain refuses everything in weimang.readings behind the offsets, as
// ingest does when nothing was mended, and returns the new ends.
func ingestAgain(t *testing.T, c *stream.Client, p *stream.Producer, from []int64) (recs []stream.Record, ends []int64) {
	t.Helper()
	for part := range 3 {
		end, err := stream.ReadFrom(t.Context(), c, ingest.TopicReadings, part, from[part], func(r stream.Record) error {
			recs = append(recs, r)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, end)
	}
	bury(t, p, recs...)
	return recs, ends
}

func TestARecordComesBackAsItWasAndSaysFromWhere(t *testing.T) {
	c, p := newSite(t)
	was := refused(41, `{"meter_id":"m7"}`)
	noKey := stream.Record{Topic: ingest.TopicReadings, Value: []byte("x")}
	bury(t, p, was, noKey)
	if v := replay(t, c, Rules{Most: 3}); v[Go] != 2 {
		t.Fatalf("verdicts %v", v)
	}
	var back []stream.Record
	for part := range 3 {
		if _, err := stream.ReadAll(t.Context(), c, ingest.TopicReadings, part, func(r stream.Record) error {
			back = append(back, r)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if len(back) != 2 {
		t.Fatalf("%d records came back", len(back))
	}
	for _, r := range back {
		switch from, _ := r.Header(ingest.ReplayedFromHeader); from {
		case "0:0":
			clock, _ := r.Header(ingest.FeedClockHeader)
			if string(r.Key) != "m7" || string(r.Value) != string(was.Value) || clock != "2026-07-12T01:00:00Z" || len(r.Headers) != 3 {
				t.Errorf("not as it was: %+v", r)
			}
		case "0:1":
			if r.Key != nil || string(r.Value) != "x" || len(r.Headers) != 1 {
				t.Errorf("not as it was: %+v", r)
			}
		default:
			t.Errorf("replayed from %q", from)
		}
	}
	l := letters(t, c)[0]
	if !l.Time.Equal(was.Time) || l.Refused.IsZero() || l.Place.Offset != 0 || l.Offset != 41 {
		t.Errorf("letter %+v", l)
	}
}

// An operator who runs the same replay every night.
func TestNoLoopComesOfReplays(t *testing.T) {
	c, p := newSite(t)
	bury(t, p, refused(1, "{"))
	from := []int64{0, 0, 0}
	for round := 1; round <= 3; round++ {
		if v := replay(t, c, Rules{Most: 3}); v[Go] != 1 || v[Superseded] != round-1 {
			t.Fatalf("round %d: %v", round, v)
		}
		if v := replay(t, c, Rules{Most: 3}); v[Go] != 0 || v[Already] != 1 {
			t.Fatalf("round %d, once more at once: %v", round, v)
		}
		var recs []stream.Record
		if recs, from = ingestAgain(t, c, p, from); len(recs) != 1 {
			t.Fatalf("round %d brought %d records", round, len(recs))
		}
	}
	list := letters(t, c)
	for i, l := range list {
		if l.Replays() != i {
			t.Errorf("letter %d says it was replayed %d times", i, l.Replays())
		}
	}
	if v := replay(t, c, Rules{Most: 3}); v[TooOften] != 1 || v[Superseded] != 3 || v[Go] != 0 {
		t.Errorf("the fourth time: %v", v)
	}
	if v := replay(t, c, Rules{Most: 3, Force: true}); v[Go] != 1 || v[Superseded] != 3 {
		t.Errorf("forced: %v", v)
	}
}

// A replay that is killed before its receipts are written.
func TestARefusalSaysWhatALostReceiptDoesNot(t *testing.T) {
	c, p := newSite(t)
	bury(t, p, refused(1, "{"))
	again := Record(letters(t, c)[0])
	again.Topic = ingest.TopicReadings
	bury(t, p, again)
	list := letters(t, c)
	if list[0].Fate != RefusedAgain || list[1].Fate != Waiting || list[1].Replays() != 1 {
		t.Errorf("%s, then %s after %d replays", list[0].Fate, list[1].Fate, list[1].Replays())
	}
}

func TestWhatIsNotWholeOrHasNoWayBackStays(t *testing.T) {
	c, p := newSite(t)
	long := refused(1, "{")
	long.Headers = append(long.Headers, kafka.Header{Key: "x", Value: make([]byte, maxHead)})
	odd := refused(2, "{")
	odd.Headers = append(odd.Headers, kafka.Header{Key: "\xff", Value: nil})
	keyless := stream.Record{Topic: ingest.TopicInputs, Value: []byte("x")}
	elsewhere := stream.Record{Topic: "somebody.elses", Key: []byte("k"), Value: []byte("x")}
	large := refused(3, strings.Repeat("x", MaxValue+1))
	bury(t, p, long, odd, keyless, elsewhere, large)
	if v := replay(t, c, Rules{Most: 3, Force: true}); v[NotWhole] != 3 || v[NoWay] != 2 {
		t.Errorf("verdicts %v", v)
	}
}

func TestReadingEndsWhereTheTopicEndedWhenItBegan(t *testing.T) {
	c, p := newSite(t)
	bury(t, p, refused(1, "a"), refused(2, "b"))
	if err := p.Produce(t.Context(), ingest.TopicDeadLetters, []stream.Record{{Value: []byte("no letter")}}); err != nil {
		t.Fatal(err)
	}
	r, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	bury(t, p, refused(3, "c"))
	var seen []string
	if err := r.Each(t.Context(), func(l *Letter) error { seen = append(seen, string(l.Value)); return nil }); err != nil {
		t.Fatal(err)
	}
	if strings.Join(seen, "") != "ab" || r.Unreadable != 1 {
		t.Errorf("seen %v, %d unreadable", seen, r.Unreadable)
	}
	if l, err := r.Get(t.Context(), Place{0, 1}); err != nil || string(l.Value) != "b" {
		t.Errorf("%+v %v", l, err)
	}
	for _, at := range []Place{{0, 2}, {0, 3}, {9, 0}} {
		if _, err := r.Get(t.Context(), at); !errors.Is(err, ErrNoLetter) {
			t.Errorf("at %s: %v", at, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Each(ctx, func(*Letter) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestFiltersSelect(t *testing.T) {
	entry, err := contract.EncodeInputs("tq", []ingest.Input{{AreaID: "tq", Readings: &ingest.Readings{MeterID: "m3", HouseholdID: "h3", Start: time.Unix(0, 0), Interval: time.Hour, Wh: []uint32{1}}}})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 7, 12, 12, 0, 0, 0, time.UTC)
	list := []*Letter{
		{Place{0, 0}, at, Waiting, &contract.DeadLetter{Topic: ingest.TopicReadings, Reason: ingest.NotJSON, Value: []byte(`{"meter_id": "m1", `)}},
		{Place{0, 1}, at.Add(time.Hour), Waiting, &contract.DeadLetter{Topic: ingest.TopicReadings, Reason: ingest.TooLate, Key: []byte("m2"), Value: []byte("\x00")}},
		{Place{0, 2}, at.Add(2 * time.Hour), Waiting, &contract.DeadLetter{Topic: ingest.TopicInputs, Reason: ingest.TooLate, Value: entry}},
		{Place{0, 3}, at.Add(3 * time.Hour), Waiting, &contract.DeadLetter{Topic: ingest.TopicIncidents, Reason: ingest.BadTime, Value: []byte(`{"incident_id":"i","scope":{"households":["h4"]}}`)}},
	}
	for name, c := range map[string]struct {
		filter Filter
		want   string
	}{
		"all":                     {Filter{}, "0123"},
		"by reason":               {Filter{Reasons: []ingest.Reason{ingest.TooLate}}, "12"},
		"by topic":                {Filter{Topics: []string{ingest.TopicReadings}}, "01"},
		"by meter, broken JSON":   {Filter{Subjects: []string{"m1"}}, "0"},
		"by meter, as key":        {Filter{Subjects: []string{"m2"}}, "1"},
		"by household in a log":   {Filter{Subjects: []string{"h3"}}, "2"},
		"by household in a scope": {Filter{Subjects: []string{"h4", "h5"}}, "3"},
		"by time":                 {Filter{From: at.Add(time.Hour), To: at.Add(3 * time.Hour)}, "12"},
		"by place":                {Filter{Places: []Place{{0, 3}, {1, 0}}}, "3"},
		"by two":                  {Filter{Reasons: []ingest.Reason{ingest.TooLate}, Topics: []string{ingest.TopicReadings}}, "1"},
	} {
		got := ""
		for _, l := range list {
			if c.filter.Match(l) {
				got += string(rune('0' + l.Place.Offset))
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestThePlaceInTheValueIsFound(t *testing.T) {
	for _, c := range []struct{ value, field, at string }{
		{`{"meter_id":"m", "kwh":[1, 2,-3]}`, "kwh[2]", "-3]}"},
		{`{"kwh" : -3}`, "kwh", "-3}"},
		{`{"a":{"b":[{}]},"scope":{"areas":["x","y z"]}}`, "scope.areas[1]", `"y z"]}}`},
		{`{"meter_id":"m",`, "", ","},
		{`{"meter_id":"m" x`, "", "x"},
		{`{"meter_id":"m"}`, "ts", ""},
		{`{"meter_id":"m"}`, "", ""},
		{``, "", ""},
		{`not json`, "kwh", ""},
	} {
		at, ok := Locate([]byte(c.value), c.field)
		if ok != (c.at != "") || ok && c.value[at:] != c.at {
			t.Errorf("%s in %s: byte %d, %t", c.field, c.value, at, ok)
		}
	}
}

func TestPlacesAreReadAsWritten(t *testing.T) {
	if p, err := ParsePlace("3:17"); err != nil || p.String() != "3:17" {
		t.Errorf("%v %v", p, err)
	}
	for _, bad := range []string{"", "17", "0:-1", "-1:0", "a:b", "0:1:2", "0: 1"} {
		if p, err := ParsePlace(bad); err == nil {
			t.Errorf("%q was taken for %s", bad, p)
		}
	}
}

func FuzzLocate(f *testing.F) {
	f.Add([]byte(`{"kwh":[1,2]}`), "kwh[1]")
	f.Add([]byte(`{`), "")
	f.Fuzz(func(t *testing.T, value []byte, field string) {
		if at, ok := Locate(value, field); ok && (at < 0 || at >= max(1, len(value))) {
			t.Errorf("byte %d of %d", at, len(value))
		}
	})
}

// A letter that was written twice, since the broker's answer was lost, is two
// letters: its record goes back twice, and does not multiply from there.
func TestALetterWrittenTwiceDoesNotMultiply(t *testing.T) {
	c, p := newSite(t)
	bury(t, p, refused(1, "{"), refused(1, "{"))
	from := []int64{0, 0, 0}
	for round := 1; round <= 3; round++ {
		if v := replay(t, c, Rules{Most: 3}); v[Go] != 2 {
			t.Fatalf("round %d: %v", round, v)
		}
		var recs []stream.Record
		if recs, from = ingestAgain(t, c, p, from); len(recs) != 2 {
			t.Fatalf("round %d brought %d records", round, len(recs))
		}
	}
}
