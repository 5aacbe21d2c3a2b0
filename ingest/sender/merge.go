package sender

import (
	"iter"

	"weimang/ingest"
)

// Merge puts reports, in order of ingest.Report.KnownAt, among blocks, in
// order of interval end: a report goes before the first block that ends after
// it became known. Reports known after the last block has ended are left out,
// as a feed that stops there would not know them. areaOf places a meter; "" is
// fine.
func Merge(blocks iter.Seq[ingest.Block], reports []ingest.Report, areaOf func(meterID string) string) iter.Seq[Item] {
	return func(yield func(Item) bool) {
		due := reports
		var last ingest.Block
		for b := range blocks {
			for len(due) > 0 && due[0].KnownAt().Before(b.End()) {
				if !yield(Item{Report: &due[0]}) {
					return
				}
				due = due[1:]
			}
			last = b
			if !yield(Item{Block: b, Area: areaOf(b.MeterID)}) {
				return
			}
		}
		for len(due) > 0 && !due[0].KnownAt().After(last.End()) {
			if !yield(Item{Report: &due[0]}) {
				return
			}
			due = due[1:]
		}
	}
}
