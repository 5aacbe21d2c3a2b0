package simulate

import (
	"slices"
	"testing"
	"time"

	"weimang/ingest/calendar"
)

// days sums blocks to kWh per household and local day.
func days(v *Village, from, to time.Time) map[string]map[string]float64 {
	household := make(map[string]string)
	for _, h := range v.Homes() {
		household[h.MeterID] = h.HouseholdID
	}
	sums := make(map[string]map[string]float64)
	for b := range v.Blocks(from, to) {
		id := household[b.MeterID]
		if sums[id] == nil {
			sums[id] = make(map[string]float64)
		}
		sums[id][b.Start.In(v.loc).Format(time.DateOnly)] += b.KWh[0]
	}
	return sums
}

func mean(days map[string]float64) float64 {
	sum := 0.0
	for _, kwh := range days {
		sum += kwh
	}
	return sum / float64(len(days))
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func TestDaysOfAnOldPersonAlone(t *testing.T) {
	v := village(t, nil)
	var all []float64
	for id, days := range days(v, at(3, 1, 0, 0), at(6, 1, 0, 0)) {
		usual := mean(days)
		if usual < 1 || usual > 6 {
			t.Errorf("%s uses %.2f kWh on a day of spring", id, usual)
		}
		for day, kwh := range days {
			if kwh < 0.25 || kwh > 15 {
				t.Errorf("%s uses %.2f kWh on %s", id, kwh, day)
			}
			all = append(all, kwh)
		}
	}
	slices.Sort(all)
	if spread := all[len(all)*9/10] / all[len(all)/10]; spread < 1.5 {
		t.Errorf("days are all alike: the tenth and ninetieth of a hundred differ by %.2f only", spread)
	}
}

func TestNightsAreQuietAndNothingIsZero(t *testing.T) {
	v := village(t, nil)
	type share struct{ night, evening float64 }
	homes := make(map[string]*share)
	for b := range v.Blocks(at(4, 6, 0, 0), at(4, 30, 0, 0)) {
		if b.KWh[0] == 0 {
			t.Fatalf("%s uses nothing from %v, not even a fridge", b.MeterID, b.Start)
		}
		if homes[b.MeterID] == nil {
			homes[b.MeterID] = new(share)
		}
		switch hour := b.Start.In(v.loc).Hour(); {
		case hour < 3:
			homes[b.MeterID].night += b.KWh[0]
		case hour >= 17 && hour < 20:
			homes[b.MeterID].evening += b.KWh[0]
		}
	}
	restless := 0
	for meter, s := range homes {
		if s.night > 0.7*s.evening {
			restless++
		}
		if watts := s.night / (24 * 3) * 1000; watts < 15 || watts > 70 {
			t.Errorf("%s draws %.0f W at night", meter, watts)
		}
	}
	if restless > 3 {
		t.Errorf("%d of %d homes use at night what they use in the evening", restless, len(homes))
	}
}

func TestSummerIsFeltWhereThereIsAnAirConditioner(t *testing.T) {
	v := story(t, 5, StoryNames()...)
	may, july := days(v, at(5, 6, 0, 0), at(5, 30, 0, 0)), days(v, at(7, 11, 0, 0), at(7, 14, 0, 0))
	d := newDice()
	owners := 0
	for i, household := range v.homes {
		var h home
		v.home(i, d, &h)
		ratio := mean(july[household.HouseholdID]) / mean(may[household.HouseholdID])
		switch {
		case h.ac.watts > 0 && !h.ac.thrifty:
			owners++
			if ratio < 2 {
				t.Errorf("%s has an air conditioner and uses %.2f times as much in the hot spell as in May", household.HouseholdID, ratio)
			}
		case h.ac.watts == 0 && ratio > 2:
			t.Errorf("%s has none and uses %.2f times as much", household.HouseholdID, ratio)
		}
	}
	if owners < 10 {
		t.Errorf("%d regular users of 60", owners)
	}
}

func TestWeatherOfTheCoast(t *testing.T) {
	v := story(t, 1)
	for day := 10; day <= 14; day++ {
		if high := v.Temperature(at(7, day, 14, 30)); high < 36.2 || high > 38.6 {
			t.Errorf("%d July: %.1f °C in the afternoon", day, high)
		}
	}
	var january, changes []float64
	for day := range 31 {
		mean := (v.Temperature(at(1, 1+day, 3, 0)) + v.Temperature(at(1, 1+day, 15, 0))) / 2
		january = append(january, mean)
		if day > 0 {
			changes = append(changes, (january[day]-january[day-1])*(january[day]-january[day-1]))
		}
	}
	if m := median(january); m < 1 || m > 10 {
		t.Errorf("a day of January has %.1f °C", m)
	}
	if median(changes) < 0.2 {
		t.Error("one day of January is like the next")
	}
	if night, noon := v.Temperature(at(4, 10, 4, 0)), v.Temperature(at(4, 10, 14, 0)); night >= noon {
		t.Errorf("%.1f °C at night, %.1f °C at noon", night, noon)
	}
}

// The same village without a calendar is the control: what differs on a feast
// is the visitors.
func TestFeastsBringVisitors(t *testing.T) {
	control := village(t, func(o *Options) { o.Holidays = "none" })
	v := village(t, nil)
	for _, feast := range []time.Time{at(2, 18, 0, 0), at(6, 19, 0, 0), at(9, 25, 0, 0)} {
		with, without := days(v, feast, feast.AddDate(0, 0, 1)), days(control, feast, feast.AddDate(0, 0, 1))
		more := 0
		for id := range with {
			if mean(with[id]) > 1.15*mean(without[id]) {
				more++
			}
		}
		if more < 15 {
			t.Errorf("%s: %d of %d homes use more for their visitors", feast.Format(time.DateOnly), more, len(with))
		}
	}
	ordinary := at(6, 10, 0, 0)
	sameBlocks(t, collect(v, ordinary, ordinary.AddDate(0, 0, 1)), collect(control, ordinary, ordinary.AddDate(0, 0, 1)))
}

func TestJourneysAreSomeDaysAYear(t *testing.T) {
	v := village(t, nil)
	d := newDice()
	absent := func(from, to time.Time) (homeDays int) {
		for day := dayNumber(from, v.loc); day < dayNumber(to, v.loc); day++ {
			s := v.sky(day, d)
			for i := range v.homes {
				var h home
				v.home(i, d, &h)
				if len(v.away(&h, s, d, nil)) > 0 {
					homeDays++
				}
			}
		}
		return homeDays
	}
	if perHome := float64(absent(v.opt.Start, v.opt.End)) / 60; perHome < 4 || perHome > 18 {
		t.Errorf("%.1f days away per home and year", perHome)
	}
	feast, after := absent(at(2, 16, 0, 0), at(2, 20, 0, 0)), absent(at(3, 9, 0, 0), at(3, 13, 0, 0))
	if feast <= after {
		t.Errorf("%d home-days away at Spring Festival, %d three weeks later", feast, after)
	}
}

// While away a home is its fridge and its standby.
func TestAwayIsBaseOnly(t *testing.T) {
	trip := Trip{Household: HouseholdID(9), From: at(4, 14, 8, 0), Until: at(4, 17, 17, 0)}
	stay := Stay{Household: HouseholdID(9), From: at(1, 1, 0, 0), Until: at(12, 31, 0, 0)}
	home := village(t, func(o *Options) { o.Given.AtHome = []Stay{stay} })
	gone := village(t, func(o *Options) { o.Given.AtHome = []Stay{stay}; o.Given.Trips = []Trip{trip} })

	in := days(home, at(4, 15, 0, 0), at(4, 17, 0, 0))
	out := days(gone, at(4, 15, 0, 0), at(4, 17, 0, 0))
	for id := range in {
		switch {
		case id == trip.Household && mean(out[id]) > 0.6*mean(in[id]):
			t.Errorf("%s uses %.2f kWh a day while away, at home %.2f", id, mean(out[id]), mean(in[id]))
		case id != trip.Household && mean(out[id]) != mean(in[id]):
			t.Errorf("%s is touched by another's journey", id)
		}
	}
	for b := range gone.Blocks(at(4, 15, 0, 0), at(4, 17, 0, 0)) {
		if b.MeterID == meterID(9) && b.KWh[0] > 0.08 {
			t.Errorf("something strong runs at %v in an empty home: %v kWh", b.Start, b.KWh[0])
		}
	}
}

func TestEveryFeastIsInTheCalendar(t *testing.T) {
	cn, err := calendar.Lookup("cn")
	if err != nil {
		t.Fatal(err)
	}
	for i, first := range newFeastDays(cn, 2026, 2026)[2026] {
		if first == 0 {
			t.Errorf("no %s in 2026", feasts[i].festival)
		}
	}
	if got, want := newFeastDays(cn, 2026, 2026)[2026][0], dayNumber(at(2, 16, 12, 0), shanghai); got != want {
		t.Errorf("Spring Festival 2026 begins on day %d, want its eve, %d", got, want)
	}
}
