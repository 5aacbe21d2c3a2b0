package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

// catalogueTexts ask the database about itself.
type catalogueTexts struct {
	columns    string // table, column, 1 where it numbers rows by itself; by table and place
	references string // table, table that it refers to
	size       string // bytes
}

// table is one table of the schema.
type table struct {
	name    string
	columns []string
	counter string   // the column that numbers rows by itself; "" is none
	parents []string // tables that it refers to, itself left out
}

// tablesIn are all tables, the one of migrations included, by name.
func (db *DB) tablesIn(ctx context.Context, q database.DBTxConn) (map[string]*table, error) {
	texts, tables := db.engine.catalogue(), make(map[string]*table)
	type fact struct {
		table, other string
		counts       bool
	}
	rows, err := q.QueryContext(ctx, texts.columns)
	columns, err := collect(rows, err, func(rows *sql.Rows) (f fact, err error) {
		err = rows.Scan(&f.table, &f.other, &f.counts)
		return f, err
	})
	if err != nil {
		return nil, wrap("list the tables", err)
	}
	for _, c := range columns {
		t := tables[c.table]
		if t == nil {
			t = &table{name: c.table}
			tables[c.table] = t
		}
		t.columns = append(t.columns, c.other)
		if c.counts {
			t.counter = c.other
		}
	}
	rows, err = q.QueryContext(ctx, texts.references)
	references, err := collect(rows, err, func(rows *sql.Rows) (f fact, err error) {
		err = rows.Scan(&f.table, &f.other)
		return f, err
	})
	if err != nil {
		return nil, wrap("list the tables", err)
	}
	for _, r := range references {
		if t := tables[r.table]; t != nil && r.other != r.table {
			t.parents = append(t.parents, r.other)
		}
	}
	return tables, nil
}

// inOrder are the tables that hold what people and detectors have said, those
// that are referred to ahead of those that refer to them, else by name.
func inOrder(tables map[string]*table) ([]*table, error) {
	var out []*table
	placed := map[string]bool{goose.DefaultTablename: true}
	for len(placed) < len(tables) {
		before := len(out)
		for _, name := range slices.Sorted(maps.Keys(tables)) {
			t := tables[name]
			if placed[name] || slices.ContainsFunc(t.parents, func(p string) bool { return !placed[p] }) {
				continue
			}
			placed[name] = true
			out = append(out, t)
		}
		if len(out) == before {
			return nil, fmt.Errorf("tables refer to each other in a circle")
		}
	}
	return out, nil
}

// quoted is a name as SQL takes it in any case.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func quotedAll(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = quoted(n)
	}
	return strings.Join(out, ", ")
}

// Info is what an operator wants to know of a store.
type Info struct {
	Kind   Kind
	Schema int64 // version, 0 for none
	Newest int64 // version that this program works with
	Tables []TableInfo
	Bytes  int64 // on the disk, indexes included
}

// TableInfo is a table of the store.
type TableInfo struct {
	Name string
	Rows int64
}

// Info counts what is in the store.
func (db *DB) Info(ctx context.Context) (info Info, err error) {
	info.Kind = db.Kind()
	if info.Newest, err = NewestSchema(); err != nil {
		return info, err
	}
	err = db.view(ctx, func(st *sql.Tx) error {
		if info.Schema, err = db.schemaIn(ctx, st); err != nil {
			return err
		}
		if info.Tables, err = db.countIn(ctx, st); err != nil {
			return err
		}
		return st.QueryRowContext(ctx, db.engine.catalogue().size).Scan(&info.Bytes)
	})
	return info, wrap("look at the store", err)
}

// countIn counts the rows of all tables, by name.
func (db *DB) countIn(ctx context.Context, st *sql.Tx) ([]TableInfo, error) {
	tables, err := db.tablesIn(ctx, st)
	if err != nil {
		return nil, err
	}
	delete(tables, goose.DefaultTablename)
	var out []TableInfo
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		t := TableInfo{Name: name}
		if err := st.QueryRowContext(ctx, `SELECT COUNT(*) FROM `+quoted(name)).Scan(&t.Rows); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// view runs fn in a transaction that sees one moment of the store and changes
// nothing.
func (db *DB) view(ctx context.Context, fn func(*sql.Tx) error) error {
	st, err := db.read.BeginTx(ctx, db.engine.snapshot())
	if err != nil {
		return err
	}
	defer func() { _ = st.Rollback() }() // it has changed nothing
	if err := db.engine.wholeStore(ctx, st); err != nil {
		return err
	}
	return fn(st)
}
