package detect

import (
	"bytes"
	"errors"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/segmentio/kafka-go"

	"weimang/detectors"
	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// everything is a log with all kinds of entries.
func everything() []ingest.Input {
	log := silentHomes(3)
	day := func(n int) time.Time { return time.Date(2026, 3, 2+n, 0, 0, 0, 0, time.UTC) }
	said := func(n int, in ingest.Input) {
		in.Clock = day(n)
		i := slices.IndexFunc(log, func(o ingest.Input) bool { return o.Clock.After(in.Clock) })
		log = slices.Insert(log, i, in)
	}
	said(4, ingest.Input{AreaID: "tq-1", Directive: &ingest.Directive{
		ID: "d1", HouseholdID: "h-1-1", Kind: ingest.Away, From: day(5), Until: day(9), IssuedAt: day(4),
	}})
	said(10, ingest.Input{AreaID: "tq-2", Incident: &ingest.Incident{
		ID: "i1", Source: ingest.PowerGrid, Class: ingest.ClassOutage, State: ingest.Accepted, From: day(10), Until: day(11),
	}})
	said(11, ingest.Input{AreaID: "tq-2", Incident: &ingest.Incident{
		ID: "i1", Source: ingest.PowerGrid, Class: ingest.ClassOutage, State: ingest.Closed, From: day(10), Until: day(11),
	}})
	said(16, ingest.Input{AreaID: "tq-0"}) // the clock alone
	return log
}

// kafka-go has no idempotent producer: a request whose answer is lost is written
// twice. Every batch of the log comes twice here, and neither what is said nor
// the states show it.
func TestALogWrittenTwiceChangesNothing(t *testing.T) {
	s := newSite(t)
	log := everything()
	want := undisturbed(t, log)
	for rest := log; len(rest) > 0; {
		n := min(200, len(rest))
		s.append(rest[:n])
		s.append(rest[:n])
		rest = rest[n:]
	}
	s.work(nil)
	if repeats := s.expect(want); repeats != 0 {
		t.Errorf("%d findings were said twice", repeats)
	}
	p := detectors.DefaultParams()
	states := make(map[string]*detectors.Area)
	out := new(detectors.Output)
	for i := range log {
		a := states[log[i].AreaID]
		if a == nil {
			a = detectors.NewArea(&p, log[i].AreaID)
			states[log[i].AreaID] = a
		}
		if err := a.Apply(&log[i], out); err != nil {
			t.Fatal(err)
		}
	}
	saved := 0
	s.read(ingest.TopicCheckpoints, func(r stream.Record) {
		saved++
		c := decodeCheckpoint(&r)
		state, err := states[string(r.Key)].Encode()
		if err != nil || c.err != nil {
			t.Fatal(err, c.err)
		}
		if !bytes.Equal(c.state, state) {
			t.Errorf("area %s has another state", r.Key)
		}
	})
	if saved != 3 {
		t.Errorf("%d areas were saved", saved)
	}
}

// What detect writes is written twice, checkpoints and findings alike: the next
// owner goes on as if it were not.
func TestWhatDetectWritesMayComeTwice(t *testing.T) {
	s := newSite(t)
	log := everything()
	want := undisturbed(t, log)
	for rest := log; len(rest) > 0; {
		n := min(len(log)/4, len(rest))
		s.append(rest[:n])
		rest = rest[n:]
		s.work(nil)
		s.repeat(ingest.TopicCheckpoints)
	}
	s.repeat(ingest.TopicFindings)
	if repeats := s.expect(want); repeats != len(want) {
		t.Errorf("%d findings were said twice, want each of %d", repeats, len(want))
	}
}

// The broker takes no findings for a while. What a partition holds in memory
// does not grow meanwhile: nothing is fetched until what was is acknowledged.
func TestABlockedProducerHoldsTheFetchBack(t *testing.T) {
	s := newSite(t)
	if err := s.client.Delete(t.Context(), []stream.Topic{{Name: ingest.TopicHistory}}, nil); err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); time.Since(begun) < 10*time.Second; time.Sleep(10 * time.Millisecond) {
		if _, err := s.client.Partitions(t.Context(), ingest.TopicHistory); errors.Is(err, kafka.UnknownTopicOrPartition) {
			break
		}
	}
	log := silentHomes(12)
	want := undisturbed(t, log)
	for rest := log; len(rest) > 0; rest = rest[min(120, len(rest)):] {
		s.append(rest[:min(120, len(rest))]) // a broker's answer holds whole batches
	}
	const fetch = 8 << 10
	svc, _ := s.member(func(o *Options) {
		o.History = true
		o.Group.MaxBytes, o.Group.StallTimeout = fetch, time.Minute
	})
	// Blocked is who does nothing for half a second with a log full of work.
	heard := -1.0
	for begun := time.Now(); ; {
		now := testutil.ToFloat64(svc.metrics.inputs)
		if now > 0 && now == heard {
			break
		}
		heard = now
		if time.Since(begun) > 20*time.Second {
			t.Fatalf("%v entries are in memory, and more come", heard)
		}
		time.Sleep(500 * time.Millisecond)
	}
	svc.mu.Lock()
	var sent int64
	for _, n := range svc.positions {
		sent += n
	}
	svc.mu.Unlock()
	// A fetch and a batch for each partition; an entry has some 60 bytes, which
	// lz4 makes a quarter of at best.
	if sent != 0 || heard > partitions*(fetch/15+120) {
		t.Errorf("%v entries are in memory, of %d in all, and %d records are sent", heard, len(log), sent)
	}
	if err := s.client.EnsureTopics(t.Context(), stream.Topics(partitions, stream.Retention{})); err != nil {
		t.Fatal(err)
	}
	s.waitCaught(svc)
	s.expect(want)
}

