package feedfile

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"weimang/ingest"
	"weimang/ingest/contract"
)

// OpenDirectives reads a file of directives; "-" is standard input.
func OpenDirectives(path string) ([]ingest.Directive, error) {
	return readFile(path, func(r io.Reader, _ int64) ([]ingest.Directive, error) { return ReadDirectives(r) })
}

// ReadDirectives reads JSON lines, plain or gzip, in the order of the file.
// Empty lines are skipped. The first bad line ends it with an error that names
// it and wraps the *ingest.Rejection.
func ReadDirectives(r io.Reader) ([]ingest.Directive, error) {
	b, err := Text(r)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(b)
	var all []ingest.Directive
	n := 0
	for lines.Scan() {
		n++
		value := bytes.TrimSpace(lines.Bytes())
		if len(value) == 0 {
			continue
		}
		d, err := contract.DecodeDirective(contract.JSON, value)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		all = append(all, d)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read after line %d: %w", n, err)
	}
	return all, nil
}
