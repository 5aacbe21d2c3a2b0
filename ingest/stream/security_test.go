package stream

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"weimang/ingest/stream/streamtest"
)

func mustTLS(t *testing.T, files TLSFiles) *tls.Config {
	t.Helper()
	cfg, err := files.Config()
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// secured is a way to reach one of the real Kafka's listeners.
type secured struct {
	listener  string // variable of the environment
	ca        string // file; "": no TLS
	client    bool   // show the client's certificate
	name      string // expected in the broker's certificate
	mechanism string // "": no password
	password  string // default: the right one
}

func (s secured) config(t *testing.T) Config {
	t.Helper()
	cfg := Config{Brokers: streamtest.Listener(t, s.listener)}
	if s.ca != "" {
		files := TLSFiles{CA: streamtest.File(t, s.ca), ServerName: s.name}
		if s.client {
			files.Cert, files.Key = streamtest.File(t, "client.pem"), streamtest.File(t, "client.key")
		}
		cfg.TLS = mustTLS(t, files)
	}
	if s.mechanism != "" {
		password := s.password
		if password == "" {
			password = streamtest.Password
		}
		var err error
		if cfg.SASL, err = SASL(s.mechanism, streamtest.User, password); err != nil {
			t.Fatal(err)
		}
	}
	return cfg
}

// Whoever is let in can do everything the services do: make topics, write,
// read, join a group, commit.
func TestRealKafkaLetsInWhoKnowsTheSecrets(t *testing.T) {
	streamtest.Listener(t, streamtest.Plain) // one skip where there is none
	ways := map[string]secured{
		"TLS":                                 {listener: streamtest.TLS, ca: "ca.pem"},
		"TLS with a certificate of one's own": {listener: streamtest.TLSClient, ca: "ca.pem", client: true},
		"TLS by another name":                 {listener: streamtest.TLS, ca: "ca.pem", name: "localhost"},
	}
	for _, mechanism := range Mechanisms {
		ways[mechanism] = secured{listener: streamtest.SASL, mechanism: mechanism}
		ways[mechanism+" over TLS"] = secured{listener: streamtest.SASLTLS, ca: "ca.pem", mechanism: mechanism}
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			cfg := way.config(t)
			cfg.Prefix = streamtest.Real(t).Prefix
			c := configured(t, cfg)
			if err := c.Check(testContext(t)); err != nil {
				t.Fatal(err)
			}
			makeTopic(t, c, Topic{Name: "t", Partitions: 2})
			produce(t, c, "t", numbered(0, 20))
			seen := newLedger()
			join(t, quick(c, "t"), seen.handler("a"))
			seen.until(t, "all records", func() bool { return len(seen.values) == 20 })
			waitForLag(t, c, 0)
		})
	}
}

func TestRealKafkaSaysWhyItLetsNobodyIn(t *testing.T) {
	streamtest.Listener(t, streamtest.Plain)
	for name, c := range map[string]struct {
		way   secured
		says  string
		final bool // no retry can help
	}{
		"a wrong password, plain":         {secured{listener: streamtest.SASL, mechanism: "plain", password: "wrong"}, "refuses user or password", true},
		"a wrong password, scram-sha-256": {secured{listener: streamtest.SASL, mechanism: "scram-sha-256", password: "wrong"}, "refuses user or password", true},
		"a wrong password, scram-sha-512": {secured{listener: streamtest.SASLTLS, ca: "ca.pem", mechanism: "scram-sha-512", password: "wrong"}, "refuses user or password", true},
		"no password":                     {secured{listener: streamtest.SASL}, "want TLS or a password", false},
		"no password over TLS":            {secured{listener: streamtest.SASLTLS, ca: "ca.pem"}, "ask for no password (kafka.tls.enabled, kafka.sasl.mechanism)?", false},
		"a password nobody asks for":      {secured{listener: streamtest.Plain, mechanism: "plain"}, "asks for no password", true},
		"another authority":               {secured{listener: streamtest.TLS, ca: "other-ca.pem"}, "not signed by an authority that is trusted here (kafka.tls.ca)", true},
		"another name":                    {secured{listener: streamtest.TLS, ca: "ca.pem", name: "kafka.example.org"}, "for another name (kafka.tls.server_name)", true},
		"no certificate of one's own":     {secured{listener: streamtest.TLSClient, ca: "ca.pem"}, "(kafka.tls.cert, kafka.tls.key)", true},
		"TLS where none is spoken":        {secured{listener: streamtest.Plain, ca: "ca.pem"}, "does this port speak TLS, and", false},
		"TLS and a password for nothing":  {secured{listener: streamtest.Plain, ca: "ca.pem", mechanism: "plain"}, "does this port speak TLS (kafka.tls.enabled)?", false},
		"plain text where TLS is spoken":  {secured{listener: streamtest.TLS}, "want TLS", false},
		"a password where TLS is spoken":  {secured{listener: streamtest.SASLTLS, mechanism: "plain"}, "want TLS", false},
	} {
		t.Run(name, func(t *testing.T) {
			client := configured(t, c.way.config(t))
			err := client.Check(testContext(t))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("check says %v, want %q", err, c.says)
			}
			var refused *RefusedError
			if errors.As(err, &refused) != c.final {
				t.Errorf("final is %v, want %v: %v", !c.final, c.final, err)
			}
			if strings.Contains(err.Error(), "wrong") || strings.Contains(err.Error(), streamtest.Password) {
				t.Errorf("the error shows the password: %v", err)
			}
			if !c.final {
				return
			}
			// What is final ends the start of a service instead of hanging it.
			if err := client.EnsureTopics(testContext(t), []Topic{{Name: "never-made", Partitions: 1}}); !errors.As(err, &refused) {
				t.Errorf("topics are made or waited for: %v", err)
			}
		})
	}
}

