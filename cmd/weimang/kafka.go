package main

import (
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"weimang/ingest/stream"
)

// newClient is a client of the brokers given: those of the section, or the
// embedded one. Every connection to Kafka is made through what it returns.
func (k *KafkaConfig) newClient(brokers []string, log *slog.Logger, reg prometheus.Registerer) (*stream.Client, error) {
	cfg, err := k.client(brokers, log, reg)
	if err != nil {
		return nil, err
	}
	return stream.NewClient(cfg)
}

// client is what the section says of a client.
func (k *KafkaConfig) client(brokers []string, log *slog.Logger, reg prometheus.Registerer) (stream.Config, error) {
	cfg := stream.Config{Brokers: brokers, ClientID: k.ClientID, Prefix: k.Prefix, Logger: log, Registry: reg}
	if k.TLS.Enabled {
		var err error
		files := stream.TLSFiles{CA: k.TLS.CA, Cert: k.TLS.Cert, Key: k.TLS.Key, ServerName: k.TLS.ServerName}
		if cfg.TLS, err = files.Config(); err != nil {
			return cfg, fmt.Errorf("kafka.tls: %w", err)
		}
	}
	if k.SASL.Mechanism != "" {
		var err error
		if cfg.SASL, err = stream.SASL(k.SASL.Mechanism, k.SASL.User, k.SASL.Password.Reveal()); err != nil {
			return cfg, fmt.Errorf("kafka.sasl: %w", err)
		}
	}
	return cfg, nil
}
