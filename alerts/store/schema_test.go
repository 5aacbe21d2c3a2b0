package store_test

import (
	"database/sql"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"weimang/alerts/store"
	"weimang/alerts/store/storetest"
)

// beside opens the database of a place without the store.
func beside(t *testing.T, o store.Options) *sql.DB {
	t.Helper()
	name, address := "pgx", o.URL
	if address == "" {
		name, address = "sqlite", o.Path
	}
	db, err := sql.Open(name, address)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

// texts are the first columns of a query's rows.
func texts(t *testing.T, db *sql.DB, query string) (out []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	must(t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s string
		must(t, rows.Scan(&s))
		out = append(out, s)
	}
	must(t, rows.Err())
	return out
}

// dump is the schema as the database describes it, but for the table of versions.
// A column's number is its place: PostgreSQL counts those that were dropped, too.
func dump(t *testing.T, o store.Options) []string {
	t.Helper()
	db := beside(t, o)
	if o.URL == "" {
		return texts(t, db, `SELECT type || ' ' || name || ' ' || COALESCE(sql, '') FROM sqlite_master WHERE tbl_name NOT IN ('goose_db_version', 'sqlite_sequence') ORDER BY 1`)
	}
	return texts(t, db, `SELECT line FROM (
		SELECT concat_ws(' ', 'column', table_name, row_number() OVER (PARTITION BY table_name ORDER BY ordinal_position), column_name, data_type, collation_name, is_nullable, identity_generation, column_default) line
			FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> 'goose_db_version'
		UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename <> 'goose_db_version'
		UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
			WHERE connamespace = current_schema()::regnamespace AND conrelid <> 'goose_db_version'::regclass) x ORDER BY line`)
}

func TestSchemaGoesForwardAndBack(t *testing.T) {
	place := storetest.Place(t)
	db := storetest.OpenAt(t, place)
	newest, err := store.NewestSchema()
	must(t, err)
	must(t, db.ImportRoster(t.Context(), []store.HouseholdRow{{MeterID: "m1", HouseholdID: "h1", AreaID: "a1"}}, nil))
	want := dump(t, place)
	if len(want) < 20 {
		t.Fatalf("the schema seems to be of %d lines only", len(want))
	}
	// One step back and forth, then all of them.
	for _, version := range []int64{newest - 1, 0} {
		must(t, db.MigrateTo(t.Context(), version))
		back := dump(t, place)
		if slices.Equal(back, want) || version == 0 && len(back) > 0 {
			t.Errorf("version %d has left of the schema:\n%s", version, strings.Join(back, "\n"))
		}
		must(t, db.MigrateUp(t.Context()))
		if got := dump(t, place); !slices.Equal(got, want) {
			t.Errorf("schema after version %d and forward again:\n%s\nwant:\n%s", version, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	hs, err := db.Households(t.Context())
	must(t, err)
	if len(hs) != 0 {
		t.Errorf("households after back and forth: %+v", hs)
	}
	// What was prepared before is of use again.
	must(t, db.ImportRoster(t.Context(), []store.HouseholdRow{{MeterID: "m1", HouseholdID: "h1", AreaID: "a1"}}, nil))
}

func TestProcessesThatStartAtOnceMigrateOnce(t *testing.T) {
	place := storetest.Postgres(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			db, err := store.OpenWith(t.Context(), place)
			if err != nil {
				t.Error(err)
				return
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	versions := texts(t, beside(t, place), `SELECT version_id::text FROM goose_db_version ORDER BY id`)
	newest, err := store.NewestSchema()
	must(t, err)
	if len(versions) != len(slices.Compact(slices.Clone(versions))) || int64(len(versions)) > newest+1 {
		t.Errorf("versions were applied: %v", versions)
	}
}

func TestAnOlderProgramRefusesANewerSchema(t *testing.T) {
	place := storetest.Place(t)
	must(t, storetest.OpenAt(t, place).ImportRoster(t.Context(), []store.HouseholdRow{{MeterID: "m1", HouseholdID: "h1", AreaID: "a1"}}, nil))
	applied := "true"
	if place.URL == "" {
		applied = "1"
	}
	_, err := beside(t, place).ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, `+applied+`)`)
	must(t, err)
	for _, asItIs := range []bool{false, true} {
		place.AsItIs = asItIs
		db, err := store.OpenWith(t.Context(), place)
		if err == nil {
			must(t, db.Close())
			t.Fatalf("as it is %v: a schema of the future was taken", asItIs)
		}
		for _, want := range []string{"99999", "newer program", "store migrate"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("as it is %v: the error says nothing of %q: %v", asItIs, want, err)
			}
		}
	}
}

func TestTheWayBackSaysWhatItLoses(t *testing.T) {
	db := open(t)
	must(t, db.ImportRoster(t.Context(), []store.HouseholdRow{{MeterID: "m1", HouseholdID: "h1", AreaID: "a1"}, {MeterID: "m2", HouseholdID: "h2", AreaID: "a1"}}, nil))
	lost, err := db.LostBy(t.Context(), 1)
	must(t, err)
	if !slices.Contains(lost, store.Lost{Table: "homes", Rows: 2}) {
		t.Errorf("back to version 1: %+v, want the table of homes with its two rows among it", lost)
	}
	if slices.ContainsFunc(lost, func(l store.Lost) bool { return l.Table == "households" && l.Column == "" }) {
		t.Errorf("households are there in version 1, too: %+v", lost)
	}
	if homes, err := db.Homes(t.Context()); err != nil || len(homes) != 2 {
		t.Errorf("asking has changed something: %d homes (%v)", len(homes), err)
	}
}

// A database has an order of words of its own, by its language.
func TestListsComeInTheSameOrderEverywhere(t *testing.T) {
	db := open(t)
	var rows []store.HouseholdRow
	for _, id := range []string{"丁", "b", "B", "é", "a-1", "a1", "乙"} {
		rows = append(rows, store.HouseholdRow{MeterID: id, HouseholdID: id, AreaID: "a1"})
	}
	must(t, db.ImportRoster(t.Context(), rows, nil))
	hs, err := db.Households(t.Context())
	must(t, err)
	var ids []string
	for _, h := range hs {
		ids = append(ids, h.ID)
	}
	if want := []string{"B", "a-1", "a1", "b", "é", "丁", "乙"}; !slices.Equal(ids, want) {
		t.Errorf("order %v, want %v", ids, want)
	}
}

// A backup carries whole and other numbers, texts and bytes, and nothing else.
func TestColumnsAreOfTypesThatBothKindsHave(t *testing.T) {
	place := storetest.Place(t)
	storetest.OpenAt(t, place)
	db := beside(t, place)
	if place.URL == "" {
		for _, kind := range texts(t, db, `SELECT DISTINCT c.type FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT IN ('goose_db_version', 'sqlite_sequence')`) {
			if !slices.Contains([]string{"INTEGER", "BIGINT", "TEXT", "BLOB", "REAL"}, kind) {
				t.Errorf("a column of type %q: see toPostgres and portable", kind)
			}
		}
		return
	}
	got := texts(t, db, `SELECT DISTINCT concat_ws(' ', data_type, collation_name, identity_generation) FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name <> 'goose_db_version' ORDER BY 1`)
	for _, kind := range got {
		switch kind {
		case "bigint", "bigint BY DEFAULT", "bytea", "text C", "double precision":
		default:
			t.Errorf("a column of type %q: see toPostgres and portable", kind)
		}
	}
}

func TestTextThatPostgresCannotHoldIsNotRefused(t *testing.T) {
	db := open(t)
	r := report("i1", "听到\x00争吵\xff")
	must(t, db.SaveReport(t.Context(), r))
	got, err := db.Report(t.Context(), tester, "i1")
	must(t, err)
	want := r.Text
	if db.Kind() == store.Postgres {
		want = "听到\uFFFD争吵\uFFFD"
	}
	if got == nil || got.Text != want {
		t.Errorf("report %+v, want text %q", got, want)
	}
}

func TestAStoreThatIsNotThereIsSaidSo(t *testing.T) {
	begin := time.Now()
	_, err := store.OpenWith(t.Context(), store.Options{URL: "postgres://somebody:hidden-word@127.0.0.1:1/none?sslmode=disable"})
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") || strings.Contains(err.Error(), "hidden-word") {
		t.Errorf("error %v, want one that names the server and no password", err)
	}
	if waited := time.Since(begin); waited < time.Second {
		t.Errorf("given up after %s: a server that is just starting would have been missed", waited)
	}
}

func TestAnAddressThatIsWrongIsExplained(t *testing.T) {
	for _, c := range []struct{ address, want string }{
		{"postgres://u:p4ssw0rd@db/weimang?sslmode=verify-full", ""},
		{"postgresql://u@db-1:5432,db-2:5432/weimang?target_session_attrs=read-write", ""},
		{"postgres:///weimang?host=/run/postgresql", ""},
		{"mysql://u:p4ssw0rd@db/weimang", "postgres://"},
		{"weimang.db", "postgres://"},
		{"postgres://u:p4ss/w0rd@db/weimang", "%2F"},
		{"postgres://u:p4ss%zzw0rd@db/weimang", "%25"},
		{"postgres://u:p4ssw0rd@db/weimang?sslmode=maybe", "sslmode"},
		{"postgres://u:p4ssw0rd@db/weimang?sslrootcert=/not/there.pem&sslmode=verify-full", "/not/there.pem"},
	} {
		err := store.CheckURL(c.address)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.address, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error %v, want one with %q", c.address, err, c.want)
		case err != nil && strings.Contains(err.Error(), "p4ss"):
			t.Errorf("%s: the error gives the password away: %v", c.address, err)
		}
	}
}
