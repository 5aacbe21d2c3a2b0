package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
)

func TestGoodFilesAreGood(t *testing.T) {
	for _, c := range []struct{ what, file, says string }{
		{"readings", "readings-good.jsonl", "readings: 3 good, 0 bad\n"},
		{"incidents", "incidents-good.jsonl", "incidents: 2 good, 0 bad\n"},
		{"directives", "directives-good.jsonl", "directives: 3 good, 0 bad\n"},
		{"households", "households-good.csv", "households: 2 good, 0 bad\n"},
		{"people", "people-good.csv", "people: 2 good\n"},
	} {
		r := weimang(t, "", "check", c.what, example(c.file))
		r.want(t, exitOK)
		if r.stdout != c.says || r.stderr != "" {
			t.Errorf("%s: stdout %q, stderr %q", c.file, r.stdout, r.stderr)
		}
		// The same through a pipe.
		if piped := weimang(t, readText(t, example(c.file)), "check", c.what, "-"); piped != r {
			t.Errorf("%s as standard input: %+v", c.file, piped)
		}
	}
}

func TestEachBadRecordGetsAnAnswer(t *testing.T) {
	r := weimang(t, "", "check", "readings", "--clock", "now", example("readings-bad-eight-kinds-among-good.jsonl"))
	r.want(t, exitFailed)
	for _, want := range []string{
		"line 2: not-json: ",
		"line 3: no-meter: meter_id: ",
		"line 4: negative: kwh[1]: -0.2 kWh is below zero; ",
		"line 5: absurd: kwh: ",
		"line 6: future: ts: ",
		"line 7: too-late: ts: ",
		"line 8: bad-interval: interval_s: ",
		"line 9: not-a-number: kwh: ",
	} {
		wantContains(t, "stdout", r.stdout, want)
	}
	wantContains(t, "stderr", r.stderr, "readings would be refused")

	// Without a clock 2013 and 2099 are as good as any year.
	r = weimang(t, "", "check", "readings", example("readings-bad-eight-kinds-among-good.jsonl"))
	r.want(t, exitFailed)
	wantContains(t, "stdout", r.stdout, "readings: 3 good, 6 bad (not-json 1, no-meter 1, bad-interval 1, negative 1, absurd 1, not-a-number 1)")
}

func TestAReadingSentNowIsInTime(t *testing.T) {
	b := ingest.Block{MeterID: "m1", Start: time.Now().UTC().Truncate(time.Hour).Add(-time.Hour), Interval: time.Hour, KWh: []float64{0.2}}
	r := weimang(t, string(contract.EncodeJSON(&b)), "check", "readings", "-", "--clock", "now")
	r.want(t, exitOK)
}

func TestTheUsualDelayThatFitsAFileIsNamed(t *testing.T) {
	midnight := time.Date(2026, 7, 12, 0, 0, 0, 0, time.UTC)
	lines := func(blocks ...ingest.Block) string {
		var b strings.Builder
		for i := range blocks {
			b.Write(append(contract.EncodeJSON(&blocks[i]), '\n'))
		}
		return b.String()
	}
	halves := func(n int, start, sent time.Time) ingest.Block {
		return ingest.Block{MeterID: "m1", Start: start, Interval: 30 * time.Minute, KWh: make([]float64, n), SentAt: sent}
	}
	day := lines(halves(48, midnight, time.Time{}), halves(48, midnight.AddDate(0, 0, 1), time.Time{}))
	for name, c := range map[string]struct {
		file  string
		usual string
		want  string
	}{
		"days in blocks":                  {day, "30m", "2 of 2 records is older than the site waits for when they come; the site should set feed.usual_delay: 25h (with 1h for the way"},
		"days where the site waits":       {day, "25h", ""},
		"yesterday at eight":              {lines(halves(48, midnight, midnight.Add(32*time.Hour))), "25h", "feed.usual_delay: 32h\n"},
		"single readings, who knows when": {lines(halves(1, midnight, time.Time{}), halves(1, midnight.Add(30*time.Minute), time.Time{})), "30m", ""},
		"single readings, two hours late": {lines(halves(1, midnight, midnight.Add(150*time.Minute))), "30m", "feed.usual_delay: 2h\n"},
		"a day that grows":                {lines(halves(1, midnight, time.Time{}), halves(2, midnight, time.Time{}), halves(3, midnight, time.Time{})), "30m", ""},
		"a week in a block":               {lines(halves(336, midnight, time.Time{})), "30m", "1 of 1 records is more than 72h old when they come, longer than any feed.usual_delay"},
	} {
		r := weimang(t, c.file, "check", "readings", "-", "--usual-delay", c.usual)
		r.want(t, exitOK)
		if got := strings.Contains(r.stdout, "usual delay:"); got != (c.want != "") || !strings.Contains(r.stdout, c.want) {
			t.Errorf("%s: %q, want %q", name, r.stdout, c.want)
		}
	}
	for file, want := range map[string]string{
		day:                                     `{"good":2,"bad":0,"by_reason":{},"usual_delay_h":25}`,
		lines(halves(1, midnight, time.Time{})): `{"good":1,"bad":0,"by_reason":{}}`,
	} {
		if r := weimang(t, file, "check", "readings", "-", "--json"); r.stdout != want+"\n" {
			t.Errorf("%q, want %q", r.stdout, want)
		}
	}
}

