package simulate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"weimang/ingest/calendar"
)

// Village is a simulated village. It is safe for concurrent use: each call of
// Blocks has scratch of its own.
type Village struct {
	opt      Options
	loc      *time.Location
	holidays *calendar.Calendar
	homes    []Household
	byMeter  []int          // indices of homes in order of meter id
	index    map[string]int // of a household in homes

	plans     map[int]*plan
	outages   [][]instants // per area
	allAtHome []span       // wall-clock seconds
	feastDays feastDays
}

// plan is what Given and Events have in store for one home.
type plan struct {
	airConditioned bool
	atHome, trips  []span // wall-clock seconds
	dark, acBroken []instants
}

type instants struct{ from, until time.Time }

// New builds a village, or says what is wrong with its options.
func New(opt Options) (*Village, error) {
	if err := opt.Validate(); err != nil {
		return nil, fmt.Errorf("simulated village: %w", err)
	}
	loc, err := time.LoadLocation(opt.Zone)
	if err != nil {
		return nil, fmt.Errorf("simulated village: %w", err)
	}
	holidays, err := calendar.Lookup(opt.Holidays)
	if err != nil {
		return nil, fmt.Errorf("simulated village: %w", err)
	}
	v := &Village{
		opt: opt, loc: loc, holidays: holidays, homes: roster(&opt),
		index:   make(map[string]int, opt.Households),
		plans:   make(map[int]*plan),
		outages: make([][]instants, opt.Areas),
		// A day's evening reaches past midnight, so the year before counts too.
		feastDays: newFeastDays(holidays, opt.Start.Year()-1, opt.End.Year()+1),
	}
	for i := range v.homes {
		v.index[v.homes[i].HouseholdID] = i
		v.byMeter = append(v.byMeter, i)
	}
	slices.SortFunc(v.byMeter, func(a, b int) int { return cmp.Compare(v.homes[a].MeterID, v.homes[b].MeterID) })
	if err := errors.Join(v.give(), v.schedule()); err != nil {
		return nil, fmt.Errorf("simulated village: %w", err)
	}
	return v, nil
}

// Homes is the roster, in order of group and number.
func (v *Village) Homes() []Household { return slices.Clone(v.homes) }

// Options is what the village was made from.
func (v *Village) Options() Options { return v.opt }

// give lays Given into the plans of the homes.
func (v *Village) give() error {
	var errs []error
	given := &v.opt.Given
	for _, id := range given.AirConditioned {
		if err := v.knowsHousehold(id); err != nil {
			errs = append(errs, fmt.Errorf("given air conditioner: %w", err))
			continue
		}
		v.plan(id).airConditioned = true
	}
	wall := func(from, until time.Time) span {
		return span{wallSeconds(from, v.loc), wallSeconds(until, v.loc)}
	}
	for _, stay := range given.AtHome {
		if stay.Household == "" {
			v.allAtHome = append(v.allAtHome, wall(stay.From, stay.Until))
			continue
		}
		if err := v.knowsHousehold(stay.Household); err != nil {
			errs = append(errs, fmt.Errorf("given stay: %w", err))
			continue
		}
		p := v.plan(stay.Household)
		p.atHome = append(p.atHome, wall(stay.From, stay.Until))
	}
	for _, trip := range given.Trips {
		if err := v.knowsHousehold(trip.Household); err != nil {
			errs = append(errs, fmt.Errorf("given trip: %w", err))
			continue
		}
		p := v.plan(trip.Household)
		p.trips = append(p.trips, wall(trip.From, trip.Until))
	}
	return errors.Join(errs...)
}

// schedule lays Events into the plans of the homes and areas.
func (v *Village) schedule() error {
	var errs []error
	for _, event := range v.opt.Events {
		if err := event.check(v); err != nil {
			errs = append(errs, fmt.Errorf("event %s: %w", event.Name(), err))
			continue
		}
		event.lay(v)
	}
	return errors.Join(errs...)
}

// plan is the plan of a household that is known, made when there is none.
func (v *Village) plan(household string) *plan {
	i := v.index[household]
	if v.plans[i] == nil {
		v.plans[i] = new(plan)
	}
	return v.plans[i]
}

func (v *Village) knowsHousehold(id string) error {
	if _, ok := v.index[id]; !ok {
		return fmt.Errorf("no household %q in a village of %d", id, v.opt.Households)
	}
	return nil
}

func (v *Village) areaIndex(id string) int {
	for i := range v.opt.Areas {
		if AreaID(i) == id {
			return i
		}
	}
	return -1
}

func (v *Village) knowsArea(id string) error {
	if v.areaIndex(id) < 0 {
		return fmt.Errorf("no area %q in a village of %d", id, v.opt.Areas)
	}
	return nil
}
