package detect

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"weimang/detectors"
	"weimang/ingest"
	"weimang/ingest/stream"
)

// errOnce ends a handler, which is then called once more.
var errOnce = errors.New("once more")

// readAll takes a partition over and reads what is there of its log, of which
// nothing is saved yet.
func readAll(ctx context.Context, svc *Service, c *stream.Claim) (*partition, error) {
	p, err := svc.restore(ctx, c)
	if err == nil {
		err = p.read(ctx)
	}
	return p, err
}

// owner makes a service of which the test calls the parts itself, and calls
// handle with each claim of one partition until it returns another error than
// errOnce.
func (s *site) owner(partition int, handle func(context.Context, *Service, *stream.Claim) error) {
	s.t.Helper()
	svc, err := New(Options{Client: s.client, Producer: s.producer, Params: detectors.DefaultParams(), CheckpointEvery: time.Hour})
	if err != nil {
		s.t.Fatal(err)
	}
	g, err := stream.NewGroup(stream.GroupOptions{
		Client: s.client, ID: "weimang-detect", Topics: []string{ingest.TopicInputs},
		SessionTimeout: 2 * time.Second, HeartbeatInterval: 100 * time.Millisecond, RebalanceTimeout: 2 * time.Second,
		JoinGroupBackoff: 50 * time.Millisecond, FlushTimeout: time.Second, MaxWait: 20 * time.Millisecond,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	var result error
	err = g.Run(ctx, func(ctx context.Context, c *stream.Claim) error {
		if c.Partition() != partition {
			<-ctx.Done()
			return nil
		}
		err := handle(ctx, svc, c)
		if errors.Is(err, errOnce) {
			return err
		}
		result = err
		cancel()
		return nil
	})
	if err := errors.Join(err, result); err != nil {
		s.t.Fatal(err)
	}
	if ctx.Err() != context.Canceled {
		s.t.Fatal("the partition was not handled")
	}
}

// read takes in everything that the partition's log holds.
func (p *partition) read(ctx context.Context) error {
	for {
		batch, err := p.claim.Fetch(ctx)
		if err == nil {
			err = p.apply(ctx, batch)
		}
		if err == nil {
			err = p.send(ctx)
		}
		if err != nil || batch.Next >= batch.HighWatermark {
			return err
		}
	}
}

var home = stream.Partition([]byte("tq-0"), partitions)

// Whatever somebody else may have done to a partition in between, what is in
// memory is used only when it was nothing.
func TestStatesInMemoryAreUsedOnlyWhereNobodyElseWasThere(t *testing.T) {
	zombie := func(t *testing.T, s *site) {
		p := detectors.DefaultParams()
		s.checkpoint(label{stamp: stamp{Generation: -1}}, &area{id: "tq-0", state: detectors.NewArea(&p, "tq-0"), partition: home, next: 3})
	}
	for name, tc := range map[string]struct {
		between func(*testing.T, *site, *stream.Claim)
		regains bool
	}{
		"nothing":          {func(*testing.T, *site, *stream.Claim) {}, true},
		"more readings":    {func(_ *testing.T, s *site, _ *stream.Claim) { s.append(silentHomes(1)[200:220]) }, true},
		"a zombie's state": {func(t *testing.T, s *site, _ *stream.Claim) { zombie(t, s) }, false},
		"an erased area": {func(t *testing.T, s *site, _ *stream.Claim) {
			if err := s.producer.Produce(t.Context(), ingest.TopicCheckpoints, []stream.Record{{Key: []byte("tq-0")}}); err != nil {
				t.Fatal(err)
			}
		}, false},
		"another owner that has gone on": {func(t *testing.T, s *site, c *stream.Claim) {
			s.append(silentHomes(1)[200:220])
			if err := c.Commit(t.Context(), c.Position()+1); err != nil {
				t.Fatal(err)
			}
		}, false},
		"more partitions": {func(_ *testing.T, s *site, _ *stream.Claim) { s.grow(partitions + 1) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.append(silentHomes(1)[:200])
			first := true
			s.owner(home, func(ctx context.Context, svc *Service, c *stream.Claim) error {
				if first {
					first = false
					p, err := readAll(ctx, svc, c)
					if err != nil {
						return err
					}
					if all, err := p.finish(c); err != nil || !all {
						t.Errorf("not all is saved: %v", err)
					}
					svc.keep(p)
					tc.between(t, s, c)
					return errOnce
				}
				p, err := svc.regain(ctx, c)
				if (p != nil) != tc.regains {
					t.Errorf("regained: %t, want %t", p != nil, tc.regains)
				}
				if again, _ := svc.regain(ctx, c); again != nil {
					t.Error("a partition was regained twice")
				}
				return err
			})
		})
	}
}

// A member joins, dies without a word, and the first has all again: of what it
// had all the time it restores nothing, and nothing is lost.
func TestAMemberKeepsWhatItHasWhileOthersComeAndDie(t *testing.T) {
	s := newSite(t)
	log := silentHomes(5)
	want := undisturbed(t, log)
	svc, _ := s.member(nil)
	s.append(log[:len(log)/2])
	s.waitCaught(svc)
	before := testutil.ToFloat64(svc.metrics.regained)
	other, stop := s.member(nil)
	other.dies = true
	for svc.Owned()+other.Owned() != partitions || other.Owned() == 0 || !svc.Ready() {
		time.Sleep(time.Millisecond)
	}
	stayed := svc.Owned()
	s.append(log[len(log)/2 : len(log)*31/40])
	time.Sleep(100 * time.Millisecond)
	stop()
	s.append(log[len(log)*31/40:])
	s.waitCaught(svc)
	s.expect(want)
	if n := testutil.ToFloat64(svc.metrics.regained) - before; n < float64(2*stayed) {
		t.Errorf("%v partitions were regained, of %d that stayed through two changes", n, stayed)
	}
}
