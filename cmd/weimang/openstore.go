package main

import (
	"context"
	"errors"
	"os"
	"time"

	"weimang/alerts/store"
)

// withStore runs fn on the store that a configuration file names, which must be
// there.
func withStore(ctx context.Context, file string, fn func(*Config, *store.DB) error) error {
	cfg, err := LoadConfig(file, os.Environ())
	if err != nil {
		return err
	}
	db, err := openStoreToRead(ctx, cfg, time.Now)
	if err != nil {
		return err
	}
	return errors.Join(fn(cfg, db), db.Close())
}
