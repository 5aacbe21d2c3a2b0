package store

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"time"
	"unicode/utf8"
)

// A backup is gzip'd lines of JSON, the same for every kind of database:
//
//	{"format": "weimang store", "version": 1, "schema": 2, "kind": "sqlite", "taken_at": "…"}
//	{"table": "units", "columns": ["id", "name"]}
//	["v1", "湾底村"]
//	…
//	{"rows": 1, "sha256": "…"}
//
// Tables come before those that refer to them. A value is null, a whole number, a
// text, or an object with one member: b for bytes (base64), r for a number that
// is not whole, t for a text that is no UTF-8 (base64). The last line's sum is of
// all bytes before it.
const (
	backupFormat  = "weimang store"
	backupVersion = 1
)

// Backup says what a backup holds.
type Backup struct {
	Format  string    `json:"format"`
	Version int       `json:"version"`
	Schema  int64     `json:"schema"` // version of the schema
	Kind    Kind      `json:"kind"`   // that it was taken from
	TakenAt time.Time `json:"taken_at"`
	Rows    int64     `json:"-"`
}

// backupTable heads the rows of a table.
type backupTable struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
}

type backupEnd struct {
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

// Backup writes all there is at one moment, while others go on writing.
func (db *DB) Backup(ctx context.Context, to io.Writer) (Backup, error) {
	head := Backup{Format: backupFormat, Version: backupVersion, Kind: db.Kind(), TakenAt: db.now().UTC().Truncate(time.Second)}
	z := gzip.NewWriter(to)
	w := &backupWriter{to: bufio.NewWriterSize(z, 64<<10), sum: sha256.New()}
	err := db.view(ctx, func(st *sql.Tx) (err error) {
		if head.Schema, err = db.schemaIn(ctx, st); err != nil {
			return err
		}
		if head.Schema == 0 {
			return errors.New("there is nothing in it, not even a schema")
		}
		tables, err := db.tablesIn(ctx, st)
		if err != nil {
			return err
		}
		order, err := inOrder(tables)
		if err != nil {
			return err
		}
		w.line(head)
		for _, t := range order {
			if err := w.table(ctx, st, t); err != nil {
				return fmt.Errorf("table %s: %w", t.name, err)
			}
		}
		return nil
	})
	if err != nil {
		return head, fmt.Errorf("back the store up: %w", err)
	}
	head.Rows = w.rows
	w.line(backupEnd{Rows: w.rows, SHA256: hex.EncodeToString(w.sum.Sum(nil))})
	if err := errors.Join(w.err, w.to.Flush(), z.Close()); err != nil {
		return head, fmt.Errorf("write the backup: %w", err)
	}
	return head, nil
}

// backupWriter writes lines and keeps the first error.
type backupWriter struct {
	to   *bufio.Writer
	sum  hash.Hash
	rows int64
	err  error
}

func (w *backupWriter) line(v any) {
	if w.err != nil {
		return
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if w.err = e.Encode(v); w.err != nil {
		return
	}
	w.sum.Write(b.Bytes())
	_, w.err = w.to.Write(b.Bytes())
}

func (w *backupWriter) table(ctx context.Context, st *sql.Tx, t *table) error {
	w.line(backupTable{Table: t.name, Columns: t.columns})
	query := `SELECT ` + quotedAll(t.columns) + ` FROM ` + quoted(t.name)
	if t.counter != "" {
		query += ` ORDER BY ` + quoted(t.counter)
	}
	rows, err := st.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err says what matters
	row, into := make([]any, len(t.columns)), make([]any, len(t.columns))
	for i := range row {
		into[i] = &row[i]
	}
	for rows.Next() && w.err == nil {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, v := range row {
			if row[i], err = portable(v); err != nil {
				return fmt.Errorf("column %s: %w", t.columns[i], err)
			}
		}
		w.line(row)
		w.rows++
	}
	return errors.Join(rows.Err(), w.err)
}

// backupValue is a value that JSON has no form of its own for.
type backupValue struct {
	Bytes *[]byte `json:"b,omitempty"` // no bytes are not nothing
	Text  []byte  `json:"t,omitempty"`
	Real  *string `json:"r,omitempty"`
}

// portable is a value of a database as a backup writes it.
func portable(v any) (any, error) {
	switch v := v.(type) {
	case nil, int64:
		return v, nil
	case string:
		if !utf8.ValidString(v) {
			return backupValue{Text: []byte(v)}, nil
		}
		return v, nil
	case []byte:
		v = append([]byte{}, v...) // a nil slice would be null
		return backupValue{Bytes: &v}, nil
	case float64:
		s := strconv.FormatFloat(v, 'g', -1, 64)
		return backupValue{Real: &s}, nil
	default:
		return nil, fmt.Errorf("values of type %T cannot be backed up", v)
	}
}

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
