package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weimang/ingest/contract"
	"weimang/ingest/intake"
)

// rosterExample is a folder of testdata/roster.
func rosterExample(name string) string { return filepath.Join("..", "..", "testdata", "roster", name) }

func TestCheckRosterOnAGoodAndABadExample(t *testing.T) {
	good := weimang(t, "", "check", "roster", rosterExample("good"))
	good.want(t, exitOK)
	if good.stdout != "roster: 43 entries, 0 errors, 0 warnings\n" {
		t.Errorf("says %s", good.stdout)
	}
	bad := weimang(t, "", "check", "roster", rosterExample("bad"), "--language", "en")
	bad.want(t, exitFailed)
	wantContains(t, "stdout", bad.stdout,
		"住户.csv, row 6, column 户号: error cell-personal-id: looks like a telephone number",
		"人员.csv, row 8, column 角色: error cell-word: is not one of the words that may stand here; use one of: resident, kin,",
		"单位.csv, row 4: warning village-without-chair: is a village without a chair",
		"roster: 34 entries, 16 errors, 17 warnings")
	wantContains(t, "stderr", bad.stderr, "16 errors")
	inChinese := weimang(t, "", "check", "roster", rosterExample("bad"))
	wantContains(t, "stdout", inChinese.stdout, "人员.csv, 第 8 行, “角色”：错误 cell-word：不是这一列可以填的词。可以填：本人、亲属")
	asJSON := weimang(t, "", "check", "roster", rosterExample("bad"), "--json")
	asJSON.want(t, exitFailed)
	wantContains(t, "stdout", asJSON.stdout, `{"file":"单位.csv","row":5,"column":"上级","rule":"unit-cycle","error":true,`, `{"entries":34,"errors":16,"warnings":17}`)
	for way, r := range map[string]result{"text": bad, "Chinese": inChinese, "JSON": asJSON} {
		for _, personal := range []string{"甲主席", "13800000", "与子女同住"} {
			if strings.Contains(r.stdout+r.stderr, personal) {
				t.Errorf("%s repeats %s", way, personal)
			}
		}
	}
	weimang(t, "", "check", "roster", "nowhere.xlsx").want(t, exitFailed)
	weimang(t, "", "check", "roster", rosterExample("good"), "--language", "fr").want(t, exitUsage)
}

