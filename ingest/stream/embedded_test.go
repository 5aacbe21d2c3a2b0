package stream

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"weimang/ingest"
	"weimang/ingest/stream/streamtest"
)

func TestACompactedTopicKeepsTheLastOfEachKeyAndIsReadOverItsHoles(t *testing.T) {
	b := startBroker(t, EmbeddedOptions{})
	t.Cleanup(b.Close)
	c := newClient(t, b.Addr())
	makeTopic(t, c, Topic{Name: "t", Partitions: 1, Compacted: true})
	p := NewProducer(c)
	for round := range 10 {
		var recs []Record
		for k := range 20 {
			if k%3 == 0 && round > 0 {
				continue // keys of the first round keep their place
			}
			recs = append(recs, Record{Key: fmt.Appendf(nil, "k%d", k), Value: fmt.Appendf(nil, "k%d/%d", k, round)})
		}
		if err := p.Produce(testContext(t), "t", recs); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Produce(testContext(t), "t", []Record{{Key: []byte("k1")}}); err != nil { // a tombstone
		t.Fatal(err)
	}
	b.Clean()

	last := map[string]string{}
	n := 0
	end, err := ReadAll(testContext(t), c, "t", 0, func(r Record) error {
		n++
		if last[string(r.Key)] = string(r.Value); r.Value == nil {
			delete(last, string(r.Key))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n >= int(end)/2 {
		t.Fatalf("%d records up to offset %d: the log has no holes and the test shows nothing", n, end)
	}
	if len(last) != 19 || last["k0"] != "k0/0" || last["k2"] != "k2/9" {
		t.Errorf("after compaction: %v", last)
	}
}

func TestReadAllOfAnEmptyTopicReturnsAtOnce(t *testing.T) {
	c := cluster(t)
	makeTopic(t, c, Topic{Name: "t", Partitions: 1, Compacted: true})
	if values, end := readAll(t, c, "t", 0); len(values) != 0 || end != 0 {
		t.Errorf("values %v, end %d", values, end)
	}
}

func TestRecordsAndTopicsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	b := startBroker(t, EmbeddedOptions{Dir: dir})
	c := newClient(t, b.Addr())
	makeTopic(t, c, Topic{Name: "t", Partitions: 1})
	produce(t, c, "t", numbered(0, 50))
	if _, err := StartEmbedded(EmbeddedOptions{Dir: dir}); err == nil {
		t.Error("a second broker was let into the same folder")
	}
	b.Close()
	b = startBroker(t, EmbeddedOptions{Dir: dir})
	defer b.Close()
	if values, _ := readAll(t, newClient(t, b.Addr()), "t", 0); len(values) != 50 {
		t.Errorf("%d of 50 records after the restart", len(values))
	}
}

func TestTheCleanerRunsAfterARestart(t *testing.T) {
	dir := t.TempDir()
	b := startBroker(t, EmbeddedOptions{Dir: dir})
	c := newClient(t, b.Addr())
	makeTopic(t, c, Topic{Name: "t", Partitions: 1, Compacted: true})
	for range 5 {
		produce(t, c, "t", numbered(0, 10))
	}
	b.Close()
	b = startBroker(t, EmbeddedOptions{Dir: dir, CompactEvery: 10 * time.Millisecond})
	defer b.Close()
	c = newClient(t, b.Addr())
	ctx := testContext(t)
	for {
		// The last batch is the active one and stays: 10 + 10.
		if values, _ := readAll(t, c, "t", 0); len(values) <= 20 {
			return
		} else if pause(ctx, 5*time.Millisecond) != nil {
			t.Fatalf("still %d records", len(values))
		}
	}
}

func TestAnAddressOthersCouldReachIsRefused(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:9092", ":9092", "192.168.1.5:9092", "[::]:9092"} {
		if b, err := StartEmbedded(EmbeddedOptions{Addr: addr}); err == nil {
			b.Close()
			t.Errorf("%s: accepted", addr)
		}
	}
}

func TestTheSystemsTopicsAreMadeOnceAndLeftAlone(t *testing.T) {
	on := streamtest.Start(t, StartEmbedded)
	var out bytes.Buffer
	c, err := NewClient(Config{Brokers: on.Brokers, Prefix: on.Prefix, Logger: slog.New(slog.NewTextHandler(&out, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.EnsureTopics(testContext(t), Topics(6, Retention{})); err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string]int{ingest.TopicInputs: 6, ingest.TopicCheckpoints: 6, ingest.TopicDeadLetters: 1, ingest.TopicRoster: 1} {
		if n, err := c.Partitions(testContext(t), topic); err != nil || n != want {
			t.Errorf("%s has %d partitions (%v), want %d", topic, n, err, want)
		}
	}
	config, err := c.kafka.DescribeConfigs(testContext(t), &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{
		{ResourceType: kafka.ResourceTypeTopic, ResourceName: c.wire(ingest.TopicCheckpoints)},
		{ResourceType: kafka.ResourceTypeTopic, ResourceName: c.wire(ingest.TopicDeadLetters)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range config.Resources {
		for _, e := range r.ConfigEntries {
			got[c.plain(r.ResourceName)+" "+e.ConfigName] = e.ConfigValue
		}
	}
	for name, want := range map[string]string{
		ingest.TopicCheckpoints + " cleanup.policy": "compact",
		ingest.TopicCheckpoints + " retention.ms":   "-1",
		ingest.TopicDeadLetters + " retention.ms":   fmt.Sprint((14 * 24 * time.Hour).Milliseconds()),
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if strings.Contains(out.String(), "number of partitions") {
		t.Errorf("complained of its own topics: %s", out.String())
	}

	if err := c.EnsureTopics(testContext(t), Topics(12, Retention{})); err != nil {
		t.Fatal(err)
	}
	if n, _ := c.Partitions(testContext(t), ingest.TopicInputs); n != 6 {
		t.Errorf("an existing topic was changed to %d partitions", n)
	}
	if !strings.Contains(out.String(), "topic=weimang.inputs has=6 configured=12") {
		t.Errorf("the difference is not said: %s", out.String())
	}
}

func TestARefusedConnectionIsNamed(t *testing.T) {
	c := newClient(t, freeAddr(t))
	if err := c.Check(testContext(t)); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("check says %v", err)
	}
}
