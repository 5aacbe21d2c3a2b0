package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"weimang/alerts/roster"
	"weimang/ingest"
)

// Roster is the whole roster: who is in it now, with everything that is known
// of them.
func (db *DB) Roster(ctx context.Context, by roster.By) (r *roster.Roster, err error) {
	err = db.update(ctx, func(t *tx) error {
		if r, err = t.roster(); err != nil {
			return err
		}
		return t.noteRoster(by, Read, r)
	})
	return r, err
}

// noteRoster writes into the audit log whose personal things a roster holds.
func (t *tx) noteRoster(by roster.By, did Action, r *roster.Roster) error {
	for i := range r.People {
		if err := t.note(by, did, personSubject(r.People[i].ID), "name", "contacts", "skills"); err != nil {
			return err
		}
	}
	for i := range r.Households {
		if err := t.note(by, did, householdSubject(r.Households[i].ID), "address", "screening", "plans", "orders"); err != nil {
			return err
		}
	}
	return nil
}

// roster reads what is in the roster now; those who have left are not.
func (t *tx) roster() (*roster.Roster, error) {
	r := &roster.Roster{}
	for _, part := range []struct {
		what string
		read func(*roster.Roster) error
	}{
		{"units", t.readUnits},
		{"households", t.readHouseholds},
		{"meters", t.readMeters},
		{"people", t.readPeople},
		{"duties", t.readDuties},
		{"consents", t.readConsents},
		{"screening", t.readScreening},
		{"services", t.readServices},
		{"orders", t.readOrders},
		{"plans", t.readPlans},
	} {
		if err := part.read(r); err != nil {
			return nil, fmt.Errorf("read the roster's %s: %w", part.what, err)
		}
	}
	return r, nil
}

func (t *tx) readUnits(r *roster.Roster) error {
	rows, err := t.query(`SELECT id, level, COALESCE(parent_id, ''), name FROM units ORDER BY id`)
	r.Units, err = collect(rows, err, scanUnit)
	return err
}

func (t *tx) readHouseholds(r *roster.Roster) error {
	rows, err := t.query(`SELECT id, COALESCE(village_id, ''), cell_id, area_id, label, zone, address, visit_every, listed
		FROM households WHERE left_at IS NULL ORDER BY id`)
	r.Households, err = collect(rows, err, func(rows *sql.Rows) (h roster.Household, err error) {
		var address string
		var listed int
		if err = rows.Scan(&h.ID, &h.VillageID, &h.CellID, &h.AreaID, &h.Label, &h.Zone, &address, &h.VisitEvery, &listed); err != nil {
			return h, err
		}
		h.Listed = listed != 0
		h.Address, err = t.db.unseal("households.address", h.ID, address)
		return h, err
	})
	return err
}

func (t *tx) readMeters(r *roster.Roster) error {
	rows, err := t.query(`SELECT m.meter_id, m.household_id, m.area_id, m.village_id, m.zone, m.from_at, m.until_at
		FROM homes m JOIN households h ON h.id = m.household_id WHERE h.left_at IS NULL ORDER BY m.meter_id, m.from_at`)
	r.Meters, err = collect(rows, err, scanHome)
	return err
}

func scanHome(rows *sql.Rows) (h ingest.Home, err error) {
	var from int64
	var until sql.NullInt64
	err = rows.Scan(&h.MeterID, &h.HouseholdID, &h.AreaID, &h.VillageID, &h.Zone, &from, &until)
	h.From, h.Until = fromBegin(from), fromOptMillis(until)
	return h, err
}

// begin and fromBegin are the store's form of a time that 0 leaves open.
func begin(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return millis(t)
}

func fromBegin(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return fromMillis(ms)
}

