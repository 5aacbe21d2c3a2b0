package roster

import (
	"slices"

	"weimang/ingest"
)

// Sheet is a kind of entry of a roster, and of a sheet that holds such
// entries. The set is closed.
type Sheet string

// Sheets, in the order in which each needs only those before it.
const (
	SheetUnits      Sheet = "units"
	SheetHouseholds Sheet = "households"
	SheetMeters     Sheet = "meters"
	SheetPeople     Sheet = "people"
	SheetDuties     Sheet = "duties"
	SheetContacts   Sheet = "contacts"
	SheetLeaves     Sheet = "leaves"
	SheetConsents   Sheet = "consents"
	SheetScreening  Sheet = "screening"
	SheetServices   Sheet = "services"
	SheetOrders     Sheet = "orders"
	SheetPlans      Sheet = "plans"
)

// Sheets lists the closed set.
var Sheets = []Sheet{
	SheetUnits, SheetHouseholds, SheetMeters, SheetPeople, SheetDuties, SheetContacts, SheetLeaves,
	SheetConsents, SheetScreening, SheetServices, SheetOrders, SheetPlans,
}

// Roster is the whole of it, or as much as a list says. Contacts and leaves
// are with their people.
type Roster struct {
	Units      []Unit
	Households []Household
	Meters     []ingest.Home // where each meter is, and when
	People     []Person
	Duties     []Duty
	Consents   []Consent
	Screening  []Screening
	Services   []Service
	Orders     []Order
	Plans      []Plan
}

// Ref names an entry of a roster: the N-th of its kind. A contact or a leave is
// the M-th of the N-th person.
type Ref struct {
	Sheet Sheet
	N, M  int
}

// Clone is a copy that shares nothing with r.
func (r *Roster) Clone() *Roster {
	c := &Roster{
		Units: slices.Clone(r.Units), Households: slices.Clone(r.Households), Meters: slices.Clone(r.Meters), People: slices.Clone(r.People),
		Duties: slices.Clone(r.Duties), Consents: slices.Clone(r.Consents), Screening: slices.Clone(r.Screening),
		Services: slices.Clone(r.Services), Orders: slices.Clone(r.Orders), Plans: slices.Clone(r.Plans),
	}
	for i := range c.People {
		p := &c.People[i]
		p.Contacts, p.Leaves = slices.Clone(p.Contacts), slices.Clone(p.Leaves)
	}
	return c
}
