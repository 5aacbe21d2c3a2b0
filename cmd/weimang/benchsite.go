package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"weimang/ingest/stream"
)

// benchSite is what a bench runs on: brokers, a prefix of its own there, and a
// folder.
type benchSite struct {
	brokers []string
	name    string // of the brokers, for people
	prefix  string
	dir     string
	log     *slog.Logger
	own     *ownBroker
}

// openBenchSite uses the brokers given, or starts one.
func openBenchSite(ctx context.Context, brokers []string, stderr io.Writer) (_ *benchSite, err error) {
	s := &benchSite{
		brokers: brokers, name: strings.Join(brokers, ","), prefix: fmt.Sprintf("weimang-bench-%x.", time.Now().UnixNano()),
		log: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	if s.dir, err = os.MkdirTemp("", "weimang-bench-"); err != nil {
		return nil, fmt.Errorf("folder of the bench: %w", err)
	}
	if len(brokers) == 0 {
		if s.own, err = startOwnBroker(ctx); err != nil {
			return nil, errors.Join(err, os.RemoveAll(s.dir))
		}
		s.brokers, s.name = []string{s.own.addr}, "embedded"
	}
	return s, nil
}

// connect makes a client of the topics under the site's prefix. The caller
// closes it.
func (s *benchSite) connect() (*stream.Client, error) {
	return stream.NewClient(stream.Config{Brokers: s.brokers, ClientID: "weimang-bench", Prefix: s.prefix, Logger: s.log})
}

// settings are those of a worker on the topics under a prefix: quiet, and on
// any port that is free.
func (s *benchSite) settings(prefix string, partitions int) map[string]string {
	return map[string]string{
		"KAFKA_BROKERS": strings.Join(s.brokers, ","), "KAFKA_PREFIX": prefix, "KAFKA_PARTITIONS": fmt.Sprint(partitions),
		"DATA_DIR": s.dir, "HTTP_ADDR": "127.0.0.1:0", "LOG_LEVEL": "warn",
	}
}

// close ends the broker that was started, and removes the folder. Topics on
// brokers that were given are deleted by whoever has made them.
func (s *benchSite) close() error {
	var errs []error
	if s.own != nil {
		errs = append(errs, s.own.stop())
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}
