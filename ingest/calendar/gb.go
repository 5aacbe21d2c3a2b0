package calendar

import "time"

// Festivals of the set "gb" beside NewYear.
const (
	GoodFriday   Festival = "good-friday"
	EasterMonday Festival = "easter-monday"
	EarlyMay     Festival = "early-may"
	SpringBank   Festival = "spring-bank"
	SummerBank   Festival = "summer-bank"
	Christmas    Festival = "christmas"
	BoxingDay    Festival = "boxing-day"
	RoyalDay     Festival = "royal" // a single day proclaimed: wedding, jubilee, coronation, funeral
)

// fillGB marks the bank holidays of England and Wales: the rule, and what was
// proclaimed up to 2023 (https://www.gov.uk/bank-holidays). New Year's Day,
// Christmas and Boxing Day are marked on their own date too when a weekend
// gives them a substitute: people keep the day, not the substitute alone.
func fillGB(c *Calendar, year int) {
	c.setWithSubstitute(NewYear, year, time.January, 1, 1)
	month, day := easter(year)
	c.set(GoodFriday, year, month, day-2, 1)
	c.set(EasterMonday, year, month, day+1, 1)

	switch year {
	case 2020: // moved to the 75th anniversary of VE day
		c.set(EarlyMay, year, time.May, 8, 1)
	default:
		c.set(EarlyMay, year, time.May, firstMonday(year, time.May), 1)
	}
	switch year {
	case 2012: // moved beside the diamond jubilee
		c.set(SpringBank, year, time.June, 4, 1)
	case 2022: // moved beside the platinum jubilee
		c.set(SpringBank, year, time.June, 2, 1)
	default:
		c.set(SpringBank, year, time.May, lastMonday(year, time.May), 1)
	}
	c.set(SummerBank, year, time.August, lastMonday(year, time.August), 1)
	c.setWithSubstitute(Christmas, year, time.December, 25, 2)
	c.set(BoxingDay, year, time.December, 26, 1)

	for _, d := range []date{
		{2011, time.April, 29},
		{2012, time.June, 5},
		{2022, time.June, 3},
		{2022, time.September, 19},
		{2023, time.May, 8},
	} {
		if d.year == year {
			c.set(RoyalDay, d.year, d.month, d.day, 1)
		}
	}
}

// setWithSubstitute marks days dates and, for each that falls on a weekend,
// the next free weekday.
func (c *Calendar) setWithSubstitute(f Festival, year int, month time.Month, day, days int) {
	c.set(f, year, month, day, days)
	next := day + days
	for i := range days {
		if !weekend(year, month, day+i) {
			continue
		}
		for weekend(year, month, next) {
			next++
		}
		c.set(f, year, month, next, 1)
		next++
	}
}

func weekend(year int, month time.Month, day int) bool {
	w := time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Weekday()
	return w == time.Saturday || w == time.Sunday
}

func firstMonday(year int, month time.Month) int {
	first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).Weekday()
	return 1 + (int(time.Monday)-int(first)+7)%7
}

func lastMonday(year int, month time.Month) int {
	last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC)
	return last.Day() - (int(last.Weekday())-int(time.Monday)+7)%7
}

// easter is the date of Easter Sunday by the Gregorian computus of Meeus,
// Jones and Butcher.
func easter(year int) (time.Month, int) {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return time.Month(n / 31), n%31 + 1
}
