package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"weimang/ingest"
	"weimang/ingest/simulate"
	"weimang/ingest/stream"
	"weimang/ingest/stream/streamtest"
)

func TestASimulatedVillagePassesItsOwnChecks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "village")
	r := weimang(t, "", "simulate", "--out", dir, "--households", "5", "--areas", "2", "--from", "2026-02-10", "--to", "2026-02-20", "--interval", "15m")
	r.want(t, exitOK)
	wantContains(t, "stderr", r.stderr, "5 homes in 2 areas, 2026-02-10 to 2026-02-20, every 15m, seed 1")
	for what, file := range map[string]string{
		"readings": "readings.csv.gz", "incidents": "incidents.jsonl", "households": "households.csv", "people": "people.csv",
	} {
		path := filepath.Join(dir, file)
		wantContains(t, "stdout", r.stdout, path+"\n")
		weimang(t, "", "check", what, path).want(t, exitOK)
	}
	wantContains(t, "people", readText(t, filepath.Join(dir, "people.csv")), "chair,妇联主席,console")
}

func TestTheSeedChangesTheReadingsAndNotTheRoster(t *testing.T) {
	files := func(seed string) (readings, homes string) {
		dir := t.TempDir()
		weimang(t, "", "simulate", "--out", dir, "--seed", seed, "--households", "3", "--areas", "1", "--from", "2026-05-01", "--to", "2026-05-03").want(t, exitOK)
		return readText(t, filepath.Join(dir, "readings.csv.gz")), readText(t, filepath.Join(dir, "households.csv"))
	}
	r1, h1 := files("1")
	again, _ := files("1")
	r2, h2 := files("2")
	if r1 != again {
		t.Error("the same seed gives other bytes")
	}
	if r1 == r2 || h1 != h2 {
		t.Errorf("readings equal: %v, roster equal: %v", r1 == r2, h1 == h2)
	}
}

func TestAnEventCanBeLeftOutOfTheStory(t *testing.T) {
	announced := func(without ...string) bool {
		opt := simulateOptions{story: true, without: without, village: simulate.DefaultOptions()}
		if err := opt.resolve(time.Now()); err != nil {
			t.Fatal(err)
		}
		village, err := simulate.New(opt.village)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(village.Reports(), func(r ingest.Report) bool { return r.Class == ingest.ClassPlannedOutage })
	}
	if !announced() || announced("announcement") {
		t.Errorf("announced with: %v, without: %v", announced(), announced("announcement"))
	}
}

// onRealKafka makes the commands of a test use the real Kafka instead of a
// broker in the process, where the tests are run on one.
func onRealKafka(t *testing.T) {
	t.Helper()
	if os.Getenv(streamtest.Plain) == "" {
		return
	}
	on := streamtest.Real(t)
	t.Setenv("WEIMANG_KAFKA_BROKERS", strings.Join(on.Brokers, ","))
	t.Setenv("WEIMANG_KAFKA_PREFIX", on.Prefix)
}

// startBroker returns the brokers as a flag has them, and a client of them. On
// a real Kafka the commands of the test take the prefix of its topics from the
// environment.
func startBroker(t *testing.T) (brokers string, client *stream.Client) {
	t.Helper()
	on := streamtest.Start(t, stream.StartEmbedded)
	t.Setenv("WEIMANG_KAFKA_PREFIX", on.Prefix)
	client, err := stream.NewClient(stream.Config{Brokers: on.Brokers, Prefix: on.Prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return strings.Join(on.Brokers, ","), client
}

func countRecords(t *testing.T, client *stream.Client, topic string) (n int64) {
	t.Helper()
	starts, ends, err := client.Bounds(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	for p := range ends {
		n += ends[p] - starts[p]
	}
	return n
}

func TestAVillageGoesToKafkaOnce(t *testing.T) {
	addr, client := startBroker(t)
	args := []string{
		"simulate", "--brokers", addr, "--households", "4", "--areas", "2", "--missing", "0",
		"--from", "2026-06-01", "--to", "2026-06-15",
	}
	r := weimang(t, "", args...)
	r.want(t, exitOK)
	readings, incidents := countRecords(t, client, ingest.TopicReadings), countRecords(t, client, ingest.TopicIncidents)
	if readings != 4*14*48 || incidents == 0 {
		t.Errorf("%d readings, %d incidents", readings, incidents)
	}
	wantContains(t, "stderr", r.stderr, fmt.Sprintf("sent %d records\n", readings+incidents))

	// Once more is nothing more, unless it is called something else.
	r = weimang(t, "", args...)
	r.want(t, exitOK)
	wantContains(t, "stderr", r.stderr, "sent 0 records; ", "were there from an earlier run")
	weimang(t, "", append(args, "--feed", "again")...).want(t, exitOK)
	if got := countRecords(t, client, ingest.TopicReadings); got != 2*readings {
		t.Errorf("%d readings after a second feed", got)
	}
}

func TestRealtimeSendsThePastAtOnceAndStopsAtTheEnd(t *testing.T) {
	addr, client := startBroker(t)
	now := time.Now().UTC().Truncate(time.Hour)
	r := weimang(t, "", "simulate", "--realtime", "--brokers", addr, "--households", "2", "--areas", "1", "--missing", "0", "--interval", "1h",
		"--from", now.Add(-5*time.Hour).Format(time.RFC3339), "--to", now.Add(-time.Hour).Format(time.RFC3339))
	r.want(t, exitOK)
	if got := countRecords(t, client, ingest.TopicReadings); got != 2*4 {
		t.Errorf("%d readings of 4 hours of 2 homes", got)
	}
}

func TestThePastEndsWhereTheRunningIntervalBegins(t *testing.T) {
	start := time.Date(2026, 7, 12, 0, 0, 0, 0, time.UTC)
	for now, want := range map[string]string{
		"2026-07-11T12:00:00Z": "2026-07-12T00:00:00Z", // nothing has begun
		"2026-07-12T00:00:00Z": "2026-07-12T00:00:00Z",
		"2026-07-12T00:29:59Z": "2026-07-12T00:00:00Z",
		"2026-07-12T00:30:00Z": "2026-07-12T00:30:00Z",
		"2026-07-13T09:47:11Z": "2026-07-13T09:30:00Z",
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := runningInterval(start, 30*time.Minute, at).Format(time.RFC3339); got != want {
			t.Errorf("at %s: %s, want %s", now, got, want)
		}
	}
}

func TestABrokerThatIsNotThereIsSaid(t *testing.T) {
	r := weimang(t, "", "simulate", "--brokers", "127.0.0.1:1")
	r.want(t, exitFailed)
	wantContains(t, "stderr", r.stderr, "connect to the brokers", "127.0.0.1:1")
	if _, err := os.Stat("weimang-data"); err == nil {
		t.Error("something was made on the disk")
	}
}
