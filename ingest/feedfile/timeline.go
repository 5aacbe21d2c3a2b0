package feedfile

import (
	"iter"
	"slices"
	"time"

	"weimang/ingest"
)

// Item is one step of a feed: a row, or a report with Report set.
type Item struct {
	// Clock is the feed's clock: the largest interval end so far. Before the
	// first row it is when the report became known.
	Clock  time.Time
	Row    Row
	Report *ingest.Report
}

// Timeline yields readings and reports in the order in which they became
// known. A backtest and a replay both go by it, which is why they agree.
func Timeline(feed *Feed, reports []ingest.Report) iter.Seq[Item] {
	return func(yield func(Item) bool) {
		due := slices.Clone(reports)
		slices.SortStableFunc(due, func(a, b ingest.Report) int { return a.KnownAt().Compare(b.KnownAt()) })
		var clock time.Time
		tell := func() bool {
			at := clock
			if at.IsZero() {
				at = due[0].KnownAt()
			}
			more := yield(Item{Clock: at, Report: &due[0]})
			due = due[1:]
			return more
		}
		for row := range feed.InOrder() {
			end := row.End()
			for len(due) > 0 && due[0].KnownAt().Before(end) {
				if !tell() {
					return
				}
			}
			clock = end
			if !yield(Item{Clock: clock, Row: row}) {
				return
			}
		}
		for len(due) > 0 && !due[0].KnownAt().After(clock) {
			if !tell() {
				return
			}
		}
	}
}