// A broker that hangs up is perhaps only restarting: no reason to give up.
func TestABrokerThatHangsUpIsNoRefusal(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	err = newClient(t, l.Addr().String()).Check(testContext(t))
	var refused *RefusedError
	if err == nil || errors.As(err, &refused) || permanent(err) {
		t.Errorf("check says %v", err)
	}
}

func TestFilesThatAreNoCertificatesAreNamed(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.pem")
	if err := os.WriteFile(text, []byte("not a certificate\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		files TLSFiles
		says  string
	}{
		"no file":                 {TLSFiles{CA: filepath.Join(dir, "absent.pem")}, "absent.pem"},
		"no PEM":                  {TLSFiles{CA: text}, "text.pem holds no certificate in PEM"},
		"certificate without key": {TLSFiles{Cert: text}, "go together"},
		"no certificate":          {TLSFiles{Cert: text, Key: text}, "client certificate " + text},
	} {
		if _, err := c.files.Config(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	if _, err := SASL("gssapi", "u", "p"); err == nil || !strings.Contains(err.Error(), "scram-sha-256") {
		t.Errorf("an unknown mechanism: %v", err)
	}
}

// Two sites on one cluster do not see each other's records or commits.
func TestPrefixesKeepSitesApart(t *testing.T) {
	on := streamtest.Start(t, StartEmbedded)
	var sites []*Client
	for _, site := range []string{"wandi.", "yinzhou."} {
		c := configured(t, Config{Brokers: on.Brokers, Prefix: on.Prefix + site})
		makeTopic(t, c, Topic{Name: "t", Partitions: 1})
		sites = append(sites, c)
	}
	produce(t, sites[0], "t", numbered(0, 10))
	seen := newLedger()
	join(t, quick(sites[0], "t"), seen.handler("a"))
	seen.until(t, "the site's own records", func() bool { return len(seen.values) == 10 })
	waitForLag(t, sites[0], 0)

	if values, _ := readAll(t, sites[1], "t", 0); len(values) != 0 {
		t.Errorf("the other site sees %q", values)
	}
	produce(t, sites[1], "t", numbered(0, 3))
	if lag, err := sites[1].Lag(testContext(t), "readers", "t"); err != nil || lag != 3 {
		t.Errorf("the other site's lag is %d, %v, want 3", lag, err)
	}
	if _, err := ReadAll(testContext(t), sites[0], "t", 0, func(r Record) error {
		if r.Topic != "t" {
			t.Errorf("a record of topic %q", r.Topic)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// TestRealKafkasCleanerLeavesNothingThatStopsAReader lets the real cleaner
// take all but the last record of each key, tombstones too, and reads what is
// left. kafka-go's own readers hang or die on such logs.
func TestRealKafkasCleanerLeavesNothingThatStopsAReader(t *testing.T) {
	on := streamtest.Real(t)
	c := configured(t, Config{Brokers: on.Brokers, Prefix: on.Prefix})
	topic := Topic{Name: "t", Partitions: 1, Compacted: true}.config()
	topic.Topic = c.wire("t")
	for name, value := range map[string]string{"segment.ms": "200", "min.cleanable.dirty.ratio": "0.01", "delete.retention.ms": "0"} {
		topic.ConfigEntries = append(topic.ConfigEntries, kafka.ConfigEntry{ConfigName: name, ConfigValue: value})
	}
	if err := c.Check(testContext(t)); err != nil {
		t.Fatal(err)
	}
	made, err := c.kafka.CreateTopics(testContext(t), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{topic}})
	if err == nil {
		err = made.Errors[topic.Topic]
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 40 {
		produce(t, c, "t", numbered(0, 50))
	}
	produce(t, c, "t", []Record{{Key: []byte("key-7")}}) // a tombstone
	// The newest segment is never cleaned: each round begins another one.
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 2*within)
	defer cancel()
	for {
		produce(t, c, "t", numbered(0, 1))
		var keys []string
		last := map[string]string{}
		_, err := ReadAll(ctx, c, "t", 0, func(r Record) error {
			keys = append(keys, string(r.Key))
			last[string(r.Key)] = string(r.Value)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(last) != 50 && len(last) != 49 { // the tombstone itself goes too
			t.Fatalf("%d keys", len(last))
		}
		if len(keys) < 500 {
			if v := last["key-7"]; v != "" || slices.Contains(keys, "") {
				t.Errorf("the deleted key has value %q", v)
			}
			t.Logf("cleaned after %v", time.Since(begun).Round(time.Millisecond))
			return
		}
		if pause(ctx, 200*time.Millisecond) != nil {
			t.Fatalf("the cleaner has left %d records", len(keys))
		}
	}
}