func (t *tx) readPeople(r *roster.Roster) error {
	rows, err := t.query(`SELECT id, name, lang, hours, holidays, stand_in, skills FROM persons WHERE left_at IS NULL ORDER BY id`)
	if r.People, err = collect(rows, err, t.db.scanPerson); err != nil {
		return err
	}
	at := make(map[string]*roster.Person, len(r.People))
	for i := range r.People {
		at[r.People[i].ID] = &r.People[i]
	}
	contacts, err := t.contactsOf("")
	if err != nil {
		return err
	}
	for _, c := range contacts {
		if p := at[c.person]; p != nil {
			p.Contacts = append(p.Contacts, c.Contact)
		}
	}
	type leave struct {
		person string
		roster.Leave
	}
	rows, err = t.query(`SELECT person_id, from_at, until_at, stand_in FROM leaves ORDER BY person_id, from_at`)
	leaves, err := collect(rows, err, func(rows *sql.Rows) (l leave, err error) {
		var from, until int64
		err = rows.Scan(&l.person, &from, &until, &l.StandIn)
		l.From, l.Until = fromMillis(from), fromMillis(until)
		return l, err
	})
	for _, l := range leaves {
		if p := at[l.person]; p != nil {
			p.Leaves = append(p.Leaves, l.Leave)
		}
	}
	return err
}

// contact is one of a person's.
type contact struct {
	person string
	roster.Contact
}

// contactsOf are a person's contacts, or those of all.
func (t *tx) contactsOf(person string) ([]contact, error) {
	rows, err := t.query(`SELECT person_id, channel, address, state, checked_at FROM contacts WHERE person_id = ? OR ? = '' ORDER BY person_id, n`, person, person)
	return collect(rows, err, func(rows *sql.Rows) (c contact, err error) {
		var address string
		var checked sql.NullInt64
		if err = rows.Scan(&c.person, &c.Channel, &address, &c.State, &checked); err != nil {
			return c, err
		}
		c.CheckedAt = fromOptMillis(checked)
		c.Address, err = t.db.unseal("contacts.address", contactRow(c.person, c.Channel), address)
		return c, err
	})
}

func (db *DB) scanPerson(rows *sql.Rows) (p roster.Person, err error) {
	var name, hours, skills string
	var holidays int
	if err = rows.Scan(&p.ID, &name, &p.Lang, &hours, &holidays, &p.StandIn, &skills); err != nil {
		return p, err
	}
	if p.Name, err = db.unseal("persons.name", p.ID, name); err != nil {
		return p, err
	}
	if p.Skills, err = db.unseal("persons.skills", p.ID, skills); err != nil {
		return p, err
	}
	return p, onDuty(&p, hours, holidays)
}

func (t *tx) readDuties(r *roster.Roster) error {
	rows, err := t.query(`SELECT person_id, role, unit_id, household_id, n FROM duties ORDER BY person_id, role, unit_id, household_id`)
	r.Duties, err = collect(rows, err, scanDuty)
	return err
}

func scanDuty(rows *sql.Rows) (d roster.Duty, err error) {
	err = rows.Scan(&d.PersonID, &d.Role, &d.UnitID, &d.HouseholdID, &d.Order)
	return d, err
}

func (t *tx) readConsents(r *roster.Roster) (err error) {
	r.Consents, err = t.consents("")
	return err
}

// consents are those of a household, or all of those in the roster.
func (t *tx) consents(household string) ([]roster.Consent, error) {
	rows, err := t.query(`SELECT c.household_id, c.scope, c.from_at, c.until_at, c.given_by, c.recorded_at
		FROM consents c JOIN households h ON h.id = c.household_id WHERE h.left_at IS NULL AND (c.household_id = ? OR ? = '') ORDER BY c.n`, household, household)
	return collect(rows, err, scanConsent)
}

func scanConsent(rows *sql.Rows) (c roster.Consent, err error) {
	var from, recorded int64
	var until sql.NullInt64
	err = rows.Scan(&c.HouseholdID, &c.Scope, &from, &until, &c.GivenBy, &recorded)
	c.From, c.Until, c.RecordedAt = fromBegin(from), fromOptMillis(until), fromMillis(recorded)
	return c, err
}

