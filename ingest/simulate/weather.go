package simulate

import (
	"math"
	"time"

	"weimang/ingest/calendar"
)

// Climate of the coast near Ningbo, 30 degrees north, in degrees Celsius:
// January around 5, July around 29 in the mean of day and night.
const (
	yearMean     = 17.4
	yearSwing    = 12.0
	coldestDay   = 22    // of the year
	memory       = 0.65  // of a day's departure, the next day
	memoryDays   = 20    // beyond which it is forgotten
	hottestHour  = 14.5  // outdoors
	warmestHour  = 16.5  // indoors: walls are slow
	indoorSwing  = 0.6   // of the outdoor swing
	indoorWarmer = 0.8   // people, stove and fridge
	secondsADay  = 86400 // of an ordinary day
	cell         = 900   // seconds: the finest interval, in which days are simulated
	maxCells     = 26 * 3600 / cell
)

// sky is what all homes share on one local day.
type sky struct {
	number          int       // days since 1970-01-01 by the wall calendar
	year            int       // of the wall calendar
	start           time.Time // local midnight
	seconds         float64   // until the next midnight
	cells           int
	outdoor, indoor [maxCells]float64 // at the middle of each cell
	sunrise, sunset float64           // seconds since midnight
	high            float64           // hottest of the day, outdoors
	weekday         time.Weekday
	festival        calendar.Festival
}

// dayNumber counts local days since 1970-01-01.
func dayNumber(t time.Time, loc *time.Location) int {
	y, m, d := t.In(loc).Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / secondsADay)
}

func (v *Village) midnight(day int) time.Time {
	return time.Date(1970, time.January, 1+day, 0, 0, 0, 0, v.loc)
}

// sky works out one day. It draws from the weather's dice only.
func (v *Village) sky(day int, d *dice) *sky {
	start, next := v.midnight(day), v.midnight(day+1)
	s := &sky{
		number: day, year: start.Year(), start: start, seconds: next.Sub(start).Seconds(),
		weekday: start.Weekday(), festival: v.holidays.Festival(start), high: -math.MaxFloat64,
	}
	s.cells = min(int(s.seconds)/cell, maxCells)
	around := [3]dayClimate{v.climate(day-1, d), v.climate(day, d), v.climate(day+1, d)}
	for i := range s.cells {
		hour := (float64(i) + 0.5) * cell / 3600
		s.outdoor[i], s.indoor[i] = temperatures(&around, hour)
		s.high = math.Max(s.high, s.outdoor[i])
	}

	// Day length at 30 degrees north, by the sun's declination; noon at 11:55.
	declination := -23.44 * math.Cos(2*math.Pi*float64(start.YearDay()+10)/365.25)
	half := math.Acos(-math.Tan(30*math.Pi/180)*math.Tan(declination*math.Pi/180)) / math.Pi * 12
	s.sunrise, s.sunset = (11.92-half)*3600, (11.92+half)*3600
	return s
}

// Temperature is the outdoor temperature of the village in degrees Celsius.
func (v *Village) Temperature(t time.Time) float64 {
	d := newDice()
	day := dayNumber(t, v.loc)
	around := [3]dayClimate{v.climate(day-1, d), v.climate(day, d), v.climate(day+1, d)}
	outdoor, _ := temperatures(&around, t.Sub(v.midnight(day)).Hours())
	return outdoor
}

// dayClimate is the mean of a day and how far it swings to either side.
type dayClimate struct{ mean, swing float64 }

// climate is the day of the year, plus a departure that remembers the days
// before (an autoregressive series of order one, cut off where its memory is
// below a thousandth, so that any day can be had by itself).
func (v *Village) climate(day int, d *dice) dayClimate {
	start := v.midnight(day)
	season := math.Cos(2 * math.Pi * float64(start.YearDay()-coldestDay) / 365.25) // 1 in January
	d.roll(v.opt.Seed, streamWeather, -1, day)
	c := dayClimate{swing: d.between(2.8, 5.2)}
	wobble := d.between(-0.7, 0.7)

	noon := start.Add(12 * time.Hour)
	for i := len(v.opt.Given.Weather) - 1; i >= 0; i-- {
		if spell := v.opt.Given.Weather[i]; !noon.Before(spell.From) && noon.Before(spell.Until) {
			c.swing = 4.4
			c.mean = spell.High + wobble - c.swing
			return c
		}
	}

	departure, weight := 0.0, 1.0
	for k := range memoryDays {
		d.roll(v.opt.Seed, streamWeather, -2, day-k)
		departure += weight * d.NormFloat64()
		weight *= memory
	}
	deviation := 1.4 + 0.5*season // winters are the less settled
	c.mean = yearMean - yearSwing*season + deviation*departure
	return c
}

// temperatures blends the means of neighbouring days, noon to noon, and adds
// the swing of the hour.
func temperatures(around *[3]dayClimate, hour float64) (outdoor, indoor float64) {
	a, b, share := around[0], around[1], (hour+12)/24
	if hour >= 12 {
		a, b, share = around[1], around[2], (hour-12)/24
	}
	mean := a.mean + (b.mean-a.mean)*share
	swing := a.swing + (b.swing-a.swing)*share
	outdoor = mean + swing*math.Cos(2*math.Pi*(hour-hottestHour)/24)
	indoor = mean + indoorWarmer + indoorSwing*swing*math.Cos(2*math.Pi*(hour-warmestHour)/24)
	return outdoor, indoor
}
