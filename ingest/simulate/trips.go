package simulate

import (
	"time"

	"weimang/ingest/calendar"
)

// Seconds of local time since 1970-01-01: spans that cover days are compared
// on the wall clock.
func wallSeconds(t time.Time, loc *time.Location) float64 {
	_, offset := t.In(loc).Zone()
	return float64(t.Unix() + int64(offset))
}

// feasts are the holidays on which an old person may be fetched by the family:
// how often, how many days before the feast and for how many days.
var feasts = [...]struct {
	festival        calendar.Festival
	chance          float64
	before, atLeast int
	spread          int
}{
	{calendar.SpringFestival, 0.22, 2, 3, 7},
	{calendar.Qingming, 0.05, 1, 2, 2},
	{calendar.LabourDay, 0.07, 0, 2, 4},
	{calendar.DragonBoat, 0.04, 0, 1, 2},
	{calendar.NationalDay, 0.12, 0, 2, 5},
}

// feastDays holds, per year, the first day of each feast, or 0.
type feastDays map[int]*[len(feasts)]int

func newFeastDays(c *calendar.Calendar, first, last int) feastDays {
	days := make(feastDays)
	for year := first; year <= last; year++ {
		found := new([len(feasts)]int)
		for t := time.Date(year, time.December, 31, 0, 0, 0, 0, time.UTC); t.Year() == year; t = t.AddDate(0, 0, -1) {
			for i := range feasts {
				if c.Festival(t) == feasts[i].festival {
					found[i] = dayNumber(t, time.UTC) // the earliest stays
				}
			}
		}
		days[year] = found
	}
	return days
}

// away appends the spans of a day in which nobody of the home is there. The
// journeys of a year are drawn together and end with the year.
func (v *Village) away(h *home, s *sky, d *dice, spans []span) []span {
	midnight := float64(s.number) * secondsADay
	take := func(from, until float64) {
		if from < midnight+secondsADay && until > midnight {
			spans = append(spans, span{from - midnight, until - midnight})
		}
	}

	newYear := dayNumber(time.Date(s.year, time.January, 1, 0, 0, 0, 0, time.UTC), time.UTC)
	d.roll(v.opt.Seed, streamTrips, h.index, s.year)
	journey := func(goes bool, first, days int) {
		from := (float64(first) + d.between(8, 11)/24) * secondsADay
		until := (float64(first+days) + d.between(14, 18)/24) * secondsADay
		until = min(until, float64(newYear+365)*secondsADay)
		if goes && !v.staysAtHome(h.plan, from, until) {
			take(from, until)
		}
	}
	for quarter := range 4 {
		goes := d.chance(h.roaming)
		journey(goes, newYear+3+quarter*91+d.IntN(82), 2+d.IntN(5))
	}
	for i, first := range v.feastDays[s.year] {
		goes := d.chance(feasts[i].chance * 2 * h.sociable)
		days := feasts[i].atLeast + d.IntN(feasts[i].spread)
		journey(goes && first > 0, first-feasts[i].before, days)
	}
	if h.plan != nil {
		for _, trip := range h.plan.trips {
			take(trip.from, trip.until)
		}
	}
	return spans
}

// staysAtHome compares wall-clock seconds.
func (v *Village) staysAtHome(p *plan, from, until float64) bool {
	touches := func(spans []span) bool {
		for _, s := range spans {
			if from < s.until && until > s.from {
				return true
			}
		}
		return false
	}
	return touches(v.allAtHome) || p != nil && touches(p.atHome)
}
