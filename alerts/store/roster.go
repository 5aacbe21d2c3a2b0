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
	// DemandConsent: the list does not stand for consent; see roster.Agreed.
	DemandConsent bool
}

// ImportRoster makes a given list of homes the whole of those that come from
// such lists, and one of people the whole of chairs and operators, in one
// transaction; an empty one leaves what is there. A meter that is not named any
// more, as when somebody has died, is watched no more; what was said of its home stays.
// Of rows of one meter that begin at the same time the last one counts. Whoever
// is not among the people any more, such as a chair who has left, is told
// nothing any more. Homes and people that came by ChangeRoster are left alone.
func (db *DB) ImportRoster(ctx context.Context, rows []HouseholdRow, people []roster.Member) error {
	return db.update(ctx, func(t *tx) error {
		if len(rows) > 0 {
			if _, err := t.exec(`DELETE FROM homes WHERE household_id IN (SELECT id FROM households WHERE list = 1)`); err != nil {
				return fmt.Errorf("forget the meters before: %w", err)
			}
		}
		for _, r := range rows {
			if err := t.importHousehold(r); err != nil {
				return fmt.Errorf("import meter %s: %w", r.MeterID, err)
			}
		}
		if len(rows) > 0 {
			if _, err := t.exec(`UPDATE households SET left_at = ? WHERE list = 1 AND left_at IS NULL
				AND NOT EXISTS (SELECT 1 FROM homes WHERE homes.household_id = households.id)`, millis(db.now())); err != nil {
				return fmt.Errorf("note which homes have left: %w", err)
			}
		}
		if len(people) > 0 {
			if err := t.endDuties(people); err != nil {
				return fmt.Errorf("note who has left: %w", err)
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

// endDuties ends what chairs and operators answer for whom a list does not name.
func (t *tx) endDuties(people []roster.Member) error {
	named := make(map[roster.Duty]bool, len(people))
	for _, m := range people {
		named[roster.Duty{PersonID: m.ID, Role: m.Duty.Role, UnitID: m.Duty.UnitID}] = true
	}
	rows, err := t.query(`SELECT person_id, role, unit_id, household_id, 0 FROM duties WHERE role IN (?, ?)`, string(roster.Chair), string(roster.Operator))
	had, err := collect(rows, err, scanDuty)
	if err != nil {
		return err
	}
	for _, d := range had {
		if named[d] {
			continue
		}
		if err := t.endDuty(d, t.db.now()); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE persons SET left_at = ? WHERE id = ? AND NOT EXISTS (SELECT 1 FROM duties WHERE duties.person_id = persons.id)`,
			millis(t.db.now()), d.PersonID); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) importHousehold(r HouseholdRow) error {
	if r.MeterID == "" || r.HouseholdID == "" {
		return fmt.Errorf("a row needs meter and household")
	}
	if err := t.importVillage(r.VillageID, r.VillageName); err != nil {
		return err
	}
	_, err := t.exec(`INSERT INTO households (id, village_id, area_id, label, zone, listed, list) VALUES (?, ?, ?, ?, ?, ?, 1)
		ON CONFLICT (id) DO UPDATE SET village_id = excluded.village_id, area_id = excluded.area_id, label = excluded.label, zone = excluded.zone,
			listed = excluded.listed, list = 1, left_at = NULL`,
		r.HouseholdID, optText(r.VillageID), r.AreaID, r.Label, r.Zone, bit(!r.DemandConsent))
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO homes (meter_id, household_id, area_id, village_id, zone, from_at, until_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (meter_id, from_at) DO UPDATE SET household_id = excluded.household_id, area_id = excluded.area_id,
			village_id = excluded.village_id, zone = excluded.zone, until_at = excluded.until_at`,
		r.MeterID, r.HouseholdID, r.AreaID, r.VillageID, r.Zone, begin(r.From), optMillis(r.Until))
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
	if err := t.keepStates(&m.Person); err != nil {
		return err
	}
	if err := t.PutPerson(&m.Person); err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE persons SET left_at = NULL WHERE id = ?`, m.ID); err != nil {
		return err
	}
	m.Duty.PersonID = m.ID
	return t.PutDuty(m.Duty)
}

// keepStates gives the contacts of a list, which says nothing of it, what is
// known of them: that a number is wrong does not change because it is listed again.
func (t *tx) keepStates(p *roster.Person) error {
	known, err := t.contactsOf(p.ID)
	if err != nil {
		return err
	}
	for i := range p.Contacts {
		c := &p.Contacts[i]
		for _, k := range known {
			if k.Channel == c.Channel && k.Address == c.Address && c.State == roster.Unchecked && c.CheckedAt.IsZero() {
				c.State, c.CheckedAt = k.State, k.CheckedAt
			}
		}
	}
	return nil
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
		for _, h := range r.Scope.Households {
			erased, err := t.erased(h)
			if err != nil {
				return err
			}
			if erased { // a report that comes again brings nothing back
				r.Text, r.ReporterRole, extra = "", "", []byte("{}")
			}
		}
		text, err := db.seal("incidents.text", r.ID, r.Text)
		if err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO incidents (id, source, class, state, level, scope, from_at, until_at, published_at, text, reporter_role, extra, received_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET source = excluded.source, class = excluded.class, state = excluded.state, level = excluded.level,
				scope = excluded.scope, from_at = excluded.from_at, until_at = excluded.until_at,
				published_at = excluded.published_at, text = excluded.text,
				reporter_role = excluded.reporter_role, extra = excluded.extra, received_at = excluded.received_at`,
			r.ID, string(r.Source), r.Class, string(r.State), r.Level, string(scope), millis(r.From), optMillis(r.Until), optMillis(r.PublishedAt),
			text, r.ReporterRole, string(extra), millis(db.now()))
		return wrap("save incident "+r.ID, err)
	})
}

// Report is an incident as it was saved, or nil when there is none.
func (db *DB) Report(ctx context.Context, by roster.By, id string) (r *ingest.Report, err error) {
	err = db.update(ctx, func(t *tx) error {
		rows, err := t.query(`SELECT id, source, class, state, level, scope, from_at, until_at, published_at, text, reporter_role, extra FROM incidents WHERE id = ?`, id)
		if r, err = first(collect(rows, err, db.scanReport)); err != nil || r == nil {
			return err
		}
		return t.note(by, Read, "incident:"+id, "text")
	})
	return r, wrap("read incident "+id, err)
}

func (db *DB) scanReport(rows *sql.Rows) (r ingest.Report, err error) {
	var scope, extra, text string
	var from int64
	var until, published sql.NullInt64
	err = rows.Scan(&r.ID, &r.Source, &r.Class, &r.State, &r.Level, &scope, &from, &until, &published, &text, &r.ReporterRole, &extra)
	if err != nil {
		return r, err
	}
	if r.Text, err = db.unseal("incidents.text", r.ID, text); err != nil {
		return r, err
	}
	r.From, r.Until, r.PublishedAt = fromMillis(from), fromOptMillis(until), fromOptMillis(published)
	if err := json.Unmarshal([]byte(scope), &r.Scope); err != nil {
		return r, err
	}
	return r, json.Unmarshal([]byte(extra), &r.Extra)
}
