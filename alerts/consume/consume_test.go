package consume

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"weimang/alerts"
	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newSite(t *testing.T) (*stream.Client, *stream.Producer) {
	t.Helper()
	broker, err := stream.StartEmbedded(stream.EmbeddedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	client, err := stream.NewClient(stream.Config{Brokers: []string{broker.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := client.EnsureTopics(t.Context(), stream.Topics(1, stream.Retention{})); err != nil {
		t.Fatal(err)
	}
	return client, stream.NewProducer(client)
}

// desk is a handler that keeps what it is given.
type desk struct {
	mu     sync.Mutex
	values []string
	refuse int // batches to fail, as a store whose disk is full
}

func (d *desk) handle(_ context.Context, values [][]byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refuse > 0 {
		d.refuse--
		return errors.New("the disk is full")
	}
	var bad alerts.BadRecordsError
	for i, v := range values {
		if strings.HasPrefix(string(v), "bad") {
			bad.Records = append(bad.Records, alerts.BadRecord{Index: i, Err: errors.New("no finding")})
			continue
		}
		d.values = append(d.values, string(v))
	}
	if len(bad.Records) > 0 {
		return &bad
	}
	return nil
}

func consume(t *testing.T, client *stream.Client, producer *stream.Producer, d *desk) (c *Consumer, stop func()) {
	t.Helper()
	c, err := New(Options{
		Client: client, Producer: producer, GroupID: FindingsGroup, Topic: ingest.TopicFindings, Handle: d.handle,
		Group: stream.GroupOptions{
			SessionTimeout: 2 * time.Second, HeartbeatInterval: 100 * time.Millisecond, RebalanceTimeout: 2 * time.Second,
			JoinGroupBackoff: 50 * time.Millisecond, FlushTimeout: time.Second, MaxWait: 20 * time.Millisecond,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(stop)
	return c, stop
}

func produce(t *testing.T, p *stream.Producer, values ...string) {
	t.Helper()
	var recs []stream.Record
	for _, v := range values {
		recs = append(recs, stream.Record{Key: []byte("tq"), Value: []byte(v)})
	}
	if err := p.Produce(t.Context(), ingest.TopicFindings, recs); err != nil {
		t.Fatal(err)
	}
}

func caught(t *testing.T, c *Consumer) {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < 20*time.Second; time.Sleep(10 * time.Millisecond) {
		ok, err := c.Caught(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			return
		}
	}
	t.Fatal("the consumer does not catch up")
}

func TestUnusableRecordsGoToTheDeadLettersAndTheOthersOn(t *testing.T) {
	client, producer := newSite(t)
	d := new(desk)
	produce(t, producer, "one", "bad record with 李桂花 in it", "two")
	c, stop := consume(t, client, producer, d)
	caught(t, c)
	stop()
	if want := []string{"one", "two"}; !slices.Equal(d.values, want) {
		t.Errorf("handled %v, want %v", d.values, want)
	}
	letters := 0
	_, err := stream.ReadAll(t.Context(), client, ingest.TopicDeadLetters, 0, func(r stream.Record) error {
		l, err := contract.DecodeDeadLetter(r.Value)
		if err != nil {
			return err
		}
		letters++
		if l.Topic != ingest.TopicFindings || l.Offset != 1 || !strings.HasPrefix(string(l.Value), "bad") || l.Text != "no finding" {
			t.Errorf("dead letter %+v", l)
		}
		return nil
	})
	if err != nil || letters != 1 {
		t.Errorf("%d dead letters, %v", letters, err)
	}
}

func TestNothingIsCommittedThatIsNotDurable(t *testing.T) {
	client, producer := newSite(t)
	d := &desk{refuse: 2}
	produce(t, producer, "one", "two")
	c, stop := consume(t, client, producer, d)
	caught(t, c)
	produce(t, producer, "three")
	caught(t, c)
	stop()
	if want := []string{"one", "two", "three"}; !slices.Equal(d.values, want) {
		t.Errorf("handled %v, want %v", d.values, want)
	}
	// The next member begins behind what is done.
	again := new(desk)
	produce(t, producer, "four")
	c, stop = consume(t, client, producer, again)
	caught(t, c)
	stop()
	if want := []string{"four"}; !slices.Equal(again.values, want) {
		t.Errorf("the next member handled %v, want %v", again.values, want)
	}
}

func TestRecordsOfTheOutboxReachTheTopic(t *testing.T) {
	client, producer := newSite(t)
	err := Publisher{Producer: producer}.Publish(t.Context(), []alerts.Record{{ID: "h/1#1", Key: "h/1", Value: []byte(`{"alert_id":"h/1"}`)}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	_, err = stream.ReadAll(t.Context(), client, ingest.TopicAlerts, 0, func(r stream.Record) error {
		got = append(got, string(r.Key)+" "+string(r.Value))
		return nil
	})
	if want := []string{`h/1 {"alert_id":"h/1"}`}; err != nil || !slices.Equal(got, want) {
		t.Errorf("topic holds %v (%v), want %v", got, err, want)
	}
}

// shelf keeps reports by id.
type shelf struct {
	mu    sync.Mutex
	texts map[string]string
}

func (s *shelf) SaveReport(_ context.Context, r ingest.Report) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts[r.ID] = r.Text
	return nil
}

func TestReportsAreKeptWhereIngestHasNoStore(t *testing.T) {
	client, producer := newSite(t)
	s := &shelf{texts: make(map[string]string)}
	c, err := NewReports(Options{Client: client, Producer: producer}, s)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer func() { cancel(); wg.Wait() }()
	report := func(id, text string) stream.Record {
		return stream.Record{Key: []byte("k"), Value: contract.EncodeReport(&ingest.Report{Text: text, Incident: ingest.Incident{
			ID: id, Source: ingest.PowerGrid, Class: ingest.ClassOutage, State: ingest.Reported,
			Scope: ingest.Scope{Areas: []string{"tq"}}, From: time.Unix(1_780_000_000, 0).UTC(),
		}})}
	}
	recs := []stream.Record{report("i1", "first words"), {Key: []byte("k"), Value: []byte("no report")}, report("i2", "others"), report("i1", "last words")}
	if err := producer.Produce(t.Context(), ingest.TopicIncidents, recs); err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if ok, err := c.Caught(t.Context()); err != nil || time.Since(begun) > 20*time.Second {
			t.Fatalf("not caught up: %v", err)
		} else if ok {
			break
		}
	}
	if len(s.texts) != 2 || s.texts["i1"] != "last words" {
		t.Errorf("kept %v", s.texts)
	}
	if n, err := client.EndOffsets(t.Context(), ingest.TopicDeadLetters); err != nil || n[0] != 0 {
		t.Errorf("dead letters, which are ingest's to write: %v %v", n, err)
	}
}
