package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Lost is a table, or a column of one, that goes when the schema is taken back.
type Lost struct {
	Table  string
	Column string // "": the whole table
	Rows   int64  // that hold something there now
}

// LostBy are the tables and columns that are gone once the schema has been taken
// back to a version, by name. The way back may write some of what they hold
// elsewhere. It is found out on a store in memory, and nothing is changed.
func (db *DB) LostBy(ctx context.Context, version int64) (lost []Lost, err error) {
	current, err := db.Schema(ctx)
	if err != nil {
		return nil, err
	}
	before, after, err := tablesAt(ctx, current, version)
	if err != nil {
		return nil, fmt.Errorf("find out what version %d has not: %w", version, err)
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if after[name] == nil {
			lost = append(lost, Lost{Table: name})
			continue
		}
		for _, c := range before[name].columns {
			if !slices.Contains(after[name].columns, c) {
				lost = append(lost, Lost{Table: name, Column: c})
			}
		}
	}
	for i := range lost {
		l := &lost[i]
		query := `SELECT COUNT(*) FROM ` + quoted(l.Table)
		if l.Column != "" {
			query += ` WHERE ` + quoted(l.Column) + ` IS NOT NULL`
		}
		if err := db.read.QueryRowContext(ctx, query).Scan(&l.Rows); err != nil {
			return nil, fmt.Errorf("count table %s: %w", l.Table, err)
		}
	}
	return lost, nil
}

// tablesAt are the tables of two versions of the schema, the later one first.
func tablesAt(ctx context.Context, from, to int64) (before, after map[string]*table, err error) {
	memory, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, nil, err
	}
	memory.SetMaxOpenConns(1) // each connection would have a memory of its own
	defer func() { err = errors.Join(err, memory.Close()) }()
	scratch := &DB{engine: &sqliteEngine{}}
	p, err := scratch.migrator(memory)
	if err != nil {
		return nil, nil, err
	}
	if _, err := p.UpTo(ctx, from); err != nil {
		return nil, nil, err
	}
	if before, err = scratch.tablesIn(ctx, memory); err != nil {
		return nil, nil, err
	}
	if _, err := p.DownTo(ctx, to); err != nil {
		return nil, nil, err
	}
	after, err = scratch.tablesIn(ctx, memory)
	return before, after, err
}
