package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // driver "sqlite"

	"weimang/alerts"
)

//go:embed migrations/*.sql
var migrations embed.FS

// readers bounds the pool that serves the page and other look-ups.
const readers = 4

// DB is the store. All its methods may be called at the same time; writes
// take their turn on one connection, reads never wait for them.
type DB struct {
	write *sql.DB
	read  *sql.DB
	now   func() time.Time

	turn  sync.Mutex   // one transaction at a time
	queue atomic.Int32 // those that wait for their turn
	mu    sync.Mutex
	stmts map[string]*sql.Stmt // of the writer, by text; nil: wanted
}

// Open opens the database file at path, creating it and its folder, for this
// user's eyes only, and bringing its schema up to date. now is the wall clock for what is recorded when; nil is time.Now.
func Open(ctx context.Context, path string, now func() time.Time) (*DB, error) {
	if now == nil {
		now = time.Now
	}
	if err := private(path); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	write, err := open(path, 1)
	if err != nil {
		return nil, err
	}
	read, err := open(path, readers)
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	db := &DB{write: write, read: read, now: now, stmts: map[string]*sql.Stmt{}}
	if err := db.MigrateUp(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// private makes what is missing of path, before SQLite would make a file that
// all users of the machine may read: names and addresses stand in it. What
// SQLite puts beside it takes over its rights.
func private(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func open(path string, conns int) (*sql.DB, error) {
	q := url.Values{}
	// Immediate: a transaction that will write takes its turn at the start,
	// not half-way with an error. FULL: what was acknowledged survives power loss.
	q.Set("_txlock", "immediate")
	q.Add("_pragma", "busy_timeout(10000)")
	q.Add("_pragma", "journal_mode(WAL)")
	q.Add("_pragma", "foreign_keys(1)")
	q.Add("_pragma", "synchronous(FULL)")
	if conns > 1 {
		q.Del("_txlock")
		q.Add("_pragma", "query_only(1)")
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

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

// MigrateUp brings the schema to the newest version.
func (db *DB) MigrateUp(ctx context.Context) error {
	p, err := db.migrator()
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate store: %w", err)
	}
	return nil
}

// MigrateDownTo takes the schema back to a version; 0 is an empty database.
func (db *DB) MigrateDownTo(ctx context.Context, version int64) error {
	p, err := db.migrator()
	if err != nil {
		return err
	}
	if _, err := p.DownTo(ctx, version); err != nil {
		return fmt.Errorf("migrate store back to version %d: %w", version, err)
	}
	return nil
}

func (db *DB) migrator() (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("embedded migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db.write, dir)
	if err != nil {
		return nil, fmt.Errorf("embedded migrations: %w", err)
	}
	return p, nil
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

func (db *DB) update(ctx context.Context, fn func(*tx) error) (err error) {
	db.queue.Add(1)
	db.turn.Lock()
	defer db.turn.Unlock()
	db.queue.Add(-1)
	if err := db.prepareWanted(ctx); err != nil {
		return err
	}
	st, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	// Nothing happens after a commit. After a panic it is what gives the
	// writer's only connection back.
	defer func() { err = errors.Join(err, ignoreDone(st.Rollback())) }()
	if err := fn(&tx{ctx: ctx, db: db, sql: st}); err != nil {
		return err
	}
	if err := st.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// tx is one transaction on the writer, with its context.
type tx struct {
	ctx context.Context // lives as long as the transaction
	db  *DB
	sql *sql.Tx
}

// exec runs a statement; query must be a constant, for it stays prepared.
func (t *tx) exec(query string, args ...any) (int64, error) {
	var res sql.Result
	var err error
	if s := t.db.statement(query); s != nil {
		res, err = t.sql.StmtContext(t.ctx, s).ExecContext(t.ctx, args...)
	} else {
		res, err = t.sql.ExecContext(t.ctx, query, args...)
	}
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// query is exec for a statement that answers.
func (t *tx) query(query string, args ...any) (*sql.Rows, error) {
	if s := t.db.statement(query); s != nil {
		return t.sql.StmtContext(t.ctx, s).QueryContext(t.ctx, args...)
	}
	return t.sql.QueryContext(t.ctx, query, args...)
}
