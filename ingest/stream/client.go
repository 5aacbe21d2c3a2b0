package stream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
)

const (
	// requestTimeout bounds one round trip, so that a broker that has hung is
	// noticed; kafka-go tells the broker to give up at half of it.
	requestTimeout = 15 * time.Second
	dialTimeout    = 5 * time.Second
	// metadataTTL is how long the layout of the cluster may be out of date. A
	// topic made by another process is seen after that.
	metadataTTL = 3 * time.Second
)

// Config says how to reach a cluster.
type Config struct {
	Brokers  []string // host:port, at least one; the others are found through it
	ClientID string
	// Prefix is put before the name of every topic and group on its way to
	// the brokers and taken off again, so that sites, and tests, can share a
	// cluster. Records, logs, errors and metrics carry the names without it.
	Prefix string
	TLS    *tls.Config    // nil: plain text
	SASL   sasl.Mechanism // nil: no authentication
	// Dial makes every connection to a broker, by the address that the
	// brokers give of themselves; nil: as net.Dialer does. It is where a test
	// stands between a process and its brokers.
	Dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	Logger *slog.Logger // nil: silent
	// Registry receives the weimang_stream metrics of everything that uses
	// the client, so a process makes one client per registry. Nil: kept, not
	// exported.
	Registry prometheus.Registerer
}

// Client is a cluster as the producers, groups and readers of one process
// share it. It is safe for concurrent use.
type Client struct {
	cfg       Config
	transport *kafka.Transport
	kafka     *kafka.Client
	log       *slog.Logger
	metrics   *metrics
	// Disturbances, told once for all who meet them.
	fetching, producing *outage
}

// NewClient prepares a client; nothing is dialled yet.
func NewClient(cfg Config) (*Client, error) {
	if len(cfg.Brokers) == 0 {
		return nil, errors.New("stream: no brokers given")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	t := &kafka.Transport{
		DialTimeout: dialTimeout,
		MetadataTTL: metadataTTL,
		ClientID:    cfg.ClientID,
		TLS:         cfg.TLS,
		SASL:        cfg.SASL,
		Dial:        cfg.Dial,
	}
	return &Client{
		cfg:       cfg,
		transport: t,
		kafka:     &kafka.Client{Addr: kafka.TCP(cfg.Brokers...), Timeout: requestTimeout, Transport: t},
		log:       cfg.Logger,
		metrics:   newMetrics(cfg.Registry),
		fetching:  newOutage(cfg.Logger, "fetch"),
		producing: newOutage(cfg.Logger, "produce"),
	}, nil
}

// Close drops the client's connections. Nothing that uses the client may run
// any more.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Check connects to the brokers one after the other and returns nil at the
// first that answers. kafka-go's client turns a refused password or
// certificate into "Broker Not Available"; Check says what it really is, and
// returns a RefusedError where only other settings can help.
func (c *Client) Check(ctx context.Context) error {
	conn, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	// Not ApiVersions: a broker tells these even to whom it does not know.
	if _, err := conn.Brokers(); err != nil {
		return fmt.Errorf("talk to broker %s: %w", conn.RemoteAddr(), c.explain(err))
	}
	return nil
}

// Partitions asks the cluster how many partitions a topic has now. kafka-go
// answers metadata from a cache that is stale after partitions were added, so
// this takes a connection of its own. An unknown topic is
// kafka.UnknownTopicOrPartition.
func (c *Client) Partitions(ctx context.Context, topic string) (int, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	parts, err := conn.ReadPartitions(c.wire(topic))
	if err != nil {
		return 0, fmt.Errorf("partitions of %s: %w", topic, err)
	}
	return len(parts), nil
}

// wire is the brokers' name of a topic or group.
func (c *Client) wire(name string) string { return c.cfg.Prefix + name }

// plain is the name of a topic or group as everything else here knows it.
func (c *Client) plain(name string) string { return strings.TrimPrefix(name, c.cfg.Prefix) }

func (c *Client) dialer() *kafka.Dialer {
	return &kafka.Dialer{ClientID: c.cfg.ClientID, Timeout: dialTimeout, TLS: c.cfg.TLS, SASLMechanism: c.cfg.SASL, DialFunc: c.cfg.Dial}
}

// dial connects to any broker, with a deadline on everything done there.
func (c *Client) dial(ctx context.Context) (*kafka.Conn, error) {
	var errs []error
	for _, broker := range c.cfg.Brokers {
		conn, err := c.dialer().DialContext(ctx, "tcp", broker)
		if err == nil {
			if err = conn.SetDeadline(time.Now().Add(requestTimeout)); err == nil {
				return conn, nil
			}
			_ = conn.Close()
		}
		errs = append(errs, fmt.Errorf("connect to broker %s: %w", broker, c.explain(err)))
	}
	return nil, errors.Join(errs...)
}

// cachedPartitions is the number of partitions as of the last metadata
// refresh, without a round trip.
func (c *Client) cachedPartitions(ctx context.Context, topic string) (int, error) {
	topic = c.wire(topic)
	m, err := c.kafka.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return 0, err
	}
	for _, t := range m.Topics {
		if t.Name == topic && t.Error == nil && len(t.Partitions) > 0 {
			return len(t.Partitions), nil
		} else if t.Name == topic && t.Error != nil {
			return 0, t.Error
		}
	}
	return 0, kafka.UnknownTopicOrPartition
}
