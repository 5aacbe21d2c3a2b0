package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"weimang/alerts/roster"
)

// Unit implements alerts.RosterTx.
func (t *tx) Unit(id string) (*roster.Unit, error) {
	rows, err := t.query(`SELECT id, level, COALESCE(parent_id, ''), name FROM units WHERE id = ?`, id)
	u, err := first(collect(rows, err, scanUnit))
	return u, wrap("read unit", err)
}

// Assigned implements alerts.RosterTx.
func (t *tx) Assigned(home roster.Household, role roster.Role) ([]string, error) {
	unit := ""
	switch role.Level() {
	case roster.Cell:
		unit = home.CellID
	case roster.Village:
		unit = home.VillageID
	case roster.Town, roster.County, roster.City:
		above, err := t.above(home.VillageID, role.Level())
		if err != nil {
			return nil, err
		}
		unit = above
	}
	place, id := "unit_id", unit
	if role.OfHousehold() {
		place, id = "household_id", home.ID
	}
	if id == "" {
		return nil, nil
	}
	rows, err := t.query(`SELECT person_id FROM duties WHERE `+place+` = ? AND role = ? ORDER BY n, person_id`, id, string(role))
	ids, err := collect(rows, err, scanText)
	return ids, wrap("read who is in a role", err)
}

// deepest bounds the way up the tree of units, which may hold a circle until
// somebody checks it.
const deepest = 8

// above is the unit of a level over a unit; "" is none.
func (t *tx) above(id string, level roster.Level) (string, error) {
	for range deepest {
		u, err := t.Unit(id)
		if err != nil || u == nil {
			return "", err
		}
		if u.Level == level {
			return u.ID, nil
		}
		id = u.ParentID
	}
	return "", nil
}

// Person implements alerts.RosterTx: what routing needs of a person who is in
// the roster. Who she is, and where a message to her goes, is read by whoever says
// what for.
func (t *tx) Person(id string) (*roster.Person, error) {
	rows, err := t.query(`SELECT id, lang, hours, holidays, stand_in FROM persons WHERE id = ? AND left_at IS NULL`, id)
	p, err := first(collect(rows, err, func(rows *sql.Rows) (p roster.Person, err error) {
		var hours string
		var holidays int
		if err = rows.Scan(&p.ID, &p.Lang, &hours, &holidays, &p.StandIn); err != nil {
			return p, err
		}
		return p, onDuty(&p, hours, holidays)
	}))
	if err != nil || p == nil {
		return nil, wrap("read person", err)
	}
	rows, err = t.query(`SELECT channel, state, checked_at FROM contacts WHERE person_id = ? ORDER BY n`, id)
	p.Contacts, err = collect(rows, err, func(rows *sql.Rows) (c roster.Contact, err error) {
		var checked sql.NullInt64
		err = rows.Scan(&c.Channel, &c.State, &checked)
		c.CheckedAt = fromOptMillis(checked)
		return c, err
	})
	if err != nil {
		return nil, wrap("read contacts", err)
	}
	rows, err = t.query(`SELECT from_at, until_at, stand_in FROM leaves WHERE person_id = ? ORDER BY from_at`, id)
	p.Leaves, err = collect(rows, err, func(rows *sql.Rows) (l roster.Leave, err error) {
		var from, until int64
		err = rows.Scan(&from, &until, &l.StandIn)
		l.From, l.Until = fromMillis(from), fromMillis(until)
		return l, err
	})
	return p, wrap("read leaves", err)
}

// onDuty fills in when a person is on duty.
func onDuty(p *roster.Person, hours string, holidays int) (err error) {
	p.Holidays = holidays != 0
	if p.Hours, err = roster.ParseHours(hours); err != nil {
		return fmt.Errorf("person %s: %w", p.ID, err)
	}
	return nil
}

// Name implements alerts.RosterTx.
func (t *tx) Name(id string, by roster.By) (string, error) {
	rows, err := t.query(`SELECT name FROM persons WHERE id = ?`, id)
	stored, err := first(collect(rows, err, scanText))
	if err != nil || stored == nil {
		return "", wrap("read a name", err)
	}
	if err := t.note(by, Read, personSubject(id), "name"); err != nil {
		return "", err
	}
	return t.db.unseal("persons.name", id, *stored)
}

