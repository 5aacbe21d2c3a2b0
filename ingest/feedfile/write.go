package feedfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"strconv"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
)

// WriteReadings writes blocks as CSV with columns meter_id, ts and kwh, one
// row an interval, in the order they come: stamps in UTC, kWh with three
// decimals (whole Wh, as ingest would keep them), missing values empty. It
// has no column for the quality or the register: quality is not written,
// a block of registers is an error.
func WriteReadings(w io.Writer, blocks iter.Seq[ingest.Block]) error {
	out := bufio.NewWriterSize(w, 64<<10)
	line := []byte("meter_id,ts,kwh\n")
	if _, err := out.Write(line); err != nil {
		return fmt.Errorf("write readings: %w", err)
	}
	for b := range blocks {
		if b.Register {
			return errors.New("write readings: a block of registers has no column")
		}
		if !contract.ValidID(b.MeterID) {
			return errors.New("write readings: a meter id has 1 to 64 characters of A-Z a-z 0-9 . _ : and -")
		}
		for i, v := range b.KWh {
			line = append(append(line[:0], b.MeterID...), ',')
			line = b.Start.Add(time.Duration(i)*b.Interval).UTC().AppendFormat(line, time.RFC3339)
			line = append(line, ',')
			if kwh := contract.KWh(contract.WattHours(v)); !math.IsNaN(kwh) {
				line = strconv.AppendFloat(line, kwh, 'f', 3, 64)
			}
			if _, err := out.Write(append(line, '\n')); err != nil {
				return fmt.Errorf("write readings: %w", err)
			}
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write readings: %w", err)
	}
	return nil
}
