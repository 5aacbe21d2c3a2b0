package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
)

// ErrFenced says that the partition belongs to another generation by now:
// nothing of what was done since the last commit counts as done, and the new
// owner does it again.
var ErrFenced = errors.New("partition was taken away")

// Claim is one partition for as long as one generation of the group leaves it
// to this member. The handler that got it uses it from one goroutine; Commit
// and Alive may be called from others.
type Claim struct {
	*Cursor
	// Start is the offset the claim began at: the committed one, or the
	// begin of the log.
	Start int64
	// Generation of the group, growing; written beside state it tells a
	// zombie's work from the owner's.
	Generation int

	commits  prometheus.Counter
	flush    context.Context //nolint:containedctx // handed out, see FlushContext
	progress *atomic.Int64   // unix nano of the last sign of life
	lag      lag

	mu        sync.Mutex
	commit    func(id tp, next int64) error
	committed int64
	moved     int64 // the cursor's resets as of the last commit
	fenced    bool  // a commit was refused for good
	over      bool  // the handler has returned
}

// FlushContext returns a context for the last writes and the last commit: it
// outlives the handler's by the group's FlushTimeout, which is shorter than
// the time after which the broker gives the partition to another member.
func (c *Claim) FlushContext() context.Context { return c.flush }

// Alive tells the group's watchdog that a handler which does not fetch for
// long, since it restores state for instance, has not hung.
func (c *Claim) Alive() { c.progress.Store(time.Now().UnixNano()) }

// Fetch is the cursor's. To call it means that the batch before is handled, for
// the metrics of lag.
func (c *Claim) Fetch(ctx context.Context) (Batch, error) {
	c.lag.handled(c.Position())
	b, err := c.Cursor.Fetch(ctx)
	if err == nil {
		c.lag.fetched(&b)
	}
	return b, err
}

// Commit records that everything before offset next is handled. It goes
// forwards only: a lower offset than the last one is ignored. The broker
// refuses it when the generation is over: ErrFenced. So is one whose connection
// to the broker is lost, since kafka-go's generation does not make another.
func (c *Claim) Commit(ctx context.Context, next int64) error {
	c.Alive()
	// One lock over the check and the commit, so that commits of two
	// goroutines cannot overtake each other.
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return ErrFenced
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if n := c.resets.Load(); n != c.moved { // the log itself went back
		c.moved, c.committed = n, -1
	}
	if next <= c.committed {
		return nil
	}
	err := c.commit(c.id, next)
	switch {
	case err == nil:
		c.committed = next
		c.commits.Inc()
		return nil
	case generationOver(err):
		c.fenced = true
		return fmt.Errorf("commit %s at %d: %w (%w)", c.id, next, ErrFenced, err)
	default:
		return fmt.Errorf("commit %s at %d: %w", c.id, next, err)
	}
}

// Committed is the offset before which everything counts as handled, -1 when
// nothing was ever committed.
func (c *Claim) Committed() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.committed
}

// Confirm asks the broker whether the claim still holds, by committing the place
// it began at: nil when it does, ErrFenced when the generation is over. It is
// for before the first commit.
func (c *Claim) Confirm() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return ErrFenced
	}
	err := c.commit(c.id, c.Start)
	if err != nil && generationOver(err) {
		c.fenced = true
		return fmt.Errorf("confirm %s: %w (%w)", c.id, ErrFenced, err)
	}
	return err
}

// generationOver reports whether no later commit can succeed either.
func generationOver(err error) bool {
	switch code := kafka.Error(0); {
	case !errors.As(err, &code):
		return true // not an answer of the broker: the connection is gone
	default:
		return code == kafka.IllegalGeneration || code == kafka.UnknownMemberId || code == kafka.RebalanceInProgress
	}
}

// end makes every later commit fail.
func (c *Claim) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
}

// done is how far the claim is committed, for a handler that starts again, and
// whether it could commit any more.
func (c *Claim) done() (committed int64, fenced bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.committed, c.fenced
}
