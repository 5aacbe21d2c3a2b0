// Package streamtest decides which broker a test runs on: an embedded one of
// its own, or the Apache Kafka that deploy/local/kafka has started and the
// environment names. It is for tests only, and does not import stream, so that
// stream's own tests can use it.
package streamtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// Variables of the environment, as deploy/local/kafka prints them: host:port
// with commas between, and a folder.
const (
	Plain     = "TEST_KAFKA"            // listener without TLS and passwords
	TLS       = "TEST_KAFKA_TLS"        // with TLS
	TLSClient = "TEST_KAFKA_TLS_CLIENT" // with TLS, and asking for a client's certificate
	SASL      = "TEST_KAFKA_SASL"       // asking for a password
	SASLTLS   = "TEST_KAFKA_SASL_TLS"   // with TLS, asking for a password
	files     = "TEST_KAFKA_FILES"      // folder of certificates
)

// User and Password of the SASL listeners.
const (
	User     = "weimang"
	Password = "only-for-tests"
)

// Embedded is a broker in the process.
type Embedded interface {
	Addr() string
	Close()
}

// Cluster is what a test runs on: brokers, and a prefix for the names of its
// topics and groups that no other test has.
type Cluster struct {
	Brokers []string
	Prefix  string
}

// Start returns the Kafka that the environment names, or else starts an
// embedded broker with its default options (start is stream.StartEmbedded). At
// the test's end the broker is closed, or what lies under the prefix deleted.
func Start[B Embedded, O any](t testing.TB, start func(O) (B, error)) Cluster {
	t.Helper()
	if os.Getenv(Plain) != "" {
		return Real(t)
	}
	var defaults O
	b, err := start(defaults)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return Cluster{Brokers: []string{b.Addr()}}
}

// Real returns the Kafka that the environment names, and skips the test where
// it names none.
func Real(t testing.TB) Cluster {
	t.Helper()
	c := Cluster{Brokers: Listener(t, Plain), Prefix: uniquePrefix()}
	t.Cleanup(func() { c.remove(t) })
	return c
}

// Listener returns the addresses of one of the real Kafka's listeners, and
// skips the test where the environment does not name it.
func Listener(t testing.TB, variable string) []string {
	t.Helper()
	addrs := os.Getenv(variable)
	if addrs == "" {
		t.Skipf("no real Kafka: %s is not set, see deploy/local/kafka", variable)
	}
	return strings.Split(addrs, ",")
}

// File returns the path of one of the real Kafka's certificates or keys:
// ca.pem, other-ca.pem, client.pem, client.key.
func File(t testing.TB, name string) string {
	t.Helper()
	return filepath.Join(Listener(t, files)[0], name)
}

var prefixes atomic.Int64

// uniquePrefix differs between the tests of a process and, since several
// packages are tested at a time, between processes.
func uniquePrefix() string {
	return fmt.Sprintf("t%d-%d-%d.", time.Now().Unix(), os.Getpid(), prefixes.Add(1))
}

// remove deletes the topics and groups under the prefix. Groups whose members
// were killed are left to the broker.
func (c Cluster) remove(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	admin := &kafka.Client{Addr: kafka.TCP(c.Brokers...), Transport: transport}
	m, err := admin.Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		t.Errorf("list the topics of this test: %v", err)
		return
	}
	var topics []string
	for _, topic := range m.Topics {
		if strings.HasPrefix(topic.Name, c.Prefix) {
			topics = append(topics, topic.Name)
		}
	}
	if len(topics) > 0 {
		if _, err := admin.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: topics}); err != nil {
			t.Errorf("delete the topics of this test: %v", err)
		}
	}
	list, err := admin.ListGroups(ctx, &kafka.ListGroupsRequest{})
	if err != nil {
		t.Errorf("list the groups of this test: %v", err)
		return
	}
	var groups []string
	for _, g := range list.Groups {
		if strings.HasPrefix(g.GroupID, c.Prefix) {
			groups = append(groups, g.GroupID)
		}
	}
	if len(groups) > 0 {
		_, _ = admin.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: groups})
	}
}
