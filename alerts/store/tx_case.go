package store

import (
	"fmt"
	"time"

	"weimang/alerts"
	"weimang/alerts/roster"
)

// Unclosed implements alerts.AlertTx.
func (t *tx) Unclosed(subject string) (*alerts.Alert, error) {
	rows, err := t.query(`SELECT `+alertColumns+` FROM alerts WHERE subject = ? AND closed_at IS NULL ORDER BY opened_at DESC, id LIMIT 1`, subject)
	a, err := first(collect(rows, err, t.db.scanAlert))
	return a, wrap("read unclosed alert", err)
}

// Before implements alerts.AlertTx.
func (t *tx) Before(a *alerts.Alert) (*alerts.Alert, error) {
	rows, err := t.query(`SELECT `+alertColumns+` FROM alerts WHERE household_id = ? AND opened_at <= ? AND id <> ? AND subject = ?
		ORDER BY opened_at DESC, id LIMIT 1`, a.HouseholdID, millis(a.OpenedAt), a.ID, a.Subject)
	old, err := first(collect(rows, err, t.db.scanAlert))
	return old, wrap("read the alert before", err)
}

// AddVisit implements alerts.AlertTx.
func (t *tx) AddVisit(v roster.Visit) error {
	texts := [...]string{v.Situation, v.Difficulty, v.Measure}
	for i, column := range [...]string{"visits.situation", "visits.difficulty", "visits.measure"} {
		var err error
		if texts[i], err = t.db.seal(column, v.ID, texts[i]); err != nil {
			return fmt.Errorf("add visit: %w", err)
		}
	}
	_, err := t.exec(`INSERT INTO visits (id, household_id, alert_id, person_id, kind, at, situation, difficulty, measure)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
		v.ID, v.HouseholdID, v.AlertID, v.PersonID, string(v.Kind), millis(v.At), texts[0], texts[1], texts[2])
	return wrap("add visit", err)
}

// DueAlerts implements alerts.AlertTx.
func (t *tx) DueAlerts(now time.Time, limit int) ([]string, error) {
	rows, err := t.query(`SELECT id FROM alerts WHERE look_at <= ? ORDER BY look_at, id LIMIT ?`, millis(now), limit)
	ids, err := collect(rows, err, scanText)
	return ids, wrap("read due alerts", err)
}

// LookAt implements alerts.AlertTx.
func (t *tx) LookAt(id string, at time.Time) error {
	_, err := t.exec(`UPDATE alerts SET look_at = ? WHERE id = ? AND closed_at IS NULL AND (look_at IS NULL OR look_at > ?)`, millis(at), id, millis(at))
	return wrap("have an alert looked at", err)
}

// Shift implements alerts.AlertTx.
func (t *tx) Shift(id string, at time.Time) error {
	ms := millis(at)
	_, err := t.exec(`UPDATE alerts SET look_at = CASE WHEN look_at IS NULL THEN NULL ELSE look_at + ? - step_at END, step_at = ?
		WHERE id = ? AND stage = 'calling' AND step_at < ?`, ms, ms, id, ms)
	return wrap("put the time to answer off", err)
}

// nudge has the engine look at an alert: a message about it has come to a dead
// end.
func (t *tx) nudge(alertID string, at time.Time) error { return t.LookAt(alertID, at) }

const tellingColumns = `n, id, alert_id, seq, round, step, person_id, role, stands_in, village_id, purpose, severity, via, only_via, digest,
	created_at, due_at, status, message_id, tried`
