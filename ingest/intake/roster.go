package intake

import (
	"time"

	"weimang/ingest"
)

// Roster knows which meter belongs to whom, by ids only. It is safe for
// concurrent use.
type Roster interface {
	// Lookup returns the home of a meter at a time. Of one that has none then,
	// it returns when it next comes to one, in From, or the zero Home.
	Lookup(meterID string, at time.Time) (ingest.Home, bool)
	// Areas returns the areas that a scope concerns at a time, and of each the
	// households meant; nil means the whole area. Grid cells are not known
	// yet.
	Areas(scope ingest.Scope, at time.Time) map[string][]string
}

// OwnArea is the area of a meter that nobody has placed: an area of its own.
func OwnArea(meterID string) string { return "meter:" + meterID }

// AreaOf is the area of a home for which the sender named none.
func AreaOf(h ingest.Home) string {
	if h.AreaID != "" {
		return h.AreaID
	}
	return OwnArea(h.MeterID)
}

// Open is the roster of a replay without one: each meter is a household of
// its own in an area of its own, unless the sender names the area.
type Open struct {
	Zone string // IANA name for all homes; "" is UTC
}

// Lookup implements Roster.
func (o Open) Lookup(meterID string, _ time.Time) (ingest.Home, bool) {
	return ingest.Home{MeterID: meterID, HouseholdID: meterID, Zone: o.Zone}, true
}

// Areas implements Roster: areas are taken as they are.
func (o Open) Areas(scope ingest.Scope, _ time.Time) map[string][]string {
	areas := make(map[string][]string)
	for _, a := range scope.Areas {
		areas[a] = nil
	}
	for _, h := range scope.Households {
		areas[OwnArea(h)] = []string{h}
	}
	return areas
}
