package sender

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/goleak"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
	"weimang/ingest/stream/streamtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var day = time.Date(2026, 7, 12, 0, 0, 0, 0, time.UTC)

const step = 30 * time.Minute

// feed is n half hours of homes in areas, an outage announced after the
// second half hour.
func feed(n, areas, homes int) iter.Seq[Item] {
	return func(yield func(Item) bool) {
		for i := range n {
			for a := range areas {
				for h := range homes {
					b := ingest.Block{
						MeterID: fmt.Sprintf("m%d-%d", a, h), Start: day.Add(time.Duration(i) * step),
						Interval: step, KWh: []float64{float64(i) / 100},
					}
					if !yield(Item{Block: b, Area: fmt.Sprintf("area-%d", a)}) {
						return
					}
				}
			}
			if i == 1 && !yield(Item{Report: &ingest.Report{Incident: ingest.Incident{
				ID: "i1", Source: ingest.PowerGrid, Class: ingest.ClassOutage, State: ingest.Reported,
				Scope: ingest.Scope{Areas: []string{"area-0"}}, From: day,
			}}}) {
				return
			}
		}
	}
}

func newClient(t *testing.T) *stream.Client {
	t.Helper()
	on := streamtest.Start(t, stream.StartEmbedded)
	c, err := stream.NewClient(stream.Config{Brokers: on.Brokers, Prefix: on.Prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.EnsureTopics(t.Context(), stream.Topics(4, stream.Retention{})); err != nil {
		t.Fatal(err)
	}
	return c
}

func newSender(t *testing.T, opts Options) *Sender {
	t.Helper()
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// arrived is what a topic holds, by partition.
func arrived(t *testing.T, c *stream.Client, topic string) [][]stream.Record {
	t.Helper()
	n, err := c.Partitions(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	parts := make([][]stream.Record, n)
	for p := range parts {
		if _, err := stream.ReadAll(t.Context(), c, topic, p, func(r stream.Record) error {
			parts[p] = append(parts[p], r)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return parts
}

// checkOnce fails unless each row of the feed is there once and in order.
func checkOnce(t *testing.T, s *Sender, parts [][]stream.Record, rows int) {
	t.Helper()
	var all []int64
	for p, recs := range parts {
		last := int64(-1)
		for i := range recs {
			index, ok := s.indexOf(&recs[i])
			if !ok {
				continue // another feed
			}
			if index <= last {
				t.Errorf("partition %d: row %d after row %d", p, index, last)
			}
			last = index
			all = append(all, index)
		}
	}
	slices.Sort(all)
	if len(all) != rows || len(slices.Compact(all)) != rows {
		t.Errorf("%d records, %d different ones, of %d rows", len(all), len(slices.Compact(slices.Clone(all))), rows)
	}
}

func TestAFeedArrivesInOrderWithItsClock(t *testing.T) {
	c := newClient(t)
	s := newSender(t, Options{Client: c, FeedID: "f", AsOfFeed: true})
	p, err := s.Send(t.Context(), feed(10, 5, 8))
	if err != nil {
		t.Fatal(err)
	}
	if p.Items != 401 || p.Skipped != 0 || !p.Clock.Equal(day.Add(10*step)) {
		t.Errorf("progress %+v", p)
	}
	readings := arrived(t, c, ingest.TopicReadings)
	checkOnce(t, s, readings, 400)
	for _, recs := range readings {
		for _, r := range recs {
			b, err := contract.Decode("", r.Value)
			if err != nil {
				t.Fatal(err)
			}
			if clock, _ := r.Header(ingest.FeedClockHeader); clock != b.End().Format(time.RFC3339) {
				t.Errorf("clock %q of a record that ends at %v", clock, b.End())
			}
		}
	}
	for _, recs := range arrived(t, c, ingest.TopicIncidents) {
		for _, r := range recs {
			if clock, _ := r.Header(ingest.FeedClockHeader); clock != "2026-07-12T01:00:00Z" {
				t.Errorf("clock %q of the incident", clock)
			}
		}
	}
}

func TestAReportBeforeTheFirstReadingCarriesWhenItBecameKnown(t *testing.T) {
	c := newClient(t)
	announced := ingest.Report{
		Incident: ingest.Incident{
			ID: "i0", Source: ingest.PowerGrid, Class: ingest.ClassPlannedOutage, State: ingest.Reported,
			Scope: ingest.Scope{Areas: []string{"area-0"}}, From: day.Add(time.Hour),
		},
		PublishedAt: day.Add(-24 * time.Hour),
	}
	items := func(yield func(Item) bool) {
		if yield(Item{Report: &announced}) {
			feed(1, 1, 1)(yield)
		}
	}
	if _, err := newSender(t, Options{Client: c, FeedID: "f", AsOfFeed: true}).Send(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	for _, recs := range arrived(t, c, ingest.TopicIncidents) {
		for _, r := range recs {
			if clock, _ := r.Header(ingest.FeedClockHeader); clock != "2026-07-11T00:00:00Z" {
				t.Errorf("clock %q of a report made known a day before the first reading", clock)
			}
		}
	}
}

func TestReportsKeepTheirOrderWhateverTheirIDs(t *testing.T) {
	c := newClient(t)
	s := newSender(t, Options{Client: c, FeedID: "f"})
	items := func(yield func(Item) bool) {
		for i := range 20 {
			report := ingest.Report{Incident: ingest.Incident{
				ID: fmt.Sprintf("i%d", i), Source: ingest.PowerGrid, Class: ingest.ClassOutage, State: ingest.Reported,
				Scope: ingest.Scope{Areas: []string{"area-0"}}, From: day,
			}}
			if !yield(Item{Report: &report}) {
				return
			}
		}
	}
	if _, err := s.Send(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	parts := arrived(t, c, ingest.TopicIncidents)
	checkOnce(t, s, parts, 20)
	for p, recs := range parts {
		if len(recs) != 0 && len(recs) != 20 {
			t.Errorf("partition %d holds %d of 20 reports on one area: partitions have no common order", p, len(recs))
		}
	}
}

func TestWithoutAsOfFeedNoClockIsSent(t *testing.T) {
	c := newClient(t)
	if _, err := newSender(t, Options{Client: c, FeedID: "f"}).Send(t.Context(), feed(2, 1, 1)); err != nil {
		t.Fatal(err)
	}
	for _, recs := range arrived(t, c, ingest.TopicReadings) {
		for _, r := range recs {
			if _, ok := r.Header(ingest.FeedClockHeader); ok {
				t.Fatal("a live feed claims a clock")
			}
		}
	}
}

// cut passes on the first n items of a feed, and then the sender is gone.
func cut(items iter.Seq[Item], n int) iter.Seq[Item] {
	return func(yield func(Item) bool) {
		for item := range items {
			if n--; n < 0 || !yield(item) {
				return
			}
		}
	}
}

func TestAFeedThatWasCutGoesOnWhereItWas(t *testing.T) {
	const rows = 10*5*8 + 1
	for _, at := range []int{0, 1, 77, 80, 81, 82, 400, rows} {
		t.Run(fmt.Sprintf("after %d rows", at), func(t *testing.T) {
			c := newClient(t)
			opts := Options{Client: c, FeedID: "f"}
			if _, err := newSender(t, opts).Send(t.Context(), cut(feed(10, 5, 8), at)); err != nil {
				t.Fatal(err)
			}
			// Others have sent since, once more than the first look back covers.
			since := 2
			if at == 81 {
				since = 100
			}
			if _, err := newSender(t, Options{Client: c, FeedID: "other"}).Send(t.Context(), feed(since, 5, 8)); err != nil {
				t.Fatal(err)
			}
			s := newSender(t, opts)
			p, err := s.Send(t.Context(), feed(10, 5, 8))
			if err != nil {
				t.Fatal(err)
			}
			if p.Skipped != int64(at) || p.Items != rows {
				t.Errorf("skipped %d of %d", p.Skipped, p.Items)
			}
			checkOnce(t, s, arrived(t, c, ingest.TopicReadings), rows-1)
			checkOnce(t, s, arrived(t, c, ingest.TopicIncidents), 1)
		})
	}
}

func TestABatchThatWasCutInTheMiddleIsCompletedPerPartition(t *testing.T) {
	c := newClient(t)
	s := newSender(t, Options{Client: c, FeedID: "f"})
	// Of the first batch only one partition's request got through.
	var first []stream.Record
	index := int64(0)
	for item := range cut(feed(2, 5, 8), 60) {
		if k := s.keyOf(&item); stream.Partition([]byte(k), 4) == stream.Partition([]byte("area-3"), 4) {
			first = append(first, s.record(&item, k, index, time.Time{}))
		}
		index++
	}
	if len(first) == 0 || len(first) == 60 {
		t.Fatalf("%d of 60 rows in the partition of area-3: the test shows nothing", len(first))
	}
	if err := stream.NewProducer(c).Produce(t.Context(), ingest.TopicReadings, first); err != nil {
		t.Fatal(err)
	}
	p, err := s.Send(t.Context(), feed(10, 5, 8))
	if err != nil {
		t.Fatal(err)
	}
	if p.Skipped != int64(len(first)) {
		t.Errorf("skipped %d, there were %d", p.Skipped, len(first))
	}
	checkOnce(t, s, arrived(t, c, ingest.TopicReadings), 400)
}

// tape is a producer that notes what goes where and when.
type tape struct {
	entries []string
	began   time.Time
}

func (p *tape) Produce(_ context.Context, topic string, recs []stream.Record) error {
	p.note(fmt.Sprintf("%s %d", topic, len(recs)))
	return nil
}

func (p *tape) note(what string) {
	p.entries = append(p.entries, fmt.Sprintf("%v %s", time.Since(p.began), what))
}

func (p *tape) run(opts Options) *run {
	p.began = time.Now()
	return &run{Sender: &Sender{opts: opts, producer: p}}
}

func (r *run) all(t *testing.T, items iter.Seq[Item]) {
	t.Helper()
	for item := range items {
		if err := r.item(t.Context(), item); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestSpeedKeepsStepWithEventTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p tape
		p.run(Options{Speed: 1800}).all(t, feed(4, 1, 3)) // half an hour a second
		want := []string{
			"0s weimang.readings 3",
			"1s weimang.readings 3", "1s weimang.incidents 1",
			"2s weimang.readings 3",
			"3s weimang.readings 3",
		}
		if !slices.Equal(p.entries, want) {
			t.Errorf("sent\n%q, want\n%q", p.entries, want)
		}
	})
}

func TestWhatWasSentBeforeIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p tape
		r := p.run(Options{Speed: 1800})
		r.sent = map[string]tail{ingest.TopicReadings: {5}, ingest.TopicIncidents: {6}}
		r.all(t, feed(4, 1, 3))
		if want := []string{"0s weimang.readings 3", "1s weimang.readings 3"}; !slices.Equal(p.entries, want) {
			t.Errorf("sent\n%q, want\n%q", p.entries, want)
		}
	})
}

func TestABarrierStandsBetweenReadingsAndIncidents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p tape
		p.run(Options{Barrier: func(context.Context) error { p.note("barrier"); return nil }}).all(t, feed(4, 1, 3))
		want := []string{
			"0s weimang.readings 6", "0s barrier", "0s weimang.incidents 1", "0s barrier", "0s weimang.readings 6",
		}
		if !slices.Equal(p.entries, want) {
			t.Errorf("sent\n%q, want\n%q", p.entries, want)
		}
	})
}

func TestABarrierStandsBehindWhatAnEarlierRunHasSent(t *testing.T) {
	for name, c := range map[string]struct {
		sent map[string]tail
		want []string
	}{
		"killed before the incident":  {map[string]tail{ingest.TopicReadings: {5}, ingest.TopicIncidents: {-1}}, []string{"0s barrier", "0s weimang.incidents 1", "0s barrier", "0s weimang.readings 6"}},
		"killed after the incident":   {map[string]tail{ingest.TopicReadings: {5}, ingest.TopicIncidents: {6}}, []string{"0s barrier", "0s weimang.readings 6"}},
		"nothing was sent before":     {nil, []string{"0s weimang.readings 6", "0s barrier", "0s weimang.incidents 1", "0s barrier", "0s weimang.readings 6"}},
		"everything was sent already": {map[string]tail{ingest.TopicReadings: {12}, ingest.TopicIncidents: {6}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p tape
				r := p.run(Options{Barrier: func(context.Context) error { p.note("barrier"); return nil }})
				r.sent = c.sent
				r.all(t, feed(4, 1, 3))
				if !slices.Equal(p.entries, c.want) {
					t.Errorf("sent\n%q, want\n%q", p.entries, c.want)
				}
			})
		})
	}
}

func TestAnEndedContextEndsTheFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		var p tape
		r := p.run(Options{Speed: 1800})
		var err error
		for item := range feed(4, 1, 3) {
			if err = r.item(ctx, item); err != nil {
				break
			}
		}
		if !errors.Is(err, context.DeadlineExceeded) || !r.progress.Clock.Equal(day.Add(3*step)) {
			t.Errorf("%v at %v", err, r.progress.Clock)
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	c, err := stream.NewClient(stream.Config{Brokers: []string{"127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, opts := range map[string]Options{
		"no client":         {FeedID: "f"},
		"no feed":           {Client: c},
		"a feed of words":   {Client: c, FeedID: "my feed"},
		"backwards in time": {Client: c, FeedID: "f", Speed: -1},
	} {
		if _, err := New(opts); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// Replayed dead letters are copies of early rows, at the ends of the topics.
func TestWhatWasReplayedFromTheDeadLettersDoesNotHideWhatWasSent(t *testing.T) {
	c := newClient(t)
	opts := Options{Client: c, FeedID: "f"}
	if _, err := newSender(t, opts).Send(t.Context(), feed(50, 1, 2)); err != nil {
		t.Fatal(err)
	}
	var again []stream.Record
	for _, recs := range arrived(t, c, ingest.TopicReadings) {
		if len(recs) > 0 {
			early := recs[0]
			early.Headers = append(early.Headers, kafka.Header{Key: ingest.ReplayedFromHeader, Value: []byte("0:1")})
			again = slices.Repeat([]stream.Record{early}, 510)
		}
	}
	if err := stream.NewProducer(c).Produce(t.Context(), ingest.TopicReadings, again); err != nil {
		t.Fatal(err)
	}
	p, err := newSender(t, opts).Send(t.Context(), feed(50, 1, 2))
	if err != nil || p.Skipped != p.Items {
		t.Errorf("%d of %d rows were sent once more, error %v", p.Items-p.Skipped, p.Items, err)
	}
}
