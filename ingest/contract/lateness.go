package contract

import (
	"sync/atomic"
	"time"

	"weimang/ingest"
)

// FirstNew is the end of the first interval of a block that ends after newest,
// the end of what is there of its meter already. It is the one that a usual
// delay has to wait for: of a day in one block the first half-hour is a day
// late, however promptly the block comes. False: a repeat, a correction or
// old history, which brings nothing that was waited for.
func FirstNew(b *ingest.Block, newest time.Time) (end time.Time, ok bool) {
	if !b.End().After(newest) {
		return time.Time{}, false
	}
	known := max(0, newest.Sub(b.Start)/b.Interval)
	return b.Start.Add((known + 1) * b.Interval), true
}

// Lateness counts how late blocks come and says which usual delay fits them. It
// may be used from several goroutines.
type Lateness struct {
	usual time.Duration
	all   atomic.Int64
	late  atomic.Int64
	older atomic.Int64
	hours [LongestUsualDelay/time.Hour + 1]atomic.Int64 // late ones, by delay in hours, rounded up
}

// NewLateness counts against a site's usual delay.
func NewLateness(usual time.Duration) *Lateness { return &Lateness{usual: usual} }

// Add counts a block by its delay, which counts from the end FirstNew returns, and
// reports whether it is late. One that no usual delay could wait for is old
// history being filled in, for all that can be known: it is counted as Older only.
func (l *Lateness) Add(delay time.Duration) (late bool) {
	if delay > LongestUsualDelay {
		l.older.Add(1)
		return false
	}
	l.all.Add(1)
	if delay <= l.usual {
		return false
	}
	l.late.Add(1)
	l.hours[(delay+time.Hour-1)/time.Hour].Add(1)
	return true
}

// Count returns how many blocks a usual delay could have waited for, and how
// many of these were late.
func (l *Lateness) Count() (all, late int64) { return l.all.Load(), l.late.Load() }

// Older returns how many came later than LongestUsualDelay.
func (l *Lateness) Older() int64 { return l.older.Load() }

// Within is the least number of whole hours in which a share (0 to 1) of the
// late blocks have come; 0 if there are none.
func (l *Lateness) Within(share float64) time.Duration {
	want := share * float64(l.late.Load())
	n := int64(0)
	for h := range l.hours {
		if n += l.hours[h].Load(); n > 0 && float64(n) >= want {
			return time.Duration(h) * time.Hour
		}
	}
	return 0
}

// Fit is the usual delay that fits the late blocks, in whole hours: nearly all of them have
// come by then, and the few that are always later do not hold up everybody else.
func (l *Lateness) Fit() time.Duration { return l.Within(0.95) }
