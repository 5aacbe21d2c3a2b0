package feedfile

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"weimang/ingest"
)

// table is a CSV file with a header.
type table struct {
	csv    *csv.Reader
	header []string // in lower case
}

func openTable(r io.Reader) (*table, error) {
	b, err := Text(r)
	if err != nil {
		return nil, err
	}
	t := &table{csv: csv.NewReader(b)}
	t.csv.ReuseRecord = true
	t.csv.FieldsPerRecord = -1
	header, _, err := t.next()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty; its first line names the columns")
	}
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(header))
	for _, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		if seen[name] && name != "" {
			return nil, fmt.Errorf("line 1: two columns have the same name, the second is column %d; rename or remove it", len(t.header)+1)
		}
		seen[name] = true
		t.header = append(t.header, name)
	}
	return t, nil
}

// next returns a row, good until the next call, and its line. A row that is
// not CSV, or has more in it than the header, is a *BadRow, after which reading goes on.
func (t *table) next() (record []string, line int, err error) {
	record, err = t.csv.Read()
	if err == nil {
		line, _ = t.csv.FieldPos(0)
		if bad := t.overlong(record); bad != nil {
			bad.Line = line
			return nil, line, bad
		}
		return record, line, nil
	}
	var syntax *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return nil, 0, io.EOF
	case errors.As(err, &syntax):
		rej := ingest.Reject(ingest.BadField, "", `a quote is out of place near character %d; write "" for a quote in a quoted field`, syntax.Column)
		bad := badRow("", rej)
		bad.Line = syntax.StartLine
		return nil, bad.Line, bad
	default:
		// The last good row is all that is known of the place.
		return nil, 0, fmt.Errorf("read after byte %d: %w", t.csv.InputOffset(), err)
	}
}

// overlong refuses a row that says more than the header has columns for:
// where 0,25 is written for 0.25, the energy would be read as 0.
func (t *table) overlong(record []string) *BadRow {
	for i := len(t.header); t.header != nil && i < len(record); i++ {
		if strings.TrimSpace(record[i]) != "" {
			return badRow("", ingest.Reject(ingest.BadField, "",
				"the row has %d fields and the header %d; write numbers with a decimal point, and quote a field with a comma in it", len(record), len(t.header)))
		}
	}
	return nil
}

// column is the position of a column, -1 when the header lacks it.
func (t *table) column(name string) int {
	for i, have := range t.header {
		if have == name {
			return i
		}
	}
	return -1
}

func (t *table) lacks(what string) error {
	hint := ""
	if len(t.header) == 1 && strings.ContainsAny(t.header[0], ";\t") {
		hint = "; fields are parted by commas here"
	}
	return fmt.Errorf("line 1: no column %s; the first line names the columns%s", what, hint)
}
