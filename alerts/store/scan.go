package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"weimang/alerts"
	"weimang/alerts/escalate"
	"weimang/alerts/roster"
	"weimang/detectors"
)

// millis and fromMillis are the store's form of a time. The zero time is 0 ms
// nowhere: optional times are NULL.
func millis(t time.Time) int64 { return t.UnixMilli() }

func optMillis(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func fromOptMillis(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return fromMillis(ms.Int64)
}

// bit is a bool as both databases keep it.
func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// optText is NULL for "", for references that may be absent.
func optText(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// collect reads all rows with scan and closes them.
func collect[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) (out []T, _ error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err says what matters
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// first is the only row, or nil when there is none.
func first[T any](all []T, err error) (*T, error) {
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

const alertColumns = `id, subject, household_id, area_id, village_id, kind, severity, onset, opened_at, updated_at, resolved_at, last_seq, finding, ending,
	stage, chain, step, round, step_at, rests, told_at, holder_id, holder_role, held_at, reminded, helped, silenced, outcome, handed_to,
	follow_up_at, closed_at, look_at, continues`

func (db *DB) scanAlert(rows *sql.Rows) (a alerts.Alert, err error) {
	var onset, opened, updated int64
	var resolved, stepAt, toldAt, heldAt, followUp, closed, look sql.NullInt64
	var finding, chain, handed string
	var ending sql.NullString
	var rests, helped int
	err = rows.Scan(&a.ID, &a.Subject, &a.HouseholdID, &a.AreaID, &a.VillageID, &a.Kind, &a.Severity,
		&onset, &opened, &updated, &resolved, &a.LastSeq, &finding, &ending,
		&a.Stage, &chain, &a.Place.Link, &a.Place.Round, &stepAt, &rests, &toldAt, &a.Holder.PersonID, &a.Holder.Role, &heldAt,
		&a.Reminded, &helped, &a.Silenced, &a.Outcome, &handed, &followUp, &closed, &look, &a.Continues)
	if err != nil {
		return a, err
	}
	a.Onset, a.OpenedAt, a.UpdatedAt, a.ResolvedAt = fromMillis(onset), fromMillis(opened), fromMillis(updated), fromOptMillis(resolved)
	a.Place.Since, a.ToldAt, a.HeldAt = fromOptMillis(stepAt), fromOptMillis(toldAt), fromOptMillis(heldAt)
	a.FollowUpAt, a.ClosedAt, a.LookAt = fromOptMillis(followUp), fromOptMillis(closed), fromOptMillis(look)
	a.Place.Rests, a.Helped = rests != 0, helped != 0
	if a.Chain, err = escalate.Decode(chain); err != nil {
		return a, fmt.Errorf("alert %s: %w", a.ID, err)
	}
	if a.HandedTo, err = db.unseal("alerts.handed_to", a.ID, handed); err != nil {
		return a, err
	}
	if a.Finding, err = detectors.DecodeFinding([]byte(finding)); err != nil {
		return a, fmt.Errorf("alert %s: %w", a.ID, err)
	}
	if ending.Valid {
		if a.Ending, err = detectors.DecodeFinding([]byte(ending.String)); err != nil {
			return a, fmt.Errorf("alert %s: %w", a.ID, err)
		}
	}
	return a, nil
}

func encodeFinding(f *detectors.Finding) (any, error) {
	if f == nil {
		return nil, nil
	}
	b, err := detectors.EncodeFinding(f)
	return string(b), err
}

// placed is the households with where they are at a time, given three times; of
// one that is nowhere yet, or not in the roster any more, where the last list had
// it.
const placed = `(SELECT id, label, cell_id, visit_every,
	COALESCE((SELECT s.village_id FROM homes s WHERE s.household_id = h.id AND s.from_at <= ? ORDER BY s.from_at DESC, s.meter_id DESC LIMIT 1), h.village_id, '') AS village_id,
	COALESCE((SELECT s.area_id FROM homes s WHERE s.household_id = h.id AND s.from_at <= ? ORDER BY s.from_at DESC, s.meter_id DESC LIMIT 1), h.area_id) AS area_id,
	COALESCE((SELECT s.zone FROM homes s WHERE s.household_id = h.id AND s.from_at <= ? ORDER BY s.from_at DESC, s.meter_id DESC LIMIT 1), h.zone) AS zone
	FROM households h) AS households`

// watched leaves out households whose meters have all left the roster by a time.
const watched = `EXISTS (SELECT 1 FROM homes WHERE homes.household_id = households.id AND (homes.until_at IS NULL OR homes.until_at > ?))`

// householdColumns are what everybody may see: the address is read by whoever
// says what for.
const householdColumns = `id, village_id, area_id, label, zone, cell_id, visit_every`

func scanHousehold(rows *sql.Rows) (h roster.Household, err error) {
	err = rows.Scan(&h.ID, &h.VillageID, &h.AreaID, &h.Label, &h.Zone, &h.CellID, &h.VisitEvery)
	return h, err
}

func scanUnit(rows *sql.Rows) (u roster.Unit, err error) {
	err = rows.Scan(&u.ID, &u.Level, &u.ParentID, &u.Name)
	return u, err
}

func scanText(rows *sql.Rows) (s string, err error) {
	err = rows.Scan(&s)
	return s, err
}

func scanInt(rows *sql.Rows) (n int, err error) {
	err = rows.Scan(&n)
	return n, err
}

func decodeMessage(payload string, created, deadline int64) (m alerts.Message, err error) {
	if err := json.Unmarshal([]byte(payload), &m); err != nil {
		return m, fmt.Errorf("decode message: %w", err)
	}
	m.CreatedAt, m.Deadline = fromMillis(created), fromMillis(deadline)
	return m, nil
}

// count reads one number.
func (db *DB) count(ctx context.Context, query string, args ...any) (int, error) {
	var n int
	err := db.read.QueryRowContext(ctx, query, args...).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}
