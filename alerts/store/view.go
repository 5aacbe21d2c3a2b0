package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"weimang/alerts"
	"weimang/alerts/roster"
)

// Addresses implements alerts.RosterTx.
func (t *tx) Addresses(personID string, by roster.By) ([]string, error) {
	contacts, err := t.contactsOf(personID)
	if err != nil {
		return nil, wrap("read addresses", err)
	}
	all := make([]string, len(contacts))
	for i, c := range contacts {
		all[i] = c.Address
	}
	return all, t.note(by, Read, personSubject(personID), "contacts")
}

// Viewer is what decides which homes a person may look at; nil when she is not
// in the roster.
func (db *DB) Viewer(ctx context.Context, id string) (*roster.Viewer, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT id, lang FROM persons WHERE id = ? AND left_at IS NULL`, id)
	v, err := first(collect(rows, err, func(rows *sql.Rows) (v roster.Viewer, err error) {
		err = rows.Scan(&v.ID, &v.Lang)
		return v, err
	}))
	if err != nil || v == nil {
		return nil, wrap("read who looks", err)
	}
	rows, err = db.read.QueryContext(ctx, `SELECT role, unit_id, household_id FROM duties WHERE person_id = ?`, id)
	v.Duties, err = collect(rows, err, func(rows *sql.Rows) (d roster.Duty, err error) {
		err = rows.Scan(&d.Role, &d.UnitID, &d.HouseholdID)
		return d, err
	})
	if err != nil {
		return nil, wrap("read duties", err)
	}
	rows, err = db.read.QueryContext(ctx, `SELECT a.household_id, t.stands_in FROM tellings t JOIN alerts a ON a.id = t.alert_id
		WHERE t.person_id = ? AND t.stands_in <> '' AND t.message_id <> '' AND a.closed_at IS NULL`, id)
	stand, err := collect(rows, err, func(rows *sql.Rows) (d roster.Duty, err error) {
		err = rows.Scan(&d.HouseholdID, &d.Role)
		return d, err
	})
	v.StandsIn = make(map[string]roster.Role, len(stand))
	for _, d := range stand {
		v.StandsIn[d.HouseholdID] = d.Role
	}
	return v, wrap("read for whom she stands in", err)
}

// HomesNear are the watched homes that a person may have to do with, by village,
// area and id: those of her units and of all below them, those that she helps,
// and those that she was told of. Which of them she may see is roster.Viewer's to
// say.
func (db *DB) HomesNear(ctx context.Context, personID string) ([]roster.Household, error) {
	now := millis(db.now())
	rows, err := db.read.QueryContext(ctx, `WITH RECURSIVE near (id) AS (
			SELECT unit_id FROM duties WHERE person_id = ? AND unit_id <> ''
			UNION SELECT u.id FROM units u JOIN near n ON u.parent_id = n.id)
		SELECT `+householdColumns+` FROM `+placed+` WHERE id IN (
			SELECT household_id FROM homes WHERE village_id IN (SELECT id FROM near)
			UNION SELECT id FROM households WHERE village_id IN (SELECT id FROM near) OR cell_id IN (SELECT id FROM near)
			UNION SELECT household_id FROM duties WHERE person_id = ?
			UNION SELECT a.household_id FROM tellings t JOIN alerts a ON a.id = t.alert_id WHERE t.person_id = ? AND a.closed_at IS NULL)
		AND `+watched+` ORDER BY village_id, area_id, id`, personID, now, now, now, personID, personID, now)
	hs, err := collect(rows, err, scanHousehold)
	return hs, wrap("read the homes of a person", err)
}

// Units are all units of the administration.
func (db *DB) Units(ctx context.Context) ([]roster.Unit, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT id, level, COALESCE(parent_id, ''), name FROM units ORDER BY name, id`)
	us, err := collect(rows, err, scanUnit)
	return us, wrap("read units", err)
}

