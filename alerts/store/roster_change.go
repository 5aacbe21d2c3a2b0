package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"weimang/alerts/roster"
	"weimang/ingest"
)

// ChangeRoster makes the roster what change makes of it, in one transaction.
// Who or what is not in it any more is closed with the time of the change and
// stays: homes, duties, consents and plans with their end, people and
// households as those who have left. Steps of a screening and orders are only
// ever added. It changes nothing when change returns nil or an error.
func (db *DB) ChangeRoster(ctx context.Context, by roster.By, change func(now *roster.Roster) (*roster.Roster, error)) error {
	return db.update(ctx, func(t *tx) error {
		was, err := t.roster()
		if err != nil {
			return err
		}
		if err := t.noteRoster(by, Read, was); err != nil {
			return err
		}
		is, err := change(was.Clone())
		if err != nil || is == nil {
			return err
		}
		c := changing{tx: t, by: by, was: was, is: is, at: db.now()}
		return wrap("change the roster", c.write())
	})
}

// changing is one change of the roster.
type changing struct {
	*tx
	by      roster.By
	was, is *roster.Roster
	at      time.Time
}

func (c *changing) write() error {
	for _, part := range []func() error{
		c.units, c.households, c.meters, c.people, c.duties, c.consents, c.screening, c.services, c.orders, c.plans,
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// gone are the entries of a list whose keys another does not have.
func gone[T any, K comparable](was, is []T, key func(T) K) []T {
	there := make(map[K]bool, len(is))
	for _, v := range is {
		there[key(v)] = true
	}
	return slices.DeleteFunc(slices.Clone(was), func(v T) bool { return there[key(v)] })
}

// fresh are the entries of a list that another does not have just so.
func fresh[T comparable](was, is []T) []T {
	return gone(is, was, func(v T) T { return v })
}

func (c *changing) units() error {
	for _, u := range fresh(c.was.Units, c.is.Units) {
		if _, err := c.exec(`INSERT INTO units (id, level, parent_id, name) VALUES (?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET level = excluded.level, parent_id = excluded.parent_id, name = excluded.name`,
			u.ID, string(u.Level), optText(u.ParentID), u.Name); err != nil {
			return wrap("put unit", err)
		}
	}
	for _, u := range gone(c.was.Units, c.is.Units, func(u roster.Unit) string { return u.ID }) {
		// One that homes of the past are in stays.
		if _, err := c.exec(`DELETE FROM units WHERE id = ? AND NOT EXISTS (SELECT 1 FROM households h WHERE h.village_id = units.id)`, u.ID); err != nil {
			return wrap("take off unit", err)
		}
	}
	return nil
}

func (c *changing) households() error {
	was := make(map[string]roster.Household, len(c.was.Households))
	for _, h := range c.was.Households {
		was[h.ID] = h
	}
	for _, h := range c.is.Households {
		if old, known := was[h.ID]; known && old == h {
			continue
		}
		if erased, err := c.erased(h.ID); err != nil || erased {
			if err == nil {
				err = fmt.Errorf("household %s has been erased; its id cannot be used again", h.ID)
			}
			return err
		}
		if err := c.nameVillage(h.VillageID); err != nil {
			return err
		}
		address, err := c.db.seal("households.address", h.ID, h.Address)
		if err != nil {
			return err
		}
		if _, err := c.exec(`INSERT INTO households (id, village_id, cell_id, area_id, label, zone, address, visit_every, listed, list) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET village_id = excluded.village_id, cell_id = excluded.cell_id, area_id = excluded.area_id, label = excluded.label,
				zone = excluded.zone, address = excluded.address, visit_every = excluded.visit_every, listed = excluded.listed, list = excluded.list, left_at = NULL`,
			h.ID, optText(h.VillageID), h.CellID, h.AreaID, h.Label, h.Zone, address, h.VisitEvery, bit(h.Listed), bit(h.Listed)); err != nil {
			return wrap("put household", err)
		}
		if err := c.note(c.by, Wrote, householdSubject(h.ID), "address"); err != nil {
			return err
		}
		if was[h.ID].Listed && !h.Listed {
			if err := c.unlist(h.ID); err != nil {
				return err
			}
		}
	}
	for _, h := range gone(c.was.Households, c.is.Households, func(h roster.Household) string { return h.ID }) {
		if _, err := c.exec(`UPDATE households SET left_at = ? WHERE id = ?`, millis(c.at), h.ID); err != nil {
			return wrap("note that a household has left", err)
		}
	}
	return nil
}

// unlist notes until when a home without records was watched because a list
// named it, so that it is told to whoever reads the stream that it is no more.
func (c *changing) unlist(household string) error {
	watched := func(o roster.Consent) bool { return o.HouseholdID == household && o.Scope == roster.ToWatch }
	if slices.ContainsFunc(c.was.Consents, watched) || slices.ContainsFunc(c.is.Consents, watched) {
		return nil
	}
	return c.putConsent(roster.Consent{HouseholdID: household, Scope: roster.ToWatch, Until: c.at, GivenBy: byList, RecordedAt: c.at})
}

// byList is who has given a consent for which somebody else's list stood.
const byList = "list"

// nameVillage makes a village that nobody has named yet.
func (c *changing) nameVillage(id string) error {
	if id == "" {
		return nil
	}
	_, err := c.exec(`INSERT INTO units (id, level, name) VALUES (?, 'village', ?) ON CONFLICT (id) DO NOTHING`, id, id)
	return wrap("put village", err)
}

func (c *changing) meters() error {
	at := c.at.UTC().Truncate(time.Hour)
	type place struct {
		meter string
		from  int64
	}
	key := func(m ingest.Home) place { return place{m.MeterID, begin(m.From)} }
	for _, m := range gone(c.was.Meters, c.is.Meters, key) {
		switch {
		case !m.Until.IsZero() && !m.Until.After(at): // it is history
		case m.From.Before(at):
			if _, err := c.exec(`UPDATE homes SET until_at = ? WHERE meter_id = ? AND from_at = ?`, millis(at), m.MeterID, begin(m.From)); err != nil {
				return wrap("end a meter's time", err)
			}
		default: // it has not begun
			if _, err := c.exec(`DELETE FROM homes WHERE meter_id = ? AND from_at = ?`, m.MeterID, begin(m.From)); err != nil {
				return wrap("take off meter", err)
			}
		}
	}
	homes := make(map[string]*roster.Household, len(c.is.Households))
	for i := range c.is.Households {
		homes[c.is.Households[i].ID] = &c.is.Households[i]
	}
	for _, m := range fresh(c.was.Meters, c.is.Meters) {
		if h := homes[m.HouseholdID]; h != nil { // what the meter's row leaves open
			if m.AreaID == "" {
				m.AreaID = h.AreaID
			}
			if m.VillageID == "" {
				m.VillageID = h.VillageID
			}
			if m.Zone == "" {
				m.Zone = h.Zone
			}
		}
		if _, err := c.exec(`INSERT INTO homes (meter_id, household_id, area_id, village_id, zone, from_at, until_at) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (meter_id, from_at) DO UPDATE SET household_id = excluded.household_id, area_id = excluded.area_id,
				village_id = excluded.village_id, zone = excluded.zone, until_at = excluded.until_at`,
			m.MeterID, m.HouseholdID, m.AreaID, m.VillageID, m.Zone, begin(m.From), optMillis(m.Until)); err != nil {
			return wrap("put meter", err)
		}
	}
	return nil
}

func (c *changing) people() error {
	was := make(map[string]*roster.Person, len(c.was.People))
	for i := range c.was.People {
		was[c.was.People[i].ID] = &c.was.People[i]
	}
	for i := range c.is.People {
		p := &c.is.People[i]
		if reflect.DeepEqual(was[p.ID], p) {
			continue
		}
		if err := c.note(c.by, Wrote, personSubject(p.ID), "name", "contacts", "skills"); err != nil {
			return err
		}
		if err := c.PutPerson(p); err != nil {
			return err
		}
		if _, err := c.exec(`UPDATE persons SET left_at = NULL WHERE id = ?`, p.ID); err != nil {
			return wrap("put person", err)
		}
	}
	for _, p := range gone(c.was.People, c.is.People, func(p roster.Person) string { return p.ID }) {
		if _, err := c.exec(`UPDATE persons SET left_at = ? WHERE id = ?`, millis(c.at), p.ID); err != nil {
			return wrap("note that a person has left", err)
		}
	}
	return nil
}

func (c *changing) duties() error {
	type duty struct {
		person          string
		role            roster.Role
		unit, household string
	}
	key := func(d roster.Duty) duty { return duty{d.PersonID, d.Role, d.UnitID, d.HouseholdID} }
	for _, d := range gone(c.was.Duties, c.is.Duties, key) {
		if err := c.endDuty(d, c.at); err != nil {
			return err
		}
	}
	for _, d := range fresh(c.was.Duties, c.is.Duties) {
		if err := c.PutDuty(d); err != nil {
			return err
		}
	}
	return nil
}

// endDuty notes until when a person has answered for something.
func (t *tx) endDuty(d roster.Duty, at time.Time) error {
	if _, err := t.exec(`INSERT INTO past_duties (person_id, role, unit_id, household_id, ended_at) VALUES (?, ?, ?, ?, ?)`,
		d.PersonID, string(d.Role), d.UnitID, d.HouseholdID, millis(at)); err != nil {
		return wrap("end a duty", err)
	}
	_, err := t.exec(`DELETE FROM duties WHERE person_id = ? AND role = ? AND unit_id = ? AND household_id = ?`,
		d.PersonID, string(d.Role), d.UnitID, d.HouseholdID)
	return wrap("end a duty", err)
}

func (c *changing) consents() error {
	type consent struct {
		household string
		scope     roster.Scope
		from      int64
	}
	key := func(o roster.Consent) consent { return consent{o.HouseholdID, o.Scope, begin(o.From)} }
	for _, o := range gone(c.was.Consents, c.is.Consents, key) {
		if !o.Until.IsZero() && o.Until.Before(c.at) {
			continue
		}
		o.Until = c.at
		if err := c.putConsent(o); err != nil {
			return err
		}
	}
	for _, o := range fresh(c.was.Consents, c.is.Consents) {
		if o.RecordedAt.IsZero() {
			o.RecordedAt = c.at
		}
		if err := c.putConsent(o); err != nil {
			return err
		}
	}
	return nil
}

// putConsent writes a consent; one of the same household, scope and begin is
// that one.
func (t *tx) putConsent(o roster.Consent) error {
	n, err := t.exec(`UPDATE consents SET until_at = ?, given_by = ? WHERE household_id = ? AND scope = ? AND from_at = ?`,
		optMillis(o.Until), o.GivenBy, o.HouseholdID, string(o.Scope), begin(o.From))
	if err != nil || n > 0 {
		return wrap("put consent", err)
	}
	_, err = t.exec(`INSERT INTO consents (household_id, scope, from_at, until_at, given_by, recorded_at) VALUES (?, ?, ?, ?, ?, ?)`,
		o.HouseholdID, string(o.Scope), begin(o.From), optMillis(o.Until), o.GivenBy, millis(o.RecordedAt))
	return wrap("put consent", err)
}

func (c *changing) screening() error {
	type step struct {
		household string
		step      roster.Step
		at        int64
	}
	key := func(s roster.Screening) step { return step{s.HouseholdID, s.Step, millis(s.At)} }
	for _, s := range gone(c.is.Screening, c.was.Screening, key) { // those that are new
		reason, err := c.db.seal("screening.reason", s.HouseholdID, s.Reason)
		if err != nil {
			return err
		}
		if _, err := c.exec(`INSERT INTO screening (household_id, step, verdict, decided_by, reason, at) VALUES (?, ?, ?, ?, ?, ?)`,
			s.HouseholdID, string(s.Step), string(s.Verdict), s.By, reason, millis(s.At)); err != nil {
			return wrap("add a step of the screening", err)
		}
	}
	return nil
}

func (c *changing) services() error {
	for _, s := range fresh(c.was.Services, c.is.Services) {
		contact, err := c.db.seal("services.contact", s.ID, s.Contact)
		if err != nil {
			return err
		}
		if _, err := c.exec(`INSERT INTO services (id, unit_id, name, provider, contact) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET unit_id = excluded.unit_id, name = excluded.name, provider = excluded.provider, contact = excluded.contact`,
			s.ID, s.UnitID, s.Name, s.Provider, contact); err != nil {
			return wrap("put service", err)
		}
	}
	for _, s := range gone(c.was.Services, c.is.Services, func(s roster.Service) string { return s.ID }) {
		if _, err := c.exec(`DELETE FROM services WHERE id = ?`, s.ID); err != nil {
			return wrap("take off service", err)
		}
	}
	return nil
}

func (c *changing) orders() error {
	for _, o := range fresh(c.was.Orders, c.is.Orders) {
		note, err := c.db.seal("orders.note", o.ID, o.Note)
		if err != nil {
			return err
		}
		if _, err := c.exec(`INSERT INTO orders (id, household_id, service_id, alert_id, asked_at, done_at, note) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET household_id = excluded.household_id, service_id = excluded.service_id, alert_id = excluded.alert_id,
				asked_at = excluded.asked_at, done_at = excluded.done_at, note = excluded.note`,
			o.ID, o.HouseholdID, o.ServiceID, o.AlertID, millis(o.AskedAt), optMillis(o.DoneAt), note); err != nil {
			return wrap("put order", err)
		}
	}
	return nil
}

func (c *changing) plans() error {
	type plan struct {
		household, person, service, what string
		from                             int64
	}
	key := func(p roster.Plan) plan { return plan{p.HouseholdID, p.PersonID, p.ServiceID, p.What, begin(p.From)} }
	// Its words are sealed, so that a plan is found by its number, in the order
	// in which they were read.
	rows, err := c.query(`SELECT p.n FROM plans p JOIN households h ON h.id = p.household_id WHERE h.left_at IS NULL ORDER BY p.n`)
	numbers, err := collect(rows, err, scanInt)
	if err != nil || len(numbers) != len(c.was.Plans) {
		return errors.Join(err, errors.New("the plans have changed meanwhile"))
	}
	type numbered struct {
		n int
		roster.Plan
	}
	was := make(map[plan]numbered, len(numbers))
	for i, p := range c.was.Plans {
		was[key(p)] = numbered{numbers[i], p}
	}
	for _, p := range c.is.Plans {
		old, known := was[key(p)]
		delete(was, key(p))
		if known {
			if err := c.putPlan(old.n, old.Plan, p); err != nil {
				return err
			}
			continue
		}
		what, err := c.db.seal("plans.what", p.HouseholdID, p.What)
		if err != nil {
			return err
		}
		if _, err := c.exec(`INSERT INTO plans (household_id, person_id, service_id, what, every_days, from_at, until_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			p.HouseholdID, p.PersonID, p.ServiceID, what, p.EveryDays, begin(p.From), optMillis(p.Until)); err != nil {
			return wrap("put plan", err)
		}
	}
	for _, old := range was {
		if old.Until.IsZero() || old.Until.After(c.at) {
			ended := old.Plan
			ended.Until = c.at
			if err := c.putPlan(old.n, old.Plan, ended); err != nil {
				return err
			}
		}
	}
	return nil
}

// putPlan brings a plan up to date.
func (c *changing) putPlan(n int, was, is roster.Plan) error {
	if was == is {
		return nil
	}
	_, err := c.exec(`UPDATE plans SET every_days = ?, until_at = ? WHERE n = ?`, is.EveryDays, optMillis(is.Until), n)
	return wrap("put plan", err)
}
