package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"weimang/alerts"
	"weimang/alerts/deliver"
	"weimang/alerts/roster"
	"weimang/alerts/store"
)

// audited is the audit log in short, the latest first.
func audited(t *testing.T, db *store.DB, f store.AuditFilter) (out []string) {
	t.Helper()
	log, err := db.Audit(t.Context(), f)
	must(t, err)
	for _, e := range log {
		out = append(out, fmt.Sprint(e.Actor, " ", e.Action, " ", e.Subject, " for ", e.Purpose, " ", e.Fields))
	}
	return out
}

func TestWhoReadWhatAboutWhomAndWhatFor(t *testing.T) {
	db := open(t)
	importList(t, db, village(t), false)
	if got := audited(t, db, store.AuditFilter{PersonID: "kin-42"}); !reflect.DeepEqual(got, []string{"clerk write person:kin-42 for import [name contacts skills]"}) {
		t.Errorf("the import: %q", got)
	}
	// A clerk exports the roster; an answer comes by SMS; the page asks who she is.
	_, err := db.Roster(t.Context(), roster.By{Actor: "clerk", For: roster.ForExport})
	must(t, err)
	_, err = db.PeopleAt(t.Context(), roster.By{Actor: "sms", For: roster.ForAnswer}, "sms", "13800000001")
	must(t, err)
	must(t, db.Update(t.Context(), func(tx alerts.Tx) error {
		_, err := tx.Name("chair-wd", roster.By{Actor: "page", For: roster.ForAnswer})
		return err
	}))
	want := []string{
		"page read person:chair-wd for answer [name]",
		"sms read person:chair-wd for answer [contacts]",
		"clerk read person:chair-wd for export [name contacts skills]",
		"clerk write person:chair-wd for import [name contacts skills]",
	}
	if got := audited(t, db, store.AuditFilter{PersonID: "chair-wd"}); !reflect.DeepEqual(got, want) {
		t.Errorf("about the chair: %q", got)
	}
	if got := audited(t, db, store.AuditFilter{HouseholdID: "h-0042", Limit: 1}); !reflect.DeepEqual(got, []string{"clerk read household:h-0042 for export [address screening plans orders]"}) {
		t.Errorf("about the home: %q", got)
	}
	if got := audited(t, db, store.AuditFilter{Since: noon.Add(time.Second)}); len(got) > 0 {
		t.Errorf("since later: %q", got)
	}
}

// A message that goes out is a reading of its recipient's number, and she reads
// of the homes it names; a second attempt is another.
func TestADeliveredMessageIsInTheAuditLog(t *testing.T) {
	db := open(t)
	importList(t, db, village(t), false)
	to := alerts.Recipient{PersonID: "chair-wd", Role: roster.Chair}
	enqueue(t, db, alerts.Message{AlertID: "h-0042", HouseholdID: "h-0042", Seq: 1, To: to, Channel: "sms"}, alerts.Message{AlertID: "h-0043", Seq: 1, To: to, Channel: "sms"})
	enqueue(t, db, alerts.Message{AlertID: "both", Alerts: []string{"h-0042", "h-0043"}, Seq: 1, To: to, Channel: "sms"})
	items, err := db.Due(t.Context(), "sms", noon, 10)
	must(t, err)
	if len(items) != 3 || items[0].Message.Address != "13800000001" {
		t.Fatalf("%d due", len(items))
	}
	before := len(audited(t, db, store.AuditFilter{}))
	for _, it := range items {
		turn, err := db.Begin(t.Context(), it, noon, noon.Add(time.Minute), nil)
		must(t, err)
		if !turn.Ours {
			t.Fatal("not begun")
		}
	}
	log := audited(t, db, store.AuditFilter{})
	want := []string{
		"chair-wd read household:h-0043 for delivery [message]",
		"chair-wd read household:h-0042 for delivery [message]",
		"delivery read person:chair-wd for delivery [contacts]",
		"delivery read person:chair-wd for delivery [contacts]",
		"chair-wd read household:h-0042 for delivery [message]",
		"delivery read person:chair-wd for delivery [contacts]",
	}
	if got := log[:len(log)-before]; !reflect.DeepEqual(got, want) {
		t.Errorf("the log says %q", got)
	}
	// Somebody else has it already: nothing was read.
	if turn, err := db.Begin(t.Context(), items[0], noon, noon.Add(time.Minute), nil); err != nil || turn.Ours || len(audited(t, db, store.AuditFilter{})) != len(log) {
		t.Errorf("begun twice (%v)", err)
	}
}

