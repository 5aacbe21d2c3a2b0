package calendar

import "time"

// Festival names a holiday, whatever the number of its days.
type Festival string

// Festivals of the set "cn".
const (
	NewYear        Festival = "new-year"
	SpringFestival Festival = "spring-festival" // 春节
	Qingming       Festival = "qingming"        // 清明
	LabourDay      Festival = "labour-day"
	DragonBoat     Festival = "dragon-boat" // 端午
	MidAutumn      Festival = "mid-autumn"  // 中秋
	NationalDay    Festival = "national-day"
)

// fillCN marks the days on which people are at home or on the road whatever
// the year's decree: New Year's Day; Spring Festival from the eve to the
// seventh day; the days of Qingming, Dragon Boat and Mid-Autumn themselves; 1
// to 3 May, since 2020 to 5 May; 1 to 7 October.
//
// The State Council announces every November how the days next to these are
// bridged and which weekends are worked in return. Those make-up workdays and
// bridge days differ from year to year and are left out.
func fillCN(c *Calendar, year int) {
	mmdd := func(n int) (time.Month, int) { return time.Month(n / 100), n % 100 }
	moving := cnMoving[year-FirstYear]

	c.set(NewYear, year, time.January, 1, 1)
	month, day := mmdd(moving.springFestival)
	c.set(SpringFestival, year, month, day-1, 8)
	month, day = mmdd(moving.qingming)
	c.set(Qingming, year, month, day, 1)
	labour := 3
	if year >= 2020 {
		labour = 5
	}
	c.set(LabourDay, year, time.May, 1, labour)
	month, day = mmdd(moving.dragonBoat)
	c.set(DragonBoat, year, month, day, 1)
	c.set(NationalDay, year, time.October, 1, 7)
	month, day = mmdd(moving.midAutumn)
	c.set(MidAutumn, year, month, day, 1)
}

// cnMoving holds the dates, as month*100+day, of the first day of the first
// lunar month, of the solar term Qingming, of the fifth day of the fifth lunar
// month and of the fifteenth day of the eighth, from FirstYear to LastYear.
//
// To verify or extend it: PyPI lunardate 0.3.0, LunarDate(year, month, day,
// leap=False).to_solar_date() with (1, 1), (5, 5) and (8, 15), and lunar_python
// 1.4.8, Lunar.fromYmd(year, month, day).getSolar() and getJieQiTable()["清明"].
// The two agree on every date, and so does the usual rule for Qingming in this
// century: day floor(0.2422*yy+4.81) - floor(yy/4) of April. A test compares
// the lunar dates with the phase of the moon.
var cnMoving = [LastYear - FirstYear + 1]struct{ springFestival, qingming, dragonBoat, midAutumn int }{
	{214, 405, 616, 922},  // 2010
	{203, 405, 606, 912},  // 2011
	{123, 404, 623, 930},  // 2012
	{210, 404, 612, 919},  // 2013
	{131, 405, 602, 908},  // 2014
	{219, 405, 620, 927},  // 2015
	{208, 404, 609, 915},  // 2016
	{128, 404, 530, 1004}, // 2017
	{216, 405, 618, 924},  // 2018
	{205, 405, 607, 913},  // 2019
	{125, 404, 625, 1001}, // 2020
	{212, 404, 614, 921},  // 2021
	{201, 405, 603, 910},  // 2022
	{122, 405, 622, 929},  // 2023
	{210, 404, 610, 917},  // 2024
	{129, 404, 531, 1006}, // 2025
	{217, 405, 619, 925},  // 2026
	{206, 405, 609, 915},  // 2027
	{126, 404, 528, 1003}, // 2028
	{213, 404, 616, 922},  // 2029
	{203, 405, 605, 912},  // 2030
	{123, 405, 624, 1001}, // 2031
	{211, 404, 612, 919},  // 2032
	{131, 404, 601, 908},  // 2033
	{219, 405, 620, 927},  // 2034
	{208, 405, 610, 916},  // 2035
	{128, 404, 530, 1004}, // 2036
	{215, 404, 618, 924},  // 2037
	{204, 405, 607, 913},  // 2038
	{124, 405, 527, 1002}, // 2039
	{212, 404, 614, 920},  // 2040
}
