package store

import (
	"database/sql"
	"strings"
	"time"

	"weimang/alerts"
	"weimang/alerts/deliver"
)

func scanTelling(rows *sql.Rows) (x alerts.Telling, err error) {
	var via, tried string
	var only, digest int
	var created, due int64
	err = rows.Scan(&x.N, &x.ID, &x.AlertID, &x.Seq, &x.Round, &x.Link, &x.To.PersonID, &x.To.Role, &x.StandsIn, &x.VillageID, &x.Purpose, &x.Severity,
		&via, &only, &digest, &created, &due, &x.Status, &x.MessageID, &tried)
	x.Via, x.Tried = words(via), words(tried)
	x.OnlyVia, x.Digest = only != 0, digest != 0
	x.CreatedAt, x.DueAt = fromMillis(created), fromMillis(due)
	return x, err
}

// words reads a list as it stands in a column.
func words(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// AddTelling implements alerts.TellingTx.
func (t *tx) AddTelling(x *alerts.Telling) error {
	_, err := t.exec(`INSERT INTO tellings (id, alert_id, seq, round, step, person_id, role, stands_in, village_id, purpose, severity, via, only_via, digest,
			created_at, due_at, status, message_id, tried)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
		x.ID, x.AlertID, x.Seq, x.Round, x.Link, x.To.PersonID, string(x.To.Role), string(x.StandsIn), x.VillageID, string(x.Purpose), int(x.Severity),
		strings.Join(x.Via, ","), bit(x.OnlyVia), bit(x.Digest), millis(x.CreatedAt), millis(x.DueAt), string(x.Status), x.MessageID, strings.Join(x.Tried, ","))
	return wrap("add telling", err)
}

// PutTelling implements alerts.TellingTx.
func (t *tx) PutTelling(x *alerts.Telling) error {
	_, err := t.exec(`UPDATE tellings SET due_at = ?, digest = ?, status = ?, message_id = ?, tried = ? WHERE n = ?`,
		millis(x.DueAt), bit(x.Digest), string(x.Status), x.MessageID, strings.Join(x.Tried, ","), x.N)
	return wrap("put telling", err)
}

// Tellings implements alerts.TellingTx.
func (t *tx) Tellings(alertID string) ([]alerts.Telling, error) {
	rows, err := t.query(`SELECT `+tellingColumns+` FROM tellings WHERE alert_id = ? ORDER BY n`, alertID)
	all, err := collect(rows, err, scanTelling)
	return all, wrap("read tellings", err)
}

// DropTellings implements alerts.TellingTx.
func (t *tx) DropTellings(alertID string, but ...alerts.Purpose) error {
	var keep [3]string
	for i, p := range but {
		keep[i] = string(p)
	}
	_, err := t.exec(`UPDATE tellings SET status = 'dropped' WHERE alert_id = ? AND status = 'due' AND purpose NOT IN (?, ?, ?)`,
		alertID, keep[0], keep[1], keep[2])
	return wrap("drop tellings", err)
}

// DueTellings implements alerts.TellingTx.
func (t *tx) DueTellings(personID string, now time.Time) ([]alerts.Telling, error) {
	rows, err := t.query(`SELECT `+tellingColumns+` FROM tellings WHERE person_id = ? AND status = 'due' AND due_at <= ? ORDER BY n`, personID, millis(now))
	all, err := collect(rows, err, scanTelling)
	return all, wrap("read due tellings", err)
}

// DuePeople implements alerts.TellingTx.
func (t *tx) DuePeople(now time.Time, limit int) ([]string, error) {
	rows, err := t.query(`SELECT person_id FROM tellings WHERE status = 'due' AND due_at <= ? GROUP BY person_id ORDER BY MAX(severity) DESC, MIN(due_at) LIMIT ?`,
		millis(now), limit)
	ids, err := collect(rows, err, scanText)
	return ids, wrap("read people to be told", err)
}

// Undelivered implements alerts.TellingTx.
func (t *tx) Undelivered(alertID string) ([]alerts.Failed, error) {
	rows, err := t.query(`SELECT t.n, o.channel, o.reason FROM tellings t JOIN outbox o ON o.id = t.message_id
		WHERE t.alert_id = ? AND t.status = 'told' AND o.status = 'dead' ORDER BY t.n`, alertID)
	type failed struct {
		n       int64
		channel string
		reason  deliver.Reason
	}
	dead, err := collect(rows, err, func(rows *sql.Rows) (f failed, err error) {
		err = rows.Scan(&f.n, &f.channel, &f.reason)
		return f, err
	})
	if err != nil || len(dead) == 0 {
		return nil, wrap("read what was not delivered", err)
	}
	all, err := t.Tellings(alertID)
	if err != nil {
		return nil, err
	}
	var out []alerts.Failed
	for _, f := range dead {
		for _, x := range all {
			if x.N == f.n {
				out = append(out, alerts.Failed{Telling: x, Channel: f.channel, WrongAddress: f.reason == deliver.BadAddress})
			}
		}
	}
	return out, nil
}

// Pushes implements alerts.TellingTx.
func (t *tx) Pushes(personID, day string) (alerts.Pushes, error) {
	rows, err := t.query(`SELECT count, burst_at, burst FROM pushes WHERE person_id = ? AND day = ?`, personID, day)
	p, err := first(collect(rows, err, func(rows *sql.Rows) (p alerts.Pushes, err error) {
		var at int64
		err = rows.Scan(&p.Count, &at, &p.Burst)
		p.BurstAt = fromMillis(at)
		return p, err
	}))
	if p == nil {
		p = &alerts.Pushes{}
	}
	return *p, wrap("read pushes", err)
}

// CountPush implements alerts.TellingTx.
func (t *tx) CountPush(personID, day string, now time.Time, burst time.Duration) error {
	ms, before := millis(now), millis(now.Add(-burst))
	_, err := t.exec(`INSERT INTO pushes (person_id, day, count, burst_at, burst) VALUES (?, ?, 1, ?, 1)
		ON CONFLICT (person_id, day) DO UPDATE SET count = pushes.count + 1,
			burst = CASE WHEN pushes.burst_at <= ? THEN 1 ELSE pushes.burst + 1 END,
			burst_at = CASE WHEN pushes.burst_at <= ? THEN excluded.burst_at ELSE pushes.burst_at END`, personID, day, ms, before, before)
	return wrap("count a push", err)
}
