package rosterfile

import (
	"strconv"
	"time"

	"weimang/alerts/roster"
	"weimang/ingest"
)

// Build makes a roster of tables, in their order, and says where each of its
// entries stands. The values must be as a reader or Encode leaves them.
func Build(tables Tables) (*roster.Roster, map[roster.Ref]Row) {
	b := building{roster: &roster.Roster{}, at: make(map[roster.Ref]Row), person: make(map[string]int)}
	for _, sheet := range roster.Sheets {
		for _, row := range tables[sheet] {
			b.add(sheet, row)
		}
	}
	return b.roster, b.at
}

type building struct {
	roster *roster.Roster
	at     map[roster.Ref]Row
	person map[string]int // index by id
}

func (b *building) add(sheet roster.Sheet, row Row) {
	r, v := b.roster, values(row.Values)
	n := 0
	switch sheet {
	case roster.SheetUnits:
		n = put(&r.Units, roster.Unit{ID: v["unit_id"], Level: roster.Level(v["level"]), ParentID: v["parent_id"], Name: v["name"]})
	case roster.SheetHouseholds:
		n = put(&r.Households, roster.Household{
			ID: v["household_id"], VillageID: v["village_id"], CellID: v["cell_id"], AreaID: v["area_id"], Label: v["label"],
			Zone: v["zone"], Address: v["address"], VisitEvery: v.number("visit_every"), Listed: v["listed"] != "",
		})
	case roster.SheetMeters:
		n = put(&r.Meters, ingest.Home{
			MeterID: v["meter_id"], HouseholdID: v["household_id"], AreaID: v["area_id"], VillageID: v["village_id"],
			Zone: v["zone"], From: v.time("from"), Until: v.time("until"),
		})
	case roster.SheetPeople:
		hours, _ := roster.ParseHours(v["hours"]) // has been read
		n = put(&r.People, roster.Person{
			ID: v["person_id"], Name: v["name"], Lang: roster.Lang(v["language"]), Hours: hours, Holidays: v["holidays"] != "",
			StandIn: v["stand_in"], Skills: v["skills"],
		})
		b.person[v["person_id"]] = n
	case roster.SheetDuties:
		n = put(&r.Duties, roster.Duty{
			PersonID: v["person_id"], Role: roster.Role(v["role"]), UnitID: v["unit_id"], HouseholdID: v["household_id"], Order: v.number("order"),
		})
	case roster.SheetContacts, roster.SheetLeaves:
		b.ofPerson(sheet, row)
		return
	case roster.SheetConsents:
		n = put(&r.Consents, roster.Consent{
			HouseholdID: v["household_id"], Scope: roster.Scope(v["scope"]), From: v.time("from"), Until: v.time("until"),
			GivenBy: v["given_by"], RecordedAt: v.time("recorded_at"),
		})
	case roster.SheetScreening:
		n = put(&r.Screening, roster.Screening{
			HouseholdID: v["household_id"], Step: roster.Step(v["step"]), Verdict: roster.Verdict(v["verdict"]), By: v["by"], Reason: v["reason"], At: v.time("at"),
		})
	case roster.SheetServices:
		n = put(&r.Services, roster.Service{ID: v["service_id"], UnitID: v["unit_id"], Name: v["name"], Provider: v["provider"], Contact: v["contact"]})
	case roster.SheetOrders:
		n = put(&r.Orders, roster.Order{
			ID: v["order_id"], HouseholdID: v["household_id"], ServiceID: v["service_id"], AlertID: v["alert_id"],
			AskedAt: v.time("asked_at"), DoneAt: v.time("done_at"), Note: v["note"],
		})
	case roster.SheetPlans:
		n = put(&r.Plans, roster.Plan{
			HouseholdID: v["household_id"], PersonID: v["person_id"], ServiceID: v["service_id"], What: v["what"],
			EveryDays: v.number("every_days"), From: v.time("from"), Until: v.time("until"),
		})
	}
	b.at[roster.Ref{Sheet: sheet, N: n}] = row
}

// ofPerson adds a contact or a leave. One of a person whom the tables do not
// have makes her: the rest of her may be in the store.
func (b *building) ofPerson(sheet roster.Sheet, row Row) {
	v := values(row.Values)
	n, ok := b.person[v["person_id"]]
	if !ok {
		n = put(&b.roster.People, roster.Person{ID: v["person_id"]})
		b.person[v["person_id"]] = n
		b.at[roster.Ref{Sheet: roster.SheetPeople, N: n}] = row
	}
	p := &b.roster.People[n]
	var m int
	if sheet == roster.SheetContacts {
		m = put(&p.Contacts, roster.Contact{Channel: v["channel"], Address: v["address"], State: roster.ContactState(v["state"]), CheckedAt: v.time("checked_at")})
	} else {
		m = put(&p.Leaves, roster.Leave{From: v.time("from"), Until: v.time("until"), StandIn: v["stand_in"]})
	}
	b.at[roster.Ref{Sheet: sheet, N: n, M: m}] = row
}

