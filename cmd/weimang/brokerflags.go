package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"weimang/ingest/stream"
)

// brokerFlags say which brokers a command talks to.
type brokerFlags struct {
	config  string
	brokers []string
}

func (b *brokerFlags) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&b.config, "config", "c", "", "configuration file (YAML); only where the brokers are, and the zone")
	f.StringSliceVar(&b.brokers, "brokers", nil, "Kafka brokers; these go before the configuration's")
}

// load reads the configuration, with the brokers of the flags in it.
func (b *brokerFlags) load() (*Config, error) {
	cfg, err := LoadConfig(b.config, os.Environ())
	if err == nil && len(b.brokers) > 0 {
		cfg.Kafka.Brokers = b.brokers
	}
	return cfg, err
}

// connect reads the configuration and dials its brokers. The caller closes the
// client.
func (b *brokerFlags) connect(ctx context.Context, stderr io.Writer) (*stream.Client, *Config, error) {
	cfg, err := b.load()
	if err != nil {
		return nil, nil, err
	}
	client, err := dialBrokers(ctx, cfg, stderr)
	return client, cfg, err
}

// dialBrokers reaches the brokers that a configuration names, or else those in
// the process of 'weimang run' on this machine. The caller closes the client.
func dialBrokers(ctx context.Context, cfg *Config, stderr io.Writer) (*stream.Client, error) {
	brokers, hint := cfg.Kafka.Brokers, ""
	if cfg.Embedded() {
		brokers = []string{cfg.Kafka.Addr}
		hint = "; no brokers are configured, so 'weimang run' must be running on this machine, or name some with --brokers"
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	client, err := cfg.Kafka.newClient(brokers, log, nil)
	if err != nil {
		return nil, err
	}
	if err := client.Check(ctx); err != nil {
		client.Close()
		return nil, fmt.Errorf("%w%s", err, hint)
	}
	return client, nil
}
