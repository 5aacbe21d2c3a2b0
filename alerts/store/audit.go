package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"weimang/alerts/roster"
)

// Action is what was done. The set is closed.
type Action string

// Actions.
const (
	Read   Action = "read"
	Wrote  Action = "write"
	Erased Action = "erase"
)

// AuditEntry is one line of the audit log.
type AuditEntry struct {
	At      time.Time      `json:"at"`
	Actor   string         `json:"actor"`
	Action  Action         `json:"action"`
	Purpose roster.Purpose `json:"purpose"`
	Subject string         `json:"subject"` // person:ID or household:ID
	Fields  []string       `json:"fields"`
}

// Subjects of the audit log.
func personSubject(id string) string    { return "person:" + id }
func householdSubject(id string) string { return "household:" + id }

// note writes one line of the audit log.
func (t *tx) note(by roster.By, did Action, subject string, fields ...string) error {
	_, err := t.exec(`INSERT INTO audit (at, actor, action, purpose, subject, fields) VALUES (?, ?, ?, ?, ?, ?)`,
		millis(t.db.now()), by.Actor, string(did), string(by.For), subject, strings.Join(fields, ","))
	return wrap("write the audit log", err)
}

// noteDelivery writes down that a message goes out: its recipient's address is
// read, and she reads of the home. One of several homes names them by its alerts.
func (t *tx) noteDelivery(n int64) error {
	rows, err := t.query(`SELECT person_id, payload FROM outbox WHERE n = ?`, n)
	message, err := first(collect(rows, err, func(rows *sql.Rows) (m [2]string, err error) {
		err = rows.Scan(&m[0], &m[1])
		return m, err
	}))
	if err != nil || message == nil {
		return wrap("read message", err)
	}
	var m struct {
		HouseholdID string   `json:"household_id"`
		Alerts      []string `json:"alerts"`
	}
	if err := json.Unmarshal([]byte(message[1]), &m); err != nil {
		return fmt.Errorf("decode message: %w", err)
	}
	if err := t.note(roster.By{Actor: "delivery", For: roster.ForDelivery}, Read, personSubject(message[0]), "contacts"); err != nil {
		return err
	}
	homes := []string{m.HouseholdID}
	for _, id := range m.Alerts {
		rows, err := t.query(`SELECT household_id FROM alerts WHERE id = ?`, id)
		home, err := first(collect(rows, err, scanText))
		if err != nil {
			return wrap("read alert", err)
		}
		if home != nil {
			homes = append(homes, *home)
		}
	}
	slices.Sort(homes)
	for _, h := range slices.Compact(homes) {
		if h == "" {
			continue
		}
		if err := t.note(roster.By{Actor: message[0], For: roster.ForDelivery}, Read, householdSubject(h), "message"); err != nil {
			return err
		}
	}
	return nil
}

// AuditFilter asks for a part of the audit log; what is zero asks for all.
type AuditFilter struct {
	HouseholdID, PersonID string
	Since                 time.Time
	Limit                 int // 0: 1000
}

// Audit is the audit log, the latest first. A person's is what was read of her
// and what she read.
func (db *DB) Audit(ctx context.Context, f AuditFilter) ([]AuditEntry, error) {
	query, args := `SELECT at, actor, action, purpose, subject, fields FROM audit WHERE at >= ?`, []any{int64(0)}
	if !f.Since.IsZero() {
		args[0] = millis(f.Since)
	}
	if f.HouseholdID != "" {
		query += ` AND subject = ?`
		args = append(args, householdSubject(f.HouseholdID))
	}
	if f.PersonID != "" {
		query += ` AND (subject = ? OR actor = ?)`
		args = append(args, personSubject(f.PersonID), f.PersonID)
	}
	if f.Limit == 0 {
		f.Limit = 1000
	}
	rows, err := db.read.QueryContext(ctx, query+` ORDER BY n DESC LIMIT ?`, append(args, f.Limit)...)
	list, err := collect(rows, err, func(rows *sql.Rows) (e AuditEntry, err error) {
		var at int64
		var fields string
		err = rows.Scan(&at, &e.Actor, &e.Action, &e.Purpose, &e.Subject, &fields)
		e.At = fromMillis(at)
		e.Fields = slices.DeleteFunc(strings.Split(fields, ","), func(s string) bool { return s == "" })
		return e, err
	})
	return list, wrap("read the audit log", err)
}
