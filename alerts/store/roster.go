package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"weimang/alerts/roster"
	"weimang/ingest"
)

// HouseholdRow is one meter of the roster with the home it measures for a time.
// Several rows may name the same household; the last one's label counts. Rows of
// one meter name different times.
type HouseholdRow struct {
	MeterID     string
	HouseholdID string
	AreaID      string
	VillageID   string // "" when nobody answers for the home yet
	VillageName string // "" leaves a known name, or the id, in place
	Label       string
	Zone        string    // IANA name
	From        time.Time // zero: always
	Until       time.Time // zero: open
}

// ImportRoster makes a given list the whole list, in one transaction; an empty
// one leaves what is there. A meter that is not named any more, as when
// somebody has died or consent is withdrawn, is watched no more; what was said
// of its home stays. Of rows of one meter that begin at the same time the last one
// counts. Whoever is not among the people any more, such as a chair who has
// left, is told nothing any more.
func (db *DB) ImportRoster(ctx context.Context, rows []HouseholdRow, people []roster.Member) error {
	return db.update(ctx, func(t *tx) error {
		if len(rows) > 0 {
			if _, err := t.exec(`DELETE FROM homes`); err != nil {
				return fmt.Errorf("forget the meters before: %w", err)
			}
		}
		for _, r := range rows {
			if err := t.importHousehold(r); err != nil {
				return fmt.Errorf("import meter %s: %w", r.MeterID, err)
			}
		}
		if len(people) > 0 {
			if _, err := t.exec(`DELETE FROM persons`); err != nil {
				return fmt.Errorf("forget the people before: %w", err)
			}
		}
		for _, p := range people {
			if err := t.importPerson(p); err != nil {
				return fmt.Errorf("import person %s: %w", p.ID, err)
			}
		}
		return nil
	})
}

func (t *tx) importHousehold(r HouseholdRow) error {
	if r.MeterID == "" || r.HouseholdID == "" {
		return fmt.Errorf("a row needs meter and household")
	}
	if err := t.importVillage(r.VillageID, r.VillageName); err != nil {
		return err
	}
	_, err := t.exec(`INSERT INTO households (id, village_id, area_id, label, zone) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET village_id = excluded.village_id, area_id = excluded.area_id, label = excluded.label, zone = excluded.zone`,
		r.HouseholdID, optText(r.VillageID), r.AreaID, r.Label, r.Zone)
	if err != nil {
		return err
	}
	from := int64(0)
	if !r.From.IsZero() {
		from = millis(r.From)
	}
	_, err = t.exec(`INSERT INTO homes (meter_id, household_id, area_id, village_id, zone, from_at, until_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (meter_id, from_at) DO UPDATE SET household_id = excluded.household_id, area_id = excluded.area_id,
			village_id = excluded.village_id, zone = excluded.zone, until_at = excluded.until_at`,
		r.MeterID, r.HouseholdID, r.AreaID, r.VillageID, r.Zone, from, optMillis(r.Until))
	return err
}

func (t *tx) importVillage(id, name string) error {
	if id == "" {
		return nil
	}
	if name == "" {
		_, err := t.exec(`INSERT INTO units (id, name) VALUES (?, ?) ON CONFLICT (id) DO NOTHING`, id, id)
		return err
	}
	_, err := t.exec(`INSERT INTO units (id, name) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name`, id, name)
	return err
}

func (t *tx) importPerson(m roster.Member) error {
	if m.ID == "" || m.Duty.Role == "" || len(m.Contacts) == 0 || m.Contacts[0].Channel == "" {
		return fmt.Errorf("a person needs id, role and channel")
	}
	if err := t.importVillage(m.Duty.UnitID, ""); err != nil {
		return err
	}
	if err := t.PutPerson(&m.Person); err != nil {
		return err
	}
	m.Duty.PersonID = m.ID
	return t.PutDuty(m.Duty)
}

// Homes is the roster as the stream may know it: ids, zones and dates, by meter
// and time.
func (db *DB) Homes(ctx context.Context) ([]ingest.Home, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT meter_id, household_id, area_id, village_id, zone, from_at, until_at
		FROM homes ORDER BY meter_id, from_at`)
	homes, err := collect(rows, err, func(rows *sql.Rows) (h ingest.Home, err error) {
		var from int64
		var until sql.NullInt64
		err = rows.Scan(&h.MeterID, &h.HouseholdID, &h.AreaID, &h.VillageID, &h.Zone, &from, &until)
		if from != 0 {
			h.From = fromMillis(from)
		}
		h.Until = fromOptMillis(until)
		return h, err
	})
	return homes, wrap("read homes", err)
}

// SaveReport keeps an incident as its sender wrote it; a later report of the
// same incident replaces it.
func (db *DB) SaveReport(ctx context.Context, r ingest.Report) error {
	scope, err := json.Marshal(r.Scope)
	if err != nil {
		return fmt.Errorf("save incident %s: %w", r.ID, err)
	}
	extra := []byte("{}")
	if r.Extra != nil {
		if extra, err = json.Marshal(r.Extra); err != nil {
			return fmt.Errorf("save incident %s: %w", r.ID, err)
		}
	}
	return db.update(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO incidents (id, source, class, state, level, scope, from_at, until_at, published_at, text, reporter_role, extra, received_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET source = excluded.source, class = excluded.class, state = excluded.state, level = excluded.level,
				scope = excluded.scope, from_at = excluded.from_at, until_at = excluded.until_at,
				published_at = excluded.published_at, text = excluded.text,
				reporter_role = excluded.reporter_role, extra = excluded.extra, received_at = excluded.received_at`,
			r.ID, string(r.Source), r.Class, string(r.State), r.Level, string(scope), millis(r.From), optMillis(r.Until), optMillis(r.PublishedAt),
			r.Text, r.ReporterRole, string(extra), millis(db.now()))
		return wrap("save incident "+r.ID, err)
	})
}

// Report is an incident as it was saved, or nil when there is none.
func (db *DB) Report(ctx context.Context, id string) (*ingest.Report, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT id, source, class, state, level, scope, from_at, until_at, published_at, text, reporter_role, extra FROM incidents WHERE id = ?`, id)
	r, err := first(collect(rows, err, func(rows *sql.Rows) (r ingest.Report, err error) {
		var scope, extra string
		var from int64
		var until, published sql.NullInt64
		err = rows.Scan(&r.ID, &r.Source, &r.Class, &r.State, &r.Level, &scope, &from, &until, &published, &r.Text, &r.ReporterRole, &extra)
		if err != nil {
			return r, err
		}
		r.From, r.Until, r.PublishedAt = fromMillis(from), fromOptMillis(until), fromOptMillis(published)
		if err := json.Unmarshal([]byte(scope), &r.Scope); err != nil {
			return r, err
		}
		return r, json.Unmarshal([]byte(extra), &r.Extra)
	}))
	return r, wrap("read incident "+id, err)
}
