// Package calendar tells workdays, weekends and holidays apart.
//
// It knows the sets "none", "cn" (mainland China) and "gb" (England and
// Wales), each for 2010 to 2040; outside those years only weekends are told
// apart. It knows dates only: the caller hands in times in the home's own
// zone. It does not know school holidays, regional holidays or lunar dates
// other than the festivals'.
package calendar

import (
	"fmt"
	"strings"
	"time"
)

// DayType is what kind of day a date is. The zero value is Workday.
type DayType uint8

// Types of day. A holiday that falls on a weekend is a Holiday.
const (
	Workday DayType = iota
	Weekend
	Holiday
)

func (d DayType) String() string {
	switch d {
	case Workday:
		return "workday"
	case Weekend:
		return "weekend"
	case Holiday:
		return "holiday"
	default:
		return fmt.Sprintf("daytype(%d)", uint8(d))
	}
}

// First and last year for which the sets know their holidays.
const (
	FirstYear = 2010
	LastYear  = 2040
)

// Calendar is a set of holidays. It is safe for concurrent use; the nil
// Calendar knows none.
type Calendar struct {
	name     string
	holidays map[date]Festival
}

// date is a civil date without a zone.
type date struct {
	year  int
	month time.Month
	day   int
}

func dateOf(t time.Time) date {
	y, m, d := t.Date()
	return date{y, m, d}
}

// Lookup makes the calendar of a set: "none" (or ""), "cn" or "gb".
func Lookup(name string) (*Calendar, error) {
	c := &Calendar{name: name, holidays: make(map[date]Festival)}
	var fill func(*Calendar, int)
	switch name {
	case "", "none":
		c.name = "none"
		return c, nil
	case "cn":
		fill = fillCN
	case "gb":
		fill = fillGB
	default:
		return nil, fmt.Errorf("unknown holiday calendar %q: want one of %s", name, strings.Join(Names(), ", "))
	}
	for year := FirstYear; year <= LastYear; year++ {
		fill(c, year)
	}
	return c, nil
}

// Names lists the sets Lookup knows.
func Names() []string { return []string{"none", "cn", "gb"} }

// Name is the name of the set.
func (c *Calendar) Name() string {
	if c == nil {
		return "none"
	}
	return c.name
}

// Day tells what kind of day t's date is. t is in the home's local zone.
func (c *Calendar) Day(t time.Time) DayType {
	switch weekday := t.Weekday(); {
	case c.IsHoliday(t):
		return Holiday
	case weekday == time.Saturday || weekday == time.Sunday:
		return Weekend
	default:
		return Workday
	}
}

// IsHoliday reports whether t's date is a holiday. t is in the home's local
// zone.
func (c *Calendar) IsHoliday(t time.Time) bool { return c.Festival(t) != "" }

// Festival names the holiday on t's date, or is "" on an ordinary day. Where
// two meet, as Mid-Autumn within National Day week, the rarer one names it.
// t is in the home's local zone.
func (c *Calendar) Festival(t time.Time) Festival {
	if c == nil {
		return ""
	}
	return c.holidays[dateOf(t)]
}

// set marks days consecutive dates; a later call wins.
func (c *Calendar) set(f Festival, year int, month time.Month, day, days int) {
	for i := range days {
		c.holidays[dateOf(time.Date(year, month, day+i, 0, 0, 0, 0, time.UTC))] = f
	}
}
