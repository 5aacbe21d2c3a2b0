package main

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"

	"weimang/alerts/rosterfile"
	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/feedfile"
	"weimang/ingest/simulate"
)

// writeVillage writes a village as the files that backtest, replay and run
// read.
func (o *simulateOptions) writeVillage(ctx context.Context, v *simulate.Village, stdout, stderr io.Writer) error {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	describeVillage(stderr, v)
	for _, file := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"households.csv", func(w io.Writer) error { return writeHouseholds(w, v.Homes()) }},
		{"people.csv", func(w io.Writer) error { return rosterfile.WritePeople(w, villagePeople(v)) }},
		{"incidents.jsonl", func(w io.Writer) error { return writeIncidents(w, v.Reports()) }},
		{"readings.csv.gz", func(w io.Writer) error {
			bar := newProgress(stderr, "readings")
			defer bar.clear()
			z := gzip.NewWriter(w)
			if err := feedfile.WriteReadings(z, watched(ctx, v, bar)); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			return z.Close()
		}},
	} {
		path := filepath.Join(o.out, file.name)
		if err := writeFile(path, stdout, file.write); err != nil {
			return err
		}
		fmt.Fprintln(stdout, path)
	}
	return nil
}

// watched yields the village's readings, shows how far they have come, and
// ends with ctx.
func watched(ctx context.Context, v *simulate.Village, bar *progress) iter.Seq[ingest.Block] {
	o := v.Options()
	return func(yield func(ingest.Block) bool) {
		n := 0
		for b := range v.Blocks(time.Time{}, time.Time{}) {
			if n++; n%1024 == 0 {
				if ctx.Err() != nil {
					return
				}
				bar.set(int64(b.Start.Sub(o.Start)), int64(o.End.Sub(o.Start)), b.Start.In(o.Start.Location()).Format(time.DateOnly))
			}
			if !yield(b) {
				return
			}
		}
	}
}

func writeHouseholds(w io.Writer, homes []simulate.Household) error {
	rows := [][]string{{"meter_id", "household_id", "area_id", "zone", "village_id", "label"}}
	for _, h := range homes {
		rows = append(rows, []string{h.MeterID, h.HouseholdID, h.AreaID, h.Zone, h.VillageID, h.Label})
	}
	return csv.NewWriter(w).WriteAll(rows)
}

func writeIncidents(w io.Writer, reports []ingest.Report) error {
	for i := range reports {
		if _, err := w.Write(append(contract.EncodeReport(&reports[i]), '\n')); err != nil {
			return err
		}
	}
	return nil
}
