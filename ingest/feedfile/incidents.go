package feedfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"weimang/ingest"
	"weimang/ingest/contract"
)

// OpenIncidents reads a file of incidents; "-" is standard input.
func OpenIncidents(path string) ([]ingest.Report, error) {
	return readFile(path, func(r io.Reader, _ int64) ([]ingest.Report, error) { return ReadIncidents(r) })
}

// ReadIncidents reads JSON lines, plain or gzip, each a record of topic
// weimang.incidents, in the order of the file. Empty lines are skipped. The
// first bad line ends it with an error that names it and wraps the
// *ingest.Rejection.
func ReadIncidents(r io.Reader) ([]ingest.Report, error) {
	b, err := Text(r)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(b)
	lines.Buffer(nil, contract.MaxRecordBytes+2) // the line's end included
	var reports []ingest.Report
	n := 0
	for lines.Scan() {
		n++
		value := bytes.TrimSpace(lines.Bytes())
		if len(value) == 0 {
			continue
		}
		report, err := contract.DecodeIncident(contract.JSON, bytes.Clone(value))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		reports = append(reports, report)
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("line %d: %w", n+1,
			ingest.Reject(ingest.TooLarge, "", "an incident has at most %d bytes; one incident a line", contract.MaxRecordBytes))
	case err != nil:
		return nil, fmt.Errorf("read after line %d: %w", n, err)
	}
	return reports, nil
}
