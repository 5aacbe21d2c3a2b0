package alerts_test

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"weimang/alerts"
	"weimang/alerts/history"
	"weimang/alerts/roster"
	"weimang/alerts/store"
	"weimang/detectors"
	"weimang/ingest"
)

// Somebody's name, address and numbers, what people wrote of her, and every id
// that stands for her or her home.
var hers = []string{
	"granny-0042", "330212-0042", "res-0042", "kin-0042", "李奶奶", "李小红", "13800420042", "13900420042", "5组42号", "湾底村5组42号西边门",
	"独居，高血压", "每天送一顿饭", "要盐少的", "屋里很闷", "不肯去医院", "请了医生", "村医务室", "邻居说老人摔过一跤",
}

// furnish gives the town a home with everything that can be known of it, and a
// neighbour whose ids look much the same.
func (w *town) furnish() {
	w.t.Helper()
	now := w.now.UTC()
	by := roster.By{Actor: "test", For: roster.ForImport}
	w.must(w.db.ChangeRoster(w.t.Context(), by, func(r *roster.Roster) (*roster.Roster, error) {
		for _, id := range []string{"granny-0042", "granny-00421"} {
			r.Households = append(r.Households, roster.Household{ID: id, VillageID: "v1", AreaID: "a1", Label: "5组43号"})
			r.Consents = append(r.Consents, roster.Consent{HouseholdID: id, Scope: roster.ToWatch, GivenBy: "kin", RecordedAt: now})
		}
		r.Households[len(r.Households)-2].Label = "5组42号"
		r.Households[len(r.Households)-2].Address = "湾底村5组42号西边门"
		r.Meters = append(r.Meters,
			ingest.Home{MeterID: "330212-0042", HouseholdID: "granny-0042", AreaID: "a1", VillageID: "v1"},
			ingest.Home{MeterID: "330212-00421", HouseholdID: "granny-00421", AreaID: "a1", VillageID: "v1"})
		r.People = append(r.People,
			roster.Person{ID: "res-0042", Name: "李奶奶", Contacts: []roster.Contact{{Channel: anSMS, Address: "13800420042"}}},
			roster.Person{ID: "kin-0042", Name: "李小红", Contacts: []roster.Contact{{Channel: anSMS, Address: "13900420042"}}, StandIn: "res-0042"})
		r.Duties = append(r.Duties,
			roster.Duty{PersonID: "res-0042", Role: roster.Resident, HouseholdID: "granny-0042"},
			roster.Duty{PersonID: "kin-0042", Role: roster.Kin, HouseholdID: "granny-0042"},
			// Her son looks after the neighbour, too, and stays.
			roster.Duty{PersonID: "kin", Role: roster.Kin, HouseholdID: "granny-0042"})
		r.Screening = append(r.Screening, roster.Screening{HouseholdID: "granny-0042", Step: roster.Proposed, Verdict: roster.Yes, By: "v1", Reason: "独居，高血压", At: now})
		r.Services = append(r.Services, roster.Service{ID: "meal", UnitID: "v1", Name: "送餐"})
		r.Plans = append(r.Plans, roster.Plan{HouseholdID: "granny-0042", PersonID: "kin-0042", What: "每天送一顿饭", EveryDays: 1})
		r.Orders = append(r.Orders, roster.Order{ID: "order-1", HouseholdID: "granny-0042", ServiceID: "meal", AskedAt: now, Note: "要盐少的"})
		return r, nil
	}))
}

