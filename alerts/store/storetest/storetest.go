// Package storetest decides which store a test runs on: a SQLite file of its
// own, or a schema of its own in the PostgreSQL that deploy/local/postgres has
// started and the environment names. It is for tests only.
package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"weimang/alerts/store"
)

// Variable of the environment that names the PostgreSQL, as
// deploy/local/postgres prints it: an address for store.Options.
const Variable = "TEST_POSTGRES"

// Open opens an empty store with the wall clock now, and closes it at the test's
// end.
func Open(t testing.TB, now func() time.Time) *store.DB {
	t.Helper()
	o := Place(t)
	o.Now = now
	return OpenAt(t, o)
}

// OpenAt opens the store at a place, and closes it at the test's end. A place may
// be opened several times, as several processes would.
func OpenAt(t testing.TB, o store.Options) *store.DB {
	t.Helper()
	db, err := store.OpenWith(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Place is where nothing is yet: a schema in the PostgreSQL that the environment
// names, or else a file.
func Place(t testing.TB) store.Options {
	t.Helper()
	if os.Getenv(Variable) != "" {
		return Postgres(t)
	}
	return File(t)
}

// File is a place for SQLite, whatever the environment names.
func File(t testing.TB) store.Options {
	t.Helper()
	return store.Options{Path: filepath.Join(t.TempDir(), "weimang.db")}
}

// Postgres is a place in the PostgreSQL that the environment names; it skips the
// test where that names none.
func Postgres(t testing.TB) store.Options {
	t.Helper()
	return Schema(t, address(t))
}

func address(t testing.TB) string {
	t.Helper()
	a := os.Getenv(Variable)
	if a == "" {
		t.Skipf("no real PostgreSQL: %s is not set, see deploy/local/postgres", Variable)
	}
	return a
}

var schemas atomic.Int64

// Schema makes a schema of the test's own in the database at an address, and
// drops it at the end, whoever may still have it open.
func Schema(t testing.TB, address string) store.Options {
	t.Helper()
	name := fmt.Sprintf("t%d_%d_%d", time.Now().Unix(), os.Getpid(), schemas.Add(1))
	Run(t, address, `CREATE SCHEMA `+name)
	t.Cleanup(func() { Run(t, address, `DROP SCHEMA `+name+` CASCADE`) })
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return store.Options{URL: u.String()}
}

// Run runs statements on the database at an address, beside the store.
func Run(t testing.TB, address string, statements ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // what was run has its own error
	for _, s := range statements {
		if _, err := db.ExecContext(ctx, s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// Server is a PostgreSQL that a test has for itself, to kill.
type Server struct {
	t       testing.TB
	dir     string
	address string
}

// StartServer starts one, and stops it at the test's end. It skips the test where
// the environment names no PostgreSQL, for then none may be installed.
func StartServer(t testing.TB) *Server {
	t.Helper()
	address(t)
	dir, err := os.MkdirTemp("", "weimang-postgres-") // not in t.TempDir, which other users may not enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &Server{t: t, dir: dir}
	s.script("start", "--port", strconv.Itoa(freePort(t)))
	t.Cleanup(func() { s.script("stop") })
	text, err := os.ReadFile(filepath.Join(dir, "address"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	s.address = strings.TrimPrefix(line, Variable+"=")
	return s
}

// Place is where nothing is yet, on this server. Nothing drops it before the
// server is stopped.
func (s *Server) Place() store.Options { return store.Options{URL: s.address} }

// Kill ends the server as a loss of power to its processes would.
func (s *Server) Kill() { s.script("kill") }

// Restart starts it again over what it has kept.
func (s *Server) Restart() { s.script("restart") }

func (s *Server) script(command string, more ...string) {
	s.t.Helper()
	script := filepath.Join(root(s.t), "deploy", "local", "postgres")
	out, err := exec.Command(script, append([]string{command, "--dir", s.dir}, more...)...).CombinedOutput() //nolint:noctx // its own times are short
	if err != nil {
		s.t.Fatalf("deploy/local/postgres %s: %v\n%s", command, err, out)
	}
}

// root is the project's folder.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	t.Fatal("no go.mod above the test")
	return ""
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // at once
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // it is wanted free
	return l.Addr().(*net.TCPAddr).Port
}
