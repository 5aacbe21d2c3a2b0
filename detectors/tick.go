package detectors

import (
	"strings"
	"sync"
	"time"

	"weimang/ingest/calendar"
)

// tick counts quarter-hours since 1970 UTC, the finest interval of the wire
// contract. An interval is named by the tick of its end.
type tick int32

const tickLen = 15 * time.Minute

// ticksADay is a day of 24 hours.
const ticksADay = tick(24 * time.Hour / tickLen)

// ticksAnHour is four quarter-hours.
const ticksAnHour = 4

// epoch is before any reading, and far enough from 0 that 0 can mean none.
const epoch = 365 * ticksADay

func tickOf(t time.Time) tick            { return tick(t.Unix() / int64(tickLen/time.Second)) }
func (t tick) time() time.Time           { return time.Unix(int64(t)*int64(tickLen/time.Second), 0).UTC() }
func ticksIn(d time.Duration) tick       { return tick(d / tickLen) }
func (t tick) floor(step tick) tick      { return t - ((t%step)+step)%step }
func (t tick) hoursSince(o tick) float64 { return float64(t-o) / 4 }

// zone turns ticks into local time of day; it remembers the offset between
// two changes of the clock, so that asking costs two comparisons.
type zone struct {
	loc      *time.Location
	from, to tick // the offset holds for from <= t < to
	offset   tick

	asked tick // the moment last asked for, 0: none
	moment
}

// moment is a place in local time.
type moment struct {
	day  int32 // counted from 1970
	slot int   // half-hour of the day, 0 to 47
	rest bool  // weekend or holiday
}

func newZone(name string) (*zone, error) {
	loc, err := locationOf(name)
	if err != nil {
		return nil, err
	}
	return &zone{loc: loc, moment: moment{day: -1}}, nil
}

// locations are those that have been loaded, by name: a Location takes kilobytes
// and never changes, and each area needs one.
var locations sync.Map

func locationOf(name string) (*time.Location, error) {
	if loc, ok := locations.Load(name); ok {
		return loc.(*time.Location), nil
	}
	loc, err := time.LoadLocation(name) // "" is UTC
	if err == nil {
		locations.Store(strings.Clone(name), loc)
	}
	return loc, err
}

// local shifts t so that floor(local/ticksADay) is the local day and the rest
// the local time of day.
func (z *zone) local(t tick) tick {
	if t < z.from || t >= z.to {
		at := t.time().In(z.loc)
		_, seconds := at.Zone()
		z.offset = tick(seconds / int(tickLen/time.Second))
		start, end := at.ZoneBounds()
		z.from, z.to = -1<<30, 1<<30
		if !start.IsZero() {
			z.from = tickOf(start)
		}
		if !end.IsZero() {
			z.to = tickOf(end)
		}
	}
	return t + z.offset
}

// at is the moment t in local time. Homes ask for the same one after another.
func (z *zone) at(t tick, holidays *calendar.Calendar) moment {
	if t == z.asked {
		return z.moment
	}
	local := z.local(t)
	midnight := local.floor(ticksADay)
	if day := int32(midnight / ticksADay); day != z.day {
		z.day = day
		date := time.Unix(int64(day)*86400, 0).UTC()
		z.rest = holidays.Day(date) != calendar.Workday
	}
	z.asked, z.slot = t, int(local-midnight)/2
	return z.moment
}

// slotsADay is the resolution of what is usual: half-hours of the local day.
const slotsADay = 48