func TestRowsOfACSVFileGetAnswersToo(t *testing.T) {
	r := weimang(t, "", "check", "readings", example("readings-bad-rows.csv"))
	r.want(t, exitFailed)
	wantContains(t, "stdout", r.stdout, "line 3: negative: kwh: ", "line 5: no-meter: meter_id: ", "line 6: bad-time: ts: ",
		"readings: 3 good, 3 bad (no-meter 1, bad-time 1, negative 1)")
	r = weimang(t, "", "check", "readings", "--clock", "now", example("readings-bad-rows.csv"))
	r.want(t, exitUsage)
}

func TestMachinesGetOneObjectALine(t *testing.T) {
	r := weimang(t, "", "check", "incidents", "--json", example("incidents-bad-no-scope-and-no-offset.jsonl"))
	r.want(t, exitFailed)
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines:\n%s", len(lines), r.stdout)
	}
	var first answer
	var counts struct {
		Good, Bad int
		ByReason  map[ingest.Reason]int `json:"by_reason"`
	}
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil || first.Line != 1 || first.Reason != ingest.NoScope || first.Field != "scope" {
		t.Errorf("first answer %+v: %v", first, err)
	}
	if err := json.Unmarshal([]byte(lines[2]), &counts); err != nil || counts.Good != 1 || counts.Bad != 2 || counts.ByReason[ingest.BadTime] != 1 {
		t.Errorf("counts %+v: %v", counts, err)
	}
}

func TestARosterIsCheckedToo(t *testing.T) {
	r := weimang(t, "", "check", "households", example("households-bad-meter-twice.csv"))
	r.want(t, exitFailed)
	wantContains(t, "stdout", r.stdout, "line 3: bad-field: meter_id: the meter stands in line 2 already")
	r = weimang(t, "", "check", "people", example("people-bad-role-and-village.csv"))
	r.want(t, exitFailed)
	wantContains(t, "stderr", r.stderr, "line 2: column role", "line 3: column village_id")
}

func TestNamesAreNeverRepeated(t *testing.T) {
	r := weimang(t, `{"meter_id":"王奶奶","ts":"2026-07-12T14:00:00+08:00","interval_s":1800,"kwh":"王奶奶"}`, "check", "readings", "-")
	r.want(t, exitFailed)
	if strings.Contains(r.stdout+r.stderr, "王") {
		t.Errorf("a name came out:\n%s%s", r.stdout, r.stderr)
	}
}

func TestHugeLinesAndOddBeginningsAreNoTrouble(t *testing.T) {
	good := `{"meter_id":"m1","ts":"2026-07-12T14:00:00+08:00","interval_s":1800,"kwh":0.2}`
	huge := `{"meter_id":"` + strings.Repeat("x", 3<<20) + `"}`
	r := weimang(t, "\ufeff"+good+"\r\n"+huge+"\n\n"+good, "check", "readings", "-")
	r.want(t, exitFailed)
	wantContains(t, "stdout", r.stdout, "line 2: too-large: ", "readings: 2 good, 1 bad")
}

func TestAFileWithoutRecordsIsNotGood(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.jsonl")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := weimang(t, "", "check", "readings", empty)
	r.want(t, exitFailed)
	wantContains(t, "stderr", r.stderr, "holds no readings")
	r = weimang(t, "", "check", "readings", filepath.Join(t.TempDir(), "gone.jsonl"))
	r.want(t, exitFailed)
	wantContains(t, "stderr", r.stderr, "gone.jsonl: no such file")
}

// The contract's own examples judge the command: what is good there is good
// here.
func TestTheContractsExamplesAgree(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "contract", "*.json"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		if name == "reading-bad-not-json-empty.json" {
			continue // an empty line is no record in a file of lines
		}
		what, _, _ := strings.Cut(name, "-")
		// A record may be written over several lines, a line may not.
		text := strings.ReplaceAll(strings.TrimSpace(readText(t, file)), "\n", " ")
		want := exitOK
		if strings.HasPrefix(name, what+"-bad-") {
			want = exitFailed
		}
		if r := weimang(t, text, "check", what+"s", "-"); r.code != want {
			t.Errorf("%s: exit code %d, want %d\n%s%s", name, r.code, want, r.stdout, r.stderr)
		}
	}
}
