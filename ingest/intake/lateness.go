package intake

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"weimang/ingest"
	"weimang/ingest/contract"
)

// lateness watches whether feed.usual_delay fits how blocks come. Where it is too
// short, the first home's block decides its area without the others, each of
// which is a correction when it comes: many times the work, and messages that
// are taken back. Nobody would see why.
type lateness struct {
	usual time.Duration
	every time.Duration // how often it may tell: an hour, but for tests
	delay prometheus.Histogram
	late  prometheus.Counter

	// newest is the latest end of a meter, at its hash: see heard. Each place is
	// one meter's; the others that fall there are not judged, so many meters are
	// judged by a sample.
	newest [1 << 16]atomic.Uint64
	seed   maphash.Seed

	mu   sync.Mutex
	hour contract.Lateness // since it last told
}

func newLateness(usual time.Duration, m *metrics) *lateness {
	return &lateness{
		usual: usual, every: time.Hour, delay: m.delay, late: m.late, seed: maphash.MakeSeed(), hour: contract.Lateness{Usual: usual},
	}
}

// batch counts some blocks, on its own: partitions would otherwise wait for each
// other at every block.
type batch struct {
	*lateness
	counts contract.Lateness
}

func (l *lateness) batch() *batch {
	return &batch{l, contract.Lateness{Usual: l.usual}}
}

// end adds the batch to the hour.
func (l *batch) end() {
	l.late.Add(float64(l.counts.Late))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hour.Merge(&l.counts)
}

// block notes a block that was accepted at clock.
func (l *batch) block(b *ingest.Block, clock time.Time) {
	hash := maphash.String(l.seed, b.MeterID)
	at := &l.newest[hash%uint64(len(l.newest))]
	mine, was := heard{meter: uint32(hash >> 32), end: quarter(b.End())}, unpack(at.Load())
	if was.meter != mine.meter {
		if mine.end < was.end+longQuiet {
			return
		}
		was.end = 0
	}
	first, ok := contract.FirstNew(b, time.Unix(int64(was.end)*900, 0))
	if !ok {
		return
	}
	at.Store(mine.pack()) // two partitions may both: one block is then judged too mildly
	delay := max(0, clock.Sub(first))
	l.delay.Observe(delay.Seconds())
	l.counts.Add(delay)
}

// heard is what is known of a meter: some bits of its hash, and the end of its
// newest interval in quarter-hours since 1970. The zero value is nobody's.
type heard struct{ meter, end uint32 }

// longQuiet is after how many quarter-hours a meter that says nothing more
// loses its place to another.
const longQuiet = 2 * 96

func quarter(t time.Time) uint32 { return uint32(t.Unix() / 900) }
func (p heard) pack() uint64     { return uint64(p.meter)<<32 | uint64(p.end) }
func unpack(packed uint64) heard { return heard{uint32(packed >> 32), uint32(packed)} }

// fewestBlocks are what an hour needs to prove anything: after a start, when
// nothing is known yet, a correction by hand looks like news.
const fewestBlocks = 5

// run tells once an hour, until ctx ends.
func (l *lateness) run(ctx context.Context, log *slog.Logger) {
	hourly := time.NewTicker(l.every)
	defer hourly.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hourly.C:
			l.tell(log)
		}
	}
}

// tell says so if most blocks since the last call were late. What a sender fills
// in of its past is not among them where newer blocks of the same meters are
// there; the first fill of an empty system, and a backlog, cannot be told from a
// late feed, so the line names them too.
func (l *lateness) tell(log *slog.Logger) {
	l.mu.Lock()
	hour := l.hour
	l.hour = contract.Lateness{Usual: l.usual}
	l.mu.Unlock()
	if hour.All < fewestBlocks || !hour.Most() {
		return
	}
	log.Warn("most blocks come later than feed.usual_delay: areas are decided without them and again with each of them, which costs many times as much and takes messages back",
		"late", hour.Late, "of", hour.All, "older_than_any_usual_delay", hour.Older, "usual_delay", hour.Usual,
		"half_within", hour.Within(0.5), "nearly_all_within", hour.Fit(),
		"remedy", fmt.Sprintf("feed.usual_delay: %gh; none if a backlog or history is being filled in", hour.Fit().Hours()))
}
