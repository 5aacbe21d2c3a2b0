package feedfile_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"weimang/ingest"
	"weimang/ingest/feedfile"
)

// Whatever a file holds, reading it must not panic; what it yields must be in
// order and such as the wire contract would take.
func FuzzReadReadings(f *testing.F) {
	paths, err := filepath.Glob(feeds("*.csv"))
	if err != nil || len(paths) == 0 {
		f.Fatalf("no feeds: %v", err)
	}
	for _, path := range paths {
		file, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file, true)
	}
	f.Add([]byte("meter_id,ts,kwh\nm1,2026-10-25 01:00,1\nm1,2026-10-25 01:00,1\nm1,2026-03-29 01:30,1\n"), false)
	london := zone(f, "Europe/London")
	f.Fuzz(func(t *testing.T, file []byte, skipBad bool) {
		feed, err := feedfile.ReadReadings(bytes.NewReader(file), feedfile.Options{SkipBad: skipBad, Zone: london})
		if err != nil {
			var bad *feedfile.BadRow
			if errors.As(err, &bad) && (bad.Line < 1 || !slices.Contains(ingest.Reasons, bad.Reason) || bad.Text == "") {
				t.Errorf("not an answer: %v", err)
			}
			return
		}
		n, last := 0, feedfile.Row{}
		for r := range feed.InOrder() {
			if n > 0 && (r.End().Before(last.End()) || r.End().Equal(last.End()) && r.MeterID < last.MeterID) {
				t.Errorf("%v comes after %v", r, last)
			}
			if r.Start.Unix()%int64(r.Interval/time.Second) != 0 {
				t.Errorf("%v is not aligned", r)
			}
			n, last = n+1, r
		}
		if n != feed.Len() {
			t.Errorf("%d rows in order, %d in all", n, feed.Len())
		}
	})
}
