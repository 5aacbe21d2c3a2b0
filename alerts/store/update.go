package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"weimang/alerts"
)

// Update implements alerts.Store.
func (db *DB) Update(ctx context.Context, fn func(alerts.Tx) error) error {
	return db.update(ctx, func(t *tx) error { return fn(t) })
}

// update runs fn in a transaction of its own, after those before it, and returns
// nil once what fn did is durable. fn may be called again from the begin, when
// the database went away before anything was committed: what it says to its
// caller it sets, and does not add to.
func (db *DB) update(ctx context.Context, fn func(*tx) error) error {
	return db.updateFor(ctx, alertWork, fn)
}

func (db *DB) updateFor(ctx context.Context, of work, fn func(*tx) error) error {
	waiting := time.Now()
	l := db.lanes[of]
	l.queue.Add(1)
	select {
	case <-l.turn:
		l.queue.Add(-1)
	case <-ctx.Done():
		l.queue.Add(-1)
		return fmt.Errorf("wait for the store: %w", context.Cause(ctx))
	}
	defer func() { l.turn <- struct{}{} }()
	again := false
	return retry(ctx, db.engine.passing, func() error {
		if again {
			db.metrics.again.Inc()
		}
		again = true
		return db.once(ctx, of, waiting, fn)
	})
}

// once begins a transaction, runs fn and commits. waiting is since when.
func (db *DB) once(ctx context.Context, of work, waiting time.Time, fn func(*tx) error) (err error) {
	if err := db.prepareWanted(ctx); err != nil {
		return err
	}
	st, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	// Nothing happens after a commit. After a panic it is what gives the
	// writer's connection back. Where the connection is gone, so is the
	// transaction.
	defer func() { _ = st.Rollback() }()
	mark, err := db.engine.take(ctx, st, of)
	if err != nil {
		return fmt.Errorf("wait for the store: %w", err)
	}
	begun := time.Now()
	db.metrics.wait[of].Observe(begun.Sub(waiting).Seconds())
	if err := fn(&tx{ctx: ctx, db: db, sql: st}); err != nil {
		return err
	}
	if err := st.Commit(); err != nil {
		if err := db.settle(ctx, mark, err); err != nil {
			return fmt.Errorf("commit: %w", err)
		}
	}
	db.metrics.took[of].Observe(time.Since(begun).Seconds())
	return nil
}

// settle says what a commit came to that ended in an error: nil if it took
// effect after all, and the error if it did not; then it may be tried again.
//
// The answer may be lost on a commit that was sent. Nothing is tried again
// before the database has said what became of it. Where it cannot be asked, or
// does not know for certain, the error is errUnknownFate, which is not passing: the
// caller does its work again, as after a crash, and each effect has an identity by
// which a repeat is known (a transition is applied once, a message is in the outbox
// once). Only a receipt may be noted twice, and a message whose receipt was not
// noted is sent again when its lease ends.
func (db *DB) settle(ctx context.Context, mark string, err error) error {
	// ctx may be what cut the answer off.
	ask, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	switch became, asking := db.engine.fate(ask, mark, err); became {
	case committed:
		return nil
	case rolledBack:
		return err
	default:
		// Not wrapped: what kept it from being asked may pass, this does not.
		return fmt.Errorf("%w: %v (%v)", errUnknownFate, err, asking) //nolint:errorlint // see above
	}
}

// tx is one transaction on the writer, with its context.
type tx struct {
	ctx context.Context // lives as long as the transaction
	db  *DB
	sql *sql.Tx
}

// exec runs a statement; query must be a constant, for it stays prepared.
func (t *tx) exec(query string, args ...any) (int64, error) {
	args = t.db.engine.args(args)
	var res sql.Result
	var err error
	if s := t.db.statement(query); s != nil {
		res, err = t.sql.StmtContext(t.ctx, s).ExecContext(t.ctx, args...)
	} else {
		res, err = t.sql.ExecContext(t.ctx, t.db.engine.query(query), args...)
	}
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// query is exec for a statement that answers. The rows have to be closed before
// the transaction's next statement.
func (t *tx) query(query string, args ...any) (*sql.Rows, error) {
	args = t.db.engine.args(args)
	if s := t.db.statement(query); s != nil {
		return t.sql.StmtContext(t.ctx, s).QueryContext(t.ctx, args...)
	}
	return t.sql.QueryContext(t.ctx, t.db.engine.query(query), args...)
}
