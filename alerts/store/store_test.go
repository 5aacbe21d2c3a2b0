package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"weimang/alerts"
	"weimang/alerts/deliver"
	"weimang/alerts/history"
	"weimang/alerts/roster"
	"weimang/alerts/store"
	"weimang/alerts/store/storetest"
	"weimang/detectors"
	"weimang/ingest"
)

var noon = time.Date(2026, 7, 12, 4, 0, 0, 0, time.UTC)

func open(t testing.TB) *store.DB {
	t.Helper()
	return storetest.Open(t, func() time.Time { return noon })
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatWasCommittedIsThereAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a file with spaces & more.db")
	db, err := store.Open(t.Context(), path, nil)
	must(t, err)
	must(t, db.ImportRoster(t.Context(), []store.HouseholdRow{{MeterID: "m1", HouseholdID: "h1", AreaID: "a1", Label: "3组12号"}}, nil))
	must(t, db.Close())
	db, err = store.Open(t.Context(), path, nil)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	h, err := db.Household(t.Context(), "h1")
	must(t, err)
	if h == nil || h.Label != "3组12号" {
		t.Errorf("household: %+v", h)
	}
}

// The store of a site with a Kafka of its own stands in a folder that nothing
// else has made. It says who people are.
func TestTheStoreMakesItsFolderForOneUserOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there")
	path := filepath.Join(dir, "weimang.db")
	db, err := store.Open(t.Context(), path, nil)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	must(t, db.ImportRoster(t.Context(), []store.HouseholdRow{{MeterID: "m1", HouseholdID: "h1", AreaID: "a1"}}, nil))
	for _, name := range []string{dir, path, path + "-wal"} {
		info, err := os.Stat(name)
		must(t, err)
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			t.Errorf("%s has mode %o: others may read it", filepath.Base(name), mode)
		}
	}
}

func TestAFolderThatCannotBeMadeIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	_, err := store.Open(t.Context(), filepath.Join(file, "weimang.db"), nil)
	if err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("error %v, want one that names %s", err, file)
	}
}

