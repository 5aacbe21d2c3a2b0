package stream

import (
	"errors"
	"slices"
	"testing"

	"github.com/segmentio/kafka-go"
)

func TestAPrefixKeepsApartWhatSharesACluster(t *testing.T) {
	b := startBroker(t, EmbeddedOptions{})
	t.Cleanup(b.Close)
	plain := newClient(t, b.Addr())
	own := configured(t, Config{Brokers: []string{b.Addr()}, Prefix: "own."})
	topics := []Topic{{Name: "t", Partitions: 2}}
	makeTopic(t, plain, topics[0])
	makeTopic(t, own, topics[0])
	produce(t, own, "t", numbered(0, 20))
	if lag, err := own.Lag(testContext(t), "g", "t"); err != nil || lag != 20 {
		t.Errorf("%d records under the prefix (%v), want 20", lag, err)
	}
	if ends, err := plain.EndOffsets(testContext(t), "t"); err != nil || slices.Max(ends) != 0 {
		t.Errorf("without the prefix the logs end at %v (%v)", ends, err)
	}

	// A member sees the names it knows, and commits under the others.
	seen := newLedger()
	m := join(t, quick(own, "t"), seen.handler("a"))
	seen.until(t, "all of it", func() bool { return len(seen.values) == 20 })
	m.stop(t)
	if lag, err := own.Lag(testContext(t), "readers", "t"); err != nil || lag != 0 {
		t.Errorf("lag %d (%v) after everything was committed", lag, err)
	}

	if err := own.Delete(testContext(t), topics, []string{"readers", "never seen"}); err != nil {
		t.Fatal(err)
	}
	if _, err := own.Partitions(testContext(t), "t"); !errors.Is(err, kafka.UnknownTopicOrPartition) {
		t.Errorf("after deletion: %v", err)
	}
	if n, err := plain.Partitions(testContext(t), "t"); err != nil || n != 2 {
		t.Errorf("the other one's topic has %d partitions (%v)", n, err)
	}
	if err := own.Delete(testContext(t), topics, []string{"readers"}); err != nil {
		t.Errorf("deleting what is gone: %v", err)
	}
}
