package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/deadletters"
	"weimang/ingest/intake"
	"weimang/ingest/stream"
)

// A meter is exchanged before anybody has told the roster: its readings wait
// in the dead letters.
func TestARefusedReadingArrivesOnceTheRosterIsMendedAndItIsReplayed(t *testing.T) {
	t.Setenv("WEIMANG_ROSTER_KEEP_UNKNOWN", "true")
	s := startSite(t, "meter_id,household_id,area_id,zone,village_id,label\nm1,h-0001,tq-01,Asia/Shanghai,wd,3组12号\n")
	slot := time.Now().UTC().Truncate(30 * time.Minute)
	reading := func(meter string, back time.Duration) []byte {
		return fmt.Appendf(nil, `{"meter_id":%q,"ts":%q,"interval_s":1800,"kwh":0.1}`, meter, slot.Add(-back).Format(time.RFC3339))
	}
	s.send(contract.JSON, reading("m1", 2*time.Hour), reading("m1-new", 90*time.Minute), reading("m1-new", time.Hour), []byte("not JSON"))
	s.eventually("one is taken, three are refused", func() bool {
		return s.counts("weimang_ingest_readings_accepted_total 1") && countRecords(t, s.client, ingest.TopicDeadLetters) == 3
	})
	ask := func(args ...string) result {
		return weimang(t, "", append([]string{"deadletters", args[0], "--brokers", s.broker}, args[1:]...)...)
	}

	r := ask("list")
	r.want(t, exitOK)
	wantContains(t, "list", r.stdout, "unknown-meter  meter_id  readings/", "m1-new", "waiting", "3 dead letters")
	if strings.Contains(r.stdout, "interval_s") {
		t.Errorf("the list shows what a sender wrote:\n%s", r.stdout)
	}

	r = ask("replay", "--reason", "unknown-meter")
	r.want(t, exitOK)
	wantContains(t, "dry run", r.stdout, "2 would go back to weimang.readings", "nothing was written")
	if n := countRecords(t, s.client, ingest.TopicReadings); n != 4 {
		t.Fatalf("the dry run has left %d readings, want the 4 that were sent", n)
	}

	home := ingest.Home{MeterID: "m1-new", HouseholdID: "h-0001", AreaID: "tq-01", VillageID: "wd", Zone: "Asia/Shanghai"}
	if err := intake.PublishRoster(t.Context(), stream.NewProducer(s.client), []ingest.Home{home}); err != nil {
		t.Fatal(err)
	}
	accepted := func() (n int) {
		_, text, _ := strings.Cut(s.get("/metrics"), "\nweimang_ingest_readings_accepted_total ")
		_, _ = fmt.Sscan(text, &n)
		return n
	}
	// The roster is followed, not asked: a reading that is taken says that it
	// has arrived. Whether probes before it were refused does not matter.
	s.eventually("the meter is known", func() bool {
		s.send(contract.JSON, reading("m1-new", 150*time.Minute))
		time.Sleep(200 * time.Millisecond)
		return accepted() > 1
	})
	before := accepted()
	r = ask("replay", "--household", "h-0001", "--until", "0s", "--reason", "unknown-meter", "--limit", "2", "--yes")
	r.want(t, exitOK)
	wantContains(t, "replay", r.stdout, "2 went back to weimang.readings")
	s.eventually("the refused readings arrive", func() bool { return accepted() == before+2 })

	r = ask("list", "--json", "--meter", "m1-new", "--limit", "2", "--oldest")
	r.want(t, exitOK)
	wantContains(t, "list", r.stdout, `"fate":"replayed"`)
	ids := idOf.FindAllStringSubmatch(r.stdout, -1)
	if len(ids) != 2 {
		t.Fatalf("%d letters are listed", len(ids))
	}
	r = ask("replay", ids[0][1], ids[1][1], "--yes")
	r.want(t, exitOK)
	wantContains(t, "a second replay", r.stdout, "2 left: replayed before")
	if accepted() != before+2 {
		t.Error("something was written once more")
	}
	// What is there already does no harm.
	ask("replay", ids[0][1], ids[1][1], "--yes", "--force").want(t, exitOK)
	s.eventually("they come once more", func() bool { return accepted() == before+4 })
	s.eventually("and change nothing", func() bool { return s.counts(fmt.Sprintf("weimang_detect_duplicate_readings_total %d", 2+before-2)) })
}

// idOf finds the IDs in a list of JSON lines.
var idOf = regexp.MustCompile(`"id":"([^"]+)"`)

func buryLetters(t *testing.T, client *stream.Client, letters ...contract.DeadLetter) {
	t.Helper()
	if err := client.EnsureTopics(t.Context(), stream.Topics(1, stream.Retention{})); err != nil {
		t.Fatal(err)
	}
	if err := deadletters.Bury(t.Context(), stream.NewProducer(client), letters); err != nil {
		t.Fatal(err)
	}
}

