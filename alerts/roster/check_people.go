package roster

import (
	"slices"
	"strings"
	"time"
)

func (c *checker) people() {
	names := make(map[string]int) // first person of name and duty
	for i := range c.People {
		p := &c.People[i]
		duties := c.dutiesOf[p.ID]
		if len(duties) == 0 && c.speaks(len(c.Duties)) {
			c.tell(PersonNoDuty, SheetPeople, i, "role")
		}
		if p.Name == "" {
			continue
		}
		for _, d := range duties {
			key := strings.Join([]string{p.Name, string(d.Role), d.UnitID, d.HouseholdID}, "\x00")
			first, ok := names[key]
			if !ok {
				names[key] = i
				continue
			}
			if first != i {
				c.tell(PersonTwice, SheetPeople, i, "name", Ref{Sheet: SheetPeople, N: first})
				break
			}
		}
	}
}

func (c *checker) duties() {
	for i, d := range c.Duties {
		if c.lacks(c.person, d.PersonID) {
			c.tell(UnknownPerson, SheetDuties, i, "person_id")
		}
		if !c.placed(d) {
			c.tell(DutyPlace, SheetDuties, i, "role")
			continue
		}
		if c.unitUnknown(d.UnitID) && d.Role != Operator {
			c.tell(UnknownUnit, SheetDuties, i, "unit_id")
		}
		if c.lacks(c.home, d.HouseholdID) {
			c.tell(UnknownHousehold, SheetDuties, i, "household_id")
		}
	}
}

// placed reports whether a duty is for a place that its role belongs to.
func (c *checker) placed(d Duty) bool {
	switch {
	case d.Role.OfHousehold():
		return d.HouseholdID != "" && d.UnitID == ""
	case d.Role == Operator:
		return d.HouseholdID == ""
	}
	unit, known := c.unit[d.UnitID]
	return d.UnitID != "" && d.HouseholdID == "" && (!known || c.Units[unit].Level == d.Role.Level())
}

func (c *checker) contacts() {
	first := make(map[string]Ref) // by number
	for i := range c.People {
		p := &c.People[i]
		for j, k := range p.Contacts {
			at := Ref{Sheet: SheetContacts, N: i, M: j}
			tell := func(rule Rule, column string, also ...Ref) {
				c.found = append(c.found, Problem{Rule: rule, At: at, Column: column, Also: also})
			}
			if c.by.Channels != nil && !slices.Contains(c.by.Channels, k.Channel) {
				tell(ChannelClosed, "channel")
			}
			if Telephone(k.Channel) {
				number := CleanNumber(k.Address)
				if rule := NumberFault(number); rule != "" {
					tell(rule, "address")
				} else if before, ok := first[number]; !ok {
					first[number] = at
				} else if before.N != i {
					tell(NumberShared, "address", before)
				}
			}
			switch {
			case k.State == Wrong:
				tell(ContactWrong, "address")
			case !k.CheckedAt.IsZero() && c.by.Now.Sub(k.CheckedAt) > Aged:
				tell(ContactAged, "checked_at")
			}
		}
		if len(p.Usable(c.by.Channels)) == 0 && slices.ContainsFunc(c.dutiesOf[p.ID], func(d Duty) bool { return d.Role == Chair }) {
			c.tell(ChairUnreachable, SheetPeople, i, "")
		}
	}
}

// standIns judges who is told instead of whom.
func (c *checker) standIns() {
	for i := range c.People {
		p := &c.People[i]
		switch {
		case c.lacks(c.person, p.StandIn):
			c.tell(StandInUnknown, SheetPeople, i, "stand_in")
		case c.circle(p):
			c.tell(StandInCircle, SheetPeople, i, "stand_in")
		}
		for j, l := range p.Leaves {
			at := Ref{Sheet: SheetLeaves, N: i, M: j}
			standIn := l.StandIn
			if standIn == "" {
				standIn = p.StandIn
			}
			switch other, known := c.person[standIn]; {
			case !l.Until.After(l.From):
				c.found = append(c.found, Problem{Rule: UntilNotAfterFrom, At: at, Column: "until"})
			case c.lacks(c.person, l.StandIn):
				c.found = append(c.found, Problem{Rule: StandInUnknown, At: at, Column: "stand_in"})
			case l.StandIn == p.ID:
				c.found = append(c.found, Problem{Rule: StandInCircle, At: at, Column: "stand_in"})
			case known && l.Until.After(c.by.Now) && c.People[other].awayIn(l.From, l.Until):
				c.found = append(c.found, Problem{Rule: StandInOff, At: at, Column: "stand_in", Also: []Ref{{Sheet: SheetPeople, N: other}}})
			}
		}
	}
}

// circle reports whether a person's stand-ins lead back to her.
func (c *checker) circle(p *Person) bool {
	seen := map[string]bool{}
	for id := p.StandIn; id != "" && !seen[id]; {
		if id == p.ID {
			return true
		}
		seen[id] = true
		i, ok := c.person[id]
		if !ok {
			return false
		}
		id = c.People[i].StandIn
	}
	return false
}

// awayIn reports whether a person is on leave at some time in [from, until).
func (p *Person) awayIn(from, until time.Time) bool {
	return slices.ContainsFunc(p.Leaves, func(l Leave) bool { return l.From.Before(until) && from.Before(l.Until) })
}

// care judges services, orders and plans by what they name.
func (c *checker) care() {
	for i, s := range c.Services {
		if c.unitUnknown(s.UnitID) {
			c.tell(UnknownUnit, SheetServices, i, "unit_id")
		}
	}
	for i, o := range c.Orders {
		if c.lacks(c.home, o.HouseholdID) {
			c.tell(UnknownHousehold, SheetOrders, i, "household_id")
		}
		if c.lacks(c.service, o.ServiceID) {
			c.tell(UnknownService, SheetOrders, i, "service_id")
		}
	}
	for i, p := range c.Plans {
		if c.lacks(c.home, p.HouseholdID) {
			c.tell(UnknownHousehold, SheetPlans, i, "household_id")
		}
		if c.lacks(c.person, p.PersonID) {
			c.tell(UnknownPerson, SheetPlans, i, "person_id")
		}
		if c.lacks(c.service, p.ServiceID) {
			c.tell(UnknownService, SheetPlans, i, "service_id")
		}
		if !p.Until.IsZero() && !p.Until.After(p.From) {
			c.tell(UntilNotAfterFrom, SheetPlans, i, "until")
		}
	}
}
