package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"weimang/alerts"
	"weimang/alerts/roster"
)

// Lanes of the outbox.
const (
	laneMessage = "message" // to people, through channels
	laneTopic   = "topic"   // to topic weimang.alerts
)

// AddTransition implements alerts.Tx.
func (t *tx) AddTransition(tr alerts.Transition, recorded time.Time) (bool, error) {
	n, err := t.exec(`INSERT INTO transitions (alert_id, seq, finding, recorded_at) VALUES (?, ?, ?, ?) ON CONFLICT (alert_id, seq) DO NOTHING`,
		tr.AlertID, tr.Seq, string(tr.Raw), millis(recorded))
	if err != nil {
		return false, fmt.Errorf("add transition: %w", err)
	}
	return n == 1, nil
}

// Alert implements alerts.Tx.
func (t *tx) Alert(id string) (*alerts.Alert, error) {
	rows, err := t.query(`SELECT `+alertColumns+` FROM alerts WHERE id = ?`, id)
	a, err := first(collect(rows, err, scanAlert))
	return a, wrap("read alert", err)
}

// OpenAlert implements alerts.Tx.
func (t *tx) OpenAlert(subject string) (*alerts.Alert, error) {
	rows, err := t.query(`SELECT `+alertColumns+` FROM alerts WHERE subject = ? AND resolved_at IS NULL`, subject)
	a, err := first(collect(rows, err, scanAlert))
	return a, wrap("read open alert", err)
}

// PutAlert implements alerts.Tx.
func (t *tx) PutAlert(a *alerts.Alert) error {
	finding, err := encodeFinding(a.Finding)
	if err != nil {
		return fmt.Errorf("put alert: %w", err)
	}
	ending, err := encodeFinding(a.Ending)
	if err != nil {
		return fmt.Errorf("put alert: %w", err)
	}
	_, err = t.exec(`INSERT INTO alerts (`+alertColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET village_id = excluded.village_id, kind = excluded.kind, severity = excluded.severity, onset = excluded.onset,
			updated_at = excluded.updated_at, resolved_at = excluded.resolved_at, last_seq = excluded.last_seq,
			finding = excluded.finding, ending = excluded.ending`,
		a.ID, a.Subject, a.HouseholdID, a.AreaID, a.VillageID, string(a.Kind), int(a.Severity), millis(a.Onset),
		millis(a.OpenedAt), millis(a.UpdatedAt), optMillis(a.ResolvedAt), a.LastSeq, finding, ending)
	return wrap("put alert", err)
}

// AppendEvent implements alerts.Tx.
func (t *tx) AppendEvent(e alerts.Event) error {
	_, err := t.exec(`INSERT INTO history (alert_id, seq, event, at, detail, recorded_at) VALUES (?, ?, ?, ?, ?, ?)`,
		e.AlertID, e.Seq, string(e.Kind), millis(e.At), e.Detail, millis(e.RecordedAt))
	return wrap("append history", err)
}

// Household implements alerts.Tx.
func (t *tx) Household(id string) (*roster.Household, error) {
	now := millis(t.db.now())
	rows, err := t.query(`SELECT `+householdColumns+` FROM `+placed+` WHERE id = ?`, now, now, now, id)
	h, err := first(collect(rows, err, scanHousehold))
	return h, wrap("read household", err)
}

// AreaHouseholds implements alerts.Tx.
func (t *tx) AreaHouseholds(area string) ([]roster.Household, error) {
	now := millis(t.db.now())
	// A household that is or was there has a row that says so; the rest need not be placed.
	rows, err := t.query(`SELECT `+householdColumns+` FROM `+placed+` WHERE id IN (SELECT household_id FROM homes WHERE area_id = ?)
		AND area_id = ? AND `+watched+` ORDER BY village_id, id`, now, now, now, area, area, now)
	hs, err := collect(rows, err, scanHousehold)
	return hs, wrap("read households of an area", err)
}

// Village implements alerts.Tx.
func (t *tx) Village(id string) (*roster.Village, error) {
	rows, err := t.query(`SELECT id, name FROM villages WHERE id = ?`, id)
	v, err := first(collect(rows, err, scanVillage))
	return v, wrap("read village", err)
}

// Chairs implements alerts.Tx.
func (t *tx) Chairs(village string) ([]roster.Person, error) {
	rows, err := t.query(`SELECT id, COALESCE(village_id, ''), role, name, channel, address, lang FROM people WHERE village_id = ? AND role = ? ORDER BY id`,
		village, string(roster.Chair))
	ps, err := collect(rows, err, func(rows *sql.Rows) (p roster.Person, err error) {
		err = rows.Scan(&p.ID, &p.VillageID, &p.Role, &p.Name, &p.Channel, &p.Address, &p.Lang)
		return p, err
	})
	return ps, wrap("read chairs", err)
}

// Told implements alerts.Tx.
func (t *tx) Told(alertID, personID string) (bool, error) {
	rows, err := t.query(`SELECT 1 FROM outbox WHERE alert_id = ? AND person_id = ? LIMIT 1`, alertID, personID)
	all, err := collect(rows, err, scanInt)
	return len(all) > 0, wrap("read outbox", err)
}

const enqueue = `INSERT INTO outbox (id, lane, alert_id, seq, person_id, channel, rank, severity, payload, created_at, due_at, deadline_at, attempts, status, last_error)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 'waiting', '') ON CONFLICT (id) DO NOTHING`

// EnqueueMessage implements alerts.Tx.
func (t *tx) EnqueueMessage(m alerts.Message) error {
	payload, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	created := millis(m.CreatedAt)
	_, err = t.exec(enqueue, m.ID, laneMessage, m.AlertID, m.Seq, m.To.PersonID, m.Channel, int(m.Rank), int(m.Severity),
		string(payload), created, created, millis(m.Deadline))
	return wrap("enqueue message", err)
}

// EnqueueRecord implements alerts.Tx.
func (t *tx) EnqueueRecord(r alerts.Record, created time.Time) error {
	at := millis(created)
	_, err := t.exec(enqueue, laneTopic+":"+r.ID, laneTopic, r.Key, 0, "", "", 0, 0, string(r.Value), at, at, at)
	return wrap("enqueue record", err)
}

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
