package roster

import (
	"cmp"
	"slices"
	"time"
)

// Checking is what a roster is judged by.
type Checking struct {
	Now time.Time
	// Whole: nothing is missing but what is missing. Otherwise a list that has
	// no entry of a kind says nothing about that kind.
	Whole    bool
	Channels []string // that exist; nil: any
}

// Aged is after what time a contact wants to be checked again.
const Aged = 365 * 24 * time.Hour

// Check says what is wrong with a roster, in its order. Entries are judged as
// they stand: cells that could not be read are told of by whoever read them.
func Check(r *Roster, by Checking) []Problem {
	c := newChecker(r, by)
	c.units()
	c.homes()
	c.meters()
	c.consents()
	c.screening()
	c.people()
	c.duties()
	c.contacts()
	c.standIns()
	c.care()
	slices.SortStableFunc(c.found, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(slices.Index(Sheets, a.At.Sheet), slices.Index(Sheets, b.At.Sheet)), cmp.Compare(a.At.N, b.At.N), cmp.Compare(a.At.M, b.At.M))
	})
	return c.found
}

// checker looks entries up and collects problems.
type checker struct {
	*Roster
	by         Checking
	unit       map[string]int // index by id
	home       map[string]int
	person     map[string]int
	service    map[string]int
	dutiesOf   map[string][]Duty // by person
	atUnit     map[string][]Duty
	consentsOf map[string][]Consent // by household
	found      []Problem
}

func newChecker(r *Roster, by Checking) *checker {
	c := &checker{
		Roster: r, by: by,
		unit: byID(r.Units, func(u Unit) string { return u.ID }), home: byID(r.Households, func(h Household) string { return h.ID }),
		person: byID(r.People, func(p Person) string { return p.ID }), service: byID(r.Services, func(s Service) string { return s.ID }),
		dutiesOf: make(map[string][]Duty), atUnit: make(map[string][]Duty), consentsOf: make(map[string][]Consent),
	}
	for _, d := range r.Duties {
		c.dutiesOf[d.PersonID] = append(c.dutiesOf[d.PersonID], d)
		if d.UnitID != "" {
			c.atUnit[d.UnitID] = append(c.atUnit[d.UnitID], d)
		}
	}
	for _, o := range r.Consents {
		c.consentsOf[o.HouseholdID] = append(c.consentsOf[o.HouseholdID], o)
	}
	return c
}

func byID[T any](list []T, id func(T) string) map[string]int {
	at := make(map[string]int, len(list))
	for i, v := range list {
		at[id(v)] = i
	}
	return at
}

func (c *checker) tell(rule Rule, sheet Sheet, n int, column string, also ...Ref) {
	c.found = append(c.found, Problem{Rule: rule, At: Ref{Sheet: sheet, N: n}, Column: column, Also: also})
}

// unitUnknown reports whether a unit that an entry names is not in the list. One
// without any unit leaves them to be made.
func (c *checker) unitUnknown(id string) bool {
	return len(c.unit) > 0 && c.lacks(c.unit, id)
}

// lacks reports whether an id that an entry names is not in the list, where
// the list has anything to say about that.
func (c *checker) lacks(index map[string]int, id string) bool {
	if id == "" || len(index) == 0 && !c.by.Whole {
		return false
	}
	_, ok := index[id]
	return !ok
}

// speaks reports whether the list has anything to say about a kind with so
// many entries.
func (c *checker) speaks(entries int) bool { return c.by.Whole || entries > 0 }

// above are the ids of a unit and of all above it; a cycle ends it.
func (c *checker) above(id string) (ids []string, cycle bool) {
	for id != "" {
		if slices.Contains(ids, id) {
			return ids, true
		}
		i, ok := c.unit[id]
		if !ok {
			return ids, false
		}
		ids = append(ids, id)
		id = c.Units[i].ParentID
	}
	return ids, false
}

