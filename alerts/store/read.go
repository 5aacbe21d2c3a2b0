package store

import (
	"context"
	"database/sql"
	"time"

	"weimang/alerts"
	"weimang/alerts/roster"
	"weimang/detectors"
)

// OpenCount implements alerts.Store.
func (db *DB) OpenCount(ctx context.Context) (int, error) {
	n, err := db.count(ctx, `SELECT COUNT(*) FROM alerts WHERE resolved_at IS NULL`)
	return n, wrap("count open alerts", err)
}

// OpenAlerts are all alerts that need somebody, the gravest first, then the
// longest waiting.
func (db *DB) OpenAlerts(ctx context.Context) ([]alerts.Alert, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT `+alertColumns+` FROM alerts WHERE resolved_at IS NULL ORDER BY severity DESC, onset, id`)
	as, err := collect(rows, err, db.scanAlert)
	return as, wrap("read open alerts", err)
}

// AlertsOf are a household's latest alerts, the latest first.
func (db *DB) AlertsOf(ctx context.Context, household string, limit int) ([]alerts.Alert, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT `+alertColumns+` FROM alerts WHERE household_id = ? ORDER BY opened_at DESC, id LIMIT ?`, household, limit)
	as, err := collect(rows, err, db.scanAlert)
	return as, wrap("read alerts of a household", err)
}

// Events are the latest events of a household's alerts, the latest first, with
// the finding of the transition each belongs to.
func (db *DB) Events(ctx context.Context, household string, limit int) ([]alerts.Event, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT h.alert_id, h.seq, h.event, h.at, h.detail, h.recorded_at, h.person_id, t.finding
		FROM alerts a JOIN history h ON h.alert_id = a.id LEFT JOIN transitions t ON t.alert_id = h.alert_id AND t.seq = h.seq
		WHERE a.household_id = ? ORDER BY h.n DESC LIMIT ?`, household, limit)
	es, err := collect(rows, err, func(rows *sql.Rows) (e alerts.Event, err error) {
		var at, recorded int64
		var finding sql.NullString
		if err := rows.Scan(&e.AlertID, &e.Seq, &e.Kind, &at, &e.Detail, &recorded, &e.PersonID, &finding); err != nil {
			return e, err
		}
		e.At, e.RecordedAt = fromMillis(at), fromMillis(recorded)
		if finding.Valid {
			e.Finding, err = detectors.DecodeFinding([]byte(finding.String))
		}
		return e, err
	})
	return es, wrap("read events of a household", err)
}

// Transitions are all transitions in the order in which they were applied,
// findings verbatim.
func (db *DB) Transitions(ctx context.Context) ([]alerts.Transition, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT alert_id, seq, finding FROM transitions ORDER BY n`)
	ts, err := collect(rows, err, func(rows *sql.Rows) (t alerts.Transition, err error) {
		var raw []byte
		err = rows.Scan(&t.AlertID, &t.Seq, &raw)
		t.Raw = raw
		return t, err
	})
	return ts, wrap("read transitions", err)
}

// Households are all households by village, area and id.
func (db *DB) Households(ctx context.Context) ([]roster.Household, error) {
	now := millis(db.now())
	rows, err := db.read.QueryContext(ctx, `SELECT `+householdColumns+` FROM `+placed+` WHERE `+watched+` ORDER BY village_id, area_id, id`, now, now, now, now)
	hs, err := collect(rows, err, scanHousehold)
	return hs, wrap("read households", err)
}

// Household is one household, or nil when the roster does not know it.
func (db *DB) Household(ctx context.Context, id string) (*roster.Household, error) {
	now := millis(db.now())
	rows, err := db.read.QueryContext(ctx, `SELECT `+householdColumns+` FROM `+placed+` WHERE id = ?`, now, now, now, id)
	h, err := first(collect(rows, err, scanHousehold))
	return h, wrap("read household", err)
}

// NextLook implements alerts.Store.
func (db *DB) NextLook(ctx context.Context) (time.Time, error) {
	var alert, telling sql.NullInt64
	err := db.read.QueryRowContext(ctx, `SELECT (SELECT MIN(look_at) FROM alerts WHERE look_at IS NOT NULL),
		(SELECT MIN(due_at) FROM tellings WHERE status = 'due')`).Scan(&alert, &telling)
	a, t := fromOptMillis(alert), fromOptMillis(telling)
	if a.IsZero() || !t.IsZero() && t.Before(a) {
		a = t
	}
	return a, wrap("read when an alert is due", err)
}

// Forgotten implements alerts.Store.
func (db *DB) Forgotten(ctx context.Context, before time.Time) ([]alerts.Forgotten, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT id, stage, look_at FROM alerts
		WHERE closed_at IS NULL AND household_id <> '' AND (stage <> 'noted' OR silenced <> '') AND (look_at IS NULL OR look_at < ?)
		ORDER BY severity DESC, opened_at, id LIMIT 1000`, millis(before))
	all, err := collect(rows, err, func(rows *sql.Rows) (f alerts.Forgotten, err error) {
		var look sql.NullInt64
		err = rows.Scan(&f.AlertID, &f.Stage, &look)
		f.LookAt = fromOptMillis(look)
		return f, err
	})
	return all, wrap("look for forgotten cases", err)
}

// Turned counts what became of the alerts of households that opened in [from,
// to) and of which somebody was told.
func (db *DB) Turned(ctx context.Context, from, to time.Time) ([]alerts.Turned, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT a.village_id, COALESCE(u.name, ''), a.kind, a.severity,
			CASE WHEN a.stage = 'closed' THEN a.outcome ELSE '' END AS turned, COUNT(*)
		FROM alerts a LEFT JOIN units u ON u.id = a.village_id
		WHERE a.household_id <> '' AND a.told_at IS NOT NULL AND a.opened_at >= ? AND a.opened_at < ?
		GROUP BY a.village_id, u.name, a.kind, a.severity, CASE WHEN a.stage = 'closed' THEN a.outcome ELSE '' END
		ORDER BY a.village_id, a.kind, a.severity, turned`, millis(from), millis(to))
	all, err := collect(rows, err, func(rows *sql.Rows) (t alerts.Turned, err error) {
		err = rows.Scan(&t.VillageID, &t.Village, &t.Kind, &t.Severity, &t.Outcome, &t.Cases)
		return t, err
	})
	return all, wrap("count outcomes", err)
}
