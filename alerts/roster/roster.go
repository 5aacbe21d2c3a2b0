// Package roster says who lives where and who answers for whom: units of
// administration, households, the people around them, and what they have
// agreed to. It holds rules that need nothing but these, such as who is on
// duty; the store keeps the data.
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

// Level is the place of a unit in the tree of administration.
type Level string

// Levels, from the top. A grid cell (网格) belongs to a village.
const (
	City    Level = "city"
	County  Level = "county"
	Town    Level = "town"
	Village Level = "village"
	Cell    Level = "cell"
)

// Levels lists the closed set, from the top.
var Levels = []Level{City, County, Town, Village, Cell}

// Unit is a part of the administration: a city, a county, a town, a village or
// a grid cell. The village is the unit of responsibility.
type Unit struct {
	ID       string
	Level    Level
	ParentID string // the unit above; "" where it is not known
	Name     string
}

// Household is one dwelling as the roster knows it. Label is how the village
// speaks of it ("3组12号"), not a person's name.
type Household struct {
	ID        string
	VillageID string
	CellID    string // grid cell; "" where it is not known
	AreaID    string
	Label     string
	Zone      string // IANA name; "" is the service's default zone
	Address   string // how to find the door; never leaves the store but for who may see it
	// VisitEvery is after how many days somebody looks in, whatever the meter
	// says; 0 is never.
	VisitEvery int

	// Listed: whoever gave the list in which it stands answers for the consent
	// of all whom it names; see Agreed.
	Listed   bool
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
