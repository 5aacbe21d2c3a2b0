package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// Kind is a kind of database.
type Kind string

// Kinds of databases.
const (
	SQLite   Kind = "sqlite"
	Postgres Kind = "postgres"
)

// work is what a transaction is for. Transactions of one work come one after
// the other, in all processes that share a store.
type work string

const (
	alertWork work = "alerts"  // everything but the following
	useWork   work = "history" // the use of homes, much of it at a time
)

// works are all there are.
var works = []work{alertWork, useWork}

// engine is what differs between the databases, and the only place for it:
// rules, queries and migrations are the same for all.
type engine interface {
	kind() Kind
	dialect() goose.Dialect
	// migrations are the schema's files in the database's own words.
	migrations(common fs.FS) fs.FS

	// query is a text of this package as the database wants it; the text stays
	// in memory.
	query(text string) string
	// args are values for it as the database takes them. The slice is the
	// engine's to change.
	args(values []any) []any
	// prepares reports whether statements have to be prepared by this package.
	prepares() bool

	// shared reports whether works keep each other waiting.
	shared() bool
	// take waits in a transaction that has begun for the turns of works among
	// the processes that share the database; they end with the transaction. The
	// mark finds the transaction again (fate).
	take(ctx context.Context, tx *sql.Tx, of ...work) (mark string, err error)
	// passing reports whether err came of the server or the way to it, so that
	// the same may go well later.
	passing(err error) bool
	// fate is what became of a transaction whose commit ended in an error.
	fate(ctx context.Context, mark string, commit error) (fate, error)
	// wholeStore changes a transaction that will read or write everything:
	// no limit of time is for it.
	wholeStore(ctx context.Context, tx *sql.Tx) error

	// alone runs fn while no other process does: for changes of the schema. db
	// knows no limits of time.
	alone(ctx context.Context, fn func(db *sql.DB) error) error

	// catalogue is what the database says of its tables, see catalogue.go.
	catalogue() catalogueTexts
	// numberOn lets a column that numbers rows by itself go on after its highest
	// number.
	numberOn(ctx context.Context, tx *sql.Tx, table, column string) error
	// scrub takes what was overwritten or deleted out of the database's files, as
	// far as that is this program's to do.
	scrub(ctx context.Context, db *sql.DB) error
	// snapshot is how to begin a transaction that sees one moment.
	snapshot() *sql.TxOptions
}

// fate is what became of a transaction.
type fate string

const (
	committed  fate = "committed"
	rolledBack fate = "aborted"
	unknown    fate = "unknown"
)

// errUnknownFate is the end of a transaction of which nobody can say whether it
// took effect.
var errUnknownFate = errors.New("the store went away during the commit, and whether it took effect could not be asked")