// How long a reading takes is counted once its findings are acknowledged, and
// not again when it is read again.
func TestTheTimeThatAReadingTakesIsMeasured(t *testing.T) {
	s := newSite(t)
	log := silentHomes(1)[:2]
	value, err := contract.EncodeInputs("tq-0", log)
	if err != nil {
		t.Fatal(err)
	}
	arrived := strconv.FormatInt(time.Now().Add(-time.Minute).UnixMilli(), 10)
	rec := stream.Record{Key: []byte("tq-0"), Value: value, Headers: []kafka.Header{{Key: ingest.ArrivedHeader, Value: []byte(arrived)}}}
	if err := s.producer.Produce(t.Context(), ingest.TopicInputs, []stream.Record{rec}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []uint64{1, 0} {
		reg := prometheus.NewRegistry()
		svc, stop := s.member(func(o *Options) { o.Registry = reg })
		s.waitCaught(svc)
		stop()
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() != "weimang_detect_passage_seconds" {
				continue
			}
			h := f.GetMetric()[0].GetHistogram()
			if h.GetSampleCount() != want || want > 0 && (h.GetSampleSum() < 60 || h.GetSampleSum() > 90) {
				t.Errorf("%d readings took %v s, want %d", h.GetSampleCount(), h.GetSampleSum(), want)
			}
		}
	}
}

// The retention of a log that is made by others.
func TestALogThatIsKeptTooShortIsTold(t *testing.T) {
	for name, tc := range map[string]struct {
		keep time.Duration
		word string
	}{
		"not until it is saved": {time.Minute, "readings will be lost"},
		"not over a weekend":    {24 * time.Hour, "less than a long weekend"},
		"long enough":           {14 * 24 * time.Hour, ""},
		"for ever":              {0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			said := retentionSaid(t, tc.keep)
			if tc.word == "" && strings.Contains(said, "retention") || !strings.Contains(said, tc.word) {
				t.Errorf("said:\n%s", said)
			}
		})
	}
}

// retentionSaid is what a member says of a log that is kept for so long.
func retentionSaid(t *testing.T, keep time.Duration) string {
	t.Helper()
	_, client := newBroker(t)
	topics := []stream.Topic{{Name: ingest.TopicInputs, Partitions: 1, Retention: keep}}
	if err := client.EnsureTopics(t.Context(), topics); err != nil {
		t.Fatal(err)
	}
	said := new(heard)
	svc, err := New(Options{
		Client: client, Producer: stream.NewProducer(client), Params: detectors.DefaultParams(),
		Logger: slog.New(slog.NewTextHandler(said, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	svc.checkRetention(t.Context())
	want := keep.Seconds()
	if keep == 0 {
		want = math.Inf(1)
	}
	if got := testutil.ToFloat64(svc.metrics.retention); got != want {
		t.Errorf("the metric says %v, want %v", got, want)
	}
	return said.String()
}
