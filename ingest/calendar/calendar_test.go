package calendar_test

import (
	"math"
	"testing"
	"time"

	"weimang/ingest/calendar"
)

func day(t *testing.T, s string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func lookup(t *testing.T, name string) *calendar.Calendar {
	t.Helper()
	c, err := calendar.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestKnownDays(t *testing.T) {
	tests := []struct {
		set, day string
		want     calendar.DayType
		festival calendar.Festival
	}{
		{"cn", "2024-02-10", calendar.Holiday, calendar.SpringFestival},
		{"cn", "2025-01-28", calendar.Holiday, calendar.SpringFestival}, // the eve
		{"cn", "2025-01-29", calendar.Holiday, calendar.SpringFestival},
		{"cn", "2026-02-15", calendar.Weekend, ""},
		{"cn", "2026-02-16", calendar.Holiday, calendar.SpringFestival},
		{"cn", "2026-02-17", calendar.Holiday, calendar.SpringFestival},
		{"cn", "2026-02-23", calendar.Holiday, calendar.SpringFestival},
		{"cn", "2026-02-24", calendar.Workday, ""},
		{"cn", "2024-04-04", calendar.Holiday, calendar.Qingming},
		{"cn", "2026-04-05", calendar.Holiday, calendar.Qingming},
		{"cn", "2019-05-04", calendar.Weekend, ""},
		{"cn", "2026-05-05", calendar.Holiday, calendar.LabourDay},
		{"cn", "2026-06-18", calendar.Workday, ""},
		{"cn", "2026-06-19", calendar.Holiday, calendar.DragonBoat},
		{"cn", "2025-05-31", calendar.Holiday, calendar.DragonBoat},
		{"cn", "2025-10-06", calendar.Holiday, calendar.MidAutumn}, // inside National Day week
		{"cn", "2025-10-07", calendar.Holiday, calendar.NationalDay},
		{"cn", "2025-10-08", calendar.Workday, ""},
		{"cn", "2026-09-25", calendar.Holiday, calendar.MidAutumn},
		{"cn", "2026-07-12", calendar.Weekend, ""},
		{"cn", "2009-10-01", calendar.Workday, ""}, // before the first year known

		{"gb", "2011-01-01", calendar.Holiday, calendar.NewYear},
		{"gb", "2011-01-03", calendar.Holiday, calendar.NewYear}, // substitute
		{"gb", "2011-04-29", calendar.Holiday, calendar.RoyalDay},
		{"gb", "2012-04-06", calendar.Holiday, calendar.GoodFriday},
		{"gb", "2012-05-28", calendar.Workday, ""}, // moved to June
		{"gb", "2012-06-04", calendar.Holiday, calendar.SpringBank},
		{"gb", "2012-06-05", calendar.Holiday, calendar.RoyalDay},
		{"gb", "2013-04-01", calendar.Holiday, calendar.EasterMonday},
		{"gb", "2013-05-06", calendar.Holiday, calendar.EarlyMay},
		{"gb", "2013-08-26", calendar.Holiday, calendar.SummerBank},
		{"gb", "2013-12-25", calendar.Holiday, calendar.Christmas},
		{"gb", "2013-12-26", calendar.Holiday, calendar.BoxingDay},
		{"gb", "2014-04-18", calendar.Holiday, calendar.GoodFriday},
		{"gb", "2021-12-24", calendar.Workday, ""},
		{"gb", "2021-12-27", calendar.Holiday, calendar.Christmas}, // 25 and 26 on a weekend
		{"gb", "2021-12-28", calendar.Holiday, calendar.Christmas},
		{"gb", "2022-12-27", calendar.Holiday, calendar.Christmas}, // 25 on a Sunday, 26 taken
		{"gb", "2022-12-28", calendar.Workday, ""},
		{"gb", "2013-10-01", calendar.Workday, ""},

		{"none", "2026-02-17", calendar.Workday, ""},
		{"none", "2026-02-15", calendar.Weekend, ""},
	}
	for _, tt := range tests {
		t.Run(tt.set+" "+tt.day, func(t *testing.T) {
			c := lookup(t, tt.set)
			d := day(t, tt.day)
			if got := c.Day(d); got != tt.want {
				t.Errorf("Day = %v, want %v", got, tt.want)
			}
			if got := c.Festival(d); got != tt.festival {
				t.Errorf("Festival = %q, want %q", got, tt.festival)
			}
			if got, want := c.IsHoliday(d), tt.want == calendar.Holiday; got != want {
				t.Errorf("IsHoliday = %v, want %v", got, want)
			}
		})
	}
}

// The date is the one on the wall of the home, not the one in Greenwich.
func TestDateIsTakenInTheZoneOfTheTime(t *testing.T) {
	c := lookup(t, "cn")
	shanghai := time.FixedZone("CST", 8*3600)
	t0 := time.Date(2026, time.June, 19, 0, 30, 0, 0, shanghai)
	if !c.IsHoliday(t0) {
		t.Error("00:30 on Dragon Boat day in Shanghai is no holiday")
	}
	if c.IsHoliday(t0.UTC()) {
		t.Error("16:30 UTC on the day before is a holiday")
	}
}

// The table was made by libraries; the moon is the second witness. Counted
// from the mean new moon of 6 January 2000 18:14 UTC, the true one is up to
// 0.6 days away, and the lunar day begins at midnight in China.
func TestLunarFestivalsAgreeWithTheMoon(t *testing.T) {
	const synodic = 29.530588861
	epoch := time.Date(2000, time.January, 6, 18, 14, 0, 0, time.UTC)
	c := lookup(t, "cn")
	age := map[calendar.Festival]float64{
		calendar.SpringFestival: 0, calendar.DragonBoat: 4, calendar.MidAutumn: 14,
	}
	seen := make(map[calendar.Festival]int)
	first := time.Date(calendar.FirstYear, time.January, 1, 12, 0, 0, 0, time.FixedZone("CST", 8*3600))
	for d := first; d.Year() <= calendar.LastYear; d = d.AddDate(0, 0, 1) {
		f := c.Festival(d)
		want, lunar := age[f]
		if !lunar || f == calendar.SpringFestival && !secondOfRun(c, d) {
			continue
		}
		seen[f]++
		moons := d.Sub(epoch).Hours() / 24 / synodic
		got := (moons - math.Floor(moons)) * synodic
		off := math.Remainder(got-want, synodic)
		if math.Abs(off) > 1.15 {
			t.Errorf("%s on %s: moon is %.1f days old, want about %v", f, d.Format(time.DateOnly), got, want)
		}
	}
	for f := range age {
		if want := calendar.LastYear - calendar.FirstYear + 1; seen[f] != want {
			t.Errorf("%s: %d dates in the table, want %d", f, seen[f], want)
		}
	}
}

// secondOfRun finds the first day of the first month: the eve comes before it.
func secondOfRun(c *calendar.Calendar, d time.Time) bool {
	f := c.Festival(d)
	return c.Festival(d.AddDate(0, 0, -1)) == f && c.Festival(d.AddDate(0, 0, -2)) != f
}

func TestUnknownSetIsRefused(t *testing.T) {
	if _, err := calendar.Lookup("fr"); err == nil {
		t.Fatal("Lookup(fr) succeeded")
	}
}

func TestNilCalendarKnowsWeekendsOnly(t *testing.T) {
	var c *calendar.Calendar
	if got := c.Day(day(t, "2026-02-17")); got != calendar.Workday {
		t.Errorf("Tuesday = %v", got)
	}
	if got := c.Day(day(t, "2026-02-14")); got != calendar.Weekend {
		t.Errorf("Saturday = %v", got)
	}
}
