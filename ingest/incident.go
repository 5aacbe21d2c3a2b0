package ingest

import (
	"encoding/json"
	"time"
)

// Source tells which of the two grids reports an incident.
type Source string

// Sources of the wire contract.
const (
	PowerGrid  Source = "power-grid"  // outages, planned work, restored supply
	SocialGrid Source = "social-grid" // what a grid worker sees and hears
)

// IncidentState is how far the grid has got with an incident.
type IncidentState string

// States of an incident, in the order of the city-management rules.
const (
	Reported  IncidentState = "reported"
	Accepted  IncidentState = "accepted"
	Assigned  IncidentState = "assigned"
	Handled   IncidentState = "handled"
	Closed    IncidentState = "closed"
	Withdrawn IncidentState = "withdrawn" // never was: explains nothing from now on
)

// Classes known to the product; any other class is accepted, kept and counted.
const (
	ClassPlannedOutage = "planned-outage"
	ClassOutage        = "outage"
	ClassRestored      = "restored"
)

// Incident is a report from either grid as the stream carries it: ids, class
// and times. Text and reporter stay out of it (see Report).
type Incident struct {
	ID     string        `json:"incident_id"`
	Source Source        `json:"source"`
	Class  string        `json:"class"`
	State  IncidentState `json:"state"`
	Level  string        `json:"level,omitempty"`
	Scope  Scope         `json:"scope"`
	From   time.Time     `json:"from"`
	Until  time.Time     `json:"until,omitzero"` // zero: open end
	Place  Place         `json:"place,omitzero"`
}

// Place is where a report stands in topic weimang.incidents.
type Place struct {
	Partition int   `json:"partition"`
	Next      int64 `json:"next"` // the offset behind it, 0: not known
}

// Repeats reports whether a place is known to be no later than another: what
// ingest wrote before it could commit, it writes again.
func (p Place) Repeats(of Place) bool {
	return p.Next > 0 && p.Partition == of.Partition && p.Next <= of.Next
}

// Scope names whom an incident concerns, by id.
type Scope struct {
	Households []string `json:"households,omitempty"`
	Areas      []string `json:"areas,omitempty"`
	GridCells  []string `json:"grid_cells,omitempty"`
	Villages   []string `json:"villages,omitempty"`
}

// Report is an incident as the sender wrote it, with the parts that never
// enter the stream: free text and reporter go straight to the alerts store.
type Report struct {
	Incident
	Text         string
	ReporterRole string
	// PublishedAt is when the sender made it known; zero: not said.
	PublishedAt time.Time
	Extra       map[string]json.RawMessage // unknown fields, kept as they came
}

// KnownAt is when the report became known, for the order of a replayed feed:
// when it was published, or else when what it reports begins.
func (r *Report) KnownAt() time.Time {
	if r.PublishedAt.IsZero() {
		return r.From
	}
	return r.PublishedAt
}
