package ingest

import (
	"errors"
	"time"
)

// Home is where the roster has a meter for a time: ids and a zone, never a
// name. A meter that is exchanged, moves or comes to another household has one
// home after the other.
type Home struct {
	MeterID     string `json:"meter_id"`
	HouseholdID string `json:"household_id"`
	AreaID      string `json:"area_id,omitempty"`
	VillageID   string `json:"village_id,omitempty"`
	Zone        string `json:"zone,omitempty"` // IANA name; "" is UTC
	// From and Until bound the time, UTC and on the whole hour: intervals that
	// begin at From or later, and before Until. Zero: no bound.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// Holds reports whether the meter is there at a time.
func (h *Home) Holds(t time.Time) bool {
	return !t.Before(h.From) && (h.Until.IsZero() || t.Before(h.Until))
}

// Overlaps reports whether some time is in both homes.
func (h *Home) Overlaps(o *Home) bool {
	return (o.Until.IsZero() || h.From.Before(o.Until)) && (h.Until.IsZero() || o.From.Before(h.Until))
}

// RosterTime reads a date of the roster: the time at which a day begins in a
// zone (IANA name; "" is UTC), such as 2026-08-01, or a time in RFC 3339. ""
// is the zero time, no bound. It is cut to the whole hour of UTC, so that no
// interval of the contract lies across it.
func RosterTime(text, zone string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			return time.Time{}, errors.New("no such zone on this machine")
		}
		if t, err = time.ParseInLocation(time.DateOnly, text, loc); err != nil {
			return time.Time{}, errors.New("is neither a date such as 2026-08-01 nor a time such as 2026-08-01T08:00:00+08:00")
		}
	}
	if y := t.UTC().Year(); y < 1971 || y > 2399 {
		return time.Time{}, errors.New("lies outside the years 1971 to 2399")
	}
	return t.UTC().Truncate(time.Hour), nil
}

// Residence is what the roster says of one household in one area: with which
// meters it is there, and when. A later one of the same household replaces it.
type Residence struct {
	HouseholdID string
	Stays       []Stay // by From; none: the household is not there any more
}

// Stay is a time of one meter at a household.
type Stay struct {
	MeterID string
	Zone    string    // IANA name; "" is UTC
	From    time.Time // zero: always
	Until   time.Time // zero: open
	To      string    // the area in which the household goes on after Until; "": nowhere
}

// Handover is what the log of a household's old area has come to, for the log
// of its new one.
type Handover struct {
	HouseholdID string
	From        string    // the old area
	At          time.Time // event time at which the state stands
	Version     int       // counts up when late readings have changed the state
	State       []byte    // as package detectors writes it
}