// From nothing to a checked roster, without a broker, as deploy/docs/roster.md
// tells it.
func TestARosterGoesInAndComesOut(t *testing.T) {
	folder, err := filepath.Abs(rosterExample("good"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("key", strings.Repeat("ab", 32))
	write("w.yaml", "store:\n  key: file:key\nkafka:\n  addr: "+freeAddr(t)+"\n")
	with := func(args ...string) result { return weimang(t, "", append(args, "--config", "w.yaml")...) }

	dry := with("roster", "import", folder, "--dry-run")
	dry.want(t, exitOK)
	wantContains(t, "stdout", dry.stdout, "roster: 43 added, 0 changed, 0 gone")
	with("check", "roster").want(t, exitFailed) // it is still empty
	imported := with("roster", "import", folder, "--by", "clerk-1")
	imported.want(t, exitOK)
	wantContains(t, "stderr", imported.stderr, "the stream hears of it at the next start")
	checked := with("check", "roster")
	checked.want(t, exitOK)
	wantContains(t, "stdout", checked.stdout, "contacts kin-42 voice, “channel”：提醒 channel-closed", "0 errors")

	// The clerk takes it out as a workbook, and brings it in again: nothing changes.
	with("roster", "export", "--to", "名单.xlsx").want(t, exitOK)
	if info, err := os.Stat("名单.xlsx"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the workbook may be read by others: %v, %v", info, err)
	}
	again := with("roster", "import", "名单.xlsx", "--replace")
	again.want(t, exitOK)
	wantContains(t, "stdout", again.stdout, "roster: 0 added, 0 changed, 0 gone")

	write("people.csv", "person_id,phone\nchair-wd,13900000009\n")
	diff := with("roster", "diff", "people.csv")
	diff.want(t, exitOK)
	wantContains(t, "stdout", diff.stdout, "added contacts chair-wd sms", "gone contacts chair-wd sms")
	write("short.csv", "household_id\nh-0099\n")
	with("roster", "import", "short.csv", "--replace").want(t, exitFailed)

	with("household", "consent", "--household", "h-0043", "--withdraw", "--store-only").want(t, exitOK)
	unwatched := with("check", "roster")
	wantContains(t, "stdout", unwatched.stdout, "households h-0043：提醒 consent-expired")

	would := with("household", "erase", "--household", "h-0042", "--dry-run")
	would.want(t, exitOK)
	wantContains(t, "stdout", would.stdout, "would erase h-0042: 2 people")
	stuck := with("household", "erase", "--household", "h-0042")
	stuck.want(t, exitFailed)
	wantContains(t, "stderr", stuck.stderr, "nothing was erased")
	erased := with("household", "erase", "--household", "h-0042", "--store-only")
	erased.want(t, exitOK)
	wantContains(t, "stdout", erased.stdout, "erased h-0042: 2 people", "not reached: backups", "weimang.inputs 14 days")
	wantContains(t, "stdout", with("household", "erase", "--household", "h-0042", "--store-only").stdout, "was erased before")
	refused := with("roster", "import", folder)
	refused.want(t, exitFailed)
	wantContains(t, "stdout", refused.stdout, "住户.csv, 第 2 行, “户号”：错误 home-erased")

	audit := with("audit", "--person", "clerk-1")
	audit.want(t, exitOK)
	wantContains(t, "stdout", audit.stdout, "clerk-1  write  person:chair-wd  for import: name, contacts, skills")

	if found, err := os.ReadFile(filepath.Join("weimang-data", "weimang.db")); err != nil || strings.Contains(string(found), "甲主席") {
		t.Errorf("the store is not sealed (%v)", err)
	}
	write("key", strings.Repeat("cd", 32)+"\n"+strings.Repeat("ab", 32))
	wantContains(t, "stdout", with("store", "rekey").stdout, "values sealed with the first key")
	write("key", strings.Repeat("ab", 32))
	lost := with("check", "roster")
	lost.want(t, exitFailed)
	wantContains(t, "stderr", lost.stderr, "which store.key does not have")
}

// The town brings its roster into a running site. What consent is recorded for
// is watched; who withdraws it is forgotten, and who is erased is off the stream.
func TestARunningSiteHearsOfTheRoster(t *testing.T) {
	s := startSite(t, "meter_id,household_id,area_id,zone,village_id,label\nm1,h-0001,tq-01,Asia/Shanghai,wd,3组12号\n")
	with := func(args ...string) result { return weimang(t, "", append(args, "--config", s.config)...) }
	on := func() map[string]bool {
		t.Helper()
		published, err := intake.ReadRoster(t.Context(), s.client)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]bool{}
		for _, h := range published {
			out[h.MeterID] = h.Until.IsZero()
		}
		return out
	}
	with("roster", "import", rosterExample("good")).want(t, exitOK)
	if got := on(); !got["m1"] || !got["330212-0911"] || !got["330212-0043"] {
		t.Errorf("the stream knows %v", got)
	}
	last := time.Now().UTC().Truncate(time.Hour).Add(-time.Hour)
	s.send(contract.JSON, fmt.Appendf(nil, `{"meter_id":"330212-0043","ts":%q,"interval_s":1800,"kwh":0.1}`, last.Format(time.RFC3339)))
	s.eventually("the imported home is watched", func() bool {
		return s.counts("weimang_ingest_readings_accepted_total 1") || s.get("/household/h-0043") != ""
	})

	with("household", "consent", "--household", "h-0043", "--withdraw").want(t, exitOK)
	if got := on(); got["330212-0043"] || !got["330212-0911"] {
		t.Errorf("after the withdrawal the stream knows %v", got)
	}
	// Somebody else has moved in behind the old meter, and goes on being watched.
	next := filepath.Join(t.TempDir(), "households.csv")
	if err := os.WriteFile(next, []byte("household_id,village_id,meter_id,from\nh-0044,wandi,330212-0042,2026-08-05\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	with("roster", "import", next).want(t, exitOK)
	with("household", "consent", "--household", "h-0044", "--give").want(t, exitOK)
	erased := with("household", "erase", "--household", "h-0042")
	erased.want(t, exitOK)
	if got := on(); got["330212-0911"] || !got["330212-0042"] {
		t.Errorf("after the erasure the stream knows %v", got)
	}
	published, err := intake.ReadRoster(t.Context(), s.client)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range published {
		if h.HouseholdID == "h-0042" {
			t.Errorf("the stream's roster still has the erased home: %+v", h)
		}
	}
	s.eventually("ingest has taken what was said of the three", func() bool {
		return s.counts(`weimang_ingest_directives_accepted_total 3`)
	})
}