func TestAPanicDoesNotKeepTheWriter(t *testing.T) {
	db := open(t)
	func() {
		defer func() { _ = recover() }()
		_ = db.Update(t.Context(), func(alerts.Tx) error { panic("a bug") })
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	must(t, db.ImportRoster(ctx, []store.HouseholdRow{{MeterID: "m1", HouseholdID: "h1", AreaID: "a1"}}, nil))
}

func TestTheLastListOfHomesIsTheWholeList(t *testing.T) {
	db := open(t)
	must(t, db.ImportRoster(t.Context(), []store.HouseholdRow{
		{MeterID: "m1", HouseholdID: "h1", AreaID: "a1", VillageID: "v1", VillageName: "湾底村", Label: "1号", Zone: "Asia/Shanghai"},
		{MeterID: "m2", HouseholdID: "h2", AreaID: "a1"},
	}, nil))
	// The meter of h1 is exchanged, h2 moves to the village; its name stays.
	must(t, db.ImportRoster(t.Context(), []store.HouseholdRow{
		{MeterID: "m3", HouseholdID: "h1", AreaID: "a2", VillageID: "v1", Label: "1号", Zone: "Asia/Shanghai"},
		{MeterID: "m2", HouseholdID: "h2", AreaID: "a1", VillageID: "v1"},
	}, nil))
	homes, err := db.Homes(t.Context())
	must(t, err)
	want := []ingest.Home{
		{MeterID: "m2", HouseholdID: "h2", AreaID: "a1", VillageID: "v1"},
		{MeterID: "m3", HouseholdID: "h1", AreaID: "a2", VillageID: "v1", Zone: "Asia/Shanghai"},
	}
	if !reflect.DeepEqual(homes, want) {
		t.Errorf("homes:\n%+v\nwant:\n%+v", homes, want)
	}
	// h2 leaves: not watched, not listed, but what was said of it can be read.
	must(t, db.ImportRoster(t.Context(), []store.HouseholdRow{
		{MeterID: "m3", HouseholdID: "h1", AreaID: "a2", VillageID: "v1", Label: "1号", Zone: "Asia/Shanghai"},
	}, nil))
	must(t, db.ImportRoster(t.Context(), nil, nil)) // no list given: nothing changes
	homes, err = db.Homes(t.Context())
	must(t, err)
	listed, err := db.Households(t.Context())
	must(t, err)
	left, err := db.Household(t.Context(), "h2")
	must(t, err)
	if len(homes) != 1 || len(listed) != 1 || listed[0].ID != "h1" || left == nil {
		t.Errorf("after h2 has left: homes %+v, listed %+v, its page %+v", homes, listed, left)
	}
	vs, err := db.Units(t.Context())
	must(t, err)
	if len(vs) != 1 || vs[0].Name != "湾底村" {
		t.Errorf("villages: %+v", vs)
	}
}

// Where a home is goes by the date: whom to tell, whose neighbours, and whether it
// is watched.
func TestTheRosterGoesByTheDate(t *testing.T) {
	now := noon
	db := storetest.Open(t, func() time.Time { return now })
	date := noon.AddDate(0, 0, 3)
	must(t, db.ImportRoster(t.Context(), []store.HouseholdRow{
		{MeterID: "m1", HouseholdID: "h1", AreaID: "a1", VillageID: "v1", Zone: "Asia/Shanghai", Until: date},
		{MeterID: "m1", HouseholdID: "h1", AreaID: "a2", VillageID: "v2", Zone: "Europe/London", From: date},
		{MeterID: "m2", HouseholdID: "h2", AreaID: "a1", VillageID: "v1", Until: date},
		{MeterID: "m3", HouseholdID: "h3", AreaID: "a1", VillageID: "v1"},
	}, nil))
	homes, err := db.Homes(t.Context())
	must(t, err)
	if len(homes) != 4 || homes[0].Until != date || homes[1].From != date || homes[1].AreaID != "a2" || !homes[3].From.IsZero() {
		t.Errorf("homes %+v", homes)
	}
	look := func(area string) (ids []string, h1 roster.Household, listed int) {
		must(t, db.Update(t.Context(), func(tx alerts.Tx) error {
			hs, err := tx.AreaHouseholds(area)
			for _, h := range hs {
				ids = append(ids, h.ID)
			}
			if err != nil {
				return err
			}
			h, err := tx.Household("h1")
			if h != nil {
				h1 = *h
			}
			return err
		}))
		all, err := db.Households(t.Context())
		must(t, err)
		return ids, h1, len(all)
	}
	for _, c := range []struct {
		at     time.Time
		area   string
		ids    []string
		h1     roster.Household
		listed int
	}{
		{noon, "a1", []string{"h1", "h2", "h3"}, roster.Household{ID: "h1", VillageID: "v1", AreaID: "a1", Zone: "Asia/Shanghai"}, 3},
		{noon, "a2", nil, roster.Household{ID: "h1", VillageID: "v1", AreaID: "a1", Zone: "Asia/Shanghai"}, 3},
		{date, "a1", []string{"h3"}, roster.Household{ID: "h1", VillageID: "v2", AreaID: "a2", Zone: "Europe/London"}, 2},
		{date, "a2", []string{"h1"}, roster.Household{ID: "h1", VillageID: "v2", AreaID: "a2", Zone: "Europe/London"}, 2},
	} {
		now = c.at
		if ids, h1, listed := look(c.area); !reflect.DeepEqual(ids, c.ids) || h1 != c.h1 || listed != c.listed {
			t.Errorf("at %s: in %s %v, h1 %+v, %d listed", c.at, c.area, ids, h1, listed)
		}
	}
}

// Who answers for a village is what the last list says. A chair who is no
// longer on it must not go on hearing how the old people of the village live.
func TestAChairWhoHasLeftIsToldNothingAnyMore(t *testing.T) {
	db := open(t)
	chairs := func() (names []string) {
		must(t, db.Update(t.Context(), func(tx alerts.Tx) error {
			ids, err := tx.Assigned(roster.Household{ID: "h1", VillageID: "v1"}, roster.Chair)
			for _, id := range ids {
				name, err := tx.Name(id, tester)
				if err != nil {
					return err
				}
				names = append(names, name)
			}
			return err
		}))
		return names
	}
	list := func(names ...string) (ps []roster.Member) {
		for i, name := range names {
			ps = append(ps, roster.Member{
				Person: roster.Person{ID: fmt.Sprintf("v1:chair:%d", i+1), Name: name, Contacts: []roster.Contact{{Channel: "console"}}},
				Duty:   roster.Duty{Role: roster.Chair, UnitID: "v1"},
			})
		}
		return ps
	}
	for _, step := range []struct {
		name   string
		people []roster.Member
		want   []string
	}{
		{"two", list("old", "deputy"), []string{"old", "deputy"}},
		{"one of them has left", list("deputy"), []string{"deputy"}},
		{"a start without a list", nil, []string{"deputy"}},
		{"the list is of another village", []roster.Member{{Person: roster.Person{ID: "v2:chair:1", Contacts: []roster.Contact{{Channel: "console"}}}, Duty: roster.Duty{Role: roster.Chair, UnitID: "v2"}}}, nil},
	} {
		must(t, db.ImportRoster(t.Context(), nil, step.people))
		if got := chairs(); !reflect.DeepEqual(got, step.want) {
			t.Errorf("%s: %v are told, want %v", step.name, got, step.want)
		}
	}
}

func TestARosterWithABadRowChangesNothing(t *testing.T) {
	db := open(t)
	err := db.ImportRoster(t.Context(), []store.HouseholdRow{{MeterID: "m1", HouseholdID: "h1"}, {MeterID: "", HouseholdID: "h2"}}, nil)
	if err == nil {
		t.Fatal("a row without meter was taken")
	}
	homes, err := db.Homes(t.Context())
	must(t, err)
	if len(homes) != 0 {
		t.Errorf("homes after a refused roster: %+v", homes)
	}
}

func report(id, text string) ingest.Report {
	return ingest.Report{
		Incident: ingest.Incident{
			ID: id, Source: ingest.SocialGrid, Class: "dispute", State: ingest.Reported, Level: "2",
			Scope: ingest.Scope{Villages: []string{"v1"}}, From: noon, Until: noon.Add(time.Hour),
		},
		Text: text, ReporterRole: "grid-worker", PublishedAt: noon.Add(-time.Hour), Extra: map[string]json.RawMessage{"floor": json.RawMessage(`3`)},
	}
}

func TestAReportIsKeptWholeAndTheLatestCounts(t *testing.T) {
	db := open(t)
	r := report("i1", "听到争吵")
	must(t, db.SaveReport(t.Context(), r))
	r.State = ingest.Closed
	must(t, db.SaveReport(t.Context(), r))
	got, err := db.Report(t.Context(), tester, "i1")
	must(t, err)
	if got == nil || !reflect.DeepEqual(*got, r) {
		t.Errorf("report:\n%+v\nwant:\n%+v", got, r)
	}
}

// enqueue puts messages of one alert each, or of the alert named, into the outbox.
func enqueue(t testing.TB, db *store.DB, ms ...alerts.Message) {
	t.Helper()
	must(t, db.Update(t.Context(), func(tx alerts.Tx) error {
		for _, m := range ms {
			f := &detectors.Finding{HouseholdID: m.AlertID, Kind: detectors.Shortfall, Severity: detectors.Red, State: detectors.Open}
			a := &alerts.Alert{ID: m.AlertID, Subject: m.AlertID, HouseholdID: m.AlertID, Kind: f.Kind, Severity: f.Severity, Onset: noon, OpenedAt: noon, UpdatedAt: noon, Finding: f}
			if err := tx.PutAlert(a); err != nil {
				return err
			}
			m.ID = alerts.MessageID(m.AlertID, m.Seq, m.To.PersonID, m.Channel)
			m.Severity = max(m.Severity, detectors.Blue)
			m.CreatedAt, m.Deadline = noon, noon.Add(time.Hour)
			if err := tx.EnqueueMessage(m); err != nil {
				return err
			}
		}
		return nil
	}))
}

func due(t *testing.T, db *store.DB, now time.Time) (ids []string, items []deliver.Item) {
	t.Helper()
	items, err := db.Due(t.Context(), "console", now, 10)
	must(t, err)
	for _, it := range items {
		ids = append(ids, fmt.Sprintf("%s#%d", it.Message.AlertID, it.Message.Seq))
	}
	return ids, items
}

func TestOutboxGivesFirstContactFirstAndTheGravestOfThem(t *testing.T) {
	db := open(t)
	to := alerts.Recipient{PersonID: "p1", Role: roster.Chair}
	enqueue(
		t, db,
		alerts.Message{AlertID: "clear", Seq: 3, To: to, Channel: "console", Severity: detectors.Red, Rank: alerts.AllClear},
		alerts.Message{AlertID: "follow", Seq: 2, To: to, Channel: "console", Severity: detectors.Red, Rank: alerts.FollowUp},
		alerts.Message{AlertID: "yellow", Seq: 1, To: to, Channel: "console", Severity: detectors.Yellow, Rank: alerts.FirstContact},
		alerts.Message{AlertID: "red", Seq: 1, To: to, Channel: "console", Severity: detectors.Red, Rank: alerts.FirstContact},
	)
	if ids, _ := due(t, db, noon); !reflect.DeepEqual(ids, []string{"red#1", "yellow#1", "follow#2", "clear#3"}) {
		t.Errorf("order: %v", ids)
	}
}

func TestAnAllClearWaitsForTheMessageItClears(t *testing.T) {
	db := open(t)
	to := alerts.Recipient{PersonID: "p1", Role: roster.Chair}
	enqueue(
		t, db,
		alerts.Message{AlertID: "h1", Seq: 1, To: to, Channel: "console", Severity: detectors.Red, Rank: alerts.FirstContact},
		alerts.Message{AlertID: "h1", Seq: 2, To: to, Channel: "console", Severity: detectors.Red, Rank: alerts.AllClear},
	)
	_, items := due(t, db, noon)
	if len(items) != 1 {
		t.Fatalf("%d due, want the first only", len(items))
	}
	retry := noon.Add(time.Minute)
	must(t, db.Finish(t.Context(), items[0], deliver.Outcome{Status: deliver.Waiting, At: noon, RetryAt: retry, Error: "busy"}))
	if ids, _ := due(t, db, noon.Add(time.Second)); len(ids) != 0 {
		t.Errorf("due while the first waits for its retry: %v", ids)
	}
	if next, err := db.NextDue(t.Context(), "console"); err != nil || !next.Equal(retry) {
		t.Errorf("next due %v (%v), want %v", next, err, retry)
	}
	_, items = due(t, db, retry)
	must(t, db.Finish(t.Context(), items[0], deliver.Outcome{Status: deliver.Sent, At: retry}))
	if ids, _ := due(t, db, retry); !reflect.DeepEqual(ids, []string{"h1#2"}) {
		t.Errorf("due after the first is out: %v", ids)
	}
}

func TestABegunAttemptIsLeftAloneUntilItsLeaseEnds(t *testing.T) {
	db := open(t)
	enqueue(t, db, alerts.Message{AlertID: "h1", Seq: 1, To: alerts.Recipient{PersonID: "p1"}, Channel: "console"})
	_, items := due(t, db, noon)
	begin := func(at time.Time) bool {
		turn, err := db.Begin(t.Context(), items[0], at, at.Add(time.Minute), nil)
		must(t, err)
		return turn.Ours
	}
	if !begin(noon) {
		t.Error("a message that is due cannot be begun")
	}
	// Another process on the same store was given it at the same moment.
	if begin(noon.Add(time.Second)) {
		t.Error("begun by two, so somebody hears it twice")
	}
	if ids, _ := due(t, db, noon.Add(59*time.Second)); len(ids) != 0 {
		t.Errorf("given out twice: %v", ids)
	}
	_, items = due(t, db, noon.Add(time.Minute))
	if len(items) != 1 || items[0].Attempts != 1 {
		t.Errorf("after the lease: %+v", items)
	}
	must(t, db.Finish(t.Context(), items[0], deliver.Outcome{Status: deliver.Dead, At: noon}))
	if begin(noon.Add(time.Hour)) {
		t.Error("a message that is done was begun once more")
	}
}

func TestStrandedMessagesAreFound(t *testing.T) {
	db := open(t)
	to := alerts.Recipient{PersonID: "p1"}
	enqueue(t, db, alerts.Message{AlertID: "h1", Seq: 1, To: to, Channel: "console"}, alerts.Message{AlertID: "h2", Seq: 1, To: to, Channel: "pigeon"})
	for _, tc := range []struct {
		name string
		now  time.Time
		want int
	}{
		{"unknown channel", noon, 1},
		{"and past the deadline", noon.Add(2 * time.Hour), 2},
	} {
		items, err := db.Stranded(t.Context(), []string{"console"}, tc.now)
		must(t, err)
		if len(items) != tc.want {
			t.Errorf("%s: %d stranded, want %d", tc.name, len(items), tc.want)
		}
	}
}

func point(start time.Time, kWh float64) detectors.UsePoint {
	return detectors.UsePoint{Start: start, Interval: 15 * time.Minute, KWh: kWh, Low: 0.05, Mid: 0.1, High: 0.25}
}

func day(household string, points ...detectors.UsePoint) history.Day {
	return history.Day{HouseholdID: household, Day: history.DayOf(points[0].Start), Points: points}
}

func TestUseComesBackAsItWentIn(t *testing.T) {
	db := open(t)
	a, b, c := point(noon, 0.12345), point(noon.Add(15*time.Minute), 0), point(noon.Add(30*time.Minute), 13.5)
	b.NoData = true
	must(t, db.MergeUse(t.Context(), []history.Day{day("h1", c, a, b), day("h2", point(noon, 9))}))
	got, err := db.Recent(t.Context(), "h1", noon.Add(-time.Hour), noon.Add(time.Hour))
	must(t, err)
	if want := []detectors.UsePoint{a, b, c}; !reflect.DeepEqual(got, want) {
		t.Errorf("points:\n%+v\nwant:\n%+v", got, want)
	}
	if got, _ := db.Recent(t.Context(), "h1", a.Start.Add(time.Second), c.Start); len(got) != 1 {
		t.Errorf("%d points between the second and before the third, want 1", len(got))
	}
}

func TestALaterPointReplacesAnEarlierOne(t *testing.T) {
	db := open(t)
	must(t, db.MergeUse(t.Context(), []history.Day{day("h1", point(noon, 1), point(noon, 2))}))
	must(t, db.MergeUse(t.Context(), []history.Day{day("h1", point(noon, 3), point(noon.Add(15*time.Minute), 4))}))
	got, err := db.Recent(t.Context(), "h1", noon, noon.Add(time.Hour))
	must(t, err)
	if len(got) != 2 || got[0].KWh != 3 || got[1].KWh != 4 {
		t.Errorf("points: %+v", got)
	}
}

// A site of a hundred thousand homes has as many days to merge each quarter of
// an hour.
func TestAnAlertDoesNotWaitForTheEndOfMuchHistory(t *testing.T) {
	db := open(t)
	days := make([]history.Day, 5000)
	for i := range days {
		days[i] = day(fmt.Sprintf("h%d", i), point(noon, 1))
	}
	has := func(household string) bool {
		points, err := db.Recent(t.Context(), household, noon, noon.Add(time.Hour))
		must(t, err)
		return len(points) == 1
	}
	merged := make(chan error, 1)
	go func() { merged <- db.MergeUse(t.Context(), days) }()
	between := 0
	for done := false; !done; {
		select {
		case err := <-merged:
			must(t, err)
			done = true
		default:
			must(t, db.Update(t.Context(), func(alerts.Tx) error { return nil }))
			// On PostgreSQL the two works do not wait for each other at all.
			if db.Kind() == store.Postgres || has("h0") && !has("h4999") {
				between++
			}
		}
	}
	if between < 3 {
		t.Error("no transaction had its turn before the last day was merged")
	}
	for i := range days {
		if !has(days[i].HouseholdID) {
			t.Fatalf("the use of %s is lost", days[i].HouseholdID)
		}
	}
}

func TestUpdateKeepsNothingOfAFailedTransaction(t *testing.T) {
	db := open(t)
	boom := fmt.Errorf("boom")
	err := db.Update(t.Context(), func(tx alerts.Tx) error {
		if err := tx.PutAlert(&alerts.Alert{ID: "x", Subject: "x", Finding: &detectors.Finding{Severity: detectors.Red}}); err != nil {
			return err
		}
		return boom
	})
	if err == nil {
		t.Fatal("no error")
	}
	if n, err := db.OpenCount(context.Background()); err != nil || n != 0 {
		t.Errorf("%d alerts (%v), want none", n, err)
	}
}

func TestNobodyElseOnTheMachineReadsTheStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weimang.db")
	db, err := store.Open(t.Context(), path, nil)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	must(t, db.SaveReport(t.Context(), ingest.Report{Incident: ingest.Incident{ID: "i1", From: noon}}))
	for _, name := range []string{path, path + "-wal"} {
		info, err := os.Stat(name)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %s", filepath.Base(name), info.Mode())
		}
	}
}
