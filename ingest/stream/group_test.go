package stream

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestAMemberGoesOnWhereItCommitted(t *testing.T) {
	c := cluster(t)
	makeTopic(t, c, Topic{Name: "t", Partitions: 4})
	produce(t, c, "t", numbered(0, 100))

	first := newLedger()
	m := join(t, quick(c, "t"), first.handler("a"))
	first.until(t, "the first hundred", func() bool { return len(first.values) == 100 })
	m.stop(t)
	lag, err := c.Lag(testContext(t), "readers", "t")
	if err != nil || lag != 0 {
		t.Fatalf("lag %d, %v after everything was committed", lag, err)
	}

	ends, err := c.EndOffsets(testContext(t), "t")
	if err != nil {
		t.Fatal(err)
	}
	produce(t, c, "t", numbered(100, 150))
	if lag, err = c.LagUpTo(testContext(t), "readers", "t", ends); err != nil || lag != 0 {
		t.Errorf("lag %d, %v of what was there before others sent more", lag, err)
	}
	if lag, err = c.LagUpTo(testContext(t), "nobody", "t", ends); err != nil || lag != 100 {
		t.Errorf("lag %d, %v of a group that has handled nothing, want 100", lag, err)
	}
	if lag, err = c.Lag(testContext(t), "readers", "t"); err != nil || lag != 50 {
		t.Fatalf("lag %d, %v, want 50", lag, err)
	}
	second := newLedger()
	join(t, quick(c, "t"), second.handler("b"))
	second.until(t, "what is new", func() bool { return len(second.values) == 50 })
	if second.values["0"] != 0 {
		t.Error("the second member was given again what the first had committed")
	}
}

func TestLagOfAGroupThatNeverCommittedIsAllThereIs(t *testing.T) {
	c := cluster(t)
	makeTopic(t, c, Topic{Name: "t", Partitions: 3})
	produce(t, c, "t", numbered(0, 30))
	if lag, err := c.Lag(testContext(t), "nobody", "t"); err != nil || lag != 30 {
		t.Errorf("lag %d, %v, want 30", lag, err)
	}
}

// A log that was lost or made anew is read from its begin, so a group whose
// commits are of the old one has not caught up.
func TestLagOfAGroupThatCommittedMoreThanTheLogHoldsIsAllThereIs(t *testing.T) {
	c := cluster(t)
	makeTopic(t, c, Topic{Name: "t", Partitions: 1})
	produce(t, c, "t", numbered(0, 10))
	handled := make(chan struct{})
	m := join(t, quick(c, "t"), func(ctx context.Context, claim *Claim) error {
		if err := claim.Commit(ctx, 30); err != nil {
			return err
		}
		close(handled)
		<-ctx.Done()
		return nil
	})
	<-handled
	m.stop(t)
	if lag, err := c.Lag(testContext(t), quick(c, "t").ID, "t"); err != nil || lag != 10 {
		t.Errorf("lag %d, %v, want 10", lag, err)
	}
}

func TestASecondMemberTakesItsShareAndNothingIsLost(t *testing.T) {
	c := cluster(t)
	makeTopic(t, c, Topic{Name: "t", Partitions: 4})
	seen := newLedger()
	join(t, quick(c, "t"), seen.handler("a"))
	seen.until(t, "the first member has it all", func() bool { return len(seen.members["a"]) == 4 })

	// Records flow while the group is rebalanced.
	produced := make(chan error, 1)
	go func() {
		for i := range 20 {
			if err := NewProducer(c).Produce(context.Background(), "t", numbered(i*50, i*50+50)); err != nil {
				produced <- err
				return
			}
		}
		produced <- nil
	}()
	b := join(t, quick(c, "t"), seen.handler("b"))
	seen.until(t, "the second member has a share", func() bool { return len(seen.members["b"]) > 0 })
	if err := <-produced; err != nil {
		t.Fatal(err)
	}
	seen.until(t, "every record", func() bool { return len(seen.values) == 1000 })

	b.stop(t) // and the first takes over at once
	produce(t, c, "t", numbered(1000, 1100))
	seen.until(t, "every record after the second member left", func() bool { return len(seen.values) == 1100 })
}

