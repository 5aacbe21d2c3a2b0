package chaos

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"weimang/ingest/stream"
)

// distant is a client that reaches an embedded broker through a network, as
// worker 7.
func distant(t *testing.T, n *network) (*stream.Client, string) {
	t.Helper()
	broker, err := stream.StartEmbedded(stream.EmbeddedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	o := WorkerOptions{Name: 7, Via: n.addr()}
	client, err := stream.NewClient(stream.Config{Brokers: []string{broker.Addr()}, Prefix: "site.", Dial: o.Dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := client.EnsureTopics(t.Context(), []stream.Topic{{Name: "t", Partitions: 1}, {Name: "other", Partitions: 1}}); err != nil {
		t.Fatal(err)
	}
	return client, broker.Addr()
}

func newNetwork(t *testing.T) *network {
	t.Helper()
	n, err := listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.close)
	return n
}

func produce(t *testing.T, c *stream.Client, topic string) {
	t.Helper()
	if err := stream.NewProducer(c).Produce(t.Context(), topic, []stream.Record{{Value: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
}

func records(t *testing.T, c *stream.Client, topic string) int64 {
	t.Helper()
	ends, err := c.EndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	return ends[0]
}

func TestATrapStrikesTheRequestItWaitsFor(t *testing.T) {
	for _, c := range []struct {
		name     string
		answered bool
		want     int64 // records that a writer leaves which tries until it hears of it
	}{{"a request that is lost is written once", false, 1}, {"one whose answer is lost is written twice", true, 2}} {
		t.Run(c.name, func(t *testing.T) {
			n := newNetwork(t)
			client, _ := distant(t, n)
			var by int
			trap := &trap{
				matches:  func(r *request) bool { return r.api == apiProduce && r.topic == "site.t" },
				answered: c.answered,
				spring:   func(l *link, _ *request, _ []byte) []byte { by = l.worker; return nil },
			}
			n.set(trap)
			produce(t, client, "other")
			select {
			case <-trap.sprung:
				t.Fatal("sprung by a write to another topic")
			default:
			}
			produce(t, client, "t")
			<-trap.sprung
			if got := records(t, client, "t"); got != c.want || by != 7 {
				t.Errorf("%d records, want %d; the trap saw worker %d", got, c.want, by)
			}
			if n.unset(trap) || n.sound() != nil {
				t.Errorf("the trap is still there, or %v", n.sound())
			}
		})
	}
}

func TestACommitIsRefusedOnce(t *testing.T) {
	n := newNetwork(t)
	client, _ := distant(t, n)
	produce(t, client, "t")
	n.set(&trap{
		matches: func(r *request) bool { return r.api == apiOffsetCommit && r.group == "site.g" },
		spring:  refuse,
	})
	group, err := stream.NewGroup(stream.GroupOptions{Client: client, ID: "g", Topics: []string{"t"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var refused, again error
	if err := group.Run(ctx, func(ctx context.Context, c *stream.Claim) error {
		refused = c.Commit(ctx, 1)
		lag, err := client.Lag(ctx, "g", "t")
		if err != nil || lag != 1 {
			t.Errorf("a lag of %d (%v) after the commit was refused", lag, err)
		}
		again = c.Commit(ctx, 1)
		cancel()
		<-ctx.Done()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(refused, kafka.GroupLoadInProgress) || again != nil {
		t.Errorf("the commit ended with %v, the second with %v", refused, again)
	}
	if lag, err := client.Lag(t.Context(), "g", "t"); err != nil || lag != 0 {
		t.Errorf("a lag of %d (%v) at the end", lag, err)
	}
}

func TestACutNetworkHangsOrResets(t *testing.T) {
	for _, hangs := range []bool{true, false} {
		n := newNetwork(t)
		client, addr := distant(t, n)
		produce(t, client, "t")
		other := n.cut(8, everyBroker, hangs)
		produce(t, client, "t") // another worker's
		n.heal(other)
		c := n.cut(7, addr, hangs)
		short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		err := stream.NewProducer(client).Produce(short, "t", []stream.Record{{Value: []byte("x")}})
		cancel()
		if err == nil {
			t.Errorf("hangs %v: written through a network that is cut", hangs)
		}
		n.heal(c)
		produce(t, client, "t")
		// What hung goes on.
		if got := records(t, client, "t"); got < 3 || got > 4 {
			t.Errorf("hangs %v: %d records", hangs, got)
		}
	}
}
