package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed migrations/*.sql
var migrations embed.FS

// NewestSchema is the version of the schema that this program works with.
func NewestSchema() (int64, error) {
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		return 0, fmt.Errorf("embedded migrations: %w", err)
	}
	var newest int64
	for _, file := range files {
		v, err := goose.NumericComponent(file.Name())
		if err != nil {
			return 0, fmt.Errorf("embedded migrations: %w", err)
		}
		newest = max(newest, v)
	}
	return newest, nil
}

// Schema is the version of the store's schema, 0 where there is none yet.
func (db *DB) Schema(ctx context.Context) (int64, error) {
	v, err := db.schemaIn(ctx, db.read.DB)
	return v, wrap("read the version of the schema", err)
}

func (db *DB) schemaIn(ctx context.Context, q database.DBTxConn) (int64, error) {
	versions, err := database.NewStore(db.engine.dialect(), goose.DefaultTablename)
	if err != nil {
		return 0, err
	}
	tables, err := db.tablesIn(ctx, q)
	if err != nil || tables[goose.DefaultTablename] == nil {
		return 0, err
	}
	return versions.GetLatestVersion(ctx, q)
}

// refuseNewer refuses a schema that was made by a newer program.
func (db *DB) refuseNewer(ctx context.Context) error {
	newest, err := NewestSchema()
	if err != nil {
		return err
	}
	current, err := db.Schema(ctx)
	if err != nil {
		return err
	}
	return refuse(current, newest)
}

func refuse(current, newest int64) error {
	if current <= newest {
		return nil
	}
	return fmt.Errorf("the store's schema is of version %d, and this program knows %d at most: run the newer program, or let that one take the schema back ('weimang store migrate --to %d')", current, newest, newest)
}

// MigrateUp brings the schema to the newest version. Where several processes
// start at once one does it, and the others find it done.
func (db *DB) MigrateUp(ctx context.Context) error {
	newest, err := NewestSchema()
	if err != nil {
		return err
	}
	return db.migrate(ctx, newest, false)
}

// MigrateTo takes the schema forward or back to a version; 0 is an empty
// database. What is lost on the way back says LostBy.
func (db *DB) MigrateTo(ctx context.Context, version int64) error {
	newest, err := NewestSchema()
	if err != nil {
		return err
	}
	if version < 0 || version > newest {
		return fmt.Errorf("the schema has versions 0 to %d, and no %d", newest, version)
	}
	return db.migrate(ctx, version, true)
}

// migrate goes to a version, back only where that is wanted: beside a newer
// program that has just started an older one must not undo what that has done.
func (db *DB) migrate(ctx context.Context, version int64, back bool) error {
	err := db.engine.alone(ctx, func(on *sql.DB) error {
		p, err := db.migrator(on)
		if err != nil {
			return err
		}
		current, newest, err := p.GetVersions(ctx)
		if err != nil {
			return err
		}
		if err := refuse(current, newest); err != nil {
			return err
		}
		if back && version < current {
			_, err = p.DownTo(ctx, version)
		} else {
			_, err = p.UpTo(ctx, version)
		}
		return err
	})
	if err == nil {
		return db.forgetStatements()
	}
	return fmt.Errorf("bring the store's schema to version %d: %w", version, err)
}

// forgetStatements drops what was prepared for the schema before.
func (db *DB) forgetStatements() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	var errs []error
	for query, s := range db.stmts {
		if s != nil {
			errs = append(errs, s.Close())
		}
		delete(db.stmts, query)
	}
	return errors.Join(errs...)
}

func (db *DB) migrator(on *sql.DB) (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("embedded migrations: %w", err)
	}
	p, err := goose.NewProvider(db.engine.dialect(), on, db.engine.migrations(dir), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("embedded migrations: %w", err)
	}
	return p, nil
}
