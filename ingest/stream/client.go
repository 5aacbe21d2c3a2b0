package stream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
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
	// TopicPrefix stands before the name of every topic in the cluster, and
	// nowhere else: it keeps what shares a cluster apart.
	TopicPrefix string
	TLS         *tls.Config    // nil: plain text
	SASL        sasl.Mechanism // nil: no authentication
	Logger      *slog.Logger   // nil: silent
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

// wire is a topic's name in the cluster.
func (c *Client) wire(topic string) string { return c.cfg.TopicPrefix + topic }

// fetch is kafka-go's Fetch of a topic of ours.
func (c *Client) fetch(ctx context.Context, req *kafka.FetchRequest) (*kafka.FetchResponse, error) {
	wired := *req
	wired.Topic = c.wire(req.Topic)
	return c.kafka.Fetch(ctx, &wired)
}

// Check connects to the brokers one after the other and returns nil at the
// first that answers. kafka-go's client turns a refused password or
// certificate into "Broker Not Available"; Check says what it really is.
func (c *Client) Check(ctx context.Context) error {
	conn, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ApiVersions(); err != nil {
		return fmt.Errorf("talk to broker %s: %w", conn.RemoteAddr(), err)
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

func (c *Client) dialer() *kafka.Dialer {
	return &kafka.Dialer{ClientID: c.cfg.ClientID, Timeout: dialTimeout, TLS: c.cfg.TLS, SASLMechanism: c.cfg.SASL}
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
		errs = append(errs, fmt.Errorf("connect to broker %s: %w", broker, err))
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
