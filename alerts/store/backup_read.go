package store

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
)

// backupReader reads a backup and finds what is wrong with it.
type backupReader struct {
	head  Backup
	lines *bufio.Reader
	sum   hash.Hash
	rows  int64
	table backupTable // of the row last read
}

// errDamaged is what a backup is that does not end as it should.
var errDamaged = errors.New("the backup is damaged or cut short")

func damaged(why any) error { return fmt.Errorf("%w: %v", errDamaged, why) }

// readBackup reads the head.
func readBackup(from io.Reader) (*backupReader, error) {
	z, err := gzip.NewReader(from)
	if err != nil {
		return nil, fmt.Errorf("this is no backup of a store: %w", err)
	}
	r := &backupReader{lines: bufio.NewReaderSize(z, 64<<10), sum: sha256.New()}
	line, err := r.line()
	if err != nil {
		return nil, err
	}
	r.sum.Write(line)
	if err := json.Unmarshal(line, &r.head); err != nil || r.head.Format != backupFormat {
		return nil, errors.New("this is no backup of a store: its first line says otherwise")
	}
	if r.head.Version != backupVersion {
		return nil, fmt.Errorf("the backup is written in version %d, and this program reads %d: use the program that made it, or a newer one", r.head.Version, backupVersion)
	}
	if r.head.Schema < 1 {
		return nil, damaged("it names no schema")
	}
	return r, nil
}

// line reads a line. Its bytes belong to the sum, but for the last line's.
func (r *backupReader) line() ([]byte, error) {
	line, err := r.lines.ReadBytes('\n')
	if err != nil {
		return nil, damaged(err)
	}
	return line, nil
}

// next is the next row, of table r.table; io.EOF comes after the last one, if
// everything is as it was written.
func (r *backupReader) next() ([]any, error) {
	for {
		line, err := r.line()
		if err != nil {
			return nil, err
		}
		if line[0] == '[' {
			r.sum.Write(line)
			r.rows++
			return r.row(line)
		}
		var mark struct {
			backupTable
			backupEnd
		}
		if err := json.Unmarshal(line, &mark); err != nil {
			return nil, damaged(err)
		}
		if mark.SHA256 != "" {
			return nil, r.end(mark.backupEnd)
		}
		r.sum.Write(line)
		r.table = mark.backupTable
	}
}

func (r *backupReader) row(line []byte) ([]any, error) {
	var row []json.RawMessage
	if err := json.Unmarshal(line, &row); err != nil {
		return nil, damaged(err)
	}
	if len(row) != len(r.table.Columns) {
		return nil, damaged(fmt.Sprintf("a row of table %q has %d values", r.table.Table, len(row)))
	}
	values := make([]any, len(row))
	for i, v := range row {
		var err error
		if values[i], err = native(v); err != nil {
			return nil, damaged(fmt.Sprintf("table %q, column %q: %v", r.table.Table, r.table.Columns[i], err))
		}
	}
	return values, nil
}

// end compares what was read with the last line.
func (r *backupReader) end(said backupEnd) error {
	if said.Rows != r.rows || said.SHA256 != hex.EncodeToString(r.sum.Sum(nil)) {
		return damaged("its sum is another")
	}
	// What follows is not ours; the reading of it also makes gzip compare its own.
	if _, err := r.lines.ReadByte(); !errors.Is(err, io.EOF) {
		return damaged("it goes on after its end")
	}
	return io.EOF
}

// native is a value of a backup as a database takes it: nil, int64, float64,
// string or []byte.
func native(v json.RawMessage) (any, error) {
	switch {
	case string(v) == "null":
		return nil, nil
	case v[0] == '"':
		var s string
		err := json.Unmarshal(v, &s)
		return s, err
	case v[0] != '{':
		return strconv.ParseInt(string(v), 10, 64)
	}
	var other backupValue
	if err := json.Unmarshal(v, &other); err != nil {
		return nil, err
	}
	switch {
	case other.Bytes != nil:
		return *other.Bytes, nil
	case other.Text != nil:
		return string(other.Text), nil
	case other.Real != nil:
		return strconv.ParseFloat(*other.Real, 64)
	}
	return nil, errors.New("a value of an unknown form")
}
