package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"weimang/ingest/stream/streamtest"
)

// A site's file says how a secured cluster is reached; the password comes from
// a file or the environment, and no command shows it.
func TestTheCommandsReachARealKafkaWithTLSAndPassword(t *testing.T) {
	on := streamtest.Real(t)
	dir := t.TempDir()
	config, password := filepath.Join(dir, "weimang.yaml"), filepath.Join(dir, "password")
	text := fmt.Sprintf("kafka:\n  prefix: %s\n  tls: {enabled: true, ca: %s}\n  sasl: {mechanism: scram-sha-512, user: %s, password: \"file:%s\"}\n",
		on.Prefix, streamtest.File(t, "ca.pem"), streamtest.User, password)
	for name, content := range map[string]string{config: text, password: streamtest.Password + "\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{
		"simulate", "--config", config, "--brokers", strings.Join(streamtest.Listener(t, streamtest.SASLTLS), ","),
		"--households", "2", "--areas", "1", "--from", "2026-06-01", "--to", "2026-06-03",
	}
	weimang(t, "", args...).want(t, exitOK)
	again := weimang(t, "", args...)
	again.want(t, exitOK)
	wantContains(t, "stderr", again.stderr, "were there from an earlier run")

	t.Setenv("WEIMANG_KAFKA_SASL_PASSWORD", "guessed")
	refused := weimang(t, "", args...)
	refused.want(t, exitFailed)
	wantContains(t, "stderr", refused.stderr, "the broker refuses user or password (kafka.sasl.user, kafka.sasl.password)")
	if strings.Contains(refused.stderr, "guessed") {
		t.Errorf("the password is shown: %s", refused.stderr)
	}
}
