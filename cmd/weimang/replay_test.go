package main

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"weimang/alerts/channels"
	"weimang/alerts/roster"
	"weimang/alerts/rosterfile"
	"weimang/ingest/feedfile"
	"weimang/ingest/simulate"
)

var update = flag.Bool("update", false, "write testdata anew from what the program does now")

// outageFeed is the recorded feed of the end-to-end test: eight homes of one
// area for three weeks, with an announced outage and a home that stays dark.
var outageFeed = filepath.Join("..", "..", "testdata", "feeds", "outage-of-eight-homes")

func recordOutageFeed(t *testing.T) {
	t.Helper()
	opt := simulate.DefaultOptions()
	zone := opt.Start.Location()
	at := func(day, hour, minute int) time.Time {
		return time.Date(2026, time.March, day, hour, minute, 0, 0, zone)
	}
	opt.Households, opt.Areas, opt.Seed, opt.Start, opt.End = 8, 1, 8, at(1, 0, 0), at(22, 0, 0)
	opt.Given.AtHome = []simulate.Stay{{From: opt.Start, Until: opt.End}}
	opt.Events = []simulate.Event{
		simulate.Announcement{Area: simulate.AreaID(0), PublishedAt: at(17, 9, 0), From: at(18, 18, 0), Until: at(18, 20, 0)},
		simulate.Outage{Area: simulate.AreaID(0), From: at(18, 18, 0), Until: at(18, 20, 0)},
		simulate.NotBack{Household: simulate.HouseholdID(3), From: at(18, 20, 0), Until: at(19, 8, 15)},
	}
	v, err := simulate.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	var people, homes, reports, readings bytes.Buffer
	err = rosterfile.WritePeople(&people, []roster.Member{{Person: roster.Person{Name: chairTitle, Lang: roster.Chinese, Contacts: []roster.Contact{{Channel: channels.NameJSON}}}, Duty: roster.Duty{Role: roster.Chair, UnitID: opt.Village}}})
	if err == nil {
		err = writeHouseholds(&homes, v.Homes())
	}
	if err == nil {
		err = writeIncidents(&reports, v.Reports())
	}
	if err == nil {
		z := gzip.NewWriter(&readings)
		if err = feedfile.WriteReadings(z, v.Blocks(time.Time{}, time.Time{})); err == nil {
			err = z.Close()
		}
	}
	if err == nil {
		err = os.MkdirAll(outageFeed, 0o755)
	}
	for name, b := range map[string]*bytes.Buffer{
		"people.csv": &people, "households.csv": &homes, "incidents.jsonl": &reports, "readings.csv.gz": &readings,
	} {
		if err == nil {
			err = os.WriteFile(filepath.Join(outageFeed, name), b.Bytes(), 0o644) //nolint:gosec // testdata is for all to read
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestARecordedFeedBecomesMessages takes the recorded feed the whole way:
// broker, ingest, detectors, store, outbox, a chair's messages, and compares
// them with those on record.
func TestARecordedFeedBecomesMessages(t *testing.T) {
	if *update {
		recordOutageFeed(t)
	}
	onRealKafka(t)
	dir := t.TempDir()
	messages, transitions := filepath.Join(dir, "messages.jsonl"), filepath.Join(dir, "transitions.jsonl")
	config := filepath.Join(dir, "weimang.yaml")
	text := fmt.Sprintf("alerts:\n  console: false\n  json: %s\n  fallback:\n    channel: json\nhttp:\n  base_url: http://weimang.example\nlog:\n  level: error\n", messages)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	feed := func(name string) string { return filepath.Join(outageFeed, name) }
	args := []string{
		"--readings", feed("readings.csv.gz"), "--incidents", feed("incidents.jsonl"), "--households", feed("households.csv"),
		"--push-from", "2026-03-15T00:00:00+08:00",
	}
	replayed := append([]string{
		"replay", "--as-of-feed", "--people", feed("people.csv"), "--config", config,
		"--data-dir", filepath.Join(dir, "data"), "--out", transitions,
	}, args...)
	weimang(t, "", replayed...).want(t, exitOK)

	golden := feed("messages.jsonl")
	got := sortedLines(readText(t, messages))
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil { //nolint:gosec // testdata is for all to read
			t.Fatal(err)
		}
	}
	if want := readText(t, golden); got != want {
		t.Errorf("messages differ from %s (go test ./cmd/weimang -run Recorded -update writes them anew):\n%s", golden, firstDifference(got, want))
	}
	for _, kind := range []string{`"announced"`, `"area-dark"`, `"not-back"`} {
		if n := strings.Count(got, `"kind":`+kind+`,"severity"`); n == 0 {
			t.Errorf("no message of kind %s:\n%s", kind, got)
		}
	}

	// The store was told exactly what a backtest writes, word for word.
	judged := weimang(t, "", append([]string{"backtest", "--out", "-"}, args...)...)
	judged.want(t, exitOK)
	if stored := readText(t, transitions); stored != judged.stdout {
		t.Errorf("the store's transitions are not the backtest's:\n%s", firstDifference(stored, judged.stdout))
	}

	// The same once more over the same folder: everything is there already.
	again := weimang(t, "", replayed...)
	again.want(t, exitOK)
	if stored := readText(t, transitions); stored != judged.stdout || sortedLines(readText(t, messages)) != got {
		t.Error("a second replay over the same folder added something")
	}
	wantContains(t, "stderr", again.stderr, "were sent before")
}

// What people said goes the same way in a replay as in a backtest, and counts.
func TestDirectivesOfAFileCount(t *testing.T) {
	onRealKafka(t)
	dir := t.TempDir()
	directives := filepath.Join(dir, "directives.jsonl")
	text := `{"directive_id":"d1","household_id":"` + simulate.HouseholdID(3) + `","kind":"away","from":"2026-03-18T12:00:00+08:00","until":"2026-03-20T12:00:00+08:00","issued_at":"2026-03-18T12:10:00+08:00"}

{"directive_id":"d2","household_id":"` + simulate.HouseholdID(1) + `","kind":"outcome","outcome":"false","issued_at":"2026-03-19T12:00:00+08:00"}
`
	if err := os.WriteFile(directives, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{
		"--readings", filepath.Join(outageFeed, "readings.csv.gz"), "--households", filepath.Join(outageFeed, "households.csv"),
		"--incidents", filepath.Join(outageFeed, "incidents.jsonl"), "--push-from", "2026-03-15T00:00:00+08:00", "--directives", directives,
	}
	judged := weimang(t, "", append([]string{"backtest", "--out", "-"}, args...)...)
	judged.want(t, exitOK)
	if strings.Contains(judged.stdout, `"not-back"`) {
		t.Errorf("a home said to be away is not back:\n%s", judged.stdout)
	}
	out := filepath.Join(dir, "transitions.jsonl")
	replayed := append([]string{"replay", "--as-of-feed", "--data-dir", filepath.Join(dir, "data"), "--out", out}, args...)
	for _, run := range []string{"first", "second"} { // the second adds nothing
		weimang(t, "", replayed...).want(t, exitOK)
		if stored := readText(t, out); stored != judged.stdout {
			t.Errorf("%s run: the store's transitions are not the backtest's:\n%s", run, firstDifference(stored, judged.stdout))
		}
	}

	for name, c := range map[string]struct{ line, why string }{
		"unknown": {strings.Replace(strings.SplitAfter(text, "\n")[0], simulate.HouseholdID(3), "h-nobody", 1), "directive d1: no meter of household h-nobody is in the feed"},
		"bad":     {`{"directive_id":"d1"}`, "line 1: bad-field: household_id: required"},
	} {
		if err := os.WriteFile(directives, []byte(c.line), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, cmd := range [][]string{append([]string{"backtest", "--out", "-"}, args...), replayed} {
			r := weimang(t, "", cmd...)
			r.want(t, exitFailed)
			wantContains(t, name, r.stderr, c.why)
		}
	}
}

// A replay that came to nothing says what became of the readings.
func TestReplayTellsWhatItLeftOut(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	readings := file("readings.csv", "meter_id,ts,kwh\nm1,2013-01-01T00:00:00Z,0.1\nm1,2013-01-01T00:30:00Z,0.1\nm2,2013-01-01T00:00:00Z,0.1\n")
	homes := file("households.csv", "meter_id,household_id,area_id,zone\nm1,h1,a1,UTC\n")
	run := func(name string, more ...string) string {
		r := weimang(t, "", append([]string{"replay", "--readings", readings, "--interval", "30m", "--data-dir", filepath.Join(dir, name)}, more...)...)
		r.want(t, exitOK)
		return r.stderr
	}
	wantContains(t, "stderr, by the clock on the wall", run("late"), "dead letters: 3 too-late", "--as-of-feed")
	stderr := run("unknown", "--households", homes, "--as-of-feed")
	wantContains(t, "stderr, with a roster", stderr, "left out: 1 of meters that are not in the roster")
	if strings.Contains(stderr, "dead letters") {
		t.Errorf("readings that were taken are said to be dead letters:\n%s", stderr)
	}
}

// What others do is not asked of a replay that only sends.
func TestSendOnlyRefusesWhatItCannotDo(t *testing.T) {
	readings := filepath.Join(outageFeed, "readings.csv.gz")
	for flag, args := range map[string][]string{
		"--brokers":   nil,
		"--out":       {"--brokers", "127.0.0.1:1", "--out", "t.jsonl"},
		"--people":    {"--brokers", "127.0.0.1:1", "--people", "people.csv"},
		"--push-from": {"--brokers", "127.0.0.1:1", "--push-from", "2026-03-15"},
	} {
		r := weimang(t, "", append([]string{"replay", "--send-only", "--readings", readings}, args...)...)
		r.want(t, exitUsage)
		wantContains(t, "stderr", r.stderr, flag)
	}
}

// TestReplayOfRealHomesEqualsBacktest sends a hundred real homes' year the
// whole way and compares every transition with the backtest's.
func TestReplayOfRealHomesEqualsBacktest(t *testing.T) {
	const readings = "../../../shared/data/lcl100_2013.csv.gz"
	if _, err := os.Stat(readings); err != nil {
		t.Skip("the development readings ../shared/data/lcl100_2013.csv.gz are absent: replay is compared on the recorded feed only")
	}
	if raceDetector || testing.Short() {
		t.Skip("1.67 million readings take minutes under the race detector: replay is compared on the recorded feed only")
	}
	onRealKafka(t)
	out := filepath.Join(t.TempDir(), "transitions.jsonl")
	weimang(t, "", "replay", "--readings", readings, "--as-of-feed", "--no-history", "--data-dir", filepath.Join(t.TempDir(), "data"), "--out", out).want(t, exitOK)
	judged := weimang(t, "", "backtest", "--readings", readings, "--out", "-")
	judged.want(t, exitOK)
	if strings.Count(judged.stdout, "\n") < 500 {
		t.Fatalf("only %d transitions", strings.Count(judged.stdout, "\n"))
	}
	if stored := readText(t, out); stored != judged.stdout {
		t.Errorf("the store's transitions are not the backtest's:\n%s", firstDifference(stored, judged.stdout))
	}
}

// TestAKilledReplayGoesOnWhereItWas kills the process (broker, ingest,
// detectors, store, all of it) at random moments and starts it again: in the
// end the store holds each transition of the backtest once.
func TestAKilledReplayGoesOnWhereItWas(t *testing.T) {
	if raceDetector {
		t.Skip("the killed process is built without the race detector: nothing would be raced here")
	}
	if testing.Short() {
		t.Skip("building and killing the program takes half a minute: left out with -short")
	}
	onRealKafka(t)
	dir := t.TempDir()
	binary := filepath.Join(dir, "weimang")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	village := filepath.Join(dir, "village")
	weimang(t, "", "simulate", "--out", village, "--story", "--seed", "9").want(t, exitOK)
	feed := []string{
		"--readings", filepath.Join(village, "readings.csv.gz"), "--incidents", filepath.Join(village, "incidents.jsonl"),
		"--households", filepath.Join(village, "households.csv"),
	}
	judged := weimang(t, "", append([]string{"backtest", "--out", "-"}, feed...)...)
	judged.want(t, exitOK)

	out := filepath.Join(dir, "transitions.jsonl")
	args := append([]string{"replay", "--as-of-feed", "--data-dir", filepath.Join(dir, "data"), "--out", out}, feed...)
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	kills := 0
	for range 4 {
		cmd := exec.Command(binary, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(1200*time.Millisecond+time.Duration(rng.Int64N(int64(2500*time.Millisecond))), func() {
			_ = cmd.Process.Signal(syscall.SIGKILL)
		})
		if err := cmd.Wait(); err != nil {
			kills++
		}
		timer.Stop()
	}
	if kills == 0 {
		t.Error("the process was never killed in time: this test shows nothing")
	}
	last := exec.Command(binary, args...)
	var stderr bytes.Buffer
	last.Stderr = &stderr
	if err := last.Run(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	t.Logf("killed %d times; %s", kills, stderr.String())
	if stored := readText(t, out); stored != judged.stdout {
		t.Errorf("after %d kills the store's transitions are not the backtest's:\n%s", kills, firstDifference(stored, judged.stdout))
	}
}

// sortedLines makes the order not count: messages of one moment go out side
// by side.
func sortedLines(text string) string {
	lines := strings.SplitAfter(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// firstDifference shows where two texts part.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		line := func(l []string) string {
			if i < len(l) {
				return l[i]
			}
			return "(nothing)"
		}
		if line(g) != line(w) {
			return fmt.Sprintf("line %d of %d, want %d\n got %s\nwant %s", i+1, len(g)-1, len(w)-1, line(g), line(w))
		}
	}
	return "(no difference)"
}

// The configuration of a site may be given for its budgets. What is replayed must
// not come among the site's alerts.
func TestAReplayHasAStoreOfItsOwn(t *testing.T) {
	for _, where := range []string{"path: site.db", "url: postgres://weimang@db.example/weimang"} {
		config := filepath.Join(t.TempDir(), "weimang.yaml")
		if err := os.WriteFile(config, []byte("store:\n  "+where+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		opt := replayOptions{configFile: config, dataDir: "replayed", httpAddr: "127.0.0.1:0"}
		opt.feed.zone = "UTC"
		opt.detect.flags(new(cobra.Command))
		cfg, err := opt.config()
		if err != nil {
			t.Fatal(err)
		}
		if got := cfg.StoreOptions(); got.URL != "" || got.Path != filepath.Join("replayed", "weimang.db") {
			t.Errorf("%s: the replay's store is %q, %q", where, got.Path, got.URL)
		}
	}
}
