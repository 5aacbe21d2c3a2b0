package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // driver "sqlite"
)

// sqliteEngine is a database file of this machine. Other processes may have it
// open, too: a transaction that writes waits for theirs when it begins.
type sqliteEngine struct{ write *sql.DB }

// openSQLite opens the file at path, making it and its folder.
func openSQLite(path string) (_ *sqliteEngine, write, read *sql.DB, err error) {
	if err := private(path); err != nil {
		return nil, nil, nil, fmt.Errorf("open store: %w", err)
	}
	if write, err = openSQLiteFile(path, 1); err != nil {
		return nil, nil, nil, err
	}
	if read, err = openSQLiteFile(path, readers); err != nil {
		return nil, nil, nil, errors.Join(err, write.Close())
	}
	return &sqliteEngine{write: write}, write, read, nil
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

func openSQLiteFile(path string, conns int) (*sql.DB, error) {
	q := url.Values{}
	// Immediate: a transaction that will write takes its turn at the start,
	// not half-way with an error. FULL: what was acknowledged survives power loss.
	q.Set("_txlock", "immediate")
	q.Add("_pragma", "busy_timeout(10000)")
	q.Add("_pragma", "journal_mode(WAL)")
	q.Add("_pragma", "foreign_keys(1)")
	q.Add("_pragma", "synchronous(FULL)")
	// What is erased, or overwritten as a wrong number is, is gone from the file.
	q.Add("_pragma", "secure_delete(1)")
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

func (*sqliteEngine) kind() Kind                    { return SQLite }
func (*sqliteEngine) dialect() goose.Dialect        { return goose.DialectSQLite3 }
func (*sqliteEngine) migrations(common fs.FS) fs.FS { return common }
func (*sqliteEngine) query(text string) string      { return text }
func (*sqliteEngine) args(values []any) []any       { return values }
func (*sqliteEngine) prepares() bool                { return true }
func (*sqliteEngine) shared() bool                  { return true } // one connection writes

// take has nothing to wait for: an immediate transaction has the file.
func (*sqliteEngine) take(context.Context, *sql.Tx, ...work) (string, error) { return "", nil }

// passing: whoever waits longer than the busy timeout for a file of this machine
// has another trouble.
func (*sqliteEngine) passing(error) bool { return false }

// fate: there is nobody between a commit and its answer.
func (*sqliteEngine) fate(context.Context, string, error) (fate, error) { return rolledBack, nil }

func (*sqliteEngine) wholeStore(context.Context, *sql.Tx) error { return nil }

func (e *sqliteEngine) alone(_ context.Context, fn func(*sql.DB) error) error { return fn(e.write) }

// snapshot: in WAL mode a transaction sees the moment of its first read.
func (*sqliteEngine) snapshot() *sql.TxOptions { return &sql.TxOptions{ReadOnly: true} }

// scrub empties the log of writes, in which old pages are. What was deleted in
// the file itself is overwritten when it is (secure_delete).
func (*sqliteEngine) scrub(ctx context.Context, db *sql.DB) error {
	var busy, frames, moved int
	err := db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved)
	if err == nil && busy != 0 {
		return errors.New("another process reads the store, so that old pages stay in its log until it is idle for a moment")
	}
	return wrap("empty the store's log", err)
}

// numberOn has nothing to do: the next number follows the highest.
func (*sqliteEngine) numberOn(context.Context, *sql.Tx, string, string) error { return nil }

func (*sqliteEngine) catalogue() catalogueTexts {
	return catalogueTexts{
		columns: `SELECT t.name, c.name, CASE WHEN c.type = 'INTEGER' AND c.pk = 1
				AND (SELECT COUNT(*) FROM pragma_table_info(t.name) k WHERE k.pk > 0) = 1 THEN 1 ELSE 0 END
			FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY t.name, c.cid`,
		references: `SELECT DISTINCT t.name, f."table" FROM sqlite_master t JOIN pragma_foreign_key_list(t.name) f WHERE t.type = 'table' ORDER BY 1, 2`,
		size:       `SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`,
	}
}
