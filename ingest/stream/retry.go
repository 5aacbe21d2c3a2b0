package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// backoff is the pause between tries: doubled from 20 ms (an embedded broker
// restarts in that) to 2 s, with jitter so that partitions do not retry in
// step.
type backoff struct{ next time.Duration }

// sleep waits the next pause or until ctx ends, and returns ctx's error.
func (b *backoff) sleep(ctx context.Context) error {
	const first, longest = 20 * time.Millisecond, 2 * time.Second
	if b.next == 0 {
		b.next = first
	}
	d := b.next/2 + rand.N(b.next/2) //nolint:gosec // jitter
	b.next = min(2*b.next, longest)
	return pause(ctx, d)
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// fewTries asks a few times, for questions whose caller wants an answer or an
// error soon. After a broker restart the first use of each pooled connection
// fails. While a partition or a group is moving to another broker it asks on,
// for as long as one request may take.
func fewTries(ctx context.Context, ask func() error) error {
	const tries = 5
	var wait backoff
	for n, begun := 1, time.Now(); ; n++ {
		err := ask()
		done := n >= tries && (!moves(err) || time.Since(begun) > requestTimeout)
		if err == nil || done || permanent(err) || wait.sleep(ctx) != nil {
			return err
		}
	}
}

// moves reports whether the broker that was asked leads the partition, or keeps
// the group's offsets, not yet or no more. With a cluster that has just been
// started, has lost a broker, or has just made the topic, that takes seconds.
func moves(err error) bool {
	return errors.Is(err, kafka.NotLeaderForPartition) || errors.Is(err, kafka.LeaderNotAvailable) ||
		errors.Is(err, kafka.NotCoordinatorForGroup) || errors.Is(err, kafka.GroupCoordinatorNotAvailable) ||
		errors.Is(err, kafka.GroupLoadInProgress)
}

// permanent reports whether trying the same request again cannot help. Other
// errors, lost connections and unknown topics among them, are worth a retry.
func permanent(err error) bool {
	if refused := (*RefusedError)(nil); errors.As(err, &refused) {
		return true
	}
	for _, e := range []kafka.Error{
		kafka.TopicAuthorizationFailed, kafka.GroupAuthorizationFailed, kafka.ClusterAuthorizationFailed,
		kafka.SASLAuthenticationFailed, kafka.UnsupportedSASLMechanism, kafka.IllegalSASLState,
		kafka.MessageSizeTooLarge, kafka.RecordListTooLarge, kafka.InvalidTopic, kafka.InvalidRequiredAcks,
		kafka.InvalidTimestamp, kafka.UnsupportedForMessageFormat, kafka.UnsupportedVersion,
		kafka.UnsupportedCompressionType, kafka.PolicyViolation, kafka.InvalidRecord,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// tp names a partition.
type tp struct {
	topic     string
	partition int
}

func (t tp) String() string { return fmt.Sprintf("%s/%d", t.topic, t.partition) }

// outage logs the begin and the end of a disturbance seen by many goroutines,
// and is quiet while nothing changes. Who has called failed calls recovered
// when it has succeeded or given up.
type outage struct {
	log  *slog.Logger
	what string // "produce", "fetch", "join"

	mu      sync.Mutex
	failing map[tp]struct{} // who fails now
	last    string          // text of the last error logged
	since   time.Time
}

func newOutage(log *slog.Logger, what string) *outage {
	return &outage{log: log, what: what, failing: make(map[tp]struct{})}
}

// failed notes that one of the goroutines met err and will try again.
func (o *outage) failed(id tp, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.failing) == 0 {
		o.since, o.last = time.Now(), ""
	}
	o.failing[id] = struct{}{}
	if text := err.Error(); text != o.last {
		o.last = text
		o.log.Warn("broker request fails, trying again", "op", o.what, "error", err)
	}
}

// recovered notes that one that failed does not fail any more.
func (o *outage) recovered(id tp) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, was := o.failing[id]; !was {
		return
	}
	if delete(o.failing, id); len(o.failing) == 0 {
		o.log.Info("broker answers again", "op", o.what, "after", time.Since(o.since).Round(time.Millisecond))
	}
}

// spell is one caller's share of an outage: it fails and recovers by its own.
type spell struct {
	out    *outage
	id     tp
	failed bool
}

func (s *spell) fail(err error) {
	s.failed = true
	s.out.failed(s.id, err)
}

func (s *spell) end() {
	if s.failed {
		s.out.recovered(s.id)
	}
}
