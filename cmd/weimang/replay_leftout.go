package main

import (
	"fmt"
	"io"

	"github.com/prometheus/client_golang/prometheus"

	"weimang/ingest"
)

// tellLeftOut says what ingest did not take of a replay, and why: a file that
// went to the dead letters as a whole must not look like one in which nothing
// happened. It reads what ingest has counted in this process.
func tellLeftOut(w io.Writer, reg prometheus.Gatherer, asOfFeed bool) error {
	families, err := reg.Gather()
	if err != nil {
		return fmt.Errorf("count what was left out: %w", err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			n := m.GetCounter().GetValue()
			if n == 0 {
				continue
			}
			switch family.GetName() {
			case "weimang_ingest_unknown_meter_records_total":
				fmt.Fprintf(w, "left out: %.0f of meters that are not in the roster\n", n)
			case "weimang_ingest_records_rejected_total":
				reason := m.GetLabel()[0].GetValue()
				hint := ""
				if reason == string(ingest.TooLate) && !asOfFeed {
					hint = ", by the clock on the wall (--as-of-feed goes by the feed's own)"
				}
				fmt.Fprintf(w, "dead letters: %.0f %s%s\n", n, reason, hint)
			}
		}
	}
	return nil
}