// lives has things happen to the home: two alerts of its own, one of them still
// open, one in a bundle, a notice of the area that names it, a report, use.
func (w *town) lives(home, meter string, words ...string) {
	w.t.Helper()
	f := w.finding(home, detectors.NoSignOfLife, detectors.Red)
	f.MeterID = meter
	w.detectors(f)
	w.answers("chair", home, alerts.Response{Action: alerts.Acknowledge})
	w.answers("chair", home, alerts.Response{
		Action: alerts.SayVisited, Visit: &roster.Visit{Kind: roster.AtTheDoor, Situation: words[0], Difficulty: words[1], Measure: words[2]},
	})
	w.answers("chair", home, alerts.Response{Action: alerts.SayOutcome, Outcome: alerts.NeedsHelp, HandedTo: words[3]})
	w.detectors(w.over(f, detectors.CauseUsualBack))
	w.passes(40 * day)

	// Three homes at once, which the chair is told of together, and nobody answers.
	var some []*detectors.Finding
	for _, h := range []string{home, "h2", "h3"} {
		f := w.finding(h, detectors.Shortfall, detectors.Orange)
		if h == home {
			f.MeterID = meter
		}
		some = append(some, f)
	}
	w.detectors(some...)
	w.passes(30 * time.Minute)
	notice := &detectors.Finding{
		AreaID: "a1", Kind: detectors.Announced, Severity: detectors.Yellow, State: detectors.Open, Seq: 1, Pushed: true, IncidentID: "cut-1",
		Households: []string{home, "h2"}, Onset: w.now, At: w.now, DecidedAt: w.now, DataUntil: w.now, Reason: detectors.Reason{Cause: detectors.CauseAnnounced},
	}
	notice.Episode = 7
	w.detectors(notice)
	w.reports(home, words[4])
	w.must(w.db.MergeUse(w.t.Context(), []history.Day{{HouseholdID: home, Day: history.DayOf(w.now), Points: []detectors.UsePoint{{Start: w.now, Interval: time.Hour, KWh: 1}}}}))
}

func (w *town) reports(home, text string) {
	w.t.Helper()
	w.must(w.db.SaveReport(w.t.Context(), ingest.Report{
		Incident: ingest.Incident{ID: fmt.Sprintf("i-%d", len(home)), From: w.now, Scope: ingest.Scope{Households: []string{home, "h2"}}}, Text: text,
	}))
}

// statistics are what alerts are counted by. What was open has no outcome, and is
// closed as erased.
func (w *town) statistics() map[string]int {
	w.t.Helper()
	out := map[string]int{}
	w.look(func(db *sql.DB) {
		rows, err := db.Query(`SELECT kind, severity, village_id, CASE outcome WHEN 'erased' THEN '' ELSE outcome END, opened_at / 2592000000, COUNT(*) FROM alerts GROUP BY 1, 2, 3, 4, 5`)
		w.must(err)
		defer func() { w.must(errors.Join(rows.Err(), rows.Close())) }()
		for rows.Next() {
			var kind, village, outcome string
			var severity, month, n int
			w.must(rows.Scan(&kind, &severity, &village, &outcome, &month, &n))
			out[fmt.Sprint(kind, " ", severity, " ", village, " ", outcome, " ", month)] = n
		}
	})
	return out
}

// look opens the store a second time.
func (w *town) look(at func(*sql.DB)) {
	w.t.Helper()
	driver, address := "sqlite", w.place.Path
	if w.place.URL != "" {
		driver, address = "pgx", w.place.URL
	}
	db, err := sql.Open(driver, address)
	w.must(err)
	at(db)
	w.must(db.Close())
}

