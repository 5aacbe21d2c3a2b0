package intake

import (
	"sync/atomic"
	"time"

	"weimang/ingest"
	"weimang/ingest/stream"
)

// noEnd is the end of a record that is no reading.
var noEnd time.Time

// Clock tells the run's clock for a record that ends at end (noEnd for an
// incident or a directive): skew and lateness are judged by it, and it goes into the area's
// log with the entry.
type Clock func(r *stream.Record, end time.Time) time.Time

// Wall is the clock of a live run; now is time.Now outside tests.
func Wall(now func() time.Time) Clock {
	return func(*stream.Record, time.Time) time.Time { return now() }
}

// Feed is the clock of a replayed feed: what the record's header
// ingest.FeedClockHeader says, or without one the latest interval end seen,
// this record's included, so that such a feed has no future. A clock that the
// header sets is the same however often a record is read again.
func Feed() Clock {
	var latest atomic.Int64 // unix nano of the latest end seen
	return func(r *stream.Record, end time.Time) time.Time {
		if text, ok := r.Header(ingest.FeedClockHeader); ok {
			// A time that no log or dead letter can write down is no clock.
			if at, err := time.Parse(time.RFC3339Nano, text); err == nil && at.Unix() > 0 && at.UTC().Year() <= 9999 {
				return at.UTC()
			}
		}
		if !end.IsZero() {
			raise(&latest, end.UnixNano())
		}
		if n := latest.Load(); n != 0 {
			return time.Unix(0, n).UTC()
		}
		return time.Time{}
	}
}

// raise sets v to at least n and reports whether that changed it.
func raise(v *atomic.Int64, n int64) bool {
	for {
		old := v.Load()
		if old >= n {
			return false
		}
		if v.CompareAndSwap(old, n) {
			return true
		}
	}
}
