package intake

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
	"go.uber.org/goleak"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
	"weimang/ingest/stream/streamtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const within = 20 * time.Second

// noon is the wall clock of these tests.
var noon = time.Date(2026, 7, 12, 12, 0, 0, 0, time.UTC)

// world is a broker with the system's topics; those already made
// otherwise stay so.
type world struct {
	t        *testing.T
	client   *stream.Client
	producer *stream.Producer
	reports  *reports
	registry *prometheus.Registry
}

func newWorld(t *testing.T, made ...stream.Topic) *world {
	t.Helper()
	on := streamtest.Start(t, stream.StartEmbedded)
	c, err := stream.NewClient(stream.Config{Brokers: on.Brokers, Prefix: on.Prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	w := &world{t: t, client: c, producer: stream.NewProducer(c), reports: &reports{}, registry: prometheus.NewRegistry()}
	for _, topics := range [][]stream.Topic{made, stream.Topics(3, stream.Retention{})} {
		if err := c.EnsureTopics(w.ctx(), topics); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *world) ctx() context.Context {
	ctx, cancel := context.WithTimeout(w.t.Context(), within)
	w.t.Cleanup(cancel)
	return ctx
}

// service prepares a service that need not be waited for.
func (w *world) service(roster Roster, change ...func(*Options)) *Service {
	w.t.Helper()
	opts := Options{
		Client: w.client, Roster: roster, Sink: w.reports,
		Clock: Wall(func() time.Time { return noon }),
		Group: stream.GroupOptions{
			SessionTimeout: 2 * time.Second, HeartbeatInterval: 50 * time.Millisecond, RebalanceTimeout: 2 * time.Second,
			JoinGroupBackoff: 50 * time.Millisecond, FlushTimeout: time.Second, MaxWait: 20 * time.Millisecond,
		},
		Registry: w.registry,
	}
	for _, c := range change {
		c(&opts)
	}
	s, err := New(opts)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// run starts fn; at the test's end it is stopped and waited for.
func (w *world) run(fn func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	finished := make(chan error, 1)
	go func() { finished <- fn(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-finished; err != nil {
			w.t.Error(err)
		}
	})
}

// caught waits until the service has handled and committed everything.
func (w *world) caught(s *Service) {
	w.t.Helper()
	ctx := w.ctx()
	for {
		ok, err := s.Caught(ctx)
		if err != nil {
			w.t.Fatalf("waiting for ingest to catch up: %v", err)
		}
		if ok {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (w *world) send(topic string, recs ...stream.Record) {
	w.t.Helper()
	if err := w.producer.Produce(w.ctx(), topic, recs); err != nil {
		w.t.Fatal(err)
	}
}

// inputs reads the whole of weimang.inputs, by area.
func (w *world) inputs() map[string][]ingest.Input {
	w.t.Helper()
	byArea := make(map[string][]ingest.Input)
	w.each(ingest.TopicInputs, func(r stream.Record) {
		entries, err := contract.DecodeInputs(r.Value)
		if err != nil {
			w.t.Fatal(err)
		}
		if area := entries[0].AreaID; area != string(r.Key) {
			w.t.Errorf("entries of area %s under key %s", area, r.Key)
		}
		byArea[string(r.Key)] = append(byArea[string(r.Key)], entries...)
	})
	return byArea
}

func (w *world) letters() []*contract.DeadLetter {
	w.t.Helper()
	var letters []*contract.DeadLetter
	w.each(ingest.TopicDeadLetters, func(r stream.Record) {
		d, err := contract.DecodeDeadLetter(r.Value)
		if err != nil {
			w.t.Fatal(err)
		}
		letters = append(letters, d)
	})
	return letters
}

func (w *world) each(topic string, fn func(stream.Record)) {
	w.t.Helper()
	n, err := w.client.Partitions(w.ctx(), topic)
	if err != nil {
		w.t.Fatal(err)
	}
	for p := range n {
		if _, err := stream.ReadAll(w.ctx(), w.client, topic, p, func(r stream.Record) error { fn(r); return nil }); err != nil {
			w.t.Fatal(err)
		}
	}
}

// metric returns the value of a counter or gauge, or the sum of a family.
func (w *world) metric(name string) float64 {
	w.t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	sum, found := 0.0, false
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			found = true
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	if !found {
		w.t.Fatalf("no metric %s", name)
	}
	return sum
}

// reading is half an hour of a meter that ended ago before noon, as JSON.
func reading(meter string, ago time.Duration, kwh float64) stream.Record {
	b := ingest.Block{MeterID: meter, Start: noon.Add(-ago - 30*time.Minute), Interval: 30 * time.Minute, KWh: []float64{kwh}}
	return stream.Record{Key: []byte(meter), Value: contract.EncodeJSON(&b)}
}

// text is a record as a sender might write it, all under one key so that they
// stay in order.
func text(format string, args ...any) stream.Record {
	return stream.Record{Key: []byte("sender"), Value: fmt.Appendf(nil, format, args...)}
}

// wh lists the single values of an area's log.
func wh(entries []ingest.Input) (values []uint32) {
	for _, e := range entries {
		values = append(values, e.Readings.Wh...)
	}
	return values
}

// reports is a store of incident reports.
type reports struct {
	mu    sync.Mutex
	saved []ingest.Report
	err   error
}

func (r *reports) SaveReport(_ context.Context, rep ingest.Report) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	r.saved = append(r.saved, rep)
	return nil
}

func (r *reports) ids() (ids []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rep := range r.saved {
		ids = append(ids, rep.ID)
	}
	return ids
}

// village is a roster of two areas in village V.
func village() *Follower {
	f := NewFollower(nil)
	for _, h := range []ingest.Home{
		{MeterID: "m1", HouseholdID: "h1", AreaID: "A", VillageID: "V", Zone: "Asia/Shanghai"},
		{MeterID: "m2", HouseholdID: "h2", AreaID: "A", VillageID: "V", Zone: "Asia/Shanghai"},
		{MeterID: "m3", HouseholdID: "h3", AreaID: "B", VillageID: "V", Zone: "Asia/Shanghai"},
	} {
		f.set(h.MeterID, []ingest.Home{h})
	}
	close(f.ready)
	return f
}

func TestBadRecordsEndInTheDeadLettersAndTheGoodOnesAroundThemComeThrough(t *testing.T) {
	w := newWorld(t)
	const at = "2026-07-12T11:00:00Z"
	bad := []struct {
		reason ingest.Reason
		field  string
		value  string
	}{
		{ingest.NotJSON, "", `{"meter_id":"m1",`},
		{ingest.NoMeter, "meter_id", `{"ts":"` + at + `","interval_s":1800,"kwh":0.1}`},
		{ingest.Negative, "kwh", `{"meter_id":"m1","ts":"` + at + `","interval_s":1800,"kwh":-0.1}`},
		{ingest.Absurd, "kwh", `{"meter_id":"m1","ts":"` + at + `","interval_s":1800,"kwh":5000}`},
		{ingest.Future, "ts", `{"meter_id":"m1","ts":"2026-07-12T12:00:00Z","interval_s":1800,"kwh":0.1}`},
		{ingest.TooLate, "ts", `{"meter_id":"m1","ts":"2026-07-08T10:00:00Z","interval_s":1800,"kwh":0.1}`},
		{ingest.BadInterval, "interval_s", `{"meter_id":"m1","ts":"` + at + `","interval_s":600,"kwh":0.1}`},
		{ingest.NotANumber, "kwh", `{"meter_id":"m1","ts":"` + at + `","interval_s":1800,"kwh":NaN}`},
	}
	var recs []stream.Record
	for i, b := range bad {
		good := reading("m1", time.Duration(len(bad)-i)*30*time.Minute, float64(i+1)/1000)
		good.Key = []byte("sender")
		recs = append(recs, good, text("%s", b.value))
	}
	w.send(ingest.TopicReadings, recs...)
	s := w.service(village())
	w.run(s.Run)
	w.caught(s)

	letters := w.letters()
	if len(letters) != len(bad) {
		t.Fatalf("%d dead letters, want %d", len(letters), len(bad))
	}
	for i, d := range letters {
		want := bad[i]
		if d.Reason != want.reason || d.Field != want.field || string(d.Value) != want.value {
			t.Errorf("letter %d: %s at %q with %s, want %s at %q with %s", i, d.Reason, d.Field, d.Value, want.reason, want.field, want.value)
		}
		if d.Topic != ingest.TopicReadings || d.Offset != int64(2*i+1) || d.Text == "" || !d.At.Equal(noon) {
			t.Errorf("letter %d does not say where it comes from: %+v", i, d)
		}
	}
	if got := wh(w.inputs()["A"]); !slices.Equal(got, []uint32{1, 2, 3, 4, 5, 6, 7, 8}) {
		t.Errorf("readings around them: %v", got)
	}
	if n := w.metric("weimang_ingest_records_rejected_total"); n != 8 {
		t.Errorf("%v records counted as rejected", n)
	}
	if n := w.metric("weimang_ingest_last_interval_end_timestamp_seconds"); n != float64(noon.Add(-30*time.Minute).Unix()) {
		t.Errorf("last interval end %v", time.Unix(int64(n), 0).UTC())
	}
}

func TestReadingsGoToTheirAreaInOrder(t *testing.T) {
	w := newWorld(t)
	var recs []stream.Record
	for i := range 1300 { // more than fit into one record
		b := ingest.Block{
			MeterID: fmt.Sprintf("m%d", 1+i%3), Start: noon.Add(-time.Hour), Interval: 30 * time.Minute,
			KWh: []float64{float64(i) / 1000},
		}
		recs = append(recs, stream.Record{Key: []byte("one sender"), Value: contract.EncodeJSON(&b)})
	}
	w.send(ingest.TopicReadings, recs...)
	s := w.service(village())
	w.run(s.Run)
	w.caught(s)
	in := w.inputs()
	if len(in["A"])+len(in["B"]) != len(recs) {
		t.Fatalf("%d entries in A, %d in B", len(in["A"]), len(in["B"]))
	}
	for area, entries := range in {
		if values := wh(entries); !slices.IsSorted(values) {
			t.Errorf("area %s out of order", area)
		}
	}
	e := in["B"][0]
	if e.Readings.HouseholdID != "h3" || e.Readings.Zone != "Asia/Shanghai" || !e.Clock.Equal(noon) {
		t.Errorf("entry %+v, readings %+v", e, e.Readings)
	}
}

func TestMetersThatNobodyKnowsAreCountedAndALatestFewKept(t *testing.T) {
	w := newWorld(t)
	for i := range 50 {
		r := reading(fmt.Sprintf("town-%02d", i), 0, 0.1)
		r.Key = []byte("sender")
		w.send(ingest.TopicReadings, r)
	}
	w.send(ingest.TopicReadings, reading("m1", 0, 0.2))
	s := w.service(village())
	w.run(s.Run)
	w.caught(s)
	if n := w.metric("weimang_ingest_unknown_meter_records_total"); n != 50 {
		t.Errorf("%v counted", n)
	}
	if ids := s.UnknownMeters(); len(ids) != 20 || ids[0] != "town-49" || ids[19] != "town-30" {
		t.Errorf("kept %v", ids)
	}
	if in := w.inputs(); len(in) != 1 || len(in["A"]) != 1 {
		t.Errorf("forwarded: %v", in)
	}
	if len(w.letters()) != 0 {
		t.Error("an unknown meter is no bad record")
	}
}

func TestTheSendersAreaCountsWhereTheRosterHasNone(t *testing.T) {
	w := newWorld(t)
	record := func(meter, area string) stream.Record {
		return text(`{"meter_id":%q,"area_id":%q,"ts":"2026-07-12T11:00:00Z","interval_s":1800,"kwh":0.1}`, meter, area)
	}
	roster := village()
	roster.set("m4", []ingest.Home{{MeterID: "m4", HouseholdID: "h4"}})
	w.send(ingest.TopicReadings, record("m1", "A"), record("m2", "Z"), record("m4", "C"), reading("m4", 0, 0.1))
	s := w.service(roster)
	w.run(s.Run)
	w.caught(s)
	in := w.inputs()
	for area, meters := range map[string][]string{"A": {"m1", "m2"}, "C": {"m4"}, "meter:m4": {"m4"}} {
		var got []string
		for _, e := range in[area] {
			got = append(got, e.Readings.MeterID)
		}
		if !slices.Equal(got, meters) {
			t.Errorf("area %s has meters %v, want %v", area, got, meters)
		}
	}
	if n := w.metric("weimang_ingest_area_conflicts_total"); n != 1 {
		t.Errorf("%v conflicts, want that of m2", n)
	}
}

func TestTheFeedsClockJudgesAReplayedFeed(t *testing.T) {
	w := newWorld(t)
	old := func(meter string, start time.Time, clock string) stream.Record {
		b := ingest.Block{MeterID: meter, Start: start, Interval: 30 * time.Minute, KWh: []float64{0.1}}
		r := stream.Record{Key: []byte("feed"), Value: contract.EncodeJSON(&b)}
		if clock != "" {
			r.Headers = []kafka.Header{{Key: ingest.FeedClockHeader, Value: []byte(clock)}}
		}
		return r
	}
	day := time.Date(2013, 1, 6, 0, 0, 0, 0, time.UTC)
	w.send(
		ingest.TopicReadings,
		old("m1", day, "2013-01-06T00:30:00Z"),
		old("m1", day.Add(time.Hour), "2013-01-06T00:30:00Z"), // ahead of the feed
		old("m2", day.Add(-5*24*time.Hour), "2013-01-06T01:30:00Z"),
		old("m3", day.Add(time.Hour), ""), // no header: its own end
	)
	s := w.service(Open{Zone: "Europe/London"}, func(o *Options) { o.Clock = Feed() })
	w.run(s.Run)
	w.caught(s)
	in := w.inputs()
	if e := in["meter:m1"]; len(e) != 1 || !e[0].Clock.Equal(day.Add(30*time.Minute)) || e[0].Readings.Zone != "Europe/London" {
		t.Errorf("m1: %+v", e)
	}
	if e := in["meter:m3"]; len(e) != 1 || !e[0].Clock.Equal(day.Add(90*time.Minute)) {
		t.Errorf("m3: %+v", e)
	}
	var reasons []ingest.Reason
	for _, d := range w.letters() {
		reasons = append(reasons, d.Reason)
	}
	if !slices.Equal(reasons, []ingest.Reason{ingest.Future, ingest.TooLate}) {
		t.Errorf("refused for %v", reasons)
	}
}
