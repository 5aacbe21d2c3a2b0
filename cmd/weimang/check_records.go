package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"weimang/ingest/contract"
	"weimang/ingest/feedfile"
)

// Formats of a file of readings.
const (
	formatAuto = "auto"
	formatJSON = "json"
	formatCSV  = "csv"
)

// readingsCheck judges a file of readings.
type readingsCheck struct {
	format  string
	limits  contract.Limits
	clock   time.Time // zero: any time is good
	answers *answers
	lags    lags
}

func (c *readingsCheck) run(r io.Reader) error {
	b, err := feedfile.Text(r)
	if err != nil {
		return err
	}
	format := c.format
	if format == formatAuto {
		format = sniff(b)
	}
	switch format {
	case formatJSON:
		c.lags.counts.Usual = c.limits.UsualDelay
		err := eachLine(b, func(n int, line []byte) { c.answers.judge(n, c.record(line)) })
		c.answers.usualDelay = c.lags.advice()
		return err
	case formatCSV:
		return c.csv(b)
	default:
		return usagef("--format: %q must be auto, json or csv", c.format)
	}
}

// record judges one record as ingest would.
func (c *readingsCheck) record(value []byte) error {
	block, err := c.limits.Decode(contract.JSON, value)
	if err == nil && !c.clock.IsZero() {
		err = contract.CheckClock(&block, c.clock, c.limits)
	}
	if err == nil {
		c.lags.add(&block)
	}
	return err
}

func (c *readingsCheck) csv(r io.Reader) error {
	if !c.clock.IsZero() {
		return usagef("--clock now is for records that are sent; a CSV file is replayed by its own clock")
	}
	feed, err := feedfile.ReadReadings(r, feedfile.Options{Limits: c.limits, SkipBad: true})
	if err != nil {
		return err
	}
	c.answers.good = feed.Len()
	for _, bad := range feed.Rejected {
		c.answers.refuse(answer{bad.Line, bad.Reason, bad.Column, bad.Text})
	}
	if more := feed.RejectedTotal - len(feed.Rejected); more > 0 {
		// The reader keeps the first ones only; whoever has so many has one mistake.
		return fmt.Errorf("%d more rows cannot be used; mend those above first", more)
	}
	return nil
}

func checkHouseholds(r io.Reader, a *answers) error {
	rows, err := feedfile.ReadHouseholds(r)
	var bad *feedfile.BadRow
	if errors.As(err, &bad) {
		a.refuse(answer{bad.Line, bad.Reason, bad.Column, bad.Text})
		return nil
	}
	a.good = len(rows)
	return err
}

// sniff tells CSV from JSON lines by the first line: only CSV begins with the
// names of its columns.
func sniff(b *bufio.Reader) string {
	begin, _ := b.Peek(4 << 10)
	line, _, _ := bytes.Cut(bytes.TrimSpace(begin), []byte("\n"))
	if bytes.Contains(bytes.ToLower(line), []byte("meter_id")) && !bytes.ContainsAny(line, "{[") {
		return formatCSV
	}
	return formatJSON
}

// eachLine calls f with each line that is not blank, good until f returns. Of
// a line that is too long for a record f gets enough to see that.
func eachLine(b *bufio.Reader, f func(n int, line []byte)) error {
	var line []byte
	for n := 1; ; n++ {
		line = line[:0]
		var err error
		for {
			var part []byte
			part, err = b.ReadSlice('\n')
			if room := contract.MaxRecordBytes + 2 - len(line); room > 0 {
				line = append(line, part[:min(len(part), room)]...)
			}
			if !errors.Is(err, bufio.ErrBufferFull) {
				break
			}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read line %d: %w", n, err)
		}
		if record := bytes.TrimSpace(line); len(record) > 0 {
			f(n, record)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
	}
}