// PutPerson writes a person with her contacts and leaves; her duties stay.
func (t *tx) PutPerson(p *roster.Person) error {
	name, err := t.db.seal("persons.name", p.ID, p.Name)
	if err != nil {
		return fmt.Errorf("put person: %w", err)
	}
	skills, err := t.db.seal("persons.skills", p.ID, p.Skills)
	if err != nil {
		return fmt.Errorf("put person: %w", err)
	}
	if _, err := t.exec(`INSERT INTO persons (id, name, lang, hours, holidays, stand_in, skills) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, lang = excluded.lang, hours = excluded.hours, holidays = excluded.holidays,
			stand_in = excluded.stand_in, skills = excluded.skills`,
		p.ID, name, string(p.Lang), p.Hours.String(), bit(p.Holidays), p.StandIn, skills); err != nil {
		return wrap("put person", err)
	}
	for _, table := range []string{"contacts", "leaves"} {
		if _, err := t.exec(`DELETE FROM `+table+` WHERE person_id = ?`, p.ID); err != nil {
			return wrap("put person", err)
		}
	}
	for i, c := range p.Contacts {
		address, err := t.db.seal("contacts.address", contactRow(p.ID, c.Channel), c.Address)
		if err != nil {
			return fmt.Errorf("put contact: %w", err)
		}
		if _, err := t.exec(`INSERT INTO contacts (person_id, n, channel, address, blind, state, checked_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			p.ID, i, c.Channel, address, t.db.blind(c.Address), string(c.State), optMillis(c.CheckedAt)); err != nil {
			return wrap("put contact", err)
		}
	}
	for _, l := range p.Leaves {
		if _, err := t.exec(`INSERT INTO leaves (person_id, from_at, until_at, stand_in) VALUES (?, ?, ?, ?)`,
			p.ID, millis(l.From), millis(l.Until), l.StandIn); err != nil {
			return wrap("put leave", err)
		}
	}
	return nil
}

// PutDuty writes one thing a person answers for.
func (t *tx) PutDuty(d roster.Duty) error {
	_, err := t.exec(`INSERT INTO duties (person_id, role, unit_id, household_id, n) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (person_id, role, unit_id, household_id) DO UPDATE SET n = excluded.n`, d.PersonID, string(d.Role), d.UnitID, d.HouseholdID, d.Order)
	return wrap("put duty", err)
}

// MarkContact implements alerts.RosterTx.
func (t *tx) MarkContact(personID, channel string, state roster.ContactState, at time.Time) error {
	_, err := t.exec(`UPDATE contacts SET state = ?, checked_at = ? WHERE person_id = ? AND n =
		(SELECT MIN(n) FROM contacts WHERE person_id = ? AND channel = ? AND state <> 'wrong')`, string(state), millis(at), personID, personID, channel)
	return wrap("mark contact", err)
}

// ChangePerson changes somebody in the roster, such as when she goes on leave.
func (db *DB) ChangePerson(ctx context.Context, id string, change func(*roster.Person)) error {
	return db.update(ctx, func(t *tx) error {
		p, err := t.Person(id)
		if err != nil {
			return err
		}
		if p == nil {
			return fmt.Errorf("person %s is not in the roster", id)
		}
		change(p)
		p.ID = id
		return t.PutPerson(p)
	})
}

// PutUnits writes units of the administration.
func (db *DB) PutUnits(ctx context.Context, units []roster.Unit) error {
	return db.update(ctx, func(t *tx) error {
		for _, u := range units {
			if _, err := t.exec(`INSERT INTO units (id, level, parent_id, name) VALUES (?, ?, ?, ?)
				ON CONFLICT (id) DO UPDATE SET level = excluded.level, parent_id = excluded.parent_id, name = excluded.name`,
				u.ID, string(u.Level), optText(u.ParentID), u.Name); err != nil {
				return wrap("put unit", err)
			}
		}
		return nil
	})
}
