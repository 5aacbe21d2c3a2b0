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