// put appends to a list and returns the place of what it has appended.
func put[T any](list *[]T, v T) int {
	*list = append(*list, v)
	return len(*list) - 1
}

// values are the words of a row.
type values map[string]string

func (v values) number(key string) int {
	n, _ := strconv.Atoi(v[key]) // "" is 0, and the rest has been read
	return n
}

func (v values) time(key string) time.Time {
	t, _ := time.Parse(time.RFC3339, v[key]) // likewise
	return t.UTC()
}

// Encode makes tables of a roster: what Build reads.
func Encode(r *roster.Roster) Tables {
	t := make(Tables)
	add := func(sheet roster.Sheet, pairs ...string) {
		row := Row{Values: make(map[string]string, len(pairs)/2)}
		for i := 0; i < len(pairs); i += 2 {
			row.Values[pairs[i]] = pairs[i+1]
		}
		t[sheet] = append(t[sheet], row)
	}
	for _, u := range r.Units {
		add(roster.SheetUnits, "unit_id", u.ID, "level", string(u.Level), "parent_id", u.ParentID, "name", u.Name)
	}
	for _, h := range r.Households {
		add(roster.SheetHouseholds, "household_id", h.ID, "village_id", h.VillageID, "cell_id", h.CellID, "area_id", h.AreaID, "label", h.Label,
			"address", h.Address, "zone", h.Zone, "visit_every", whole(h.VisitEvery), "listed", yes(h.Listed))
	}
	for _, m := range r.Meters {
		add(roster.SheetMeters, "meter_id", m.MeterID, "household_id", m.HouseholdID, "village_id", m.VillageID, "area_id", m.AreaID,
			"zone", m.Zone, "from", stamp(m.From), "until", stamp(m.Until))
	}
	for _, p := range r.People {
		add(roster.SheetPeople, "person_id", p.ID, "name", p.Name, "language", string(p.Lang), "hours", p.Hours.String(), "holidays", yes(p.Holidays),
			"stand_in", p.StandIn, "skills", p.Skills)
		for _, c := range p.Contacts {
			add(roster.SheetContacts, "person_id", p.ID, "channel", c.Channel, "address", c.Address, "state", string(c.State), "checked_at", stamp(c.CheckedAt))
		}
		for _, l := range p.Leaves {
			add(roster.SheetLeaves, "person_id", p.ID, "from", stamp(l.From), "until", stamp(l.Until), "stand_in", l.StandIn)
		}
	}
	for _, d := range r.Duties {
		add(roster.SheetDuties, "person_id", d.PersonID, "role", string(d.Role), "unit_id", d.UnitID, "household_id", d.HouseholdID, "order", whole(d.Order))
	}
	for _, c := range r.Consents {
		add(roster.SheetConsents, "household_id", c.HouseholdID, "scope", string(c.Scope), "from", stamp(c.From), "until", stamp(c.Until),
			"given_by", c.GivenBy, "recorded_at", stamp(c.RecordedAt))
	}
	for _, s := range r.Screening {
		add(roster.SheetScreening, "household_id", s.HouseholdID, "step", string(s.Step), "verdict", string(s.Verdict), "by", s.By, "reason", s.Reason, "at", stamp(s.At))
	}
	for _, s := range r.Services {
		add(roster.SheetServices, "service_id", s.ID, "unit_id", s.UnitID, "name", s.Name, "provider", s.Provider, "contact", s.Contact)
	}
	for _, o := range r.Orders {
		add(roster.SheetOrders, "order_id", o.ID, "household_id", o.HouseholdID, "service_id", o.ServiceID, "alert_id", o.AlertID,
			"asked_at", stamp(o.AskedAt), "done_at", stamp(o.DoneAt), "note", o.Note)
	}
	for _, p := range r.Plans {
		add(roster.SheetPlans, "household_id", p.HouseholdID, "person_id", p.PersonID, "service_id", p.ServiceID, "what", p.What,
			"every_days", whole(p.EveryDays), "from", stamp(p.From), "until", stamp(p.Until))
	}
	return t
}

func whole(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