// readable are the texts that stand somewhere in the store: in a row, or
// anywhere in its files.
func (w *town) readable(texts []string) (found []string) {
	w.t.Helper()
	var packed bytes.Buffer
	_, err := w.db.Backup(w.t.Context(), &packed)
	w.must(err)
	unpacked, err := gzip.NewReader(&packed)
	w.must(err)
	rows, err := io.ReadAll(unpacked)
	w.must(err)
	places := map[string][]byte{"rows": rows}
	if w.place.Path != "" {
		files, err := filepath.Glob(w.place.Path + "*")
		w.must(err)
		for _, file := range files {
			if places[filepath.Base(file)], err = os.ReadFile(file); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	for _, text := range texts {
		for place, b := range places {
			// The neighbour's ids go on with a digit.
			if n := bytes.Count(b, []byte(text)) - bytes.Count(b, []byte(text+"1")); n > 0 {
				found = append(found, fmt.Sprintf("%s, %d times in %s", text, n, place))
			}
		}
	}
	return found
}

func TestAnErasedHomeIsNowhereInTheStoreAndTheStatisticsStay(t *testing.T) {
	w := newTown(t)
	w.furnish()
	w.lives("granny-0042", "330212-0042", hers[len(hers)-5:]...)
	w.lives("granny-00421", "330212-00421", "都好", "没有", "聊了会儿天", "物业", "路灯不亮")
	before := w.readable(hers)
	for _, text := range hers {
		if !slices.ContainsFunc(before, func(s string) bool { return strings.HasPrefix(s, text+", ") }) {
			t.Errorf("%s is not in the store before: the test would not show that it goes", text)
		}
	}
	counts := w.statistics()
	by := roster.By{Actor: "operator", For: roster.ForErasure}

	dry, err := w.db.Erase(t.Context(), by, "granny-0042", true)
	w.must(err)
	if dry.People != 2 || dry.Rows["visits"] == 0 || dry.Rows["outbox"] == 0 || dry.Rows["transitions"] == 0 || len(w.readable(hers)) == 0 {
		t.Errorf("the dry run says %+v", dry)
	}

	done, err := w.db.Erase(t.Context(), by, "granny-0042", false)
	w.must(err)
	if done.People != 2 || done.Already || !reflect.DeepEqual(done.Meters, []string{"330212-0042"}) || !reflect.DeepEqual(done.Rows, dry.Rows) {
		t.Errorf("erased %+v, and the dry run said %+v", done, dry)
	}
	if found := w.readable(hers); len(found) > 0 {
		t.Errorf("still in the files: %q", found)
	}
	if after := w.statistics(); !reflect.DeepEqual(after, counts) {
		t.Errorf("statistics before %v\nand after %v", counts, after)
	}
	if as, err := w.db.AlertsOf(t.Context(), done.Household, 10); err != nil || len(as) != 2 || as[0].Open() || as[0].Stage != alerts.Closed {
		t.Errorf("the alerts under the other name: %+v (%v)", as, err)
	}

	// The neighbour and the son are as they were.
	if as, err := w.db.AlertsOf(t.Context(), "granny-00421", 10); err != nil || len(as) != 2 || !as[0].Open() {
		t.Errorf("the neighbour's alerts: %+v (%v)", as, err)
	}
	r, err := w.db.Roster(t.Context(), by)
	w.must(err)
	kin := 0
	for _, p := range r.People {
		if p.ID == "kin" && p.Name != "" {
			kin++
		}
	}
	if kin != 1 || len(r.Households) != 41 {
		t.Errorf("%d sons and %d homes are left", kin, len(r.Households))
	}

	// Whatever still comes about her changes nothing.
	again, err := w.db.Erase(t.Context(), by, "granny-0042", false)
	w.must(err)
	if !again.Already || len(again.Rows) > 0 {
		t.Errorf("a second time: %+v", again)
	}
	late := w.finding("granny-0042", detectors.Shortfall, detectors.Red)
	w.inbox = nil
	w.detectors(late)
	w.quiet()
	w.reports("granny-0042", "邻居说老人摔过一跤")
	w.must(w.db.MergeUse(t.Context(), []history.Day{{HouseholdID: "granny-0042", Day: history.DayOf(w.now), Points: []detectors.UsePoint{{Start: w.now, Interval: time.Hour}}}}))
	if as, err := w.db.AlertsOf(t.Context(), "granny-0042", 10); err != nil || len(as) > 0 {
		t.Errorf("alerts of somebody who was erased: %+v (%v)", as, err)
	}
	if report, err := w.db.Report(t.Context(), by, "i-11"); err != nil || report.Text != "" {
		t.Errorf("the report says again %q (%v)", report.Text, err)
	}
	if erased, err := w.db.ErasedAmong(t.Context(), []string{"h1", "granny-0042"}); err != nil || !reflect.DeepEqual(erased, []string{"granny-0042"}) {
		t.Errorf("erased among them: %v (%v)", erased, err)
	}
	w.must(w.db.ChangeRoster(t.Context(), by, func(r *roster.Roster) (*roster.Roster, error) { return nil, nil }))
	if err := w.db.ChangeRoster(t.Context(), by, func(r *roster.Roster) (*roster.Roster, error) {
		r.Households = append(r.Households, roster.Household{ID: "granny-0042"})
		return r, nil
	}); err == nil {
		t.Error("an old list brought the home back")
	}

	// That it was done is written down, and no line says of whom.
	log, err := w.db.Audit(t.Context(), store.AuditFilter{HouseholdID: done.Household, Limit: 1})
	w.must(err)
	if len(log) != 1 || log[0].Action != store.Erased || log[0].Actor != "operator" {
		t.Errorf("the audit log says %+v", log)
	}
	if _, err := w.db.Erase(t.Context(), by, "nobody", false); !errors.Is(err, store.ErrUnknownHousehold) {
		t.Errorf("erasing nobody: %v", err)
	}
}
