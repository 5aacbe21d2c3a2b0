package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"weimang/alerts/roster"
	"weimang/alerts/store"
	"weimang/alerts/store/storetest"
)

// configOf is the configuration of a store with one home in it, and its place.
func configOf(t *testing.T, o store.Options) (config string) {
	t.Helper()
	config = filepath.Join(t.TempDir(), "weimang.yaml")
	text := "store:\n  path: " + o.Path + "\n"
	if o.URL != "" {
		secret := filepath.Join(t.TempDir(), "url")
		if err := os.WriteFile(secret, []byte(o.URL+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		text = "store:\n  url: file:" + secret + "\n"
	}
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config
}

func oneHome(t *testing.T, o store.Options) {
	t.Helper()
	err := storetest.OpenAt(t, o).ImportRoster(t.Context(), []store.HouseholdRow{{MeterID: "m1", HouseholdID: "h1", AreaID: "a1", VillageID: "v1"}},
		[]roster.Member{{
			Person: roster.Person{ID: "p1", Contacts: []roster.Contact{{Channel: "console", Address: "1380000"}}},
			Duty:   roster.Duty{Role: roster.Chair, UnitID: "v1"},
		}})
	if err != nil {
		t.Fatal(err)
	}
}

// info is what the command says of a store, one space between words.
func info(t *testing.T, config string) string {
	t.Helper()
	r := weimang(t, "", "store", "info", "--config", config)
	r.want(t, exitOK)
	return strings.Join(strings.Fields(r.stdout), " ")
}

// A site that has begun with a file goes on with a server, or on another machine.
func TestAStoreMovesByItsBackup(t *testing.T) {
	from, to := storetest.File(t), storetest.Place(t)
	oneHome(t, from)
	source, target := configOf(t, from), configOf(t, to)
	file := filepath.Join(t.TempDir(), "weimang.backup")

	r := weimang(t, "", "store", "backup", "--config", source, "--to", file)
	r.want(t, exitOK)
	wantContains(t, "stderr", r.stderr, " rows of schema ", "from sqlite")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup has mode %v (%v): names stand in it", info.Mode(), err)
	}
	r = weimang(t, "", "store", "restore", "--config", target, "--from", file)
	r.want(t, exitOK)
	wantContains(t, "stdout", r.stdout, " rows restored into "+string(storetest.OpenAt(t, to).Kind()), "taken from sqlite")
	wantContains(t, "info", info(t, target), "households 1 rows", "homes 1 rows")

	r = weimang(t, "", "store", "restore", "--config", target, "--from", file)
	r.want(t, exitFailed)
	wantContains(t, "stderr", r.stderr, "not empty", "--replace")
	weimang(t, "", "store", "restore", "--config", target, "--from", file, "--replace").want(t, exitOK)
	if err := os.Truncate(file, 100); err != nil {
		t.Fatal(err)
	}
	r = weimang(t, "", "store", "restore", "--config", target, "--from", file, "--replace")
	r.want(t, exitFailed)
	wantContains(t, "stderr", r.stderr, "damaged or cut short")
	wantContains(t, "info", info(t, target), "households 1 rows")
}

func TestABackupOfNoStoreLeavesTheOneBefore(t *testing.T) {
	o := storetest.File(t)
	config := configOf(t, o)
	file := filepath.Join(t.TempDir(), "weimang.backup")
	if err := os.WriteFile(file, []byte("the one before"), 0o600); err != nil {
		t.Fatal(err)
	}
	weimang(t, "", "store", "backup", "--config", config, "--to", file).want(t, exitFailed) // there is no store
	if got := readText(t, file); got != "the one before" {
		t.Errorf("the backup before is gone: %q", got)
	}
	if _, err := os.Stat(o.Path); err == nil {
		t.Error("looking for a store has made one")
	}
}

func TestTheWayBackOfAStoreIsNotTakenWithoutAWord(t *testing.T) {
	o := storetest.Place(t)
	oneHome(t, o)
	config := configOf(t, o)
	r := weimang(t, "", "store", "migrate", "--config", config, "--to", "1")
	r.want(t, exitOK)
	wantContains(t, "stdout", r.stdout, "table homes, 1 rows", "Nothing has been changed", "--yes")
	wantContains(t, "info", info(t, config), "homes 1 rows")
	weimang(t, "", "store", "migrate", "--config", config, "--to", "1", "--yes").want(t, exitOK)
	wantContains(t, "info", info(t, config), "meters 1 rows", "schema 1 of")
	weimang(t, "", "store", "migrate", "--config", config).want(t, exitOK)
	wantContains(t, "info", info(t, config), "homes 1 rows")
	r = weimang(t, "", "store", "migrate", "--config", config, "--to", "4711")
	r.want(t, exitFailed)
	wantContains(t, "stderr", r.stderr, "no 4711")
}

func TestAnAddressOfAStoreStaysSecret(t *testing.T) {
	for name, text := range map[string]string{
		"not an address": "store:\n  url: postgres://u:p4ss/w0rd@db/weimang\n",
		"two stores":     "store:\n  url: postgres://u:p4ssw0rd@db/weimang\n  path: weimang.db\n",
		"not there":      "store:\n  url: postgres://u:p4ssw0rd@127.0.0.1:1/weimang?sslmode=disable\n",
	} {
		t.Run(name, func(t *testing.T) {
			config := filepath.Join(t.TempDir(), "weimang.yaml")
			if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			r := weimang(t, "", "store", "info", "--config", config)
			r.want(t, exitFailed)
			if r.stderr == "" || strings.Contains(r.stderr+r.stdout, "p4ss") {
				t.Errorf("stderr: %s", r.stderr)
			}
		})
	}
}
