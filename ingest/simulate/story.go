package simulate

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Who and where the story is about, by index: the same for every seed.
const (
	storyAC      = 17 // its air conditioner fails; area tq-01
	storyArea    = 1  // its supply is cut; tq-02
	storyNotBack = 31 // of that area
)

// storyCool are neighbours of storyAC who keep cool too, so that every seed's
// area shows the heat that its home does not.
var storyCool = [...]int{4, 11}

// StoryNames lists the story's events, as Story's without takes them.
func StoryNames() []string {
	return []string{NameACFailure, NameOutage, NameNotBack, NameAnnouncement}
}

// Story is the demo: 60 homes in 3 areas from May to July 2026, half-hourly.
// May and June are ordinary. July turns hot, hottest from the 10th to the
// 14th; on the 12th at 10:00 an air conditioner fails and is repaired on the
// 14th. On the 20th the power grid announces an outage of one area for the
// evening of the 21st; it comes, and one home stays dark until the next
// morning, when somebody switches its breaker on again.
//
// The seed changes everything but homes, places and times of these events. In
// July nobody is away but up to two homes, neither concerned and neither
// leaving around the events.
//
// Each name in without takes one event away; without the outage nothing can
// stay dark after it, so not-back goes with it.
func Story(seed uint64, without ...string) (Options, error) {
	for _, name := range without {
		if !slices.Contains(StoryNames(), name) {
			return Options{}, fmt.Errorf("the story has no event %q: it has %s", name, strings.Join(StoryNames(), ", "))
		}
	}
	o := DefaultOptions()
	o.Seed = seed
	zone := o.Start.Location()
	at := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 0, 0, zone)
	}
	o.Start, o.End = at(time.May, 1, 0, 0), at(time.August, 1, 0, 0)

	o.Given = Given{
		AirConditioned: []string{HouseholdID(storyAC), HouseholdID(storyCool[0]), HouseholdID(storyCool[1])},
		AtHome: []Stay{
			{Household: HouseholdID(storyAC), From: at(time.June, 15, 0, 0), Until: o.End},
			{From: at(time.June, 30, 0, 0), Until: o.End},
		},
		Trips: storyTrips(seed, at),
		Weather: []Spell{
			{From: at(time.June, 27, 0, 0), Until: at(time.August, 1, 0, 0), High: 33.3},
			{From: at(time.July, 10, 0, 0), Until: at(time.July, 15, 0, 0), High: 37.4},
		},
	}

	area := AreaID(storyArea)
	for _, event := range []Event{
		ACFailure{Household: HouseholdID(storyAC), At: at(time.July, 12, 10, 0), Until: at(time.July, 14, 15, 20)},
		Announcement{
			Area: area, PublishedAt: at(time.July, 20, 10, 0),
			From: at(time.July, 21, 18, 30), Until: at(time.July, 21, 20, 30),
		},
		Outage{Area: area, From: at(time.July, 21, 18, 32), Until: at(time.July, 21, 20, 27)},
		NotBack{Household: HouseholdID(storyNotBack), From: at(time.July, 21, 20, 27), Until: at(time.July, 22, 9, 34)},
	} {
		gone := slices.Contains(without, event.Name()) ||
			event.Name() == NameNotBack && slices.Contains(without, NameOutage)
		if !gone {
			o.Events = append(o.Events, event)
		}
	}
	return o, nil
}

// storyTrips sends up to two homes of the third area away for some days in
// early or late July: the story has to live with absences like any village.
func storyTrips(seed uint64, at func(time.Month, int, int, int) time.Time) []Trip {
	d := newDice()
	d.roll(seed, streamStory, 0, 0)
	var trips []Trip
	for i, first := range []int{2, 24} {
		goes, index, day, days := d.chance(0.6), 40+10*i+d.IntN(10), first+d.IntN(2), 2+d.IntN(3)
		leaves, returns := 8+d.IntN(3), 14+d.IntN(4)
		if goes {
			trips = append(trips, Trip{
				Household: HouseholdID(index),
				From:      at(time.July, day, leaves, 10),
				Until:     at(time.July, day+days, returns, 40),
			})
		}
	}
	return trips
}
