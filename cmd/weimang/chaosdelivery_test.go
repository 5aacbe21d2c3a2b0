package main

import (
	"strings"
	"testing"
)

func TestChaosDeliveryLosesNothing(t *testing.T) {
	r := weimang(t, "", "chaos", "delivery", "--rounds", "2", "--seed", "5")
	r.want(t, exitOK)
	for _, line := range []string{"lost, or twice for no reason 0", "rounds                   2, seed 5"} {
		if !strings.Contains(r.stdout, line) {
			t.Errorf("no line %q in\n%s", line, r.stdout)
		}
	}
	if strings.Contains(r.stdout, "processes killed         0") {
		t.Errorf("nothing was killed:\n%s", r.stdout)
	}
}

func TestChaosDeliveryNoticesWhatIsSentBeforeItIsStored(t *testing.T) {
	r := weimang(t, "", "chaos", "delivery", "--rounds", "3", "--seed", "5", "--sabotage", "send-before-store")
	r.want(t, exitFailed)
	if !strings.Contains(r.stdout, "was sent before it was stored") {
		t.Errorf("it does not say what is wrong:\n%s%s", r.stdout, r.stderr)
	}
}

func TestChaosDeliverySaysWhatItLacks(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--store oracle", "--store"},
		{"--store postgres", "--url"},
		{"--sabotage something", "--sabotage"},
		{"--rounds 0", "--rounds"},
	} {
		r := weimang(t, "", append([]string{"chaos", "delivery"}, strings.Fields(c.args)...)...)
		r.want(t, exitUsage)
		if !strings.Contains(r.stderr, c.want) {
			t.Errorf("%s: %s", c.args, r.stderr)
		}
	}
}
