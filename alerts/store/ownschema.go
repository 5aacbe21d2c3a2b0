package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// OwnSchema makes a schema of its own in the PostgreSQL at an address, for a
// measurement or a trial, and returns the address of that; drop removes it with
// all that is in it.
func OwnSchema(ctx context.Context, address string) (own string, drop func() error, err error) {
	if err := CheckURL(address); err != nil {
		return "", nil, err
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", nil, errors.New("the address cannot be read")
	}
	name := fmt.Sprintf("weimang_%x", time.Now().UnixNano())
	if err := run(ctx, address, `CREATE SCHEMA `+name); err != nil {
		return "", nil, fmt.Errorf("make a schema: %w", err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String(), func() error {
		// Also after what it was made for was given up.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		return run(ctx, address, `DROP SCHEMA `+name+` CASCADE`)
	}, nil
}

func run(ctx context.Context, address, statement string) (err error) {
	db, err := sql.Open("pgx", address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, statement)
	return err
}
