package store_test

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"weimang/alerts/roster"
	"weimang/alerts/rosterfile"
	"weimang/alerts/store"
)

var (
	tester = roster.By{Actor: "tester", For: roster.ForCheck}
	clerk  = roster.By{Actor: "clerk", For: roster.ForImport}
)

const zone = "Asia/Shanghai"

// village is the example that the documentation shows.
func village(t testing.TB) *rosterfile.List {
	t.Helper()
	l, err := rosterfile.Open(filepath.Join("..", "..", "testdata", "roster", "good"), rosterfile.Options{Zone: zone})
	must(t, err)
	return l
}

// importList brings a list into the store, and returns what has changed.
func importList(t testing.TB, db *store.DB, l *rosterfile.List, replace bool) (changes []string) {
	t.Helper()
	must(t, db.ChangeRoster(t.Context(), clerk, func(now *roster.Roster) (*roster.Roster, error) {
		out, err := rosterfile.Apply(now, l, rosterfile.Import{Now: noon, Replace: replace})
		for _, c := range out.Changes {
			changes = append(changes, fmt.Sprint(c.Sheet, " ", c.Entry, " ", c.What))
		}
		if err != nil {
			t.Logf("%+v", out.Faults)
		}
		return out.Roster, err
	}))
	return changes
}

func csv(t testing.TB, name, text string) *rosterfile.List {
	t.Helper()
	l, err := rosterfile.Read([]byte(text), name, rosterfile.Options{Zone: zone})
	must(t, err)
	return l
}

// watched are the homes that the stream hears of, with their times.
func watched(t testing.TB, db *store.DB) (out []string) {
	t.Helper()
	homes, err := db.Homes(t.Context())
	must(t, err)
	day := func(at time.Time) string {
		if at.IsZero() {
			return "…"
		}
		return at.Format("01-02T15")
	}
	for _, h := range homes {
		out = append(out, h.MeterID+" "+h.HouseholdID+" "+day(h.From)+"/"+day(h.Until))
	}
	return out
}

func TestAWholeRosterComesBackAsItWasImported(t *testing.T) {
	for name, keys := range map[string]string{"plain": "", "sealed": keyA} {
		t.Run(name, func(t *testing.T) {
			db := sealed(t, open(t), keys)
			l := village(t)
			if n := len(importList(t, db, l, false)); n == 0 {
				t.Fatal("nothing was imported")
			}
			got, err := db.Roster(t.Context(), tester)
			must(t, err)
			for _, c := range rosterfile.Diff(l.Tables, rosterfile.Encode(got)) {
				// What a list leaves open the store fills in: when it was recorded, where a meter is.
				fields := slices.DeleteFunc(c.Columns, func(f rosterfile.Field) bool {
					return f.Column == "recorded_at" || c.Sheet == roster.SheetMeters && f.Was == ""
				})
				if c.What != rosterfile.Changed || len(fields) > 0 {
					t.Errorf("came back otherwise: %+v", c)
				}
			}
			if changes := importList(t, db, l, true); len(changes) > 0 {
				t.Errorf("the same list again changes %v", changes)
			}
		})
	}
}

func TestWhoLeavesIsClosedAndNotForgotten(t *testing.T) {
	db := open(t)
	importList(t, db, village(t), false)
	// The town sends its list anew: without h-0043, and without the deputy.
	importList(t, db, csv(t, "households.csv", "household_id,village_id,meter_id,from\nh-0042,wandi,330212-0911,2026-08-01\n"), true)
	importList(t, db, csv(t, "people.csv", "person_id,role,unit_id\nchair-wd,chair,wandi\ndesk-dq,town-desk,dq\n"), true)
	r, err := db.Roster(t.Context(), tester)
	must(t, err)
	if len(r.Households) != 1 || len(r.People) != 2 || len(r.Duties) != 2 || len(r.Meters) != 2 {
		t.Errorf("left: %d households, %d people, %d duties, %d meters", len(r.Households), len(r.People), len(r.Duties), len(r.Meters))
	}
	// The old meter and the home that left end now, and the stream is told so.
	want := []string{"330212-0042 h-0042 01-04T16/07-12T04", "330212-0043 h-0043 01-05T16/07-12T04", "330212-0911 h-0042 07-31T16/…"}
	if got := watched(t, db); !reflect.DeepEqual(got, want) {
		t.Errorf("watched %q", got)
	}
	if n := count(t, db, `SELECT COUNT(*) FROM past_duties`); n != 4 {
		t.Errorf("%d past duties, want those of deputy, care team, kin and resident", n)
	}
	if n := count(t, db, `SELECT COUNT(*) FROM persons WHERE left_at IS NOT NULL`); n != 3 {
		t.Errorf("%d people are known to have left", n)
	}
	// A year later the deputy is back.
	importList(t, db, csv(t, "people.csv", "person_id,role,unit_id\ndeputy-wd,deputy,wandi\n"), false)
	r, err = db.Roster(t.Context(), tester)
	must(t, err)
	if len(r.People) != 3 {
		t.Errorf("%d people, with the deputy back", len(r.People))
	}
}

func TestAListThatTakesMostHomesOffIsRefused(t *testing.T) {
	db := open(t)
	importList(t, db, village(t), false)
	short := csv(t, "households.csv", "household_id,village_id\nh-0099,wandi\n")
	err := db.ChangeRoster(t.Context(), clerk, func(now *roster.Roster) (*roster.Roster, error) {
		out, err := rosterfile.Apply(now, short, rosterfile.Import{Now: noon, Replace: true})
		return out.Roster, err
	})
	if err == nil || !strings.Contains(err.Error(), "2 of the 2 homes") {
		t.Errorf("got %v", err)
	}
	if n := len(watched(t, db)); n != 3 {
		t.Errorf("%d meters are left", n)
	}
}

