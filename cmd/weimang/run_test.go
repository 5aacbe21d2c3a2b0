package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/segmentio/kafka-go"
	"google.golang.org/protobuf/proto"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
	"weimang/ingest/wirepb"
)

// site is a running weimang, as an operator starts it.
type site struct {
	t      *testing.T
	client *stream.Client
	page   string
	broker string
	config string // path of its configuration
}

func startSite(t *testing.T, households string) *site {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	onRealKafka(t)
	page, broker := freeAddr(t), freeAddr(t)
	cfg, err := LoadConfig(write("weimang.yaml", fmt.Sprintf(
		"data_dir: %s\nroster:\n  households: %s\n  people: %s\nhttp:\n  addr: %s\nkafka:\n  addr: %s\n",
		filepath.Join(dir, "data"), write("households.csv", households),
		write("people.csv", "village_id,role,name,channel,address,language\nwd,chair,李桂花,console,13800000000,\n"), page, broker)), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	var stderr bytes.Buffer
	wg.Go(func() {
		if err := serve(ctx, cfg, allRoles, io.Discard, &stderr); err != nil {
			t.Errorf("run ended with %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		for _, secret := range []string{"李桂花", "13800000000"} {
			if strings.Contains(stderr.String(), secret) {
				t.Errorf("a person's data is in the log: %s", secret)
			}
		}
	})
	brokers := cfg.Kafka.Brokers
	if cfg.Embedded() {
		brokers = []string{broker}
	}
	client, err := cfg.Kafka.newClient(brokers, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	s := &site{t: t, client: client, page: "http://" + page, broker: brokers[0], config: filepath.Join(dir, "weimang.yaml")}
	s.eventually("ready", func() bool { return s.get("/-/ready") == "ready\n" })
	return s
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // the port is free again either way
	return l.Addr().String()
}

// get is the body of an answer of 200, "" of any other.
func (s *site) get(path string) string {
	s.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	res, err := client.Get(s.page + path)
	if err != nil {
		return ""
	}
	defer res.Body.Close() //nolint:errcheck // only read from
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return ""
	}
	return string(body)
}

func (s *site) eventually(what string, done func() bool) {
	s.t.Helper()
	for begun := time.Now(); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			s.t.Fatalf("does not happen: %s\nmetrics:\n%s", what, s.get("/metrics"))
		}
	}
}

// counts reports whether the metrics page has a line.
func (s *site) counts(line string) bool {
	return strings.Contains(s.get("/metrics"), "\n"+line+"\n")
}

func (s *site) send(contentType string, values ...[]byte) {
	s.t.Helper()
	var recs []stream.Record
	for _, v := range values {
		recs = append(recs, stream.Record{Value: v, Headers: []kafka.Header{{Key: contract.ContentTypeHeader, Value: []byte(contentType)}}})
	}
	if err := stream.NewProducer(s.client).Produce(s.t.Context(), ingest.TopicReadings, recs); err != nil {
		s.t.Fatal(err)
	}
}

// TestBadRecordsEndInTheDeadLettersAndGoodOnesAreUnharmed is an integrator's
// worst day against a running system.
func TestBadRecordsEndInTheDeadLettersAndGoodOnesAreUnharmed(t *testing.T) {
	s := startSite(t, "meter_id,household_id,area_id,zone,village_id,label\nm1,h-0001,tq-01,Asia/Shanghai,wd,3组12号\n")
	slot := time.Now().UTC().Truncate(30 * time.Minute)
	reading := func(meter string, back time.Duration, kwh string) []byte {
		return fmt.Appendf(nil, `{"meter_id":%q,"ts":%q,"interval_s":1800,"kwh":%s}`, meter, slot.Add(-back).Format(time.RFC3339), kwh)
	}
	protobuf, err := proto.Marshal(&wirepb.Reading{MeterId: "m1", Ts: slot.Add(-2 * time.Hour).Unix(), IntervalS: 1800, Kwh: []float64{math.NaN()}})
	if err != nil {
		t.Fatal(err)
	}
	s.send(contract.JSON,
		reading("m1", 5*time.Hour, "0.11"),
		[]byte("not JSON"),
		reading("", 4*time.Hour, "0.1"),
		reading("m1", 4*time.Hour, "-0.1"),
		reading("m1", 4*time.Hour, "2000"),
		reading("m1", -3*time.Hour, "0.1"),
		reading("m1", 9*24*time.Hour, "0.1"),
		bytes.Replace(reading("m1", 4*time.Hour, "0.1"), []byte("1800"), []byte("600"), 1),
		reading("m1", 4*time.Hour, "NaN"),
		reading("m1", 270*time.Minute, "0.12"),
		reading("m1", 270*time.Minute, "0.12"), // once more
		reading("of-the-whole-town", 4*time.Hour, "0.3"),
	)
	s.send(contract.Protobuf, protobuf)
	s.send(contract.JSON, reading("m1", 4*time.Hour, "0.13"))

	s.eventually("three good readings and a repeat are accepted", func() bool { return s.counts("weimang_ingest_readings_accepted_total 4") })
	s.eventually("the repeat changes nothing", func() bool { return s.counts("weimang_detect_duplicate_readings_total 1") })
	s.eventually("a meter outside the roster is shown", func() bool { return s.get("/-/unknown-meters") == "of-the-whole-town\n" })

	reasons := make(map[ingest.Reason]int)
	s.eventually("nine dead letters", func() bool {
		clear(reasons)
		n := 0
		_, err := stream.ReadAll(t.Context(), s.client, ingest.TopicDeadLetters, 0, func(r stream.Record) error {
			d, err := contract.DecodeDeadLetter(r.Value)
			if err != nil {
				return err
			}
			if d.Topic != ingest.TopicReadings || len(d.Value) == 0 || d.Text == "" {
				t.Errorf("dead letter without bytes, place or words: %+v", d)
			}
			reasons[d.Reason]++
			n++
			return nil
		})
		return err == nil && n >= 9
	})
	want := map[ingest.Reason]int{
		ingest.NotJSON: 1, ingest.NoMeter: 1, ingest.Negative: 1, ingest.Absurd: 1, ingest.Future: 1,
		ingest.TooLate: 1, ingest.BadInterval: 1, ingest.NotANumber: 2,
	}
	for reason, n := range want {
		if reasons[reason] != n {
			t.Errorf("%d dead letters of reason %s, want %d", reasons[reason], reason, n)
		}
	}

	page := s.get("/metrics")
	problems, err := promlint.New(strings.NewReader(page)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("the metrics page: %v %v", problems, err)
	}
	for _, secret := range []string{"李桂花", "13800000000", "3组12号", "h-0001", "m1\""} {
		if strings.Contains(page, secret) {
			t.Errorf("%q is on the metrics page", secret)
		}
	}
	s.eventually("the page shows the home's use", func() bool {
		home := s.get("/household/h-0001")
		return strings.Contains(home, "3组12号") && strings.Contains(home, "<svg")
	})
}
