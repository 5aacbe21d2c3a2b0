package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"weimang/detectors"
)

// quietHome is a village in which one home goes dark for good on 9 July, and
// two others until 13 July.
func quietHome(t *testing.T) (dir, meter string) {
	t.Helper()
	dir = t.TempDir()
	r := weimang(t, "", "simulate", "--out", dir, "--households", "9", "--areas", "1", "--interval", "1h", "--missing", "0",
		"--from", "2026-06-01", "--to", "2026-07-15")
	r.want(t, exitOK)
	rows := strings.Split(strings.TrimSpace(unzip(t, filepath.Join(dir, "readings.csv.gz"))), "\n")
	until := make(map[string]string)
	for i, end := range []string{"2026-08", "2026-07-13", "2026-07-13"} {
		id, _, _ := strings.Cut(rows[1+i], ",")
		until[id] = end
		if i == 0 {
			meter = id
		}
	}
	for i, row := range rows {
		cells := strings.Split(row, ",")
		if cells[1] >= "2026-07-09" && cells[1] < until[cells[0]] {
			rows[i] = cells[0] + "," + cells[1] + ",0.000"
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "readings.csv"), []byte(strings.Join(rows, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, meter
}

func unzip(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read from
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if _, err := text.ReadFrom(z); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestBacktestWritesTheTransitionsOfAHomeThatFallsSilent(t *testing.T) {
	dir, meter := quietHome(t)
	out := filepath.Join(dir, "findings.jsonl")
	args := []string{
		"backtest", "--readings", filepath.Join(dir, "readings.csv"), "--households", filepath.Join(dir, "households.csv"),
		"--incidents", filepath.Join(dir, "incidents.jsonl"), "--out", out,
	}
	r := weimang(t, "", args...)
	r.want(t, exitOK)
	opened := false
	lines := bufio.NewScanner(strings.NewReader(readText(t, out)))
	for lines.Scan() {
		f, err := detectors.DecodeFinding(lines.Bytes())
		if err != nil {
			t.Fatalf("%v: %s", err, lines.Text())
		}
		opened = opened || f.MeterID == meter && f.State == detectors.Open && f.Pushed && f.HouseholdID != "" && f.HouseholdID != meter
	}
	if !opened {
		t.Errorf("nothing was said about the home:\n%s", readText(t, out))
	}
	wantContains(t, "summary", r.stderr, "9504 of 9 homes in 1 areas, 396 home-days", "transitions", "per home-day", "visit-level", "readings/s")

	// Silent until the end: the same transitions, none of them pushed.
	r = weimang(t, "", append(args[:len(args)-1], "-", "--push-from", "2026-08-01")...)
	r.want(t, exitOK)
	if strings.Contains(r.stdout, `"pushed":true`) || strings.Count(r.stdout, "\n") == 0 {
		t.Errorf("while learning something was pushed:\n%s", r.stdout)
	}
}

func TestTheSameInputGivesTheSameBytesOnAnyNumberOfCores(t *testing.T) {
	dir, _ := quietHome(t)
	outputs := make(map[string]string)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, cores := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(cores)
		// Without a roster each home is an area, and the cores share them.
		r := weimang(t, readText(t, filepath.Join(dir, "readings.csv")), "backtest", "--readings", "-", "--out", "-")
		r.want(t, exitOK)
		outputs[r.stdout] = r.stdout
	}
	if len(outputs) != 1 || outputs[""] != "" {
		t.Errorf("%d different outputs", len(outputs))
	}
	for out := range outputs {
		if strings.Count(out, "\n") < 4 {
			t.Errorf("too little to compare: %q", out)
		}
	}
}

func TestBacktestTellsWhichRowsItLeftOut(t *testing.T) {
	r := weimang(t, "", "backtest", "--readings", example("readings-bad-rows.csv"), "--out", "-")
	r.want(t, exitOK)
	wantContains(t, "stderr", r.stderr, "3 rows of", "line 3, column kwh: negative", "line 6, column ts: bad-time", "3 of 1 homes")
}

func TestMetersOutsideTheRosterAreCounted(t *testing.T) {
	r := weimang(t, "meter_id,ts,kwh\nm1,2026-07-12T00:00:00Z,0.1\nm1,2026-07-12T01:00:00Z,0.1\n",
		"backtest", "--readings", "-", "--households", example("households-good.csv"), "--out", "-")
	r.want(t, exitOK)
	wantContains(t, "stderr", r.stderr, "2 readings of meters that are not in the file of households")
}

func TestAFailedBacktestLeavesTheOldOutput(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "findings.jsonl")
	if err := os.WriteFile(out, []byte("yesterday's\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ stdin, says string }{
		{"", "standard input: the file is empty"},
		{"meter_id,ts,kwh\nm1,noon,0.1\n", "standard input: no row can be used"},
	} {
		r := weimang(t, c.stdin, "backtest", "--readings", "-", "--out", out)
		r.want(t, exitFailed)
		wantContains(t, "stderr", r.stderr, c.says)
	}
	if readText(t, out) != "yesterday's\n" {
		t.Error("the old output is gone")
	}
}
