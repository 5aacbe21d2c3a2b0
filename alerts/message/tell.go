package message

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"weimang/alerts/roster"
)

// teller says times and numbers the way people of one language do. Times come
// in the household's zone.
type teller interface {
	when(t, now time.Time) string
	span(hours float64) string // the hours up to the moment of decision
	elapsed(d time.Duration) string
	waited(d time.Duration) string // like elapsed, to the minute
	brieflyWaited(d time.Duration) string
	energy(kWh float64) string
	more(ratio float64) string   // how much more than usual; ratio > 1
	around(ratio float64) string // what the neighbours did, of their usual
	every(days float64) string   // what lies between two events, in round words
	home(label string) string
	homes(some []string, of int) string
	area(id string) string
	in(what, village string) string // a home or an area, with its village
	date(t, now time.Time) string
	day(t, now time.Time) string   // the day of a time
	brief(t, now time.Time) string // a time in as few letters as can be, for SMS
	counted(n int, things [3]string) string
}

var tellers = map[roster.Lang]teller{roster.Chinese: chinese{}, roster.English: english{}}

// daysBetween is how many calendar days t lies after now (negative: before).
func daysBetween(t, now time.Time) int {
	y, m, d := t.Date()
	ny, nm, nd := now.Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Sub(time.Date(ny, nm, nd, 0, 0, 0, 0, time.UTC)) / (24 * time.Hour))
}

