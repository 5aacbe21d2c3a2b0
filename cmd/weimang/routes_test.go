package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"weimang/alerts/roster"
	"weimang/alerts/store"
)

// site writes a store with a village whose chair is on leave and whose deputy
// is on a channel that does not exist, and returns the configuration's path.
func aSite(t *testing.T, deputy string) string {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(t.Context(), filepath.Join(dir, "weimang.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	member := func(id string, role roster.Role, unit, channel string) roster.Member {
		return roster.Member{
			Person: roster.Person{ID: id, Contacts: []roster.Contact{{Channel: channel}}}, Duty: roster.Duty{Role: role, UnitID: unit},
		}
	}
	if err := db.ImportRoster(t.Context(), []store.HouseholdRow{
		{MeterID: "m1", HouseholdID: "h-0042", AreaID: "a1", VillageID: "wd", VillageName: "湾底村", Label: "3组12号", Zone: "Asia/Shanghai"},
		{MeterID: "m2", HouseholdID: "h-0043", AreaID: "a1", VillageID: "dg", VillageName: "东岗村", Label: "1组2号", Zone: "Asia/Shanghai"},
	}, []roster.Member{member("wd:chair:1", roster.Chair, "wd", "console"), member("wd:deputy:1", roster.Deputy, "wd", deputy)}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "weimang.yaml")
	if err := os.WriteFile(config, []byte("data_dir: "+dir+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return config
}

func TestRoutesTestSaysWhoWouldHear(t *testing.T) {
	config := aSite(t, "console")
	r := weimang(t, "", "routes", "test", "--config", config, "--household", "h-0042", "--severity", "orange", "--at", "2026-07-12T23:00:00+08:00")
	r.want(t, exitOK)
	want := `h-0042, 3组12号 in 湾底村: orange at Sun 12 Jul 23:00, policy orange
 1. Mon 13 Jul 07:00  answers within 2h
      chair        wd:chair:1 by console
 2. Mon 13 Jul 09:00  answers within 2h
      deputy       wd:deputy:1 by console
    Mon 13 Jul 11:00  nobody has answered: again after 4h, 2 times in all; then the operator, day by day
`
	if r.stdout != want {
		t.Errorf("got\n%s\nwant\n%s", r.stdout, want)
	}
}

func TestRoutesTestFailsWhereSomebodyCannotBeReached(t *testing.T) {
	r := weimang(t, "", "routes", "test", "--config", aSite(t, "pigeon"), "--household", "h-0042")
	r.want(t, exitFailed)
	if !strings.Contains(r.stdout, "wd:deputy:1: CANNOT BE REACHED") || !strings.Contains(r.stderr, "1 of those who should hear of it cannot be reached") {
		t.Errorf("%s%s", r.stdout, r.stderr)
	}
}

func TestRoutesTestFailsWhereNobodyIsThere(t *testing.T) {
	r := weimang(t, "", "routes", "test", "--config", aSite(t, "console"), "--household", "h-0043")
	r.want(t, exitFailed)
	if !strings.Contains(r.stderr, "everything goes to the operator (no-chair)") {
		t.Errorf("%s%s", r.stdout, r.stderr)
	}
}

func TestRoutesSayWhatTheyDoNotKnow(t *testing.T) {
	config := aSite(t, "console")
	for _, c := range []struct {
		name string
		args []string
		want string
		exit int
	}{
		{"an unknown household", []string{"--household", "h-9"}, "h-9 is not in the roster", exitFailed},
		{"blue rings nowhere", []string{"--household", "h-0042", "--severity", "blue"}, "red, orange or yellow", exitUsage},
		{"a time that is none", []string{"--household", "h-0042", "--at", "noon"}, "--at", exitUsage},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := weimang(t, "", append([]string{"routes", "test", "--config", config}, c.args...)...)
			r.want(t, c.exit)
			if !strings.Contains(r.stderr, c.want) {
				t.Errorf("%s", r.stderr)
			}
		})
	}
}

func TestThePrintedPoliciesAreGood(t *testing.T) {
	r := weimang(t, "", "routes", "policies")
	r.want(t, exitOK)
	file := filepath.Join(t.TempDir(), "policies.yaml")
	if err := os.WriteFile(file, []byte(r.stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	good := weimang(t, "", "routes", "check", file)
	good.want(t, exitOK)
	bad := weimang(t, strings.Replace(r.stdout, "[chair]", "[boss]", 1), "routes", "check", "-")
	bad.want(t, exitFailed)
	if !strings.Contains(bad.stderr, `"boss" is not a role`) {
		t.Errorf("%s", bad.stderr)
	}
}

func TestQualityOfAnEmptyStoreIsNothing(t *testing.T) {
	r := weimang(t, "", "quality", "--config", aSite(t, "console"))
	r.want(t, exitOK)
	if !strings.Contains(r.stdout, "precision") || !strings.Contains(r.stdout, "all") {
		t.Errorf("%s", r.stdout)
	}
}

func TestBenchAlertsMeasures(t *testing.T) {
	r := weimang(t, "", "bench", "alerts", "--households", "400", "--alerts", "40", "--paced", "1s", "--rate", "10")
	r.want(t, exitOK)
	for _, word := range []string{"alerts/s", "bytes an alert", "p99"} {
		if !strings.Contains(r.stdout, word) {
			t.Errorf("no %q in\n%s", word, r.stdout)
		}
	}
}
