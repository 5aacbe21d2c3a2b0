package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// postgresEngine is a schema of a PostgreSQL database, which other processes may
// share.
//
// Each transaction begins by waiting for a lock of the database, one for each
// work: what the rules above the store read is then theirs until they commit, as
// it is with SQLite's one writer. A process that dies frees its lock with its
// connection; one that hangs, or a peer that is gone without a word, loses it
// after the times below.
type postgresEngine struct {
	config *pgx.ConnConfig
	read   *sql.DB
	schema int64    // its object id: sites in one database have locks of their own
	texts  sync.Map // queries as they came → as PostgreSQL wants them
}

// leastPostgres is the first version with all functions that are used here.
const leastPostgres = 13

// openPostgres reaches the database at the address and makes sure that it can be
// used.
func openPostgres(ctx context.Context, address string) (_ *postgresEngine, write, read *sql.DB, err error) {
	config, err := parsePostgres(address)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("open store: %w", err)
	}
	write = stdlib.OpenDB(*config, prepared(nameServer))
	write.SetMaxOpenConns(len(works))
	// What this pool is asked for must not write, by a mistake in a query. It is
	// no setting of the address: with it a server would seem to be a stand-by.
	read = stdlib.OpenDB(*config, prepared(nameServer+`; SET default_transaction_read_only = on`))
	read.SetMaxOpenConns(readers)
	for _, db := range []*sql.DB{write, read} {
		db.SetMaxIdleConns(readers)
		db.SetConnMaxLifetime(sessionLife)
	}
	e := &postgresEngine{config: config, read: read}
	err = retry(ctx, e.passing, func() error { return e.look(ctx) })
	if err != nil {
		return nil, nil, nil, errors.Join(fmt.Errorf("open store: %w", err), write.Close(), read.Close())
	}
	return e, write, read, nil
}

