package store_test

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"weimang/alerts/roster"
	"weimang/alerts/store"
	"weimang/ingest"
)

const (
	keyA = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	keyB = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=" // 0x20 … 0x3f
)

func keys(t testing.TB, text string) *store.Keys {
	t.Helper()
	k, err := store.ParseKeys(text)
	must(t, err)
	return k
}

func sealed(t testing.TB, db *store.DB, text string) *store.DB {
	t.Helper()
	must(t, store.UseKeys(t.Context(), db, keys(t, text)))
	return db
}

// openAt opens the store of a file, as another start would.
func openAt(t testing.TB, path, key string) *store.DB {
	t.Helper()
	db, err := store.OpenWith(t.Context(), store.Options{Path: path, Now: func() time.Time { return noon }, Keys: keys(t, key)})
	must(t, err)
	return db
}

// inFiles are the texts that stand somewhere in the files of a store.
func inFiles(t testing.TB, path string, texts ...string) (found []string) {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	must(t, err)
	for _, file := range files {
		b, err := os.ReadFile(file)
		must(t, err)
		for _, text := range texts {
			if bytes.Contains(b, []byte(text)) {
				found = append(found, text+" in "+strings.TrimPrefix(file, path))
			}
		}
	}
	return found
}

// raw is a second way into the file of a store.
func raw(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

// count is a number of the store's.
func count(t testing.TB, db *store.DB, query string) (n int) {
	t.Helper()
	rows, err := store.Query(t.Context(), db, query)
	must(t, err)
	defer func() { must(t, errors.Join(rows.Err(), rows.Close())) }()
	for rows.Next() {
		must(t, rows.Scan(&n))
	}
	return n
}

var personal = []string{"甲主席", "13800000001", "057488000000", "东边门", "独居高龄", "上门看一看", "0574-88000002", "老伴刚走"}

func TestASealedStoreShowsNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weimang.db")
	db := openAt(t, path, keyA)
	fillIn(t, db)
	must(t, db.Close())
	if found := inFiles(t, path, personal...); len(found) > 0 {
		t.Errorf("readable in the file: %q", found)
	}
	// The next start has the key, and reads everything.
	db = openAt(t, path, keyA)
	defer func() { must(t, db.Close()) }()
	r, err := db.Roster(t.Context(), tester)
	must(t, err)
	if r.People[0].Name != "甲主席" || r.Households[0].Address == "" || r.Screening[0].Reason == "" || r.Plans[0].What == "" || r.Services[0].Contact == "" {
		t.Error("what was sealed does not open")
	}
	report, err := db.Report(t.Context(), tester, "i-1")
	must(t, err)
	if report.Text != "老伴刚走" {
		t.Errorf("the report says %q", report.Text)
	}
	ids, err := db.PeopleAt(t.Context(), roster.By{Actor: "sms", For: roster.ForAnswer}, "sms", "+86 138-0000-0001")
	must(t, err)
	if !reflect.DeepEqual(ids, []string{"chair-wd"}) {
		t.Errorf("found by the number: %v", ids)
	}
}

// fillIn fills a store with the example and a report.
func fillIn(t testing.TB, db *store.DB) {
	t.Helper()
	importList(t, db, village(t), false)
	must(t, db.SaveReport(t.Context(), ingest.Report{Incident: ingest.Incident{ID: "i-1", From: noon, Scope: ingest.Scope{Households: []string{"h-0042"}}}, Text: "老伴刚走"}))
}

func TestAStoreIsSealedAnewWithAnotherKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weimang.db")
	db := openAt(t, path, "")
	fillIn(t, db)
	if found := inFiles(t, path, personal...); len(found) < len(personal) {
		t.Errorf("without a key only %q can be read: the test would show nothing", found)
	}
	if _, err := db.Rekey(t.Context()); err == nil {
		t.Error("sealed without a key")
	}
	must(t, db.Close())

	// The first key: what is there is plain, and is sealed by rekey.
	db = openAt(t, path, keyA)
	n, err := db.Rekey(t.Context())
	must(t, err)
	if n < 20 {
		t.Errorf("%d values were sealed", n)
	}
	must(t, db.Close())
	if found := inFiles(t, path, personal...); len(found) > 0 {
		t.Errorf("still readable: %q", found)
	}

	// The next key comes before it, and both open until everything is sealed anew.
	db = openAt(t, path, keyB+"\n"+keyA)
	if ids, err := db.PeopleAt(t.Context(), tester, "sms", "13800000001"); err != nil || len(ids) != 1 {
		t.Errorf("between two keys the number finds %v (%v)", ids, err)
	}
	m, err := db.Rekey(t.Context())
	must(t, err)
	if m != n {
		t.Errorf("%d of %d values were sealed anew", m, n)
	}
	if m, err := db.Rekey(t.Context()); err != nil || m != 0 {
		t.Errorf("a second time %d (%v)", m, err)
	}
	must(t, db.Close())

	// From now on the old key opens nothing, and is not needed.
	db = openAt(t, path, keyB)
	defer func() { must(t, db.Close()) }()
	if err := store.UseKeys(t.Context(), db, keys(t, keyA)); err == nil || !strings.Contains(err.Error(), "which store.key does not have") {
		t.Errorf("with the old key: %v", err)
	}
	if err := store.UseKeys(t.Context(), db, nil); err == nil || !strings.Contains(err.Error(), "store.key is empty") {
		t.Errorf("without a key: %v", err)
	}
	r, err := db.Roster(t.Context(), tester)
	must(t, err)
	if ids, err := db.PeopleAt(t.Context(), tester, "sms", "13800000001"); err != nil || len(ids) != 1 || r.People[0].Name != "甲主席" {
		t.Errorf("with the new key the number finds %v (%v)", ids, err)
	}
}

func TestAValueOpensOnlyWhereItWasWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weimang.db")
	db := openAt(t, path, keyA)
	defer func() { must(t, db.Close()) }()
	fillIn(t, db)
	for name, query := range map[string]string{
		"another person's":   `UPDATE persons SET name = (SELECT name FROM persons WHERE id = 'kin-42') WHERE id = 'chair-wd'`,
		"of another channel": `UPDATE contacts SET channel = 'mail' WHERE person_id = 'chair-wd'`,
		"of another column":  `UPDATE persons SET skills = name WHERE id = 'deputy-wd'`,
		"damaged":            `UPDATE services SET contact = substr(contact, 1, 30) WHERE id = 'meal'`,
	} {
		t.Run(name, func(t *testing.T) {
			other := raw(t, path)
			tx, err := other.BeginTx(t.Context(), nil)
			must(t, err)
			before := swapped(t, other)
			_, err = tx.ExecContext(t.Context(), query)
			must(t, err)
			must(t, tx.Commit())
			if reflect.DeepEqual(before, swapped(t, other)) {
				t.Fatal("nothing was swapped")
			}
			if _, err := db.Roster(t.Context(), tester); err == nil || strings.Contains(err.Error(), "甲主席") {
				t.Errorf("got %v", err)
			}
			putBack(t, other, before)
		})
	}
}

// swapped and putBack keep the few columns that the test above swaps.
func swapped(t testing.TB, db *sql.DB) (out [][3]string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT 'persons.name', id, name FROM persons UNION ALL SELECT 'persons.skills', id, skills FROM persons
		UNION ALL SELECT 'contacts.channel', person_id, channel FROM contacts UNION ALL SELECT 'services.contact', id, contact FROM services`)
	must(t, err)
	defer func() { must(t, errors.Join(rows.Err(), rows.Close())) }()
	for rows.Next() {
		var r [3]string
		must(t, rows.Scan(&r[0], &r[1], &r[2]))
		out = append(out, r)
	}
	return out
}

func putBack(t testing.TB, db *sql.DB, rows [][3]string) {
	t.Helper()
	for _, r := range rows {
		table, column, _ := strings.Cut(r[0], ".")
		key := "id"
		if table == "contacts" {
			key = "person_id"
		}
		_, err := db.ExecContext(t.Context(), `UPDATE `+table+` SET `+column+` = ? WHERE `+key+` = ?`, r[2], r[1])
		must(t, err)
	}
}

func TestKeysThatAreNone(t *testing.T) {
	for _, text := range []string{"short", keyA[:62], keyA + "," + keyA, keyA + ", nonsense"} {
		if _, err := store.ParseKeys(text); err == nil || strings.Contains(err.Error(), "0001") || strings.Contains(err.Error(), "nonsense") {
			t.Errorf("%d characters: %v", len(text), err)
		}
	}
	if k, err := store.ParseKeys(" \n"); k != nil || err != nil {
		t.Errorf("no key: %v, %v", k, err)
	}
}

func TestATextThatLooksSealedIsATextLikeAnyOther(t *testing.T) {
	db := open(t)
	for _, text := range []string{"sealed:1:0000:AAAA", "plain:x", "plain:"} {
		must(t, db.SaveReport(t.Context(), ingest.Report{Incident: ingest.Incident{ID: "i-1", From: noon}, Text: text}))
		r, err := db.Report(t.Context(), tester, "i-1")
		must(t, err)
		if r.Text != text {
			t.Errorf("%q came back as %q", text, r.Text)
		}
	}
}
