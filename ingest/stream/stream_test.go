package stream

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/goleak"

	"weimang/ingest/stream/streamtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// within fails the test instead of hanging when something does not come.
const within = 20 * time.Second

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	t.Cleanup(cancel)
	return ctx
}

func startBroker(t *testing.T, opts EmbeddedOptions) *Embedded {
	t.Helper()
	b, err := StartEmbedded(opts)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// cluster returns a client of a broker that lives as long as the test, or of
// the real Kafka the tests are run on.
func cluster(t *testing.T) *Client {
	t.Helper()
	on := streamtest.Start(t, StartEmbedded)
	return configured(t, Config{Brokers: on.Brokers, Prefix: on.Prefix})
}

func newClient(t *testing.T, addr string) *Client {
	t.Helper()
	return configured(t, Config{Brokers: []string{addr}})
}

func configured(t *testing.T, cfg Config) *Client {
	t.Helper()
	c, err := NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func makeTopic(t *testing.T, c *Client, topic Topic) {
	t.Helper()
	if err := c.EnsureTopics(testContext(t), []Topic{topic}); err != nil {
		t.Fatal(err)
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// numbered makes records n to m-1 whose key and value tell which they are.
func numbered(n, m int) []Record {
	var recs []Record
	for i := n; i < m; i++ {
		recs = append(recs, Record{Key: fmt.Appendf(nil, "key-%d", i), Value: fmt.Appendf(nil, "%d", i)})
	}
	return recs
}

func produce(t *testing.T, c *Client, topic string, recs []Record) {
	t.Helper()
	if err := NewProducer(c).Produce(testContext(t), topic, recs); err != nil {
		t.Fatal(err)
	}
}

// quick are group options with which a test need not wait.
func quick(c *Client, topics ...string) GroupOptions {
	return GroupOptions{
		Client: c, ID: "readers", Topics: topics,
		SessionTimeout: 2 * time.Second, HeartbeatInterval: 50 * time.Millisecond, RebalanceTimeout: 2 * time.Second,
		JoinGroupBackoff: 50 * time.Millisecond, FlushTimeout: time.Second, MaxWait: 50 * time.Millisecond,
	}
}

// member is a running Group; stop ends it and waits.
type member struct {
	cancel context.CancelFunc
	done   chan error
}

func join(t *testing.T, opts GroupOptions, handle func(context.Context, *Claim) error) *member {
	t.Helper()
	g, err := NewGroup(opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := &member{cancel: cancel, done: make(chan error, 1)}
	go func() { m.done <- g.Run(ctx, handle) }()
	t.Cleanup(func() { m.stop(t) })
	return m
}

func (m *member) stop(t *testing.T) {
	t.Helper()
	m.cancel()
	select {
	case err := <-m.done:
		if err != nil {
			t.Error(err)
		}
		m.done <- nil // stop may be called again
	case <-time.After(within):
		t.Fatal("the member does not leave")
	}
}

// ledger counts what handlers have seen.
type ledger struct {
	mu      sync.Mutex
	values  map[string]int
	members map[string]map[int]bool // who was given which partitions
	changed chan struct{}
}

func newLedger() *ledger {
	return &ledger{values: map[string]int{}, members: map[string]map[int]bool{}, changed: make(chan struct{}, 1)}
}

// handler fetches, notes, commits: the loop of a service.
func (l *ledger) handler(name string) func(context.Context, *Claim) error {
	return func(ctx context.Context, c *Claim) error {
		l.update(func() {
			if l.members[name] == nil {
				l.members[name] = map[int]bool{}
			}
			l.members[name][c.Partition()] = true
		})
		for {
			b, err := c.Fetch(ctx)
			if err != nil {
				return err
			}
			l.update(func() {
				for _, r := range b.Records {
					l.values[string(r.Value)]++
				}
			})
			// What was noted is committed, even if that is the end.
			if err := c.Commit(c.FlushContext(), b.Next); err != nil {
				return err
			}
		}
	}
}

func (l *ledger) update(fn func()) {
	l.mu.Lock()
	fn()
	l.mu.Unlock()
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// until waits for the ledger to satisfy cond.
func (l *ledger) until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(within)
	for {
		l.mu.Lock()
		ok := cond()
		l.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-l.changed:
		case <-deadline:
			l.mu.Lock()
			defer l.mu.Unlock()
			t.Fatalf("waited in vain: %s; %d values seen, members %v", what, len(l.values), l.members)
		}
	}
}

func readAll(t *testing.T, c *Client, topic string, partition int) (values []string, end int64) {
	t.Helper()
	end, err := ReadAll(testContext(t), c, topic, partition, func(r Record) error {
		values = append(values, string(r.Value))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return values, end
}

func TestProducedRecordsComeBackInOrderPerKey(t *testing.T) {
	c := cluster(t)
	makeTopic(t, c, Topic{Name: "t", Partitions: 4})
	var recs []Record
	for i := range 5000 { // several requests a partition
		recs = append(recs, Record{
			Key:     fmt.Appendf(nil, "area-%d", i%10),
			Value:   fmt.Appendf(nil, "%08d", i),
			Headers: []kafka.Header{{Key: "n", Value: fmt.Appendf(nil, "%d", i)}},
		})
	}
	produce(t, c, "t", recs)

	total := 0
	for p := range 4 {
		last := map[string]string{}
		_, err := ReadAll(testContext(t), c, "t", p, func(r Record) error {
			total++
			if key := string(r.Key); Partition(r.Key, 4) != p || last[key] >= string(r.Value) {
				t.Fatalf("partition %d: %s after %s of %s", p, r.Value, last[key], key)
			} else {
				last[key] = string(r.Value)
			}
			if n, ok := r.Header("n"); !ok || fmt.Sprintf("%08s", n) != string(r.Value) {
				t.Fatalf("header %q of record %s", n, r.Value)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if total != len(recs) {
		t.Errorf("%d records came back of %d", total, len(recs))
	}
}

func TestRecordsWithoutKeyTakeTurns(t *testing.T) {
	c := cluster(t)
	makeTopic(t, c, Topic{Name: "t", Partitions: 3})
	produce(t, c, "t", make([]Record, 9))
	ends, err := c.EndOffsets(testContext(t), "t")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(ends, []int64{3, 3, 3}) {
		t.Errorf("ends %v, want three each", ends)
	}
}

func TestPartitionIsJavas(t *testing.T) {
	// From Kafka's UtilsTest.testMurmur2 and, for the text, its partitioner.
	hashes := map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	}
	for key, want := range hashes {
		if got := int32(murmur2([]byte(key))); got != want { //nolint:gosec // Java's int
			t.Errorf("murmur2(%q) = %d, want %d", key, got, want)
		}
	}
	// kafka-go's Murmur2Balancer is checked against librdkafka and Java.
	for i := range 1000 {
		key := fmt.Appendf(nil, "区-%d", i)
		want := kafka.Murmur2Balancer{}.Balance(kafka.Message{Key: key}, 0, 1, 2, 3, 4, 5, 6)
		if got := Partition(key, 7); got != want {
			t.Fatalf("Partition(%q) = %d, want %d", key, got, want)
		}
	}
}

func TestARecordTooLargeForTheBrokerIsAnErrorAndTheOthersAreWritten(t *testing.T) {
	c := cluster(t)
	makeTopic(t, c, Topic{Name: "t", Partitions: 1, MaxBytes: 300})
	// 8 records do not fit into one batch of 300 bytes: they are halved.
	produce(t, c, "t", numbered(0, 8))
	if values, _ := readAll(t, c, "t", 0); len(values) != 8 {
		t.Errorf("%d of 8 records written", len(values))
	}
	noise := make([]byte, 1000)
	for i := range noise {
		noise[i] = byte(i * i >> 3)
	}
	err := NewProducer(c).Produce(testContext(t), "t", []Record{{Value: noise}})
	if !TooLarge(err) {
		t.Errorf("error %v, want one that says too large", err)
	}
}
