package main

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"weimang/ingest/stream"
)

func TestABenchMeasuresEveryStage(t *testing.T) {
	for _, format := range []string{"json", "protobuf", "day"} {
		t.Run(format, func(t *testing.T) {
			r := weimang(t, "", "bench", "--json", "--format", format, "--households", "30", "--readings", "3000", "--partitions", "2")
			r.want(t, exitOK)
			var got map[string]any
			if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
				t.Fatalf("%v in %s", err, r.stdout)
			}
			figure := func(name string) float64 {
				v, ok := got[name].(float64)
				if !ok || v <= 0 {
					t.Errorf("%s is %v", name, got[name])
				}
				return v
			}
			for _, name := range []string{
				"raw_per_s", "decoded_per_s", "end_to_end_per_s",
				"raw_cpu_s_per_m", "decoded_cpu_s_per_m", "end_to_end_cpu_s_per_m", "alloc_per_reading",
				"checkpoint_bytes_per_reading", "restore_s", "restore_raw_s",
			} {
				figure(name)
			}
			// Of thirty homes the heap says nothing: what the garbage collector
			// finds elsewhere meanwhile is more.
			if _, ok := got["bytes_per_household"].(float64); !ok {
				t.Errorf("bytes_per_household is %v", got["bytes_per_household"])
			}
			want := 3000.0
			if format == "day" {
				want = 2 * 96 * 30 // whole days
			}
			if n := figure("readings"); n != want {
				t.Errorf("%v readings, want %v", n, want)
			}
			// Each home is some hundred bytes at the least, and no reading
			// takes a kilobyte for ever.
			if total := figure("checkpoint_bytes_per_reading") * want; total < 30*100 || total > 30*100_000 {
				t.Errorf("%v bytes of checkpoints for 30 homes", total)
			}
			if more, less := figure("end_to_end_cpu_s_per_m"), figure("raw_cpu_s_per_m"); more < less {
				t.Errorf("the whole way takes %v, raw %v", more, less)
			}
		})
	}
}

func TestABenchLeavesNothingOnTheBrokersItIsGiven(t *testing.T) {
	broker, err := stream.StartEmbedded(stream.EmbeddedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	args := []string{"bench", "--households", "10", "--readings", "100", "--brokers", broker.Addr()}
	r := weimang(t, "", args...)
	r.want(t, exitOK)
	wantContains(t, "for people", r.stdout, " of 10 homes as json", "raw", "decoded", "end to end", "another worker restores", broker.Addr())
	if left := topicsOn(t, broker.Addr()); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}

	// An interrupt in the middle of the work leaves nothing either.
	ctx, interrupt := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, interrupt)
	args = append(args, "--readings", "100000000")
	if code := run(ctx, args, strings.NewReader(""), io.Discard, io.Discard); code != exitFailed {
		t.Errorf("interrupted: exit code %d", code)
	}
	if left := topicsOn(t, broker.Addr()); len(left) > 0 {
		t.Errorf("left behind after an interrupt: %v", left)
	}
}

func TestABenchThatTakesTooLongSaysSo(t *testing.T) {
	r := weimang(t, "", "bench", "--readings", "100000000", "--timeout", "200ms")
	r.want(t, exitFailed)
	wantContains(t, "the error", r.stderr, "--timeout")
}
