package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"weimang/detectors"
)

func TestFitWritesAModelThatDetectorsRead(t *testing.T) {
	readings, households, list := judgedVillage(t)
	out := filepath.Join(t.TempDir(), "model.json")
	args := []string{
		"fit", "--readings", readings, "--households", households, "--homes", list, "--cases", "1", "--rounds", "1",
		"--folds", "2", "--warmup", "30", "--iterations", "20",
	}
	r := weimang(t, "", append(args, "--out", out)...)
	r.want(t, exitOK)
	wantContains(t, "table", r.stdout, "log loss on homes not seen", "still/in-bed as still, 5 cases", "limit of thermostat", "tail of detector",
		"are too few to learn from: that part of the model is kept")
	wantContains(t, "stderr", r.stderr, "watching homes", "took")
	model := readText(t, out)
	if _, err := detectors.DecodeModel([]byte(model)); err != nil {
		t.Error(err)
	}

	r = weimang(t, "", append(args, "--out", "-", "--workers", "1")...)
	r.want(t, exitOK)
	if r.stdout != model {
		t.Error("another number of workers gives another model")
	}
}

func TestFitRefusesWhatItCannotLearnFrom(t *testing.T) {
	readings, households, list := judgedVillage(t)
	out := filepath.Join(t.TempDir(), "model.json")
	for _, c := range []struct {
		name, args, says string
		code             int
	}{
		{"no fold", "--folds 1", "folds must be at least 2", exitUsage},
		{"more folds than homes", "--folds 6 --homes " + list, "6 folds of 5 homes", exitFailed},
		{"no round", "--rounds 0", "rounds must be at least 1", exitUsage},
		{"no case", "--cases 0", "cases must be at least 1", exitUsage},
		{"a negative penalty", "--day-penalty -1", "a penalty of -1", exitUsage},
		{"no warm-up", "--warmup 0", "--warmup: 0", exitUsage},
		{"workers", "--workers -1", "--workers: -1 is negative", exitUsage},
		{"two inputs", "--households - --homes -", "only one of", exitUsage},
		{"no such list", "--homes nowhere.txt", "nowhere.txt", exitFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"fit", "--readings", readings, "--out", out}, strings.Fields(c.args)...)
			if !strings.Contains(c.args, "--households") {
				args = append(args, "--households", households)
			}
			r := weimang(t, "", args...)
			r.want(t, c.code)
			wantContains(t, "stderr", r.stderr, c.says)
			if _, err := os.Stat(out); err == nil {
				t.Error("a model was written all the same")
			}
		})
	}
}
