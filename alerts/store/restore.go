package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Restore puts a backup into the store, all of it or nothing. The store may be of
// another kind than the one it was taken from. One in which there is anything is
// refused, unless replace says that it may go. Nobody else may use the store
// meanwhile.
//
// The backup is read twice: nothing is touched before the whole of it is known to
// be well.
func (db *DB) Restore(ctx context.Context, from io.ReadSeeker, replace bool) (Backup, error) {
	head, err := verify(from)
	if err != nil {
		return head, err
	}
	if err := db.makeRoom(ctx, head, replace); err != nil {
		return head, err
	}
	if _, err := from.Seek(0, io.SeekStart); err != nil {
		return head, fmt.Errorf("read the backup: %w", err)
	}
	if err := db.load(ctx, from, replace); err != nil {
		return head, fmt.Errorf("restore the store: %w", err)
	}
	return head, db.MigrateUp(ctx)
}

// verify reads a whole backup.
func verify(from io.Reader) (Backup, error) {
	r, err := readBackup(from)
	if err != nil {
		return Backup{}, err
	}
	for err == nil {
		_, err = r.next()
	}
	r.head.Rows = r.rows
	if !errors.Is(err, io.EOF) {
		return r.head, err
	}
	return r.head, nil
}

// makeRoom brings the store to the schema that the backup was taken of, if that
// costs nothing.
func (db *DB) makeRoom(ctx context.Context, head Backup, replace bool) error {
	info, err := db.Info(ctx)
	if err != nil {
		return err
	}
	if head.Schema > info.Newest {
		return fmt.Errorf("the backup's schema is of version %d, and this program knows %d at most: use the program that made it, or a newer one", head.Schema, info.Newest)
	}
	switch err := refuseRows(info.Tables); {
	case err == nil:
		return db.MigrateTo(ctx, head.Schema)
	case !replace:
		return err
	case info.Schema != head.Schema:
		return fmt.Errorf("the backup's schema is of version %d and the store's of %d: only an empty store can take it", head.Schema, info.Schema)
	}
	return nil
}

// refuseRows refuses a store that is not empty.
func refuseRows(tables []TableInfo) error {
	var full []string
	for _, t := range tables {
		if t.Rows > 0 {
			full = append(full, t.Name)
		}
	}
	if len(full) == 0 {
		return nil
	}
	return fmt.Errorf("the store is not empty, there are rows in %s: restore into another, or let go of what is there (--replace)", strings.Join(full, ", "))
}

// load replaces all rows, in one transaction.
func (db *DB) load(ctx context.Context, from io.Reader, replace bool) error {
	r, err := readBackup(from)
	if err != nil {
		return err
	}
	st, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = st.Rollback() }() // nothing happens after a commit
	if err := db.engine.wholeStore(ctx, st); err != nil {
		return err
	}
	mark, err := db.engine.take(ctx, st, works...)
	if err != nil {
		return err
	}
	if !replace {
		counts, err := db.countIn(ctx, st)
		if err == nil {
			err = refuseRows(counts) // somebody may have come since
		}
		if err != nil {
			return err
		}
	}
	tables, err := db.tablesIn(ctx, st)
	if err != nil {
		return err
	}
	order, err := inOrder(tables)
	if err != nil {
		return err
	}
	for _, t := range slices.Backward(order) {
		if _, err := st.ExecContext(ctx, `DELETE FROM `+quoted(t.name)); err != nil {
			return fmt.Errorf("empty table %s: %w", t.name, err)
		}
	}
	in := &loader{ctx: ctx, engine: db.engine, tx: st, tables: tables}
	if err := in.rows(r); err != nil {
		return err
	}
	for _, t := range order {
		if t.counter == "" {
			continue
		}
		if err := db.engine.numberOn(ctx, st, t.name, t.counter); err != nil {
			return fmt.Errorf("number table %s on: %w", t.name, err)
		}
	}
	if err := st.Commit(); err != nil {
		return db.settle(ctx, mark, err)
	}
	return nil
}

// What one statement of a restore brings at most. SQLite takes 32,766 values.
const (
	loadRows   = 100
	loadValues = 10_000
)

// loader collects rows of one table and inserts them together.
type loader struct {
	ctx    context.Context // lives as long as the transaction
	engine engine
	tx     *sql.Tx
	tables map[string]*table

	into   backupTable
	values []any
}

func (l *loader) rows(r *backupReader) error {
	for {
		row, err := r.next()
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return err
		}
		if full := len(l.values) + len(row); last || r.table.Table != l.into.Table || full > loadValues || full > loadRows*len(row) {
			if err := l.insert(); err != nil {
				return fmt.Errorf("fill table %s: %w", l.into.Table, err)
			}
		}
		if last {
			return nil
		}
		if l.into = r.table; l.tables[l.into.Table] == nil {
			return damaged(fmt.Sprintf("its schema has no table %q", l.into.Table))
		}
		l.values = append(l.values, row...)
	}
}

func (l *loader) insert() error {
	if len(l.values) == 0 {
		return nil
	}
	width := len(l.into.Columns)
	row := "(?" + strings.Repeat(", ?", width-1) + ")"
	text := `INSERT INTO ` + quoted(l.into.Table) + ` (` + quotedAll(l.into.Columns) + `) VALUES ` + row + strings.Repeat(", "+row, len(l.values)/width-1)
	_, err := l.tx.ExecContext(l.ctx, l.engine.query(text), l.engine.args(l.values)...)
	l.values = l.values[:0]
	return err
}
