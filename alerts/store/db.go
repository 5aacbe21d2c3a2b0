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
	keys    *Keys // that seal what is personal; nil: nothing is sealed
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
	// Keys seal what is personal, and open what is sealed; nil seals nothing.
	Keys *Keys
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
	if o.AsItIs {
		return db, nil
	}
	if err := db.useKeys(ctx, o.Keys); err != nil {
		return nil, errors.Join(err, db.Close())
	}
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
