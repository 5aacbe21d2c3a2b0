package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"weimang/alerts/roster"
	"weimang/ingest"
)

// ErrUnknownHousehold says that the roster does not have a household.
var ErrUnknownHousehold = errors.New("the roster does not have this household")

// Homes is the roster as the stream may know it: ids, zones and dates, by meter
// and time, and only the times for which there is consent.
func (db *DB) Homes(ctx context.Context) ([]ingest.Home, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT household_id, scope, from_at, until_at, given_by, recorded_at FROM consents WHERE scope = ?`, string(roster.ToWatch))
	consents, err := collect(rows, err, scanConsent)
	if err != nil {
		return nil, wrap("read consents", err)
	}
	of := make(map[string][]roster.Consent)
	for _, c := range consents {
		of[c.HouseholdID] = append(of[c.HouseholdID], c)
	}
	type home struct {
		ingest.Home
		listed bool
	}
	rows, err = db.read.QueryContext(ctx, `SELECT m.meter_id, m.household_id, m.area_id, m.village_id, m.zone, m.from_at, m.until_at, h.listed
		FROM homes m JOIN households h ON h.id = m.household_id ORDER BY m.meter_id, m.from_at`)
	homes, err := collect(rows, err, func(rows *sql.Rows) (h home, err error) {
		var from int64
		var until sql.NullInt64
		var listed int
		err = rows.Scan(&h.MeterID, &h.HouseholdID, &h.AreaID, &h.VillageID, &h.Zone, &from, &until, &listed)
		h.From, h.Until, h.listed = fromBegin(from), fromOptMillis(until), listed != 0
		return h, err
	})
	var out []ingest.Home
	for _, h := range homes {
		out = append(out, roster.Within(h.Home, roster.Agreed(of[h.HouseholdID], h.HouseholdID, roster.ToWatch, h.listed))...)
	}
	return out, wrap("read homes", err)
}

// SetConsent records that a household agrees to a scope from a time on, or does
// not any more. givenBy is a role. Saying it again changes nothing; changed
// reports whether it did.
func (db *DB) SetConsent(ctx context.Context, by roster.By, c roster.Consent, given bool) (changed bool, err error) {
	err = db.update(ctx, func(t *tx) error {
		changed = false // it may be begun again
		rows, err := t.query(`SELECT listed FROM households WHERE id = ? AND left_at IS NULL`, c.HouseholdID)
		listed, err := first(collect(rows, err, scanInt))
		if err != nil || listed == nil {
			return errors.Join(wrap("read household", err), unlessErr(err, ErrUnknownHousehold))
		}
		all, err := t.consents(c.HouseholdID)
		if err != nil {
			return wrap("read consents", err)
		}
		if roster.AgreedAt(roster.Agreed(all, c.HouseholdID, c.Scope, *listed != 0 && c.Scope == roster.ToWatch), c.From) == given {
			return nil
		}
		changed = true
		if err := t.note(by, Wrote, householdSubject(c.HouseholdID), "consent"); err != nil {
			return err
		}
		if given {
			c.Until = time.Time{}
			return t.putConsent(c)
		}
		return t.withdraw(all, c)
	})
	return changed && err == nil, err
}

// withdraw ends every consent of a scope that lasts at c.From. Where a list
// stood for it, that is noted with its end.
func (t *tx) withdraw(all []roster.Consent, c roster.Consent) error {
	lasts := slices.DeleteFunc(all, func(o roster.Consent) bool {
		return o.Scope != c.Scope || !o.Until.IsZero() && !o.Until.After(c.From)
	})
	if len(lasts) == 0 {
		lasts = []roster.Consent{{HouseholdID: c.HouseholdID, Scope: c.Scope, GivenBy: byList, RecordedAt: c.RecordedAt}}
	}
	for _, o := range lasts {
		o.Until = c.From
		if err := t.putConsent(o); err != nil {
			return err
		}
	}
	return nil
}

// unlessErr is other where err is nil.
func unlessErr(err, other error) error {
	if err != nil {
		return nil
	}
	return other
}

// Imported are the households in the roster that did not come by a list that
// names all homes of its kind; see ImportRoster.
func (db *DB) Imported(ctx context.Context) (map[string]bool, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT id FROM households WHERE list = 0 AND left_at IS NULL`)
	ids, err := collect(rows, err, scanText)
	out := make(map[string]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out, wrap("read households", err)
}
