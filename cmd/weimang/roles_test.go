package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"weimang/alerts/store/storetest"
	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/intake"
	"weimang/ingest/sender"
	"weimang/ingest/stream"
)

// process is a weimang that has some of the roles, as an operator starts it.
type process struct {
	t     *testing.T
	roles []role
	env   []string
	file  string

	addr   string
	cancel context.CancelFunc
	ended  sync.WaitGroup
	stderr bytes.Buffer
}

func (p *process) start() {
	p.t.Helper()
	p.addr = freeAddr(p.t)
	cfg, err := LoadConfig(p.file, append(p.env, "WEIMANG_HTTP_ADDR="+p.addr))
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.ended.Go(func() {
		if err := serve(ctx, cfg, p.roles, io.Discard, &p.stderr); err != nil {
			p.t.Errorf("the process of %v ended with %v", p.roles, err)
		}
	})
}

// stop is SIGTERM, and waits for what it leads to.
func (p *process) stop() {
	p.cancel()
	p.ended.Wait()
}

// ask is status and body of an answer, 0 where nobody answers.
func (p *process) ask(path string) (int, string) {
	p.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	res, err := client.Get("http://" + p.addr + path)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close() //nolint:errcheck // only read from
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, ""
	}
	return res.StatusCode, string(body)
}

func (p *process) ready() bool {
	code, _ := p.ask("/-/ready")
	return code == http.StatusOK
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for begun := time.Now(); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > 30*time.Second {
			t.Fatalf("does not happen: %s", what)
		}
	}
}

// splitSite is three processes of one role each over one broker.
type splitSite struct {
	t                     *testing.T
	client                *stream.Client
	ingest, detect, alert *process
	brokers, messages     string
}

func newSplitSite(t *testing.T) *splitSite {
	t.Helper()
	broker, client := startBroker(t)
	dir := t.TempDir()
	s := &splitSite{t: t, client: client, brokers: broker, messages: filepath.Join(dir, "messages.jsonl")}
	feed := func(name string) string {
		path, err := filepath.Abs(filepath.Join(outageFeed, name))
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := filepath.Join(dir, "weimang.yaml")
	text := fmt.Sprintf("data_dir: %s\nclock: feed\nroster:\n  households: %s\n  people: %s\n"+
		"detect:\n  push_from: 2026-03-15\n  history: false\n"+
		"alerts:\n  console: false\n  json: %s\n  fallback:\n    channel: json\nhttp:\n  base_url: http://weimang.example\n",
		filepath.Join(dir, "data"), feed("households.csv"), feed("people.csv"), s.messages)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"WEIMANG_KAFKA_BROKERS=" + broker, "WEIMANG_KAFKA_PREFIX=" + os.Getenv("WEIMANG_KAFKA_PREFIX")}
	of := func(r role) *process { return &process{t: t, roles: []role{r}, file: file, env: env} }
	s.ingest, s.detect, s.alert = of(roleIngest), of(roleDetect), of(roleAlert)
	return s
}

