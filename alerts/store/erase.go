package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"weimang/alerts"
	"weimang/alerts/roster"
)

// Erasure is what an erasure has done, or would do.
type Erasure struct {
	Household string         `json:"household"` // what stands in its place now
	Meters    []string       `json:"-"`         // that it alone had, for whoever must forget them
	Shared    []string       `json:"-"`         // that others live behind, before it or since
	People    int            `json:"people"`    // removed with it
	Rows      map[string]int `json:"rows"`      // removed or rewritten, by table
	Already   bool           `json:"already"`   // erased before; nothing was done
}

// Erase removes a household from the store: who lives there, the family that
// answers for nothing else, and everything that was said of them. Its ids become
// others, so that alerts go on counting under their kind, severity, village,
// outcome and times. What is waiting to be sent about it is dropped. It is done in one
// transaction and written down; a second time it does nothing.
//
// It does not reach backups, nor what is in topics. A dry run changes nothing.
func (db *DB) Erase(ctx context.Context, by roster.By, household string, dryRun bool) (done Erasure, err error) {
	err = db.update(ctx, func(t *tx) error {
		done = Erasure{Rows: make(map[string]int)} // it may be begun again
		e := &erasing{tx: t, household: household, ids: make(map[string]string), done: &done}
		if err := e.run(by); err != nil {
			return fmt.Errorf("erase household %s: %w", household, err)
		}
		if dryRun {
			return errDryRun
		}
		return nil
	})
	if errors.Is(err, errDryRun) {
		return done, nil
	}
	if err != nil || done.Already {
		return done, err
	}
	return done, db.engine.scrub(ctx, db.write)
}

var errDryRun = errors.New("a dry run")

// erasing is one erasure.
type erasing struct {
	*tx
	household string
	ids       map[string]string // what stands in place of each id
	people    []string
	village   string
	words     []string // that name the home or its people, as JSON has them
	done      *Erasure
}

// mark stands for the id of a household that was erased.
func mark(household string) string {
	h := sha256.Sum256([]byte("household " + household))
	return hex.EncodeToString(h[:])
}

// erased reports whether a household was erased.
func (t *tx) erased(household string) (bool, error) {
	rows, err := t.query(`SELECT 1 FROM erased WHERE mark = ?`, mark(household))
	found, err := collect(rows, err, scanInt)
	return len(found) > 0, wrap("read what was erased", err)
}