// number is a small number without a needless ".0".
func number(v float64) string {
	if v >= 9.95 {
		return strconv.Itoa(int(math.Round(v)))
	}
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

// longSpan is from how many hours on a span is told in days.
const longSpan = 72

// halves is hours to the nearest half: whole hours, and whether half an hour
// more.
func halves(hours float64) (whole int, half bool) {
	n := int(math.Round(hours * 2))
	return n / 2, n%2 == 1
}

// From someMore on, and up to someLess, the neighbours' use is told as more or
// less than usual.
const someMore, someLess = 1.1, 0.9

// period is the nearest of nine round words for a time, from some days to some
// years.
func period(days float64, words [9]string) string {
	for i, upTo := range [...]float64{5, 11, 22, 45, 120, 270, 550, 1100} {
		if days < upTo {
			return words[i]
		}
	}
	return words[len(words)-1]
}

type chinese struct{}

func (c chinese) when(t, now time.Time) string {
	// Midnight belongs to the evening before: nobody says "today at zero".
	midnight := t.Hour() == 0 && t.Minute() == 0
	day := t
	if midnight {
		day = t.Add(-time.Minute)
	}
	date := c.day(day, now)
	if midnight {
		return date + "夜里12点"
	}
	h := t.Hour()
	var part string
	switch {
	case h < 5:
		part = "凌晨"
	case h < 8:
		part = "早上"
	case h < 12:
		part = "上午"
	case h < 13:
		part = "中午"
	case h < 18:
		part = "下午"
	default:
		part = "晚上"
	}
	if h > 12 {
		h -= 12
	}
	if h == 0 {
		h = 12
	}
	clock := strconv.Itoa(h) + "点"
	switch m := t.Minute(); m {
	case 0:
	case 15:
		clock += "一刻"
	case 30:
		clock += "半"
	case 45:
		clock += "三刻"
	default:
		clock += fmt.Sprintf("%02d分", m)
	}
	return date + part + clock
}

func (chinese) span(hours float64) string {
	switch whole, half := halves(hours); {
	case whole >= longSpan:
		return fmt.Sprintf("这%d天", int(math.Round(hours/24)))
	case whole == 0:
		return "这半个小时"
	case half:
		return fmt.Sprintf("这%d个半小时", whole)
	default:
		return fmt.Sprintf("这%d个小时", whole)
	}
}

func (chinese) elapsed(d time.Duration) string {
	switch whole, half := halves(d.Hours()); {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d天", int(d.Hours()/24))
	case whole == 0 && !half:
		return "不到半个小时"
	case whole == 0:
		return "半个小时"
	case half && whole < 12:
		return fmt.Sprintf("%d个半小时", whole)
	default:
		return fmt.Sprintf("%d个小时", whole)
	}
}

func (c chinese) waited(d time.Duration) string {
	if m := int(d.Round(time.Minute).Minutes()); m < 30 {
		return fmt.Sprintf("%d分钟", max(1, m))
	}
	return c.elapsed(d)
}

func (c chinese) brieflyWaited(d time.Duration) string { return c.waited(d) }

func (chinese) energy(kWh float64) string {
	if kWh > 0 && kWh < 0.05 {
		return "不到 0.1 度"
	}
	return number(kWh) + " 度"
}

func (chinese) more(ratio float64) string {
	tenths := int(math.Round((ratio - 1) * 10))
	digits := [...]string{"", "一", "两", "三", "四", "五", "六", "七", "八", "九"}
	if tenths < len(digits) {
		return "比平常多用了" + digits[max(1, tenths)] + "成"
	}
	return "用到平常的 " + number(ratio) + " 倍"
}

func (c chinese) around(ratio float64) string {
	switch {
	case ratio >= someMore:
		return "旁边人家" + c.more(ratio)
	case ratio <= someLess:
		digits := [...]string{"", "一", "两", "三", "四", "五", "六", "七", "八", "九"}
		tenths := int(math.Round((1 - ratio) * 10))
		return "旁边人家比平常少用了" + digits[min(9, tenths)] + "成"
	default:
		return "旁边人家和平常差不多"
	}
}

func (chinese) every(days float64) string {
	return period(days, [...]string{"三五天", "一个星期", "半个月", "一个月", "两三个月", "半年", "一年", "两年", "好几年"})
}

func (chinese) home(label string) string       { return label }
func (chinese) area(id string) string          { return "台区" + id }
func (chinese) in(what, village string) string { return village + what }

func (c chinese) day(t, now time.Time) string {
	switch daysBetween(t, now) {
	case -2:
		return "前天"
	case -1:
		return "昨天"
	case 0:
		return "今天"
	case 1:
		return "明天"
	case 2:
		return "后天"
	}
	return c.date(t, now)
}

func (chinese) date(t, now time.Time) string {
	date := fmt.Sprintf("%d月%d日", t.Month(), t.Day())
	if t.Year() != now.Year() {
		date = fmt.Sprintf("%d年", t.Year()) + date
	}
	return date
}

func (c chinese) brief(t, now time.Time) string {
	if days := daysBetween(t, now); days < -2 || days > 2 {
		return c.day(t, now)
	}
	return c.when(t, now)
}

// counted puts a number to a measure word: 一户, 两户, 3户.
func (chinese) counted(n int, things [3]string) string {
	switch n {
	case 0:
		return things[0]
	case 1:
		return "一" + things[1]
	case 2:
		return "两" + things[2]
	default:
		return strconv.Itoa(n) + things[2]
	}
}

func (chinese) homes(some []string, of int) string {
	list := strings.Join(some, "、")
	if of > len(some) {
		return fmt.Sprintf("%s等%d户", list, of)
	}
	return list
}

type english struct{}

func (english) when(t, now time.Time) string {
	var clock string
	midnight := false
	switch h, m := t.Hour(), t.Minute(); {
	case h == 0 && m == 0:
		clock, midnight = "midnight", true
		t = t.Add(-time.Minute)
	case h == 12 && m == 0:
		clock = "noon"
	default:
		clock = strconv.Itoa((h+11)%12 + 1)
		if m != 0 {
			clock += fmt.Sprintf(":%02d", m)
		}
		if h < 12 {
			clock += " am"
		} else {
			clock += " pm"
		}
	}
	switch days := daysBetween(t, now); {
	case midnight && days == -1:
		return "midnight last night" // "yesterday" could be either of two
	case midnight && days == 0:
		return "midnight tonight"
	case days == -1:
		return clock + " yesterday"
	case days == 0:
		return clock + " today"
	case days == 1:
		return clock + " tomorrow"
	}
	if t.Year() != now.Year() {
		return clock + t.Format(" on 2 January 2006")
	}
	return clock + t.Format(" on 2 January")
}

func (english) span(hours float64) string {
	switch whole, half := halves(hours); {
	case whole >= longSpan:
		return fmt.Sprintf("in %d days", int(math.Round(hours/24)))
	case whole == 0:
		return "in half an hour"
	case half:
		return fmt.Sprintf("in %d½ hours", whole)
	case whole == 1:
		return "in one hour"
	default:
		return fmt.Sprintf("in %d hours", whole)
	}
}

func (english) elapsed(d time.Duration) string {
	switch whole, half := halves(d.Hours()); {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	case whole == 0 && !half:
		return "less than half an hour"
	case whole == 0:
		return "half an hour"
	case half && whole < 12:
		return fmt.Sprintf("%d½ hours", whole)
	case whole == 1:
		return "one hour"
	default:
		return fmt.Sprintf("%d hours", whole)
	}
}

func (e english) waited(d time.Duration) string {
	switch m := int(d.Round(time.Minute).Minutes()); {
	case m <= 1:
		return "one minute"
	case m < 30:
		return fmt.Sprintf("%d minutes", m)
	default:
		return e.elapsed(d)
	}
}

func (e english) brieflyWaited(d time.Duration) string {
	if m := int(d.Round(time.Minute).Minutes()); m < 60 {
		return fmt.Sprintf("%d min", max(1, m))
	}
	return e.elapsed(d)
}

func (english) energy(kWh float64) string {
	if kWh > 0 && kWh < 0.05 {
		return "less than 0.1 kWh"
	}
	return number(kWh) + " kWh"
}

func (english) more(ratio float64) string {
	if ratio < 1.95 {
		return fmt.Sprintf("about %d percent more than usual", int(math.Round((ratio-1)*10))*10)
	}
	return number(ratio) + " times as much as usual"
}

func (e english) around(ratio float64) string {
	switch {
	case ratio >= someMore:
		return "The neighbours use " + e.more(ratio)
	case ratio <= someLess:
		return fmt.Sprintf("The neighbours use about %d percent less than usual", min(9, int(math.Round((1-ratio)*10)))*10)
	default:
		return "The neighbours use about as much as usual"
	}
}

func (english) every(days float64) string {
	return period(days, [...]string{
		"a few days", "a week", "two weeks", "a month", "two or three months", "half a year", "a year", "two years", "several years",
	})
}

func (english) home(label string) string       { return "Home " + label }
func (english) area(id string) string          { return "area " + id }
func (english) in(what, village string) string { return what + " in " + village }

func (e english) day(t, now time.Time) string {
	switch daysBetween(t, now) {
	case -1:
		return "yesterday"
	case 0:
		return "today"
	case 1:
		return "tomorrow"
	default:
		return e.date(t, now)
	}
}

func (english) date(t, now time.Time) string {
	if t.Year() != now.Year() {
		return t.Format("on 2 January 2006")
	}
	return t.Format("on 2 January")
}

// brief: "9:30am", "Sat 9:30am" within days, "2 Jul".
func (english) brief(t, now time.Time) string {
	clock := strings.ToLower(t.Format("3:04PM"))
	clock = strings.Replace(clock, ":00", "", 1)
	switch days := daysBetween(t, now); {
	case days == 0:
		return clock
	case days > -6 && days < 6:
		return t.Format("Mon ") + clock
	case t.Year() != now.Year():
		return t.Format("2 Jan 2006")
	default:
		return t.Format("2 Jan")
	}
}

// counted: no homes, one home, 2 homes.
func (english) counted(n int, things [3]string) string {
	switch n {
	case 0:
		return things[0]
	case 1:
		return "one " + things[1]
	default:
		return strconv.Itoa(n) + " " + things[2]
	}
}

func (english) homes(some []string, of int) string {
	list := strings.Join(some, ", ")
	switch more := of - len(some); {
	case more == 1:
		return list + " and one more home"
	case more > 1:
		return fmt.Sprintf("%s and %d more homes", list, more)
	}
	return list
}
