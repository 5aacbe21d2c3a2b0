package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"weimang/alerts"
)

// readers bounds the pool that serves the page and other look-ups.
const readers = 4

// DB is the store. All its methods may be called at the same time; writes of
// one work take their turn, reads never wait for them.
type DB struct {
	engine  engine
	write   *sql.DB
	read    reader
	now     func() time.Time
	metrics *metrics
	lanes   map[work]*lane

	mu    sync.Mutex
	stmts map[string]*sql.Stmt // of the writer, by text; nil: wanted
}

// lane is where the transactions of a work, or of all, take their turn.
type lane struct {
	turn  chan struct{} // holds one: whoever takes it out has the turn
	queue atomic.Int32  // those that wait for it
}

// Options say where a store is.
type Options struct {
	// URL of a PostgreSQL database, see CheckURL; "" is SQLite at Path.
	URL string
	// Path of the database file of SQLite. It is made with its folder where it is
	// missing, for this user's eyes only.
	Path string
	// AsItIs leaves the schema as it is. Otherwise it is brought up to date.
	AsItIs bool
	// Now is the wall clock for what is recorded when; nil is time.Now.
	Now func() time.Time
	// Registry for the metrics; nil is none.
	Registry prometheus.Registerer
}

// Open opens the SQLite database at path, with the wall clock now (OpenWith).
func Open(ctx context.Context, path string, now func() time.Time) (*DB, error) {
	return OpenWith(ctx, Options{Path: path, Now: now})
}

// OpenWith opens a store. One with a schema newer than this program knows is
// refused.
func OpenWith(ctx context.Context, o Options) (*DB, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	db := &DB{now: o.Now, stmts: map[string]*sql.Stmt{}, lanes: map[work]*lane{}}
	var err error
	if o.URL != "" {
		db.engine, db.write, db.read.DB, err = nilOnError(openPostgres(ctx, o.URL))
	} else {
		db.engine, db.write, db.read.DB, err = nilOnError(openSQLite(o.Path))
	}
	if err != nil {
		return nil, err
	}
	db.read.engine = db.engine
	for i, w := range works {
		if i > 0 && db.engine.shared() {
			db.lanes[w] = db.lanes[works[0]]
			continue
		}
		db.lanes[w] = &lane{turn: make(chan struct{}, 1)}
		db.lanes[w].turn <- struct{}{}
	}
	if o.AsItIs {
		err = db.refuseNewer(ctx)
	} else {
		err = db.MigrateUp(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	db.metrics = newMetrics(o.Registry, db)
	return db, nil
}

// nilOnError keeps a nil pointer from becoming an engine.
func nilOnError[E engine](e E, write, read *sql.DB, err error) (engine, *sql.DB, *sql.DB, error) {
	if err != nil {
		return nil, nil, nil, err
	}
	return e, write, read, nil
}

// Kind is the kind of database.
func (db *DB) Kind() Kind { return db.engine.kind() }

// Close closes the store.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	var errs []error
	for _, s := range db.stmts {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	clear(db.stmts)
	return errors.Join(append(errs, db.read.Close(), db.write.Close())...)
}

// prepareWanted prepares the statements that transactions asked for so far.
// It runs between transactions: the writer has one connection, and preparing
// beside a transaction would wait for it for ever.
func (db *DB) prepareWanted(ctx context.Context) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	for query, s := range db.stmts {
		if s != nil {
			continue
		}
		s, err := db.write.PrepareContext(ctx, query)
		if err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
		db.stmts[query] = s
	}
	return nil
}

// statement is the prepared statement of that text, or nil, and then it will
// be there for the next transaction.
func (db *DB) statement(query string) *sql.Stmt {
	if !db.engine.prepares() {
		return nil
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	s := db.stmts[query]
	if s == nil {
		db.stmts[query] = nil
	}
	return s
}

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