func TestShowTellsEverythingOfALetter(t *testing.T) {
	addr, client := startBroker(t)
	rec := stream.Record{
		Topic: ingest.TopicReadings, Partition: 1, Offset: 41, Key: []byte("m7"), Time: time.Unix(1_780_000_000, 0),
		Headers: []kafka.Header{{Key: "content-type", Value: []byte(contract.JSON)}, {Key: "odd", Value: []byte("\x1b[2J")}},
		Value:   []byte(`{"meter_id":"m7","kwh":[0.1,-3]}`),
	}
	binary := stream.Record{Topic: ingest.TopicReadings, Value: []byte("\x00\x01readings\x1b[2J")}
	buryLetters(t, client,
		deadletters.New(&rec, ingest.Reject(ingest.Negative, "kwh[1]", "-3 kWh is below zero"), time.Unix(1_780_000_100, 0)),
		deadletters.New(&binary, ingest.Reject(ingest.NotJSON, "", "not one JSON object"), time.Unix(1_780_000_100, 0)),
	)
	r := weimang(t, "", "deadletters", "show", "0:0", "--brokers", addr)
	r.want(t, exitOK)
	wantContains(t, "text", r.stdout,
		"weimang.readings, partition 1, offset 41, written 2026-", "key       m7", "content-type: application/json", "odd: hex 1b5b324a",
		"negative: a value below zero", "kwh[1]", "-3 kWh is below zero", "what the home drew from the grid", "refused again, unless",
		`>>>-3]}`, "waiting", string(rec.Value))
	r = weimang(t, "", "deadletters", "show", "0:1", "--brokers", addr)
	r.want(t, exitOK)
	wantContains(t, "hex", r.stdout, "00000000  00 01 72 65", "here      byte 0")
	if strings.Contains(r.stdout, "\x1b") {
		t.Error("a terminal would be told what to do")
	}
	r = weimang(t, "", "deadletters", "show", "0:0", "--brokers", addr, "--json")
	r.want(t, exitOK)
	var shown struct {
		ID, Fate, Remedy string
		Letter           contract.DeadLetter
	}
	if err := json.Unmarshal([]byte(r.stdout), &shown); err != nil || shown.ID != "0:0" || string(shown.Letter.Value) != string(rec.Value) || shown.Remedy == "" {
		t.Errorf("%v: %s", err, r.stdout)
	}
	r = weimang(t, "", "deadletters", "show", "0:9", "--brokers", addr)
	r.want(t, exitFailed)
	wantContains(t, "stderr", r.stderr, "0:9: no dead letter lies there")
}

func TestListsAreCountedFilteredAndInOrder(t *testing.T) {
	addr, client := startBroker(t)
	var letters []contract.DeadLetter
	for i := range 120 {
		rec := stream.Record{Topic: ingest.TopicReadings, Offset: int64(i), Key: fmt.Appendf(nil, "m%d", i%3), Value: []byte("{")}
		reason := ingest.NotJSON
		if i%4 == 0 {
			reason = ingest.TooLate
		}
		letters = append(letters, deadletters.New(&rec, ingest.Reject(reason, "", "text"), time.Now()))
	}
	buryLetters(t, client, letters...)
	list := func(args ...string) (ids []string, counts listCounts) {
		t.Helper()
		r := weimang(t, "", append([]string{"deadletters", "list", "--json", "--brokers", addr}, args...)...)
		r.want(t, exitOK)
		lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
		for _, line := range lines[:len(lines)-1] {
			var l struct{ ID string }
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, l.ID)
		}
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &counts); err != nil {
			t.Fatal(err)
		}
		return ids, counts
	}
	ids, counts := list()
	if len(ids) != 50 || ids[0] != "0:119" || counts.Letters != 120 || counts.ByReason[ingest.TooLate] != 30 {
		t.Errorf("%d shown, the first %s, counts %+v", len(ids), ids[0], counts)
	}
	if ids, _ = list("--oldest", "--limit", "2"); strings.Join(ids, " ") != "0:0 0:1" {
		t.Errorf("the oldest: %v", ids)
	}
	if ids, counts = list("--summary", "--topic", "readings"); len(ids) != 0 || counts.Letters != 120 {
		t.Errorf("summary: %v %+v", ids, counts)
	}
	if ids, counts = list("--meter", "m1", "--reason", "too-late", "--limit", "0"); len(ids) != 10 || counts.Letters != 10 {
		t.Errorf("of one meter: %v", ids)
	}
	if _, counts = list("--until", "1h"); counts.Letters != 0 {
		t.Errorf("%d refused more than an hour ago", counts.Letters)
	}
	r := weimang(t, "", "deadletters", "list", "--brokers", addr, "--summary")
	r.want(t, exitOK)
	wantContains(t, "summary", r.stdout, "not-json  90  not one JSON object", "too-late  30", "120 dead letters")
}