func (c *checker) units() {
	for i, u := range c.Units {
		if u.ParentID == "" {
			continue
		}
		parent, ok := c.unit[u.ParentID]
		if !ok {
			c.tell(UnitUnknownParent, SheetUnits, i, "parent_id")
			continue
		}
		if _, cycle := c.above(u.ID); cycle {
			c.tell(UnitCycle, SheetUnits, i, "parent_id")
			continue
		}
		if slices.Index(Levels, u.Level) <= slices.Index(Levels, c.Units[parent].Level) {
			c.tell(UnitLevel, SheetUnits, i, "level", Ref{Sheet: SheetUnits, N: parent})
		}
	}
	if !c.speaks(len(c.Duties)) {
		return
	}
	for i, u := range c.Units {
		if u.Level != Village {
			continue
		}
		if !slices.ContainsFunc(c.atUnit[u.ID], func(d Duty) bool { return d.Role == Chair }) {
			c.tell(VillageNoChair, SheetUnits, i, "")
		}
		ids, cycle := c.above(u.ID)
		if cycle {
			continue // told already
		}
		if !slices.ContainsFunc(ids, func(id string) bool {
			return slices.ContainsFunc(c.atUnit[id], func(d Duty) bool { return d.Role == TownDesk || d.Role == CountyDesk })
		}) {
			c.tell(EscalationEnds, SheetUnits, i, "parent_id")
		}
	}
}

func (c *checker) homes() {
	metered := make(map[string]bool, len(c.Meters))
	for _, m := range c.Meters {
		metered[m.HouseholdID] = true
	}
	refused := make(map[string]bool)
	for _, s := range c.Screening {
		refused[s.HouseholdID] = s.Step != Decided || s.Verdict == No
	}
	labels := make(map[[2]string]int)
	for i, h := range c.Households {
		for _, unit := range []struct{ column, id string }{{"village_id", h.VillageID}, {"cell_id", h.CellID}} {
			if c.unitUnknown(unit.id) {
				c.tell(HomeUnknownVillage, SheetHouseholds, i, unit.column)
			}
		}
		if h.VillageID == "" {
			c.tell(HomeNoVillage, SheetHouseholds, i, "village_id")
		}
		if !metered[h.ID] && !refused[h.ID] && c.speaks(len(c.Meters)) {
			c.tell(HomeNoMeter, SheetHouseholds, i, "")
		}
		if h.Label == "" {
			continue
		}
		place := [2]string{h.VillageID, h.Label}
		if first, ok := labels[place]; ok {
			c.tell(LabelTwice, SheetHouseholds, i, "label", Ref{Sheet: SheetHouseholds, N: first})
			continue
		}
		labels[place] = i
	}
}

func (c *checker) meters() {
	before := make(map[string][]int) // by meter
	for i := range c.Meters {
		m := &c.Meters[i]
		if c.lacks(c.home, m.HouseholdID) {
			c.tell(MeterNoHome, SheetMeters, i, "household_id")
		}
		if home, ok := c.home[m.HouseholdID]; c.unitUnknown(m.VillageID) && (!ok || c.Households[home].VillageID != m.VillageID) {
			c.tell(HomeUnknownVillage, SheetMeters, i, "village_id")
		}
		if !m.Until.IsZero() && !m.Until.After(m.From) {
			c.tell(UntilNotAfterFrom, SheetMeters, i, "until")
		}
		for _, j := range before[m.MeterID] {
			if m.Overlaps(&c.Meters[j]) {
				c.tell(MeterTwice, SheetMeters, i, "meter_id", Ref{Sheet: SheetMeters, N: j})
				break
			}
		}
		before[m.MeterID] = append(before[m.MeterID], i)
	}
}

func (c *checker) consents() {
	for i, o := range c.Consents {
		if c.lacks(c.home, o.HouseholdID) {
			c.tell(UnknownHousehold, SheetConsents, i, "household_id")
		}
		if !o.Until.IsZero() && !o.Until.After(o.From) {
			c.tell(UntilNotAfterFrom, SheetConsents, i, "until")
		}
	}
	if !c.speaks(len(c.Consents)) {
		return
	}
	for i, h := range c.Households {
		agreed := Agreed(c.consentsOf[h.ID], h.ID, ToWatch, h.Listed)
		switch {
		case len(agreed) == 0:
			c.tell(ConsentMissing, SheetHouseholds, i, "")
		case !agreed[len(agreed)-1].Until.IsZero() && !agreed[len(agreed)-1].Until.After(c.by.Now):
			c.tell(ConsentExpired, SheetHouseholds, i, "")
		}
	}
}
