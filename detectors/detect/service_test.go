package detect

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/segmentio/kafka-go"
	"go.uber.org/goleak"

	"weimang/detectors"
	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
	"weimang/ingest/stream/streamtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const partitions = 3

// site is a broker with the system's topics.
type site struct {
	t        *testing.T
	on       streamtest.Cluster
	client   *stream.Client
	producer *stream.Producer
}

// newBroker is a broker without topics, and a client of it.
func newBroker(t *testing.T) (streamtest.Cluster, *stream.Client) {
	t.Helper()
	on := streamtest.Start(t, stream.StartEmbedded)
	client, err := stream.NewClient(stream.Config{Brokers: on.Brokers, Prefix: on.Prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return on, client
}

func newSite(t *testing.T) *site {
	t.Helper()
	on, client := newBroker(t)
	if err := client.EnsureTopics(t.Context(), stream.Topics(partitions, stream.Retention{})); err != nil {
		t.Fatal(err)
	}
	return &site{t, on, client, stream.NewProducer(client)}
}

// silentHomes is the log of some areas: in each, one home falls silent on the
// 15th day and lives again on the 17th.
func silentHomes(areas int) []ingest.Input {
	day0 := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	var log []ingest.Input
	for n := range 20 * 48 {
		start := day0.Add(time.Duration(n) * 30 * time.Minute)
		for area := range areas {
			for home := range 2 {
				wh := uint32(20 + n%5)
				if hour := start.Hour(); hour >= 6 && hour < 21 && (n+home)%3 != 0 {
					wh += 150 + uint32(n*37%200)
				}
				if home == 0 && n >= 15*48 && n < 17*48 {
					wh = uint32(20 + n%5)
				}
				id := fmt.Sprintf("h-%d-%d", area, home)
				log = append(log, ingest.Input{AreaID: fmt.Sprintf("tq-%d", area), Clock: start.Add(30 * time.Minute), Readings: &ingest.Readings{
					MeterID: "m" + id, HouseholdID: id, Start: start, Interval: 30 * time.Minute, Wh: []uint32{wh},
				}})
			}
		}
	}
	return log
}

// append writes inputs as ingest would, one record an area and interval.
func (s *site) append(log []ingest.Input) {
	s.t.Helper()
	var recs []stream.Record
	for len(log) > 0 {
		n := 1
		for n < len(log) && log[n].AreaID == log[0].AreaID && log[n].Clock.Equal(log[0].Clock) {
			n++
		}
		value, err := contract.EncodeInputs(log[0].AreaID, log[:n])
		if err != nil {
			s.t.Fatal(err)
		}
		recs = append(recs, stream.Record{Key: []byte(log[0].AreaID), Value: value})
		log = log[n:]
	}
	if err := s.producer.Produce(s.t.Context(), ingest.TopicInputs, recs); err != nil {
		s.t.Fatal(err)
	}
}

// member runs a service until it is stopped.
func (s *site) member(edit func(*Options)) (svc *Service, stop func()) {
	s.t.Helper()
	opts := Options{
		Client: s.client, Producer: s.producer, Params: detectors.DefaultParams(), CheckpointEvery: time.Hour,
		Group: stream.GroupOptions{
			SessionTimeout: 2 * time.Second, HeartbeatInterval: 100 * time.Millisecond, RebalanceTimeout: 2 * time.Second,
			JoinGroupBackoff: 50 * time.Millisecond, FlushTimeout: time.Second, MaxWait: 20 * time.Millisecond,
		},
	}
	if edit != nil {
		edit(&opts)
	}
	svc, err := New(opts)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := svc.Run(ctx); err != nil {
			s.t.Errorf("run: %v", err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	s.t.Cleanup(stop)
	return svc, stop
}

// work lets a member take in a log, and what is there already, and leave in order.
func (s *site) work(log []ingest.Input) {
	s.t.Helper()
	svc, stop := s.member(nil)
	if len(log) > 0 {
		s.append(log)
	}
	s.waitCaught(svc)
	stop()
}

func (s *site) waitCaught(svc *Service) {
	s.t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	for {
		ok, err := svc.Caught(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		if ok {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatal("the service does not catch up")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (s *site) read(topic string, fn func(stream.Record)) {
	s.t.Helper()
	n, err := s.client.Partitions(s.t.Context(), topic)
	if err != nil {
		s.t.Fatal(err)
	}
	for p := range n {
		if _, err := stream.ReadAll(s.t.Context(), s.client, topic, p, func(r stream.Record) error { fn(r); return nil }); err != nil {
			s.t.Fatal(err)
		}
	}
}

// findings are what a reader that ignores repeats has heard, by identity, and
// how many were repeats. A repeat with other content fails the test.
func (s *site) findings() (map[string]detectors.Finding, int) {
	s.t.Helper()
	seen, repeats := make(map[string]detectors.Finding), 0
	s.read(ingest.TopicFindings, func(r stream.Record) {
		f, err := detectors.DecodeFinding(r.Value)
		if err != nil {
			s.t.Fatal(err)
		}
		id := fmt.Sprintf("%s#%d", f.AlertID(), f.Seq)
		if old, ok := seen[id]; ok {
			repeats++
			if !reflect.DeepEqual(old, *f) {
				s.t.Errorf("%s was said twice with different words:\n%+v\n%+v", id, old, *f)
			}
		}
		seen[id] = *f
	})
	return seen, repeats
}

// undisturbed is what the engine says of the same log without any Kafka.
func undisturbed(t *testing.T, log []ingest.Input) map[string]detectors.Finding {
	t.Helper()
	p := detectors.DefaultParams()
	areas := make(map[string]*detectors.Area)
	out := new(detectors.Output)
	for i := range log {
		a, ok := areas[log[i].AreaID]
		if !ok {
			a = detectors.NewArea(&p, log[i].AreaID)
			areas[log[i].AreaID] = a
		}
		if err := a.Apply(&log[i], out); err != nil {
			t.Fatal(err)
		}
	}
	want := make(map[string]detectors.Finding)
	for _, f := range out.Findings {
		want[fmt.Sprintf("%s#%d", f.AlertID(), f.Seq)] = f
	}
	if len(want) < 8 {
		t.Fatalf("the log leads to %d findings only", len(want))
	}
	return want
}

func (s *site) expect(want map[string]detectors.Finding) (repeats int) {
	s.t.Helper()
	got, repeats := s.findings()
	if !reflect.DeepEqual(got, want) {
		s.t.Errorf("%d findings, want %d", len(got), len(want))
	}
	return repeats
}

func TestAStoppedMemberHandsOverWithoutRepeating(t *testing.T) {
	s := newSite(t)
	log := silentHomes(5)
	half := len(log) * 31 / 40 // in the middle of the silence
	svc, stop := s.member(nil)
	s.append(log[:half])
	s.waitCaught(svc)
	if !svc.Ready() {
		t.Error("caught up but not ready")
	}
	stop()
	s.append(log[half:])
	s.work(nil)
	if repeats := s.expect(undisturbed(t, log)); repeats != 0 {
		t.Errorf("%d findings were said twice after an orderly hand-over", repeats)
	}
}

func TestAMemberThatDiesLosesNothingAndSaysNothingElse(t *testing.T) {
	s := newSite(t)
	log := silentHomes(5)
	want := undisturbed(t, log)
	cuts := []int{len(log) / 3, len(log) * 31 / 40, len(log) * 34 / 40, len(log)}
	from := 0
	for _, to := range cuts {
		svc, stop := s.member(nil)
		svc.dies = true
		s.append(log[from:to])
		s.waitCaught(svc)
		stop()
		from = to
	}
	if repeats := s.expect(want); repeats == 0 {
		t.Error("nothing was repeated: the deaths were not sudden, so this test shows nothing")
	}
}

func TestASecondMemberTakesOverHalfWay(t *testing.T) {
	s := newSite(t)
	log := silentHomes(5)
	want := undisturbed(t, log)
	_, stop1 := s.member(func(o *Options) { o.CheckpointEvery = 50 * time.Millisecond })
	s.append(log[:len(log)/2])
	svc2, _ := s.member(func(o *Options) { o.CheckpointEvery = 50 * time.Millisecond })
	s.append(log[len(log)/2 : len(log)*33/40])
	stop1()
	s.append(log[len(log)*33/40:])
	s.waitCaught(svc2)
	s.expect(want)
}

// grow adds partitions to the log, as an operator would.
func (s *site) grow(to int) { s.t.Helper(); s.growTopic(ingest.TopicInputs, to) }

func (s *site) growTopic(name string, to int) {
	s.t.Helper()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	admin := &kafka.Client{Addr: kafka.TCP(s.on.Brokers...), Transport: transport}
	topic := s.on.Prefix + name
	res, err := admin.CreatePartitions(s.t.Context(), &kafka.CreatePartitionsRequest{
		Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: int32(to)}},
	})
	if err == nil {
		err = res.Errors[topic]
	}
	if err != nil {
		s.t.Fatal(err)
	}
	// Of a new client, since the old one knows the log as it was.
	if s.client, err = stream.NewClient(stream.Config{Brokers: s.on.Brokers, Prefix: s.on.Prefix}); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(s.client.Close)
	s.producer = stream.NewProducer(s.client)
}

func TestAreasMoveWhenPartitionsAreAdded(t *testing.T) {
	s := newSite(t)
	log := silentHomes(6)
	want := undisturbed(t, log)
	s.work(log[:len(log)/2])

	// What comes next is applied, but not saved.
	svc, stop := s.member(nil)
	svc.dies = true
	s.append(log[len(log)/2 : len(log)*31/40])
	s.waitCaught(svc)
	stop()

	s.grow(partitions + 2)
	s.append(log[len(log)*31/40:])
	s.work(nil)
	s.expect(want)
}

func TestAreasThatHaveMovedAreSavedBeforeTheyGoOn(t *testing.T) {
	s := newSite(t)
	log := silentHomes(6)
	s.work(log[:len(log)/2])
	s.growTopic(ingest.TopicCheckpoints, partitions+2)
	s.grow(partitions + 2)
	s.append(log[len(log)/2:])
	svc, stop := s.member(nil) // saves nothing else for an hour
	svc.dies = true
	s.waitCaught(svc)
	stop()
	moved := 0
	s.read(ingest.TopicCheckpoints, func(r stream.Record) {
		now := stream.Partition(r.Key, partitions+2)
		if now == stream.Partition(r.Key, partitions) || r.Partition != now {
			return
		}
		moved++
		if _, of, next, err := DecodeCheckpoint(&r); err != nil || of != now || next != 0 {
			t.Errorf("area %s is saved at %d of partition %d, %v; want the begin of %d", r.Key, next, of, err, now)
		}
	})
	if moved == 0 {
		t.Error("no area that moved was saved")
	}
	s.work(nil)
	s.expect(undisturbed(t, log))
}

// Partitions are added while everything runs. The member has its areas in memory
// alone, and some of what comes next goes to their old partitions, since ingest
// does not know yet.
func TestAreasMoveUnderARunningMember(t *testing.T) {
	s := newSite(t)
	log := silentHomes(6)
	want := undisturbed(t, log)
	svc, stop := s.member(nil)
	s.append(log[:len(log)*31/40])
	s.waitCaught(svc)
	s.growTopic(ingest.TopicCheckpoints, partitions+2)
	s.growTopic(ingest.TopicInputs, partitions+2)
	s.append(log[len(log)*31/40 : len(log)*33/40])
	s.waitCaught(svc)
	next := log[len(log)*33/40 : len(log)*33/40+96] // a quarter of a day and more
	for i := range next {
		value, err := contract.EncodeInputs(next[i].AreaID, next[i:i+1])
		if err != nil {
			t.Fatal(err)
		}
		rec := stream.Record{Key: []byte(next[i].AreaID), Value: value}
		if _, err := s.producer.Append(t.Context(), ingest.TopicInputs, stream.Partition(rec.Key, partitions), []stream.Record{rec}); err != nil {
			t.Fatal(err)
		}
	}
	s.waitCaught(svc)
	s.append(log[len(log)*33/40+len(next):])
	s.waitCaught(svc)
	if n := testutil.ToFloat64(svc.metrics.strayed); n == 0 {
		t.Error("nothing went astray, so this test shows less than it says")
	}
	stop()
	s.expect(want)
}

// checkpoint writes one by hand.
func (s *site) checkpoint(l label, a *area) {
	s.t.Helper()
	rec, err := l.record(a)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.producer.Produce(s.t.Context(), ingest.TopicCheckpoints, []stream.Record{rec}); err != nil {
		s.t.Fatal(err)
	}
}

// A broker that lost power may have kept a state and lost inputs in it. What
// then comes at their offsets is new.
func TestStateAheadOfItsLogIsNotDeaf(t *testing.T) {
	s := newSite(t)
	p := detectors.DefaultParams()
	s.checkpoint(label{}, &area{
		id: "tq-0", state: detectors.NewArea(&p, "tq-0"), partition: stream.Partition([]byte("tq-0"), partitions), next: 5000,
	})
	svc, _ := s.member(nil)
	s.waitCaught(svc) // restored, before the log has begun
	for !svc.Ready() {
		time.Sleep(time.Millisecond)
	}
	s.append(silentHomes(1))
	s.waitCaught(svc)
	if got, _ := s.findings(); len(got) == 0 {
		t.Error("nothing was heard of what came after")
	}
}

func TestRecordsThatAreNoInputsGoToTheDeadLetters(t *testing.T) {
	s := newSite(t)
	log := silentHomes(1)
	future := log[10]
	readings := *future.Readings
	readings.Start = readings.Start.AddDate(0, 0, 3)
	future.Readings = &readings
	noZone := log[11]
	elsewhere := *noZone.Readings
	elsewhere.HouseholdID, elsewhere.Zone = "h-new", "Mars/Olympus"
	noZone.Readings = &elsewhere
	s.append(log[:20])
	if err := s.producer.Produce(t.Context(), ingest.TopicInputs, []stream.Record{{Key: []byte("tq-0"), Value: []byte("no input")}}); err != nil {
		t.Fatal(err)
	}
	s.append([]ingest.Input{future, noZone})
	s.append(log[20:])
	reg := prometheus.NewRegistry()
	svc, stop := s.member(func(o *Options) { o.Registry = reg })
	s.waitCaught(svc)
	stop()
	s.expect(func() map[string]detectors.Finding {
		want := make(map[string]detectors.Finding)
		p := detectors.DefaultParams()
		a, out := detectors.NewArea(&p, "tq-0"), new(detectors.Output)
		for i := range log {
			if err := a.Apply(&log[i], out); err != nil {
				t.Fatal(err)
			}
		}
		for _, f := range out.Findings {
			want[fmt.Sprintf("%s#%d", f.AlertID(), f.Seq)] = f
		}
		return want
	}())
	var reasons []ingest.Reason
	s.read(ingest.TopicDeadLetters, func(r stream.Record) {
		d, err := contract.DecodeDeadLetter(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		reasons = append(reasons, d.Reason)
		if d.Reason == ingest.NotProtobuf {
			return
		}
		if kept, err := contract.DecodeInputs(d.Value); err != nil || len(kept) != 1 || !d.At.Equal(future.Clock) {
			t.Errorf("the dead letter of %s keeps %d entries (%v), at %s", d.Reason, len(kept), err, d.At)
		}
	})
	if want := []ingest.Reason{ingest.NotProtobuf, ingest.Future, ingest.BadField}; !slices.Equal(reasons, want) {
		t.Errorf("dead letters %v, want %v", reasons, want)
	}
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("metrics: %v %v", problems, err)
	}
}

func TestHistoryHoldsEveryIntervalWithItsBand(t *testing.T) {
	s := newSite(t)
	log := silentHomes(1)
	s.append(log)
	svc, stop := s.member(func(o *Options) { o.History = true })
	s.waitCaught(svc)
	stop()
	points, banded := make(map[string]bool), 0
	s.read(ingest.TopicHistory, func(r stream.Record) {
		var h detectors.History
		if err := json.Unmarshal(r.Value, &h); err != nil || h.HouseholdID != string(r.Key) {
			t.Fatalf("record under %q: %v", r.Key, err)
		}
		for _, p := range h.Points {
			id := h.HouseholdID + p.Start.String()
			if !points[id] && p.Low <= p.Mid && p.Mid <= p.High && p.High > 0 {
				banded++
			}
			points[id] = true
		}
	})
	if len(points) != len(log) || banded < len(log)*9/10 {
		t.Errorf("%d points, %d with a band, of %d readings", len(points), banded, len(log))
	}
}

func TestAnAreaOfAThousandHomesIsSavedAndRestored(t *testing.T) {
	s := newSite(t)
	// Otherwise each block would come late, after those of the homes before it.
	dayBlocks := func(o *Options) { o.Params.UsualDelay = 25 * time.Hour }
	day0 := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	use := rand.New(rand.NewPCG(1, 2))
	var log []ingest.Input
	for n := range 8 {
		start := day0.AddDate(0, 0, n)
		for home := range 1000 {
			id := fmt.Sprintf("h-%d", home)
			day := make([]uint32, 96)
			for i := range day {
				day[i] = use.Uint32N(3000)
			}
			log = append(log, ingest.Input{AreaID: "tq-0", Clock: start.AddDate(0, 0, 1), Readings: &ingest.Readings{
				MeterID: "m" + id, HouseholdID: id, Start: start, Interval: 15 * time.Minute, Wh: day,
			}})
		}
	}
	s.append(log)
	svc, stop := s.member(dayBlocks)
	s.waitCaught(svc)
	stop()
	reg := prometheus.NewRegistry()
	svc, stop = s.member(func(o *Options) { dayBlocks(o); o.Registry = reg })
	s.waitCaught(svc)
	homes := testutil.ToFloat64(svc.metrics.homes)
	inputs := testutil.ToFloat64(svc.metrics.inputs)
	if homes != 1000 || inputs != 0 {
		t.Errorf("restored %v homes and read %v inputs again", homes, inputs)
	}
	// The next day comes to states that were still encoded.
	next := slices.Clone(log[len(log)-1000:])
	for i := range next {
		r := *next[i].Readings
		r.Start = r.Start.AddDate(0, 0, 1)
		next[i].Readings, next[i].Clock = &r, next[i].Clock.AddDate(0, 0, 1)
	}
	s.append(next)
	s.waitCaught(svc)
	stop()
	want := detectors.NewArea(&svc.opts.Params, "tq-0")
	for _, in := range slices.Concat(log, next) {
		if err := want.Apply(&in, new(detectors.Output)); err != nil {
			t.Fatal(err)
		}
	}
	state, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	var last []byte
	s.read(ingest.TopicCheckpoints, func(r stream.Record) { size, last = max(size, len(r.Value)), r.Value })
	if !bytes.HasSuffix(last, state) {
		t.Error("the state is not that of an area which was never saved")
	}
	if size < 1<<20 {
		t.Errorf("a checkpoint of %d bytes shows nothing: brokers take a MiB by default", size)
	}
}
