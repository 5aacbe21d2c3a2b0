package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if len(os.Args) >= 2 && slices.Contains([]string{ownBrokerCommand, benchWorkerCommand, chaosWorkerCommand, deliveryWorkerCommand}, os.Args[1]) {
		main() // this program once more, as a process that a bench or chaos has started
	}
	goleak.VerifyTestMain(m)
}

// result is what somebody at a terminal gets to see.
type result struct {
	code           int
	stdout, stderr string
}

// weimang runs a command line as a shell would, in this process.
func weimang(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(stdin), &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

func (r result) want(t *testing.T, code int) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d; stderr:\n%s", r.code, code, r.stderr)
	}
}

func wantContains(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s lacks %q:\n%s", what, part, text)
		}
	}
}

// example is a file of testdata/check.
func example(name string) string { return filepath.Join("..", "..", "testdata", "check", name) }

func readText(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestMistakesInTheCommandLineExitWith2(t *testing.T) {
	for _, c := range []struct{ name, args, says string }{
		{"unknown command", "bactest", `has no command "bactest"; did you mean backtest?`},
		{"unknown command of check", "check reading", "did you mean readings?"},
		{"check what", "check", "say what to check"},
		{"unknown flag", "backtest --reading x", "unknown flag: --reading"},
		{"flag of the wrong type", "backtest --readings x --out - --interval soon", `invalid argument "soon"`},
		{"missing flags", "backtest", `required flag(s) "out", "readings" not set`},
		{"missing file", "check readings", "accepts 1 arg(s), received 0"},
		{"a directive of no kind", "directive", "away, mute, outcome, consent-withdrawn"},
		{"a directive about nobody", "directive away", `"household" not set`},
		{"a muting without an end", "directive mute --household h-1 --dry-run", "until: required of kind mute"},
		{"an absence that is over before it begins", "directive away --household h-1 --from 2026-07-12 --until 2026-07-12 --dry-run", "--until: 2026-07-12T00:00:00+08:00 is not after"},
		{"an outcome that is none", "directive outcome --household h-1 --found fine --dry-run", "outcome: required of an outcome: one of"},
		{"a time that is none", "directive away --household h-1 --from noon --dry-run", "--from: "},
		{"no such part of the contract", "contract meter", "asyncapi, directive, incident, protobuf, reading"},
		{"no such zone", "backtest --readings x --out - --zone Ningbo", `"Ningbo" is not a zone`},
		{"no such interval", "backtest --readings x --out - --interval 10m", "10m must be 15m, 30m or 1h"},
		{"no such set of holidays", "backtest --readings x --out - --holidays fr", "--holidays"},
		{"no such day", "backtest --readings x --out - --push-from July", "is neither a date"},
		{"two inputs on standard input", "backtest --readings - --households - --out -", "only one of"},
		{"no such clock", "check readings - --clock noon", `"noon" must be now or none`},
		{"bench of no format", "bench --format xml", `format "xml" must be json`},
		{"bench of nobody", "bench --households 0", "0 households"},
		{"replay backwards", "replay --readings x --speed -1", "--speed: -1 is below zero"},
		{"replay in no zone", "replay --readings x --zone Ningbo", `--zone: "Ningbo" is not a zone`},
		{"replay from no day", "replay --readings x --push-from July", "--push-from: "},
		{"dead letters, and then", "deadletters", "say what to do"},
		{"no such dead letter", "deadletters show seventeen", `"seventeen" must be PARTITION:OFFSET`},
		{"replay whatever", "deadletters replay", "say which"},
		{"simulate to nowhere", "simulate", "at least one of the flags"},
		{"simulate to two places", "simulate --out x --brokers b:1", "none of the others can be"},
		{"no such event", "simulate --out x --story --without rain", "has no event"},
		{"an event without the story", "simulate --out x --without outage", "needs --story"},
		{"more areas than homes", "simulate --out x --households 2 --areas 3", "areas"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			r := weimang(t, "", strings.Fields(c.args)...)
			r.want(t, exitUsage)
			wantContains(t, "stderr", r.stderr, c.says, "--help'")
			if r.stdout != "" {
				t.Errorf("something on stdout: %s", r.stdout)
			}
		})
	}
}

func TestWithoutArgumentsComesHelpForStrangers(t *testing.T) {
	r := weimang(t, "")
	r.want(t, exitOK)
	wantContains(t, "help", r.stdout, "Try it:", "Run it:", "Connect a utility:", "Judge the detectors:", "completion")
	for _, line := range strings.Split(r.stdout, "\n") {
		if len([]rune(line)) > 100 {
			t.Errorf("a line of %d characters: %s", len([]rune(line)), line)
		}
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	root := newRootCmd()
	all := root.Commands()
	for i := 0; i < len(all); i++ {
		cmd := all[i]
		all = append(all, cmd.Commands()...)
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: Short must be there, without a full stop: %q", cmd.CommandPath(), cmd.Short)
		}
		if cmd.HasParent() && cmd.Parent() == root && cmd.GroupID == "" && !cmd.Hidden && cmd.Name() != "version" {
			t.Errorf("%s: stands in no group", cmd.CommandPath())
		}
		if cmd.RunE == nil {
			t.Errorf("%s: errors of a command without RunE would be taken for mistakes in the command line", cmd.CommandPath())
		}
	}
}

func TestShellCompletionKnowsCommandsAndArguments(t *testing.T) {
	r := weimang(t, "", "completion", "bash")
	r.want(t, exitOK)
	wantContains(t, "script", r.stdout, "__start_weimang")
	r = weimang(t, "", "__complete", "contract", "a")
	wantContains(t, "completion", r.stdout, "asyncapi")
}

func TestAnInterruptedCommandSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	out := filepath.Join(t.TempDir(), "village")
	if code := run(ctx, []string{"simulate", "--out", out}, strings.NewReader(""), &stdout, &stderr); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	wantContains(t, "stderr", stderr.String(), "weimang: interrupted")
	if _, err := os.Stat(filepath.Join(out, "readings.csv.gz")); !os.IsNotExist(err) {
		t.Errorf("half a file was left behind: %v", err)
	}
}

func TestVersion(t *testing.T) {
	r := weimang(t, "", "version")
	r.want(t, exitOK)
	wantContains(t, "version", r.stdout, "weimang ", "go1.")
	r = weimang(t, "", "version", "--json")
	wantContains(t, "version", r.stdout, `"version":`, `"go":"go1.`)
}

func TestContractPrintsEachDocument(t *testing.T) {
	for document, says := range map[string]string{
		"reading": `"$schema"`, "incident": `"$schema"`, "directive": `"$schema"`, "asyncapi": "asyncapi: 3.0.0", "protobuf": "message Reading",
	} {
		r := weimang(t, "", "contract", document)
		r.want(t, exitOK)
		wantContains(t, document, r.stdout, says)
	}
}