func TestALostPartitionCannotBeCommitted(t *testing.T) {
	c := cluster(t)
	makeTopic(t, c, Topic{Name: "t", Partitions: 1})
	produce(t, c, "t", numbered(0, 20))

	// The first member fetches, then loses its generation to a second one and
	// tries to commit what it had.
	lost := make(chan *Claim, 1)
	m := join(t, quick(c, "t"), func(ctx context.Context, c *Claim) error {
		if _, err := c.Fetch(ctx); err != nil {
			return err
		}
		lost <- c
		<-ctx.Done()
		return ctx.Err()
	})
	old := <-lost
	m.stop(t)
	seen := newLedger()
	join(t, quick(c, "t"), seen.handler("b"))
	seen.until(t, "the new owner reads all", func() bool { return len(seen.values) == 20 })
	waitForLag(t, c, 0)

	if err := old.Commit(testContext(t), 5); !errors.Is(err, ErrFenced) {
		t.Errorf("commit on a claim that is over: %v", err)
	}
	old.over = false // and if it were not noticed here, by the broker
	if err := old.Commit(testContext(t), 5); err == nil {
		t.Error("the broker took a commit of an old generation")
	}
	waitForLag(t, c, 0)
}

func waitForLag(t *testing.T, c *Client, want int64) {
	t.Helper()
	ctx := testContext(t)
	for {
		lag, err := c.Lag(ctx, "readers", "t")
		if err != nil {
			t.Fatalf("waiting for lag %d, have %d: %v", want, lag, err)
		}
		if lag == want {
			return
		}
		if pause(ctx, 5*time.Millisecond) != nil {
			t.Fatalf("lag stays %d, want %d", lag, want)
		}
	}
}

func TestCommitsGoForwardsOnly(t *testing.T) {
	c := cluster(t)
	makeTopic(t, c, Topic{Name: "t", Partitions: 1})
	produce(t, c, "t", numbered(0, 20))
	done := make(chan error, 1)
	join(t, quick(c, "t"), func(ctx context.Context, c *Claim) error {
		done <- errors.Join(c.Commit(ctx, 15), c.Commit(ctx, 3))
		<-ctx.Done()
		return nil
	})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	waitForLag(t, c, 5)
}

func TestTheLastFlushIsProducedAndCommitted(t *testing.T) {
	c := cluster(t)
	makeTopic(t, c, Topic{Name: "t", Partitions: 1})
	makeTopic(t, c, Topic{Name: "out", Partitions: 1})
	produce(t, c, "t", numbered(0, 10))
	fetched := make(chan struct{}, 1)
	m := join(t, quick(c, "t"), func(ctx context.Context, claim *Claim) error {
		for {
			b, err := claim.Fetch(ctx)
			if err != nil {
				flush := claim.FlushContext()
				if err := NewProducer(c).Produce(flush, "out", []Record{{Value: []byte("state")}}); err != nil {
					return err
				}
				return claim.Commit(flush, claim.Position())
			}
			if len(b.Records) > 0 {
				fetched <- struct{}{}
			}
		}
	})
	<-fetched
	m.stop(t)
	if values, _ := readAll(t, c, "out", 0); len(values) != 1 {
		t.Errorf("the flush wrote %q", values)
	}
	waitForLag(t, c, 0)
}

func TestAHandlerThatFailsStartsAgainAtItsLastCommit(t *testing.T) {
	c := cluster(t)
	makeTopic(t, c, Topic{Name: "t", Partitions: 1})
	produce(t, c, "t", numbered(0, 10))
	var starts atomic.Int32
	generations := newLedger()
	join(t, quick(c, "t"), func(ctx context.Context, claim *Claim) error {
		if starts.Add(1) == 1 {
			if _, err := claim.Fetch(ctx); err != nil {
				return err
			}
			if err := claim.Commit(ctx, 4); err != nil {
				return err
			}
			return errors.New("the store is full")
		}
		if claim.Start != 4 {
			t.Errorf("started again at %d", claim.Start)
		}
		return generations.handler("again")(ctx, claim)
	})
	generations.until(t, "the rest", func() bool { return len(generations.values) == 6 })
	if generations.values["3"] != 0 || generations.values["4"] != 1 {
		t.Errorf("seen after the restart: %v", generations.values)
	}
	if n := testutil.ToFloat64(c.metrics.rebalances.WithLabelValues("readers")); n != 1 {
		t.Errorf("a failing handler cost %v generations", n-1)
	}
}

