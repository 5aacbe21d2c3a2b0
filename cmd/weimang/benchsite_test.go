package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"weimang/alerts/latency"
	"weimang/detectors/bench"
	"weimang/ingest/stream"
)

// topicsOn lists the topics of a broker, but for its own.
func topicsOn(t *testing.T, addr string) (names []string) {
	t.Helper()
	conn, err := kafka.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	parts, err := conn.ReadPartitions()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		if !strings.HasPrefix(p.Topic, "__") {
			names = append(names, p.Topic)
		}
	}
	return names
}

// benchFolders counts what a bench keeps for its time in folders for such.
func benchFolders(t *testing.T) (n int) {
	t.Helper()
	entries, err := os.ReadDir(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "weimang-bench-") {
			n++
		}
	}
	return n
}

func TestTheTimeFromArrivalToAlertIsMeasured(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	// What a site's environment says is not for a bench.
	t.Setenv("WEIMANG_KAFKA_PREFIX", "site.")
	t.Setenv("WEIMANG_ALERTS_WEBHOOK_URL", "http://127.0.0.1:1/must-not-be-called")
	broker, err := stream.StartEmbedded(stream.EmbeddedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	args := []string{
		"bench", "latency", "--brokers", broker.Addr(), "--households", "1000", "--rate", "5000", "--duration", "1500ms", "--idle", "500ms",
		"--checkpoint-every", "1s", "--history", "--json",
	}
	r := weimang(t, "", args...)
	r.want(t, exitOK)
	var got latencyResult
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
		t.Fatalf("%v in %s", err, r.stdout)
	}
	if got.Households != 1000 || got.Areas != 40 || got.Load.Readings != 7500 || got.Load.PerS <= 0 || !got.History || got.Broker != broker.Addr() {
		t.Errorf("got %+v", got)
	}
	for name, w := range map[string]latency.Way{
		"incidents, idle": got.Idle.Incidents, "readings, idle": got.Idle.OfReadings,
		"incidents, load": got.Load.Incidents, "readings, load": got.Load.OfReadings,
	} {
		if w.Probes < 2 {
			t.Errorf("%s: %d probes", name, w.Probes)
		}
		if s := w.FromAck; s.P50 <= 0 || s.P50 > s.P90 || s.P90 > s.P99 || s.P99 > s.Max || s.Max > 30_000 {
			t.Errorf("%s: %+v", name, s)
		}
		if w.FromSend.Max < w.FromAck.Max || w.ToFinding.P50 <= 0 {
			t.Errorf("%s: %+v", name, w)
		}
	}
	if left := topicsOn(t, broker.Addr()); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}

	// An interrupt in the middle of it leaves neither topics nor files.
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	begun := func(text string) {
		if strings.Contains(text, "under load") {
			interrupt()
		}
	}
	args = append(args, "--duration", "5m", "--rate", "100", "--probe-every", "10s")
	if code := run(ctx, args, strings.NewReader(""), io.Discard, writerFunc(begun)); code != exitFailed {
		t.Errorf("interrupted: exit code %d", code)
	}
	if left := topicsOn(t, broker.Addr()); len(left) > 0 {
		t.Errorf("left behind after an interrupt: %v", left)
	}
	if n := benchFolders(t); n > 0 {
		t.Errorf("%d folders are left behind", n)
	}
}

// writerFunc is told what is written.
type writerFunc func(text string)

func (f writerFunc) Write(b []byte) (int, error) {
	f(string(b))
	return len(b), nil
}

func TestWorkersSideBySideAreMeasured(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	r := weimang(t, "", "bench", "workers", "--json", "--workers", "1,2", "--partitions", "4", "--households", "200", "--readings", "4000",
		"--events", "kill,add,stop", "--session-timeout", "6s")
	r.want(t, exitOK)
	var got bench.WorkersResult
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
		t.Fatalf("%v in %s", err, r.stdout)
	}
	if len(got.Scale) != 2 || len(got.Rebalances) != 3 {
		t.Fatalf("got %+v", got)
	}
	for i, s := range got.Scale {
		parts, readings := 0, 0
		for j, n := range s.Partitions {
			parts += n
			readings += s.WorkersReadings[j]
		}
		if s.Workers != i+1 || len(s.Partitions) != i+1 || parts != 4 || readings != 4000 || s.PerS <= 0 || s.CPUPerM <= 0 {
			t.Errorf("%d workers: %+v", i+1, s)
		}
	}
	for i, want := range []struct {
		event         bench.Event
		before, after int
		longest       float64 // ms, of the partitions that moved
	}{
		{bench.Kill, 2, 1, 4000}, {bench.Add, 1, 2, 0}, {bench.Stop, 2, 1, 0},
	} {
		b := got.Rebalances[i]
		if b.Event != want.event || b.Before != want.before || b.After != want.after {
			t.Errorf("event %d: %+v, want %+v", i, b, want)
		}
		if b.Least != 2 || b.Moved < b.Least || b.Moved > 4 {
			t.Errorf("%s: %d partitions moved, at least %d", b.Event, b.Moved, b.Least)
		}
		// A worker that was killed keeps its partitions for its session.
		if b.PauseMoved.Max <= want.longest || b.Pause.Max < b.PauseMoved.Max || b.Pause.Max > 60_000 {
			t.Errorf("%s: pauses %+v", b.Event, b)
		}
	}
	if n := benchFolders(t); n > 0 {
		t.Errorf("%d folders are left behind", n)
	}
}

func TestABenchThatCannotBeDoneSaysWhy(t *testing.T) {
	for _, c := range []struct{ args, says string }{
		{"bench latency --households 100", "take "},
		{"bench latency --rate 0", "at least one of each"},
		{"bench workers --workers 0", "must be 1 to 16"},
		{"bench workers --workers 1 --events kill", "no worker is left"},
		{"bench workers --session-timeout 1s", "at least 6s"},
	} {
		r := weimang(t, "", strings.Fields(c.args)...)
		r.want(t, exitUsage)
		wantContains(t, c.args, r.stderr, c.says)
	}
	for _, args := range []string{"bench latency --timeout 300ms", "bench workers --timeout 300ms"} {
		r := weimang(t, "", strings.Fields(args)...)
		r.want(t, exitFailed)
		wantContains(t, args, r.stderr, "--timeout")
	}
}

// A bench that is killed must not leave workers behind.
func TestAWorkerEndsWithItsInput(t *testing.T) {
	broker, err := stream.StartEmbedded(stream.EmbeddedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	w, err := startBenchWorker(t.Context(), []string{"--role", "detect"}, map[string]string{
		"KAFKA_BROKERS": broker.Addr(), "HTTP_ADDR": "127.0.0.1:0", "LOG_LEVEL": "error",
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := until(t.Context(), w.Ready); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := w.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
	if took := time.Since(begun); took > stopLimit {
		t.Errorf("it took %v", took)
	}
	w.ended = true
	if w.CPU() <= 0 {
		t.Error("it has used no CPU")
	}
}