// send sends the recorded feed up to a time, what was sent before left out,
// and returns when ingest has it all.
func (s *splitSite) send(until time.Time) {
	s.t.Helper()
	opt := feedOptions{
		readings: filepath.Join(outageFeed, "readings.csv.gz"), incidents: filepath.Join(outageFeed, "incidents.jsonl"),
		households: filepath.Join(outageFeed, "households.csv"), zone: "UTC",
	}
	input, err := opt.load(strings.NewReader(""), io.Discard)
	if err != nil {
		s.t.Fatal(err)
	}
	feed, err := sender.New(sender.Options{Client: s.client, FeedID: "split", AsOfFeed: true, Barrier: s.ingested})
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = feed.Send(s.t.Context(), func(yield func(sender.Item) bool) {
		for item := range replayItems(input) {
			if item.Report == nil && item.Block.End().After(until) || !yield(item) {
				return
			}
		}
	})
	if err == nil {
		err = s.ingested(s.t.Context())
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// ofOneProcess is what one process tells people of the same feed.
func (s *splitSite) ofOneProcess() string {
	s.t.Helper()
	dir := s.t.TempDir()
	config, messages := filepath.Join(dir, "weimang.yaml"), filepath.Join(dir, "messages.jsonl")
	text := fmt.Sprintf("alerts:\n  console: false\n  json: %s\n  fallback:\n    channel: json\nhttp:\n  base_url: http://weimang.example\n", messages)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	feed := func(name string) string { return filepath.Join(outageFeed, name) }
	weimang(s.t, "", "replay", "--as-of-feed", "--config", config, "--data-dir", filepath.Join(dir, "data"), "--no-history",
		"--readings", feed("readings.csv.gz"), "--incidents", feed("incidents.jsonl"), "--households", feed("households.csv"),
		"--people", feed("people.csv"), "--push-from", "2026-03-15T00:00:00+08:00").want(s.t, exitOK)
	return sortedLines(readText(s.t, messages))
}

func (s *splitSite) ingested(ctx context.Context) error {
	return s.caught(ctx, intake.DefaultGroup, ingest.TopicReadings, ingest.TopicIncidents)
}

func (s *splitSite) caught(ctx context.Context, group string, topics ...string) error {
	return until(ctx, func(ctx context.Context) (bool, error) {
		for _, topic := range topics {
			if lag, err := s.client.Lag(ctx, group, topic); err != nil || lag > 0 {
				return false, err
			}
		}
		return true, nil
	})
}

// Three processes lead to the same messages as one, and each can be stopped
// and started while the others go on.
func TestThreeProcessesOfOneRoleEachLeadToTheSameMessages(t *testing.T) {
	s := newSplitSite(t)
	at := func(day, hour int) time.Time {
		return time.Date(2026, time.March, day, hour, 0, 0, 0, time.FixedZone("", 8*3600))
	}

	// ingest waits for a roster, and says so.
	s.ingest.start()
	defer func() { s.ingest.stop() }()
	eventually(t, "ingest is healthy but not ready", func() bool {
		code, body := s.ingest.ask("/-/ready")
		healthy, _ := s.ingest.ask("/-/healthy")
		return code == http.StatusServiceUnavailable && strings.Contains(body, "ingest: waits for the roster") && healthy == http.StatusOK
	})
	s.detect.start()
	defer func() { s.detect.stop() }()
	s.alert.start()
	defer func() { s.alert.stop() }()
	for _, p := range []*process{s.ingest, s.detect, s.alert} {
		eventually(t, fmt.Sprintf("%v is ready", p.roles), p.ready)
	}
	for _, c := range []struct {
		p    *process
		path string
		code int
	}{
		{s.ingest, "/", 404},
		{s.detect, "/", 404},
		{s.alert, "/", 200},
		{s.ingest, "/-/unknown-meters", 200},
		{s.detect, "/-/unknown-meters", 404},
		{s.detect, "/-/healthy", 200},
		{s.alert, "/-/healthy", 200},
		{s.ingest, "/metrics", 200},
	} {
		if code, body := c.p.ask(c.path); code != c.code {
			t.Errorf("%v answers %d to %s, want %d: %s", c.p.roles, code, c.path, c.code, body)
		}
	}

	// Readings are taken without alert, judged without ingest, told without
	// either.
	s.send(at(10, 0))
	s.alert.stop()
	s.send(at(19, 0)) // the outage, and the home that stays dark
	s.ingest.stop()
	eventually(t, "findings wait for alert", func() bool { return countRecords(t, s.client, ingest.TopicFindings) > 0 })
	s.detect.stop()
	if _, err := os.Stat(s.messages); err == nil && readText(t, s.messages) != "" {
		t.Error("somebody was told of an alert without its process")
	}
	s.alert.start()
	eventually(t, "a finding becomes an alert and a message", func() bool { return strings.Contains(readText(t, s.messages), `"kind":"area-dark"`) })
	s.ingest.start()
	s.detect.start()
	eventually(t, "detect has restored its partitions", s.detect.ready)
	s.send(at(31, 0))

	want := s.ofOneProcess()
	eventually(t, "the messages of one process", func() bool { return len(readText(t, s.messages)) >= len(want) })
	if got := sortedLines(readText(t, s.messages)); got != want {
		t.Errorf("the messages are not those of one process:\n%s", firstDifference(got, want))
	}
	for _, p := range []*process{s.ingest, s.detect, s.alert} {
		if strings.Contains(p.stderr.String(), "level=ERROR") {
			t.Errorf("%v has logged an error:\n%s", p.roles, p.stderr.String())
		}
	}
}

// Sent into a running site, a file leads to the messages of a replay in one
// process: the outage is announced before it comes, and not after.
func TestAFileSentIntoARunningSiteLeadsToTheSameMessages(t *testing.T) {
	s := newSplitSite(t)
	for _, p := range []*process{s.ingest, s.detect, s.alert} {
		p.start()
		defer func() { p.stop() }()
	}
	for _, p := range []*process{s.ingest, s.detect, s.alert} {
		eventually(t, fmt.Sprintf("%v is ready", p.roles), p.ready)
	}
	feed := func(name string) string { return filepath.Join(outageFeed, name) }
	send := func() string { // without --as-of-feed: the site's clock counts
		r := weimang(t, "", "replay", "--send-only", "--brokers", s.brokers, "--readings", feed("readings.csv.gz"),
			"--incidents", feed("incidents.jsonl"), "--households", feed("households.csv"))
		r.want(t, exitOK)
		return r.stderr
	}
	wantContains(t, "stderr", send(), "deadletters list")
	want := s.ofOneProcess()
	eventually(t, "the messages of one process", func() bool { return len(readText(t, s.messages)) >= len(want) })
	if err := s.ingested(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantContains(t, "stderr of the second run", send(), "were sent before", "ingest has taken everything")
	if got := sortedLines(readText(t, s.messages)); got != want {
		t.Errorf("the messages are not those of one process:\n%s", firstDifference(got, want))
	}
	partitions, err := s.client.Partitions(t.Context(), ingest.TopicReadings)
	if err != nil {
		t.Fatal(err)
	}
	for p := range partitions {
		if _, err := stream.ReadAll(t.Context(), s.client, ingest.TopicReadings, p, func(r stream.Record) error {
			if _, ok := r.Header(ingest.FeedClockHeader); !ok {
				return fmt.Errorf("offset %d has no clock, so the site goes by what it happens to have read", r.Offset)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// Reports reach the store by the topic where ingest has none.
func TestReportsReachTheStoreOfAnotherProcess(t *testing.T) {
	s := newSplitSite(t)
	s.alert.start()
	defer func() { s.alert.stop() }()
	eventually(t, "alert is ready", s.alert.ready)
	incident := ingest.Report{
		Incident: ingest.Incident{
			ID: "i1", Source: ingest.PowerGrid, Class: ingest.ClassOutage, State: ingest.Reported,
			Scope: ingest.Scope{Areas: []string{"tq-01"}}, From: time.Now().UTC().Truncate(time.Second),
		},
		Text: "变压器故障",
	}
	recs := []stream.Record{{Value: []byte("no report")}, {Value: contract.EncodeReport(&incident)}}
	if err := stream.NewProducer(s.client).Produce(t.Context(), ingest.TopicIncidents, recs); err != nil {
		t.Fatal(err)
	}
	if err := s.caught(t.Context(), "weimang-reports", ingest.TopicIncidents); err != nil {
		t.Fatal(err)
	}
	if n := countRecords(t, s.client, ingest.TopicDeadLetters); n != 0 {
		t.Errorf("%d dead letters, which are ingest's to write", n)
	}
}

func TestRolesNeedBrokersToMeetAt(t *testing.T) {
	t.Chdir(t.TempDir())
	r := weimang(t, "", "run", "--role", "ingest")
	r.want(t, exitFailed)
	wantContains(t, "stderr", r.stderr, "set kafka.brokers")
	r = weimang(t, "", "run", "--role", "page")
	r.want(t, exitUsage)
	wantContains(t, "stderr", r.stderr, `"page" must be ingest, detect or alert`)
	if roles, err := parseRoles([]string{"detect", " alert", "ingest"}); err != nil || !whole(roles) {
		t.Errorf("all three are not the whole: %v %v", roles, err)
	}
}

// Two processes tell people out of one PostgreSQL, whose plug is pulled on the
// way. The messages are those of one process with a file, each once.
func TestProcessesOfRoleAlertShareAPostgresThatIsKilled(t *testing.T) {
	server := storetest.StartServer(t)
	s := newSplitSite(t)
	s.alert.env = append(s.alert.env, "WEIMANG_STORE_URL="+server.Place().URL)
	other := &process{t: t, roles: s.alert.roles, file: s.alert.file, env: s.alert.env}
	all := []*process{s.alert, other, s.detect, s.ingest}
	for _, p := range all {
		p.start()
		defer func() { p.stop() }()
	}
	for _, p := range all {
		eventually(t, fmt.Sprintf("%v is ready", p.roles), p.ready)
	}
	at := func(day int) time.Time {
		return time.Date(2026, time.March, day, 0, 0, 0, 0, time.FixedZone("", 8*3600))
	}
	s.send(at(19))
	eventually(t, "the outage is told", func() bool { return strings.Contains(readText(t, s.messages), `"kind":"area-dark"`) })
	_, metrics := s.alert.ask("/metrics")
	wantContains(t, "metrics", metrics, `weimang_store_up{kind="postgres"} 1`)

	server.Kill()
	s.send(at(25))
	eventually(t, "the store is missed", func() bool {
		_, metrics := s.alert.ask("/metrics")
		return strings.Contains(metrics, `weimang_store_up{kind="postgres"} 0`)
	})
	server.Restart()
	other.stop() // and one of them goes
	s.send(at(31))
	want := s.ofOneProcess()
	eventually(t, "the messages of one process", func() bool { return len(readText(t, s.messages)) >= len(want) })
	if got := sortedLines(readText(t, s.messages)); got != want {
		t.Errorf("the messages are not those of one process:\n%s", firstDifference(got, want))
	}
}