func TestAHungHandlerGivesItsPartitionsUp(t *testing.T) {
	c := cluster(t)
	makeTopic(t, c, Topic{Name: "t", Partitions: 1})
	produce(t, c, "t", numbered(0, 10))

	opts := quick(c, "t")
	opts.StallTimeout = 100 * time.Millisecond
	opts.SessionTimeout, opts.RebalanceTimeout, opts.FlushTimeout = 500*time.Millisecond, 500*time.Millisecond, 100*time.Millisecond
	release, hung := make(chan struct{}), make(chan struct{}, 8)
	join(t, opts, func(context.Context, *Claim) error {
		hung <- struct{}{}
		<-release // deaf to its context
		return nil
	})
	<-hung
	defer close(release)
	seen := newLedger()
	opts.StallTimeout = time.Minute
	join(t, opts, seen.handler("b"))
	seen.until(t, "the other member takes over", func() bool { return len(seen.values) == 10 })
}

func TestABrokerRestartIsAPauseForProducerAndGroup(t *testing.T) {
	addr, dir := freeAddr(t), t.TempDir()
	b := startBroker(t, EmbeddedOptions{Addr: addr, Dir: dir})
	c := newClient(t, addr)
	makeTopic(t, c, Topic{Name: "t", Partitions: 3})
	seen := newLedger()
	join(t, quick(c, "t"), seen.handler("a"))
	p := NewProducer(c)
	if err := p.Produce(testContext(t), "t", numbered(0, 100)); err != nil {
		t.Fatal(err)
	}
	seen.until(t, "before the restart", func() bool { return len(seen.values) == 100 })

	b.Close()
	produced := make(chan error, 1)
	go func() { produced <- p.Produce(testContext(t), "t", numbered(100, 200)) }()
	b = startBroker(t, EmbeddedOptions{Addr: addr, Dir: dir})
	t.Cleanup(func() { b.Close() })
	if err := <-produced; err != nil {
		t.Fatal(err)
	}
	seen.until(t, "after the restart", func() bool { return len(seen.values) == 200 })
	waitForLag(t, c, 0)
	if n := testutil.ToFloat64(c.metrics.failures.WithLabelValues("readers")); n != 0 {
		t.Errorf("%v handlers were taken to have failed", n)
	}
}

func TestOptionsThatWouldLosePartitionsAreRefused(t *testing.T) {
	c, err := NewClient(Config{Brokers: []string{"127.0.0.1:1"}, Registry: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*GroupOptions){
		"no topics":                       func(o *GroupOptions) { o.Topics = nil },
		"flush as long as the session":    func(o *GroupOptions) { o.FlushTimeout = o.SessionTimeout },
		"heartbeat as long as session":    func(o *GroupOptions) { o.HeartbeatInterval = o.SessionTimeout },
		"flush longer than the rebalance": func(o *GroupOptions) { o.RebalanceTimeout = o.FlushTimeout / 2 },
	} {
		opts := quick(c, "t")
		change(&opts)
		if _, err := NewGroup(opts); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	problems, err := testutil.GatherAndLint(c.cfg.Registry.(*prometheus.Registry))
	if err != nil || len(problems) > 0 {
		t.Errorf("metrics: %v %v", problems, err)
	}
}

// Readiness goes by this: a spare member is in the group with nothing to do.
func TestAMemberKnowsWhetherItIsInTheGroup(t *testing.T) {
	c := cluster(t)
	makeTopic(t, c, Topic{Name: "t", Partitions: 1})
	var groups []*Group
	ctx, cancel := context.WithCancel(testContext(t))
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	for range 2 {
		g, err := NewGroup(quick(c, "t"))
		if err != nil {
			t.Fatal(err)
		}
		if n, joined := g.Assigned(); joined || n != 0 {
			t.Errorf("before Run: %d partitions, joined %t", n, joined)
		}
		groups = append(groups, g)
		running.Go(func() {
			if err := g.Run(ctx, func(ctx context.Context, _ *Claim) error { <-ctx.Done(); return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	for {
		a, first := groups[0].Assigned()
		b, second := groups[1].Assigned()
		if first && second && a+b == 1 {
			break
		}
		if pause(ctx, 5*time.Millisecond) != nil {
			t.Fatalf("%d and %d partitions, joined %t and %t", a, b, first, second)
		}
	}
	cancel()
	running.Wait()
	for _, g := range groups {
		if _, joined := g.Assigned(); joined {
			t.Error("a member that has left is still in the group")
		}
	}
}
