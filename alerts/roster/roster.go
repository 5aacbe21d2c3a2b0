// Package roster says who lives where and who answers for whom: units of
// administration, households, the people around them and what they have agreed
// to. It holds rules that need nothing but these, such as who is on duty; the
// store keeps the data.
package roster

import "time"

// Lang is a language of the message catalogue, as a BCP 47 tag.
type Lang string

// Languages of the catalogue. Chinese is the default everywhere.
const (
	Chinese Lang = "zh-CN"
	English Lang = "en"
)

// Langs lists the languages every text exists in.
var Langs = []Lang{Chinese, English}

// Role is what a person answers for.
type Role string

// Roles that routing knows.
const (
	Chair    Role = "chair"    // answers for a village
	Operator Role = "operator" // hears what has nobody else to go to
)

// Village is the unit of responsibility.
type Village struct {
	ID   string
	Name string
}

// Household is one dwelling as the roster knows it. Label is how the village
// speaks of it ("3组12号"), not a person's name.
type Household struct {
	ID        string
	VillageID string
	AreaID    string
	Label     string
	Zone      string // IANA name; "" is the service's default zone

	Unlisted bool // not in the roster: made up from a finding
}

// Title is the label, or the id of a household that has none.
func (h Household) Title() string {
	if h.Label == "" {
		return h.ID
	}
	return h.Label
}

// Location is the household's zone, or fallback when it has none or one this
// machine does not know.
func (h Household) Location(fallback *time.Location) *time.Location {
	if h.Zone == "" {
		return fallback
	}
	loc, err := time.LoadLocation(h.Zone)
	if err != nil {
		return fallback
	}
	return loc
}

// Person is somebody who may be told. Name and Address never leave the store
// but towards the channel that needs them.
type Person struct {
	ID        string
	VillageID string
	Role      Role
	Name      string
	Channel   string // name of a channel of the deliverer
	Address   string // what the channel needs to find the person
	Lang      Lang
}
