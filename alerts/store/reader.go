package store

import (
	"context"
	"database/sql"
)

// reader is the pool of connections that only read. What fails for a passing
// cause is asked again.
type reader struct {
	*sql.DB
	engine engine
}

// QueryContext is that of sql.DB, with ? for values.
func (r reader) QueryContext(ctx context.Context, query string, args ...any) (rows *sql.Rows, err error) {
	args = r.engine.args(args)
	err = retry(ctx, r.engine.passing, func() error {
		rows, err = r.DB.QueryContext(ctx, r.engine.query(query), args...) //nolint:rowserrcheck // collect asks
		return err
	})
	return rows, err
}

// QueryRowContext is that of sql.DB, with ? for values.
func (r reader) QueryRowContext(ctx context.Context, query string, args ...any) (row *sql.Row) {
	args = r.engine.args(args)
	_ = retry(ctx, r.engine.passing, func() error { // Scan says it again
		row = r.DB.QueryRowContext(ctx, r.engine.query(query), args...)
		return row.Err()
	})
	return row
}
