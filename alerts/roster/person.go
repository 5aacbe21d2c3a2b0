package roster

import (
	"slices"
	"time"
)

// Role is what a person answers for, and where: a household, a grid cell, a
// village, a town or a county.
type Role string

// Roles. The first four belong to a household.
const (
	Resident   Role = "resident"    // lives there
	Kin        Role = "kin"         // family
	CareTeam   Role = "care-team"   // helps the chair with one household
	Cadre      Role = "cadre"       // looks after the household by regular visits
	GridWorker Role = "grid-worker" // of a grid cell
	Chair      Role = "chair"       // of the women's federation: answers for a village
	Deputy     Role = "deputy"      // of the chair
	Volunteer  Role = "volunteer"   // of a village; is asked for, never called by an alert
	TownDesk   Role = "town-desk"
	CountyDesk Role = "county-desk"
	Operator   Role = "operator" // of Weimang: hears what has nobody else to go to
)

// Roles lists the closed set.
var Roles = []Role{Resident, Kin, CareTeam, Cadre, GridWorker, Chair, Deputy, Volunteer, TownDesk, CountyDesk, Operator}

// OfHousehold reports whether a person has the role for a household and not
// for a unit.
func (r Role) OfHousehold() bool {
	return r == Resident || r == Kin || r == CareTeam || r == Cadre
}

// Level is the level of the units for which people have the role; "" for a
// role of households and for the operator.
func (r Role) Level() Level {
	switch r {
	case GridWorker:
		return Cell
	case Chair, Deputy, Volunteer:
		return Village
	case TownDesk:
		return Town
	case CountyDesk:
		return County
	default:
		return ""
	}
}

// Official reports whether somebody in the role works for village or state,
// and so may be told a home's label and be asked who she is by her duty.
func (r Role) Official() bool { return r != Resident && r != Kin && r != Volunteer }

// Duty is one thing a person answers for. A person may have several: the chair
// of a village may be in the care team of two homes.
type Duty struct {
	PersonID    string
	Role        Role
	UnitID      string // "" for a role of households
	HouseholdID string // "" for a role of units
	Order       int    // who is called first among several; 0 is first
}

// Person is somebody who may be told. Name and addresses never leave the store
// but towards the channel that needs them.
type Person struct {
	ID       string
	Name     string
	Lang     Lang // "" is the site's
	Contacts []Contact
	// When she is on duty; see OnDuty. Whoever is told only what is grave
	// by her role, such as kin, need not have any.
	Hours    Hours
	Holidays bool    // true: off on public holidays
	Leaves   []Leave // days off
	StandIn  string  // person who is told instead while she is off; "" is nobody
	Skills   string  // of a volunteer: what she can do, in the village's words
}

// ContactState is what is known of an address. The set is closed.
type ContactState string

// States of a contact: one call in six meets a wrong or dead number.
const (
	Unchecked ContactState = ""      // nobody has tried it yet
	Good      ContactState = "good"  // it has reached the person
	Wrong     ContactState = "wrong" // it reaches nobody, or somebody else: not used until it is corrected
)

// Contact is one way to reach a person.
type Contact struct {
	Channel   string // name of a channel of the deliverer
	Address   string // what the channel needs to find the person
	State     ContactState
	CheckedAt time.Time // when State was last confirmed; zero: never
}

// Usable are the contacts that are not known to be wrong, over channels that
// exist (nil: any), in the person's order.
func (p *Person) Usable(channels []string) []Contact {
	var out []Contact
	for _, c := range p.Contacts {
		if c.State != Wrong && (channels == nil || slices.Contains(channels, c.Channel)) {
			out = append(out, c)
		}
	}
	return out
}

// Leave is a time in which a person is off: [From, Until).
type Leave struct {
	From, Until time.Time
	StandIn     string // for this time; "" is the person's usual one
}

// Member is a person with one thing she answers for: a line of a list of
// people.
type Member struct {
	Person
	Duty Duty
}