// look finds the schema and refuses a database that cannot be used.
func (e *postgresEngine) look(ctx context.Context) error {
	var version int
	var encoding string
	err := e.read.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_encoding'),
		COALESCE((SELECT oid::bigint FROM pg_namespace WHERE nspname = current_schema()), 0)`).Scan(&version, &encoding, &e.schema)
	switch {
	case err != nil:
		return err
	case version/10000 < leastPostgres:
		return fmt.Errorf("PostgreSQL is of version %d; %d or later is needed", version/10000, leastPostgres)
	case encoding != "UTF8":
		return fmt.Errorf("the database keeps text as %s, which not all names can be written in; make one with ENCODING 'UTF8'", encoding)
	case e.schema == 0:
		return errors.New("the schema that search_path names does not exist, or this user may not use it")
	}
	return nil
}

// scrub has nothing to do: the server keeps old versions of rows until its own
// vacuum, and its log until it is recycled or archived.
func (*postgresEngine) scrub(context.Context, *sql.DB) error { return nil }

func (*postgresEngine) kind() Kind                    { return Postgres }
func (*postgresEngine) dialect() goose.Dialect        { return goose.DialectPostgres }
func (*postgresEngine) migrations(common fs.FS) fs.FS { return postgresFS{common} }
func (*postgresEngine) prepares() bool                { return false } // pgx does, by text and connection
func (*postgresEngine) shared() bool                  { return false }

// query numbers the placeholders, once a text.
func (e *postgresEngine) query(text string) string {
	if done, ok := e.texts.Load(text); ok {
		return done.(string)
	}
	numbered := numberPlaceholders(text)
	e.texts.Store(text, numbered)
	return numbered
}

// args replaces what PostgreSQL's text cannot hold, a NUL and bytes that are no
// UTF-8, by U+FFFD: a report or a finding with such a character in it must not
// be refused for ever.
func (*postgresEngine) args(values []any) []any {
	for i, v := range values {
		if s, ok := v.(string); ok && (strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s)) {
			values[i] = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
		}
	}
	return values
}

// Locks of the database: what they are for, above the schema's object id.
const (
	lockAlerts  int64 = 0x5765_0001 << 32
	lockUse     int64 = 0x5765_0002 << 32
	lockMigrate int64 = 0x5765_0003 << 32
)

var lockOf = map[work]int64{alertWork: lockAlerts, useWork: lockUse}

// nameServer keeps in a session which life of which server it is of. A server has
// a new one after each start, and after each crash of a session, which ends all of
// them: then its statistics begin anew.
const nameServer = `SELECT set_config('weimang.server', concat_ws(' ', pg_postmaster_start_time(), pg_stat_get_bgwriter_stat_reset_time()), false)`

// prepared runs statements on each new connection of a pool.
func prepared(statements string) stdlib.OptionOpenDB {
	return stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, statements)
		if err != nil {
			err = errors.Join(err, c.Close(ctx)) // nobody else does
		}
		return err
	})
}

// take's mark is the transaction's number and the life of the server that it is
// of.
func (e *postgresEngine) take(ctx context.Context, tx *sql.Tx, of ...work) (mark string, err error) {
	for _, w := range of {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, lockOf[w]|e.schema); err != nil {
			return "", err
		}
	}
	err = tx.QueryRowContext(ctx, `SELECT pg_current_xact_id()::text || ' ' || current_setting('weimang.server')`).Scan(&mark)
	return mark, err
}

func (e *postgresEngine) passing(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case "40001", "40P01", // serialization failure, deadlock
			"25P03",                   // ended for having been idle in a transaction
			"25006",                   // the server has become a stand-by
			"53300",                   // too many connections
			"57P01", "57P02", "57P03": // shut down, crashed, starting
			return true
		}
		return strings.HasPrefix(pg.Code, "08") // connection exception
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) && !pgconn.Timeout(err) {
		return false
	}
	for _, gone := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, driver.ErrBadConn, pgconn.ErrConnClosed, sql.ErrConnDone} {
		if errors.Is(err, gone) {
			return true
		}
	}
	_, network := errors.AsType[net.Error](err)
	return network
}

// fate is known where the database has refused the commit. Where its answer was
// lost, or its last word was that it goes down, it is asked by the transaction's
// number. One that is still in progress belongs to a session that has not yet
// noticed that its client is gone.
//
// A number is given out again after a crash, unless what its transaction wrote was
// on the disk. So "aborted", and a number not reached yet, are true in any case:
// one that was committed stays so. "committed" is true of this transaction only in
// the same life of the server.
func (e *postgresEngine) fate(ctx context.Context, mark string, commit error) (fate, error) {
	if pg, ok := errors.AsType[*pgconn.PgError](commit); ok && pg.SeverityUnlocalized == "ERROR" {
		return rolledBack, nil
	}
	number, server, _ := strings.Cut(mark, " ")
	var status sql.NullString
	var same bool
	err := retry(ctx, func(err error) bool { return e.passing(err) || errors.Is(err, errInProgress) }, func() error {
		err := e.read.QueryRowContext(ctx, `SELECT pg_xact_status($1::text::xid8), current_setting('weimang.server') = $2::text`, number, server).Scan(&status, &same)
		if err == nil && status.String == "in progress" {
			return errInProgress
		}
		return err
	})
	pg, refused := errors.AsType[*pgconn.PgError](err)
	switch {
	case refused && pg.Code == "22023": // the number is in the future
		return rolledBack, nil
	case err != nil:
		return unknown, err
	case status.String == string(rolledBack):
		return rolledBack, nil
	case status.String == string(committed) && same:
		return committed, nil
	default:
		return unknown, errors.New("the server has begun anew since, or the transaction was too long ago")
	}
}

var errInProgress = errors.New("the transaction is still in progress")

func (*postgresEngine) wholeStore(ctx context.Context, tx *sql.Tx) error {
	for _, limit := range []string{`SET LOCAL statement_timeout = 0`, `SET LOCAL idle_in_transaction_session_timeout = 0`} {
		if _, err := tx.ExecContext(ctx, limit); err != nil {
			return err
		}
	}
	return nil
}

func (e *postgresEngine) alone(ctx context.Context, fn func(*sql.DB) error) (err error) {
	config := e.config.Copy()
	config.RuntimeParams["statement_timeout"] = "0"
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	// The lock ends with the connection, however that ends.
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, lockMigrate|e.schema); err != nil {
		return fmt.Errorf("wait for other processes that change the schema: %w", err)
	}
	return fn(db)
}

func (*postgresEngine) snapshot() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

func (*postgresEngine) numberOn(ctx context.Context, tx *sql.Tx, table, column string) error {
	var next int64
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(`+quoted(column)+`), 0) + 1 FROM `+quoted(table)).Scan(&next); err != nil {
		return err
	}
	// A table whose references are not checked yet cannot be altered.
	if _, err := tx.ExecContext(ctx, `SET CONSTRAINTS ALL IMMEDIATE`); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, fmt.Sprintf(`ALTER TABLE %s ALTER COLUMN %s RESTART WITH %d`, quoted(table), quoted(column), next))
	return err
}

func (*postgresEngine) catalogue() catalogueTexts {
	return catalogueTexts{
		columns: `SELECT c.table_name::text, c.column_name::text, CASE WHEN c.is_identity = 'YES' THEN 1 ELSE 0 END
			FROM information_schema.columns c JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
			WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' ORDER BY c.table_name::text COLLATE "C", c.ordinal_position`,
		references: `SELECT DISTINCT a.relname::text, b.relname::text FROM pg_constraint f JOIN pg_class a ON a.oid = f.conrelid JOIN pg_class b ON b.oid = f.confrelid
			WHERE f.contype = 'f' AND a.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) ORDER BY 1, 2`,
		size: `SELECT COALESCE(SUM(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
			WHERE c.relkind = 'r' AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())`,
	}
}