// Cases are all alerts of some areas (nil: of all) of which the episode or the
// case goes on, the gravest first, then the longest waiting.
func (db *DB) Cases(ctx context.Context, areas []string) ([]alerts.Alert, error) {
	in, args := inAreas(areas)
	rows, err := db.read.QueryContext(ctx, `SELECT `+alertColumns+` FROM alerts WHERE resolved_at IS NULL`+in+`
		UNION SELECT `+alertColumns+` FROM alerts WHERE closed_at IS NULL AND household_id <> ''`+in+`
		ORDER BY severity DESC, onset, id`, append(args, args...)...)
	as, err := collect(rows, err, db.scanAlert)
	return as, wrap("read cases", err)
}

// ResolvedAlerts are at most limit alerts of some areas (nil: of all) that ended
// at or after since (event time), the latest first.
func (db *DB) ResolvedAlerts(ctx context.Context, areas []string, since time.Time, limit int) ([]alerts.Alert, error) {
	in, args := inAreas(areas)
	args = append(append([]any{millis(since)}, args...), limit)
	rows, err := db.read.QueryContext(ctx, `SELECT `+alertColumns+` FROM alerts WHERE resolved_at >= ?`+in+` ORDER BY resolved_at DESC, id LIMIT ?`, args...)
	as, err := collect(rows, err, db.scanAlert)
	return as, wrap("read resolved alerts", err)
}

// inAreas is a condition; of more areas than a statement takes well there is
// none, and the reader sorts them out.
func inAreas(areas []string) (string, []any) {
	const most = 1000
	if areas == nil || len(areas) > most {
		return "", nil
	}
	args := make([]any, 0, len(areas)+1)
	for _, a := range areas {
		args = append(args, a)
	}
	return ` AND area_id IN (?` + strings.Repeat(", ?", len(areas)) + `)`, append(args, "") // IN () is not for every database
}

// Visits are what was found at a household since a time, the latest first.
func (db *DB) Visits(ctx context.Context, by roster.By, household string, since time.Time) (vs []roster.Visit, err error) {
	err = db.update(ctx, func(t *tx) error {
		rows, err := t.query(`SELECT id, household_id, alert_id, person_id, kind, at, situation, difficulty, measure
			FROM visits WHERE household_id = ? AND at >= ? ORDER BY at DESC, id LIMIT 20`, household, millis(since))
		if vs, err = collect(rows, err, db.scanVisit); err != nil || len(vs) == 0 {
			return err
		}
		return t.note(by, Read, householdSubject(household), "visits")
	})
	return vs, wrap("read visits", err)
}

func (db *DB) scanVisit(rows *sql.Rows) (v roster.Visit, err error) {
	var at int64
	if err := rows.Scan(&v.ID, &v.HouseholdID, &v.AlertID, &v.PersonID, &v.Kind, &at, &v.Situation, &v.Difficulty, &v.Measure); err != nil {
		return v, err
	}
	v.At = fromMillis(at)
	for column, text := range map[string]*string{"visits.situation": &v.Situation, "visits.difficulty": &v.Difficulty, "visits.measure": &v.Measure} {
		if *text, err = db.unseal(column, v.ID, *text); err != nil {
			return v, err
		}
	}
	return v, nil
}

// Looked notes in the audit log that somebody has looked at a household's page.
func (db *DB) Looked(ctx context.Context, personID, household string) error {
	return db.update(ctx, func(t *tx) error {
		return t.note(roster.By{Actor: personID, For: roster.ForPage}, Read, householdSubject(household), "page")
	})
}

// Agreed reports whether a household has agreed to something for now. Where no
// consent of it is recorded at all, whoever gave the list answers for it.
func (db *DB) Agreed(ctx context.Context, household string, scope roster.Scope) (agreed bool, err error) {
	err = db.update(ctx, func(t *tx) error {
		all, err := t.consents(household)
		if err != nil {
			return err
		}
		agreed = len(all) == 0
		for _, c := range all {
			agreed = agreed || c.Scope == scope && !db.now().Before(c.From) && (c.Until.IsZero() || db.now().Before(c.Until))
		}
		return nil
	})
	return agreed, wrap("read consents", err)
}