func (t *tx) readScreening(r *roster.Roster) error {
	rows, err := t.query(`SELECT s.household_id, s.step, s.verdict, s.decided_by, s.reason, s.at
		FROM screening s JOIN households h ON h.id = s.household_id WHERE h.left_at IS NULL ORDER BY s.household_id, s.at, s.n`)
	r.Screening, err = collect(rows, err, func(rows *sql.Rows) (s roster.Screening, err error) {
		var at int64
		var reason string
		if err = rows.Scan(&s.HouseholdID, &s.Step, &s.Verdict, &s.By, &reason, &at); err != nil {
			return s, err
		}
		s.At = fromMillis(at)
		s.Reason, err = t.db.unseal("screening.reason", s.HouseholdID, reason)
		return s, err
	})
	return err
}

func (t *tx) readServices(r *roster.Roster) error {
	rows, err := t.query(`SELECT id, unit_id, name, provider, contact FROM services ORDER BY id`)
	r.Services, err = collect(rows, err, func(rows *sql.Rows) (s roster.Service, err error) {
		var contact string
		if err = rows.Scan(&s.ID, &s.UnitID, &s.Name, &s.Provider, &contact); err != nil {
			return s, err
		}
		s.Contact, err = t.db.unseal("services.contact", s.ID, contact)
		return s, err
	})
	return err
}

func (t *tx) readOrders(r *roster.Roster) error {
	rows, err := t.query(`SELECT o.id, o.household_id, o.service_id, o.alert_id, o.asked_at, o.done_at, o.note
		FROM orders o JOIN households h ON h.id = o.household_id WHERE h.left_at IS NULL ORDER BY o.id`)
	r.Orders, err = collect(rows, err, func(rows *sql.Rows) (o roster.Order, err error) {
		var asked int64
		var done sql.NullInt64
		var note string
		if err = rows.Scan(&o.ID, &o.HouseholdID, &o.ServiceID, &o.AlertID, &asked, &done, &note); err != nil {
			return o, err
		}
		o.AskedAt, o.DoneAt = fromMillis(asked), fromOptMillis(done)
		o.Note, err = t.db.unseal("orders.note", o.ID, note)
		return o, err
	})
	return err
}

func (t *tx) readPlans(r *roster.Roster) error {
	rows, err := t.query(`SELECT p.household_id, p.person_id, p.service_id, p.what, p.every_days, p.from_at, p.until_at
		FROM plans p JOIN households h ON h.id = p.household_id WHERE h.left_at IS NULL ORDER BY p.n`)
	r.Plans, err = collect(rows, err, func(rows *sql.Rows) (p roster.Plan, err error) {
		var from int64
		var until sql.NullInt64
		var what string
		if err = rows.Scan(&p.HouseholdID, &p.PersonID, &p.ServiceID, &what, &p.EveryDays, &from, &until); err != nil {
			return p, err
		}
		p.From, p.Until = fromBegin(from), fromOptMillis(until)
		p.What, err = t.db.unseal("plans.what", p.HouseholdID, what)
		return p, err
	})
	return err
}

// PeopleAt are the people whom an address over a channel reaches, such as the
// number from which an answer has come.
func (db *DB) PeopleAt(ctx context.Context, by roster.By, channel, address string) (ids []string, err error) {
	if roster.Telephone(channel) {
		address = roster.CleanNumber(address)
	}
	blinds := db.blinds(address)
	args := make([]any, 0, len(blinds)+1)
	for _, b := range blinds {
		args = append(args, b)
	}
	err = db.update(ctx, func(t *tx) error {
		rows, err := t.query(`SELECT DISTINCT c.person_id FROM contacts c JOIN persons p ON p.id = c.person_id
			WHERE c.blind IN (?`+strings.Repeat(", ?", len(blinds)-1)+`) AND c.channel = ? AND p.left_at IS NULL ORDER BY c.person_id`, append(args, channel)...)
		if ids, err = collect(rows, err, scanText); err != nil {
			return wrap("look an address up", err)
		}
		for _, id := range ids {
			if err := t.note(by, Read, personSubject(id), "contacts"); err != nil {
				return err
			}
		}
		return nil
	})
	return ids, err
}