// ErasedAmong are those of some households that were erased.
func (db *DB) ErasedAmong(ctx context.Context, households []string) (out []string, err error) {
	rows, err := db.read.QueryContext(ctx, `SELECT mark FROM erased`)
	marks, err := collect(rows, err, scanText)
	if err != nil || len(marks) == 0 {
		return nil, wrap("read what was erased", err)
	}
	for _, h := range households {
		if slices.Contains(marks, mark(h)) && !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	return out, nil
}

// pseudonym is an id that says nothing.
func pseudonym() string { return "erased-" + strings.ToLower(rand.Text()[:16]) }

func (e *erasing) run(by roster.By) error {
	already, err := e.erased(e.household)
	if err != nil {
		return err
	}
	if already {
		e.done.Already = true
		return nil
	}
	if err := e.find(); err != nil {
		return err
	}
	for _, step := range []func() error{e.roster, e.messages, e.alerts, e.incidents, e.rename} {
		if err := step(); err != nil {
			return err
		}
	}
	e.done.Household, e.done.People = e.ids[e.household], len(e.people)
	if _, err := e.exec(`INSERT INTO erased (mark, at) VALUES (?, ?)`, mark(e.household), millis(e.db.now())); err != nil {
		return err
	}
	return e.note(by, Erased, householdSubject(e.ids[e.household]), "all")
}

// find finds the ids that have to go.
func (e *erasing) find() error {
	rows, err := e.query(`SELECT 1 FROM households WHERE id = ? UNION SELECT 1 FROM alerts WHERE household_id = ?`, e.household, e.household)
	known, err := collect(rows, err, scanInt)
	if err != nil {
		return err
	}
	if len(known) == 0 {
		return ErrUnknownHousehold
	}
	e.ids[e.household] = pseudonym()
	rows, err = e.query(`SELECT DISTINCT meter_id FROM homes WHERE household_id = ?`, e.household)
	meters, err := collect(rows, err, scanText)
	if err != nil {
		return err
	}
	for _, m := range meters {
		rows, err := e.query(`SELECT 1 FROM homes WHERE meter_id = ? AND household_id <> ? LIMIT 1`, m, e.household)
		others, err := collect(rows, err, scanInt)
		if err != nil {
			return err
		}
		if len(others) > 0 { // it goes on under its name
			e.done.Shared = append(e.done.Shared, m)
			continue
		}
		e.done.Meters = append(e.done.Meters, m)
		e.ids[m] = pseudonym()
	}
	// Residents and kin who answer, and have answered, for nothing else.
	const hers = `(SELECT person_id, role, household_id FROM duties UNION ALL SELECT person_id, role, household_id FROM past_duties)`
	rows, err = e.query(`SELECT DISTINCT a.person_id FROM `+hers+` AS a WHERE a.household_id = ? AND a.role IN (?, ?)
		AND NOT EXISTS (SELECT 1 FROM `+hers+` AS b WHERE b.person_id = a.person_id AND (b.household_id <> ? OR b.role NOT IN (?, ?)))`,
		e.household, string(roster.Resident), string(roster.Kin), e.household, string(roster.Resident), string(roster.Kin))
	if e.people, err = collect(rows, err, scanText); err != nil {
		return err
	}
	for _, p := range e.people {
		e.ids[p] = pseudonym()
	}
	return e.findWords()
}

// do runs a statement and counts its rows.
func (e *erasing) do(table, query string, args ...any) error {
	n, err := e.exec(query, args...)
	if n > 0 {
		e.done.Rows[table] += int(n)
	}
	return wrap(table, err)
}

// roster empties what is known of the home, and removes the people.
func (e *erasing) roster() error {
	h, now := e.household, millis(e.db.now())
	for _, step := range []struct {
		table, query string
		args         []any
	}{
		{"use_history", `DELETE FROM use_history WHERE household_id = ?`, []any{h}},
		{"plans", `DELETE FROM plans WHERE household_id = ?`, []any{h}},
		{"orders", `DELETE FROM orders WHERE household_id = ?`, []any{h}},
		{"homes", `DELETE FROM homes WHERE household_id = ?`, []any{h}},
		{"duties", `DELETE FROM duties WHERE household_id = ?`, []any{h}},
		{"past_duties", `DELETE FROM past_duties WHERE household_id = ?`, []any{h}},
		{"visits", `UPDATE visits SET situation = '', difficulty = '', measure = '' WHERE household_id = ?`, []any{h}},
		{"screening", `UPDATE screening SET reason = '', decided_by = '' WHERE household_id = ?`, []any{h}},
		{"consents", `UPDATE consents SET given_by = '', until_at = COALESCE(until_at, ?) WHERE household_id = ?`, []any{now, h}},
		{"households", `UPDATE households SET label = '', address = '', listed = 0, left_at = COALESCE(left_at, ?), erased_at = ? WHERE id = ?`, []any{now, now, h}},
	} {
		if err := e.do(step.table, step.query, step.args...); err != nil {
			return err
		}
	}
	for _, p := range e.people {
		if err := e.attempts(p); err != nil {
			return err
		}
		for _, step := range []struct{ table, query string }{
			{"contacts", `DELETE FROM contacts WHERE person_id = ?`},
			{"leaves", `DELETE FROM leaves WHERE person_id = ?`},
			{"persons", `UPDATE persons SET stand_in = '' WHERE stand_in = ?`},
			{"leaves", `UPDATE leaves SET stand_in = '' WHERE stand_in = ?`},
			{"persons", `DELETE FROM persons WHERE id = ?`},
		} {
			if err := e.do(step.table, step.query, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// attempts forgets what was counted of a person's addresses: a hash of a
// telephone number is found again by trying all numbers.
func (e *erasing) attempts(person string) error {
	contacts, err := e.contactsOf(person)
	if err != nil {
		return err
	}
	for _, c := range contacts {
		target, err := e.target(c.Channel, c.Address)
		if err != nil {
			return err
		}
		for _, table := range []string{"attempts", "holds"} {
			if err := e.do(table, `DELETE FROM `+table+` WHERE channel = ? AND target = ?`, c.Channel, target); err != nil {
				return err
			}
		}
	}
	return nil
}

// alerts ends what is open: nobody is to be told of the home any more.
func (e *erasing) alerts() error {
	now := millis(e.db.now())
	if err := e.do("alerts", `UPDATE alerts SET resolved_at = COALESCE(resolved_at, ?), closed_at = COALESCE(closed_at, ?), stage = 'closed', look_at = NULL,
		outcome = CASE WHEN outcome = '' THEN ? ELSE outcome END
		WHERE household_id = ? AND closed_at IS NULL`, now, now, string(alerts.Erased), e.household); err != nil {
		return err
	}
	return e.do("alerts", `UPDATE alerts SET handed_to = '' WHERE household_id = ? AND handed_to <> ''`, e.household)
}

// incidents empties the reports that name the home or its meters.
func (e *erasing) incidents() error {
	for id := range e.ids {
		rows, err := e.query(`SELECT id, scope FROM incidents WHERE scope LIKE ? ESCAPE '~'`, holding(id))
		found, err := collect(rows, err, func(rows *sql.Rows) (r [2]string, err error) {
			err = rows.Scan(&r[0], &r[1])
			return r, err
		})
		if err != nil {
			return wrap("incidents", err)
		}
		for _, r := range found {
			if e.renamed(r[1]) == r[1] {
				continue
			}
			if err := e.do("incidents", `UPDATE incidents SET text = '', reporter_role = '', extra = '{}' WHERE id = ?`, r[0]); err != nil {
				return err
			}
		}
	}
	return nil
}
