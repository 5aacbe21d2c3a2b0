package simulate

import (
	"fmt"
	"time"
)

// Event is something that happens to the village. Its readings differ from
// those of the same village without it in the event's own span alone.
type Event interface {
	// Name is the event's name in Story and on the command line.
	Name() string
	check(*Village) error
	lay(*Village) // into the plans of a village that has checked it
}

// ACFailure breaks the air conditioner of a household from At until Until
// (zero: for good). Its resident goes on living there, with a fan, and cooks
// less in the heat.
type ACFailure struct {
	Household string
	At, Until time.Time
}

// Outage cuts the supply of an area. Meters and their collector have
// batteries: they go on reporting, and report nothing used.
type Outage struct {
	Area        string
	From, Until time.Time
}

// NotBack leaves a household dark from the end of an outage, its breaker having
// tripped, until somebody switches it on again.
type NotBack struct {
	Household   string
	From, Until time.Time
}

// Announcement is the power grid's word of a planned outage.
type Announcement struct {
	Area        string
	PublishedAt time.Time
	From, Until time.Time
}

// Names of the events.
const (
	NameACFailure    = "ac-failure"
	NameOutage       = "outage"
	NameNotBack      = "not-back"
	NameAnnouncement = "announcement"
)

// Name implements Event.
func (ACFailure) Name() string { return NameACFailure }

// Name implements Event.
func (Outage) Name() string { return NameOutage }

// Name implements Event.
func (NotBack) Name() string { return NameNotBack }

// Name implements Event.
func (Announcement) Name() string { return NameAnnouncement }

func (e ACFailure) check(v *Village) error {
	if !e.Until.IsZero() && !e.Until.After(e.At) {
		return fmt.Errorf("until %v is not after %v", e.Until, e.At)
	}
	return v.knowsHousehold(e.Household)
}

func (e Outage) check(v *Village) error {
	if !e.Until.After(e.From) {
		return fmt.Errorf("until %v is not after %v", e.Until, e.From)
	}
	return v.knowsArea(e.Area)
}

func (e NotBack) check(v *Village) error {
	if !e.Until.After(e.From) {
		return fmt.Errorf("until %v is not after %v", e.Until, e.From)
	}
	return v.knowsHousehold(e.Household)
}

func (e Announcement) check(v *Village) error {
	if !e.Until.After(e.From) {
		return fmt.Errorf("until %v is not after %v", e.Until, e.From)
	}
	if e.PublishedAt.IsZero() {
		return fmt.Errorf("published at no time")
	}
	return v.knowsArea(e.Area)
}

func (e ACFailure) lay(v *Village) {
	until := e.Until
	if until.IsZero() {
		until = v.opt.End
	}
	p := v.plan(e.Household)
	p.acBroken = append(p.acBroken, instants{e.At, until})
}

func (e Outage) lay(v *Village) {
	i := v.areaIndex(e.Area)
	v.outages[i] = append(v.outages[i], instants{e.From, e.Until})
}

func (e NotBack) lay(v *Village) {
	p := v.plan(e.Household)
	p.dark = append(p.dark, instants{e.From, e.Until})
}

// An announcement changes no reading: see Reports.
func (Announcement) lay(*Village) {}
