package feedfile

import (
	"iter"
	"slices"
	"time"

	"weimang/ingest"
)

// Item is one step of a feed: a row, or a report or directive that is set.
type Item struct {
	// Clock is the feed's clock: the largest interval end so far. Before the
	// first row it is when the report or directive became known.
	Clock     time.Time
	Row       Row
	Report    *ingest.Report
	Directive *ingest.Directive
}

// knownAt is when what is no row became known.
func (x *Item) knownAt() time.Time {
	if x.Directive != nil {
		return x.Directive.IssuedAt
	}
	return x.Report.KnownAt()
}

// Timeline yields readings, reports and directives in the order in which they
// became known. A backtest and a replay both go by it, which is why they agree.
func Timeline(feed *Feed, reports []ingest.Report, directives []ingest.Directive) iter.Seq[Item] {
	return func(yield func(Item) bool) {
		due := make([]Item, 0, len(reports)+len(directives))
		for i := range reports {
			due = append(due, Item{Report: &reports[i]})
		}
		for i := range directives {
			due = append(due, Item{Directive: &directives[i]})
		}
		slices.SortStableFunc(due, func(a, b Item) int { return a.knownAt().Compare(b.knownAt()) })
		var clock time.Time
		tell := func() bool {
			item := due[0]
			if item.Clock = clock; clock.IsZero() {
				item.Clock = item.knownAt()
			}
			due = due[1:]
			return yield(item)
		}
		for row := range feed.InOrder() {
			end := row.End()
			for len(due) > 0 && due[0].knownAt().Before(end) {
				if !tell() {
					return
				}
			}
			clock = end
			if !yield(Item{Clock: clock, Row: row}) {
				return
			}
		}
		for len(due) > 0 && !due[0].knownAt().After(clock) {
			if !tell() {
				return
			}
		}
	}
}
