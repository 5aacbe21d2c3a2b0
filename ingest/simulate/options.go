package simulate

import (
	"errors"
	"fmt"
	"time"

	"weimang/ingest/calendar"
)

// Options is all a village depends on.
type Options struct {
	Village    string        // id of the village
	Households int           // homes, one meter each
	Areas      int           // transformer areas the homes are divided among, in order
	Start      time.Time     // the first interval starts here
	End        time.Time     // the last interval ends here
	Interval   time.Duration // 15, 30 or 60 minutes
	Seed       uint64        // changes everything but ids, labels, Given and Events
	Zone       string        // IANA name
	Holidays   string        // set of calendar.Lookup: who has visitors or travels, and when

	MissingRate   float64 // share of readings that never arrive, singly or for hours
	LateRate      float64 // share that arrives one to twelve intervals late
	DuplicateRate float64 // share that arrives a second time, as late

	Given  Given   // what a scenario needs to be so
	Events []Event // what happens
}

// Given fixes parts of a village that are otherwise left to the seed.
type Given struct {
	AirConditioned []string // households that run an air conditioner for most of any hot day
	AtHome         []Stay   // spans in which nobody of them is away
	Trips          []Trip   // absences beside the random ones; they win over AtHome
	Weather        []Spell
}

// Stay keeps a household at home: a random absence that would touch the span
// does not take place. An empty Household is everybody.
type Stay struct {
	Household   string
	From, Until time.Time
}

// Trip takes a household away.
type Trip struct {
	Household   string
	From, Until time.Time
}

// Spell gives each day whose noon lies in the span about the same highest
// temperature, in degrees Celsius. Of two spells the later entry rules.
type Spell struct {
	From, Until time.Time
	High        float64
}

// DefaultOptions is a village of 60 homes in 3 areas for the year 2026, with
// half-hourly readings and no events.
func DefaultOptions() Options {
	zone := time.FixedZone("Asia/Shanghai", 8*60*60)
	return Options{
		Village:     "wd",
		Households:  60,
		Areas:       3,
		Start:       time.Date(2026, time.January, 1, 0, 0, 0, 0, zone),
		End:         time.Date(2027, time.January, 1, 0, 0, 0, 0, zone),
		Interval:    30 * time.Minute,
		Seed:        1,
		Zone:        "Asia/Shanghai",
		Holidays:    "cn",
		MissingRate: 0.002,
	}
}

// Validate says everything that is wrong with the options themselves. Events
// and Given are checked against the roster by New.
func (o *Options) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	if o.Village == "" {
		bad("village: empty id")
	}
	if o.Households < 1 || o.Households > maxHouseholds {
		bad("households: %d is not within 1 and %d", o.Households, maxHouseholds)
	}
	if o.Areas < 1 || o.Areas > o.Households {
		bad("areas: %d is not within 1 and the number of households", o.Areas)
	}
	switch o.Interval {
	case 15 * time.Minute, 30 * time.Minute, time.Hour:
	default:
		bad("interval: %v is not 15, 30 or 60 minutes", o.Interval)
	}
	if !o.End.After(o.Start) {
		bad("end %v is not after start %v", o.End, o.Start)
	}
	for _, rate := range []struct {
		name  string
		value float64
	}{{"missing", o.MissingRate}, {"late", o.LateRate}, {"duplicate", o.DuplicateRate}} {
		if !(rate.value >= 0 && rate.value <= 0.5) {
			bad("%s rate: %v is not within 0 and 0.5", rate.name, rate.value)
		}
	}
	if _, err := calendar.Lookup(o.Holidays); err != nil {
		bad("holidays: %w", err)
	}
	if loc, err := time.LoadLocation(o.Zone); err != nil {
		bad("zone: %w", err)
	} else if o.Interval > 0 {
		// A reading must not straddle two local days, which are simulated apart.
		for _, month := range []time.Month{time.January, time.July} {
			_, offset := time.Date(o.Start.Year(), month, 1, 0, 0, 0, 0, loc).Zone()
			if offset%int(o.Interval.Seconds()) != 0 {
				bad("zone: midnight in %s is not at the end of an interval of %v", o.Zone, o.Interval)
				break
			}
		}
	}
	return errors.Join(errs...)
}