// A person with two numbers of one channel gets one message, over the first that
// is not known to be wrong.
func TestAMessageGoesToTheFirstNumberThatIsRight(t *testing.T) {
	db := open(t)
	must(t, db.ImportRoster(t.Context(), nil, []roster.Member{{
		Person: roster.Person{ID: "p1", Contacts: []roster.Contact{
			{Channel: "sms", Address: "13800000001", State: roster.Wrong}, {Channel: "sms", Address: "13800000002"}, {Channel: "sms", Address: "13800000003"},
		}},
		Duty: roster.Duty{Role: roster.Chair, UnitID: "v1"},
	}}))
	enqueue(t, db, alerts.Message{AlertID: "h1", Seq: 1, To: alerts.Recipient{PersonID: "p1"}, Channel: "sms"})
	items, err := db.Due(t.Context(), "sms", noon, 10)
	must(t, err)
	if len(items) != 1 || items[0].Message.Address != "13800000002" {
		t.Errorf("%d messages", len(items))
	}
	must(t, db.Finish(t.Context(), items[0], deliver.Outcome{Status: deliver.Sent, At: noon}))
}

// Erasing has to know every column in which an id or a word may stand: a new
// one must be decided on.
func TestEveryColumnOfTextIsKnownToWhoeverErases(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weimang.db")
	db := openAt(t, path, "")
	defer func() { must(t, db.Close()) }()
	known := map[string]bool{}
	for _, c := range store.ErasedColumns() {
		known[c] = true
	}
	for _, c := range []string{
		// Words of closed sets, ids of units and areas, and what names nobody.
		"alerts.village_id", "alerts.kind", "alerts.stage", "alerts.holder_role", "alerts.silenced", "alerts.outcome",
		"audit.action", "audit.purpose", "audit.fields", "consents.scope", "contacts.channel", "contacts.blind", "contacts.state",
		"duties.role", "duties.unit_id", "past_duties.role", "past_duties.unit_id", "erased.mark", "history.event",
		"homes.zone", "homes.village_id", "households.village_id", "households.zone", "households.cell_id",
		"incidents.id", "incidents.source", "incidents.class", "incidents.state", "incidents.level", "leaves.stand_in",
		"orders.id", "orders.service_id", "orders.alert_id", "outbox.lane", "outbox.channel", "outbox.status", "outbox.topic", "outbox.vendor_id", "outbox.reason",
		"persons.lang", "persons.hours", "persons.stand_in", "plans.service_id", "pushes.day", "questions.actions", "questions.used",
		"screening.step", "screening.verdict", "seals.key_id", "seals.proof", "settings.name", "settings.value",
		"services.id", "services.unit_id", "services.name", "services.provider", "services.contact",
		"tellings.role", "tellings.village_id", "tellings.purpose", "tellings.via", "tellings.status", "tellings.tried",
		"units.id", "units.level", "units.parent_id", "units.name", "visits.kind",
		"attempts.channel", "holds.channel", "hash_keys.name",
	} {
		known[c] = true
	}
	rows, err := store.Query(t.Context(), db, `SELECT t.name || '.' || c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE 'goose%' AND c.type = 'TEXT' ORDER BY 1`)
	must(t, err)
	n := 0
	for rows.Next() {
		var column string
		must(t, rows.Scan(&column))
		if n++; !known[column] {
			t.Errorf("%s: does erasing a household leave something of it there? See erase.go", column)
		}
	}
	must(t, errors.Join(rows.Err(), rows.Close()))
	if n < 90 {
		t.Errorf("only %d columns were looked at", n)
	}
}