func TestConsentDecidesWhoIsWatched(t *testing.T) {
	db := open(t)
	must(t, db.ImportRoster(t.Context(), []store.HouseholdRow{
		{MeterID: "m-listed", HouseholdID: "h-listed"}, {MeterID: "m-asked", HouseholdID: "h-asked", DemandConsent: true},
	}, nil))
	want := func(when string, homes ...string) {
		t.Helper()
		if got := watched(t, db); !reflect.DeepEqual(got, homes) {
			t.Errorf("%s: watched %q, want %q", when, got, homes)
		}
	}
	set := func(household string, at time.Time, given bool) bool {
		t.Helper()
		changed, err := db.SetConsent(t.Context(), roster.By{Actor: "operator", For: roster.ForConsent},
			roster.Consent{HouseholdID: household, Scope: roster.ToWatch, From: at, RecordedAt: at, GivenBy: "resident"}, given)
		must(t, err)
		return changed
	}
	want("at first", "m-listed h-listed …/…")
	if !set("h-asked", noon, true) || set("h-asked", noon, true) {
		t.Error("consent is given once")
	}
	want("once asked", "m-asked h-asked 07-12T04/…", "m-listed h-listed …/…")
	if !set("h-listed", noon.Add(30*time.Minute), false) || set("h-listed", noon.Add(time.Hour), false) {
		t.Error("consent is withdrawn once")
	}
	want("once withdrawn", "m-asked h-asked 07-12T04/…", "m-listed h-listed …/07-12T04")
	must(t, db.ImportRoster(t.Context(), []store.HouseholdRow{{MeterID: "m-listed", HouseholdID: "h-listed"}, {MeterID: "m-asked", HouseholdID: "h-asked", DemandConsent: true}}, nil))
	want("listed again", "m-asked h-asked 07-12T04/…", "m-listed h-listed …/07-12T04")
	set("h-listed", noon.Add(48*time.Hour), true)
	want("given again", "m-asked h-asked 07-12T04/…", "m-listed h-listed …/07-12T04", "m-listed h-listed 07-14T04/…")
	if _, err := db.SetConsent(t.Context(), tester, roster.Consent{HouseholdID: "h-none", Scope: roster.ToWatch, From: noon}, false); err == nil {
		t.Error("consent of a household that nobody knows was recorded")
	}
}

// A home that a list stood for is imported with the rest of the roster: now
// somebody has to have said yes, and until that is recorded it is not watched.
func TestAnImportedHomeIsNotWatchedForAListsWord(t *testing.T) {
	db := open(t)
	must(t, db.ImportRoster(t.Context(), []store.HouseholdRow{
		{MeterID: "m1", HouseholdID: "h1", AreaID: "a"}, {MeterID: "m2", HouseholdID: "h2", AreaID: "a"}, {MeterID: "m3", HouseholdID: "h3", AreaID: "a"},
	}, nil))
	importList(t, db, csv(t, "households.csv", "household_id,label\nh1,1号\n"), false)
	if got := watched(t, db); !reflect.DeepEqual(got, []string{"m1 h1 …/07-12T04", "m2 h2 …/…", "m3 h3 …/…"}) {
		t.Errorf("watched %q", got)
	}
}

func TestListsAtTheStartLeaveTheImportedRosterAlone(t *testing.T) {
	db := open(t)
	importList(t, db, village(t), false)
	must(t, db.ImportRoster(t.Context(), []store.HouseholdRow{{MeterID: "m1", HouseholdID: "h1"}}, []roster.Member{
		{Person: roster.Person{ID: "v1:chair:1", Contacts: []roster.Contact{{Channel: "console"}}}, Duty: roster.Duty{Role: roster.Chair, UnitID: "v1"}},
	}))
	r, err := db.Roster(t.Context(), tester)
	must(t, err)
	if len(r.Households) != 3 || len(watched(t, db)) != 4 {
		t.Errorf("%d households, watched %q", len(r.Households), watched(t, db))
	}
	var ids []string
	for _, p := range r.People {
		ids = append(ids, p.ID)
	}
	// The list of people is the whole of the chairs; kin and the town's desk are not in such lists.
	if want := []string{"chair-wd", "deputy-wd", "desk-dq", "kin-42", "res-42", "v1:chair:1"}; !reflect.DeepEqual(ids, want) {
		t.Errorf("people %v", ids)
	}
	if slices.ContainsFunc(r.Duties, func(d roster.Duty) bool { return d.PersonID == "chair-wd" && d.Role == roster.Chair }) {
		t.Error("the chair who is not on the list is still one")
	}
}

func TestAWrongNumberStaysWrongWhenItIsListedAgain(t *testing.T) {
	db := open(t)
	people := []roster.Member{{
		Person: roster.Person{ID: "v1:chair:1", Contacts: []roster.Contact{{Channel: "sms", Address: "13800000001", State: roster.Wrong, CheckedAt: noon}}},
		Duty:   roster.Duty{Role: roster.Chair, UnitID: "v1"},
	}}
	must(t, db.ImportRoster(t.Context(), nil, people))
	people[0].Contacts = []roster.Contact{{Channel: "sms", Address: "13800000001"}, {Channel: "sms", Address: "13800000002"}}
	must(t, db.ImportRoster(t.Context(), nil, people))
	r, err := db.Roster(t.Context(), tester)
	must(t, err)
	if c := r.People[0].Contacts; c[0].State != roster.Wrong || !c[0].CheckedAt.Equal(noon) || c[1].State != roster.Unchecked {
		t.Errorf("states %q and %q", c[0].State, c[1].State)
	}
}
