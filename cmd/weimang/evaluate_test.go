package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"weimang/detectors/evaluate"
)

// judgedVillage is the files of a village that can be judged within a second.
func judgedVillage(t *testing.T) (readings, households, list string) {
	t.Helper()
	dir := t.TempDir()
	weimang(t, "", "simulate", "--out", dir, "--households", "5", "--areas", "1", "--interval", "1h",
		"--from", "2026-03-01", "--to", "2026-05-20").want(t, exitOK)
	readings, households, list = filepath.Join(dir, "readings.csv.gz"), filepath.Join(dir, "households.csv"), filepath.Join(dir, "homes.txt")
	ids := []string{"# household or meter, one a line", ""}
	for _, row := range strings.Split(strings.TrimSpace(readText(t, households)), "\n")[1:] {
		meter, _, _ := strings.Cut(row, ",")
		ids = append(ids, meter)
	}
	if err := os.WriteFile(list, []byte(strings.Join(ids, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return readings, households, list
}

func TestEvaluateShowsWhatTheDetectorsWouldDo(t *testing.T) {
	readings, households, list := judgedVillage(t)
	dir := t.TempDir()
	csv, svg := filepath.Join(dir, "figures.csv"), filepath.Join(dir, "curve.svg")
	args := []string{
		"evaluate", "--readings", readings, "--households", households, "--homes", list, "--kinds", "still,stuck-on",
		"--cases", "1", "--headlines", "--bootstrap", "20", "--budgets", "0.02", "--csv", csv, "--svg", svg,
	}
	r := weimang(t, "", args...)
	r.want(t, exitOK)
	wantContains(t, "table", r.stdout, "5 homes from the list, in 1 areas", "Untouched homes", "still", "stuck-on", "Operating curve", "The bound")
	wantContains(t, "stderr", r.stderr, "took", "cases", "readings judged")
	wantContains(t, "CSV", readText(t, csv), "section,rule,budget", "curve,weimang,0.02")
	wantContains(t, "SVG", readText(t, svg), "<svg", "</svg>")

	r = weimang(t, "", append(args, "--json", "--workers", "1")...)
	r.want(t, exitOK)
	one := new(evaluate.Report)
	if err := json.Unmarshal([]byte(r.stdout), one); err != nil {
		t.Fatal(err)
	}
	if len(one.Homes.Judged) != 5 || len(one.Detectors.Scores) != 2 || len(one.Peers) == 0 || one.Settings.Seed != 1 {
		t.Errorf("%+v", one.Settings)
	}
	again := weimang(t, "", append(args, "--json", "--workers", "3")...)
	again.want(t, exitOK)
	if again.stdout != r.stdout {
		t.Error("another number of workers gives other figures")
	}
}

func TestEvaluateWritesOneThingToStandardOutput(t *testing.T) {
	readings, households, list := judgedVillage(t)
	args := []string{
		"evaluate", "--readings", readings, "--households", households, "--homes", "-", "--kinds", "still", "--cases", "1",
		"--headlines", "--bootstrap", "0", "--budgets", "0.02", "--peers=false",
	}
	r := weimang(t, readText(t, list), append(args, "--csv", "-")...)
	r.want(t, exitOK)
	if !strings.HasPrefix(r.stdout, "section,rule") || strings.Contains(r.stdout, "Untouched homes") || strings.Contains(r.stdout, "stand-by") {
		t.Errorf("standard output:\n%s", r.stdout)
	}
	r = weimang(t, readText(t, households), append(args, "--svg", "-")...) // a CSV is a list, too
	r.want(t, exitOK)
	if !strings.HasPrefix(r.stdout, "<svg") || !strings.HasSuffix(r.stdout, "</svg>\n") {
		t.Errorf("standard output:\n%s", r.stdout)
	}
	r = weimang(t, readText(t, list), append(args, "--budgets", "none", "--interval", "1h")...)
	r.want(t, exitOK)
	if strings.Contains(r.stdout, "Operating curve") {
		t.Errorf("a curve without budgets:\n%s", r.stdout)
	}
}

func TestEvaluateRefusesWhatItCannotJudge(t *testing.T) {
	readings, households, list := judgedVillage(t)
	for _, c := range []struct {
		name, args, stdin, says string
		code                    int
	}{
		{"no such kind", "--kinds stil", "", `no event is of kind "stil"; there are [still`, exitUsage},
		{"no case", "--cases 0", "", "cases must be at least 1", exitUsage},
		{"no budget", "--budgets 0", "", "budget 0 must be", exitUsage},
		{"a curve without budgets", "--budgets none --svg x.svg", "", "needs --budgets", exitUsage},
		{"a budget that is no number", "--budgets few", "", `--budgets: "few" is no number`, exitUsage},
		{"no warm-up", "--warmup 0", "", "--warmup: 0", exitUsage},
		{"workers", "--workers -1", "", "--workers: -1 is negative", exitUsage},
		{"two outputs", "--csv - --svg -", "", "only one of --csv and --svg", exitUsage},
		{"two inputs", "--households - --homes -", "", "only one of", exitUsage},
		{"no such interval", "--interval 10m", "", "10m must be 15m, 30m or 1h", exitUsage},
		{"no such list", "--homes nowhere.txt", "", "nowhere.txt", exitFailed},
		{"an empty list", "--homes -", "# nobody\n", "standard input: the list of homes is empty", exitFailed},
		{"a home without readings", "--homes -", "nobody\n", "no readings of home nobody", exitFailed},
		{"finer than it comes", "--interval 15m --homes " + list, "", "cannot be made 15m", exitFailed},
		{"homes of which none is regular", "", "", "--homes names homes to judge", exitFailed},
		{"too short for the warm-up", "--warmup 79 --homes " + list, "", "too few days after the warm-up", exitFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"evaluate", "--readings", readings}, strings.Fields(c.args)...)
			if !strings.Contains(c.args, "--households") {
				args = append(args, "--households", households)
			}
			r := weimang(t, c.stdin, args...)
			r.want(t, c.code)
			wantContains(t, "stderr", r.stderr, c.says)
			if r.stdout != "" {
				t.Errorf("something on stdout: %s", r.stdout)
			}
		})
	}
}
