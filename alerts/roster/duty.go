package roster

import (
	"fmt"
	"strings"
	"time"
)

// Hours are when in the week somebody is on duty, in the local time of the
// homes she answers for. The zero value is always.
type Hours struct {
	spans []span
}

// span is [from, until) in minutes of the day on some days of the week.
type span struct {
	days        [7]bool // by time.Weekday
	from, until int
}

var dayNames = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// ParseHours reads what an office would hang on its door: parts such as
// "mon-fri 08:00-18:00" and "sat 09:00-12:00", separated by semicolons. Without
// days a part is for every day; "22:00-06:00" goes over midnight and belongs to
// the day on which it begins. "" is always.
func ParseHours(s string) (Hours, error) {
	var h Hours
	for part := range strings.SplitSeq(s, ";") {
		if part = strings.ToLower(strings.TrimSpace(part)); part == "" {
			continue
		}
		sp := span{days: [7]bool{true, true, true, true, true, true, true}}
		days, times, both := strings.Cut(part, " ")
		if !both {
			times = days
		} else if err := sp.parseDays(days); err != nil {
			return Hours{}, fmt.Errorf("%q: %w", part, err)
		}
		from, until, ok := strings.Cut(strings.TrimSpace(times), "-")
		var err error
		if sp.from, err = minutes(from); err == nil && ok {
			sp.until, err = minutes(until)
		}
		if !ok || err != nil || sp.from == sp.until {
			return Hours{}, fmt.Errorf("%q must read like mon-fri 08:00-18:00", part)
		}
		h.spans = append(h.spans, sp)
	}
	return h, nil
}

func (sp *span) parseDays(s string) error {
	sp.days = [7]bool{}
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(part, "-")
		from, err := weekday(first)
		if err != nil {
			return err
		}
		until := from
		if isRange {
			if until, err = weekday(last); err != nil {
				return err
			}
		}
		for d := from; ; d = (d + 1) % 7 {
			sp.days[d] = true
			if d == until {
				break
			}
		}
	}
	return nil
}

func weekday(s string) (time.Weekday, error) {
	for d, name := range dayNames {
		if strings.TrimSpace(s) == name {
			return time.Weekday(d), nil
		}
	}
	return 0, fmt.Errorf("%q is not a day; use mon, tue, wed, thu, fri, sat or sun", s)
}

// minutes reads "08:30" as minutes of the day; "24:00" is its end.
func minutes(s string) (int, error) {
	s = strings.TrimSpace(s)
	if s == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, fmt.Errorf("%q must be a time of day such as 08:30", s)
	}
	return t.Hour()*60 + t.Minute(), nil
}

// String is what ParseHours reads.
func (h Hours) String() string {
	parts := make([]string, len(h.spans))
	for i, sp := range h.spans {
		var days []string
		for d := 1; d <= 7; d++ { // the week begins on Monday
			if sp.days[d%7] {
				days = append(days, dayNames[d%7])
			}
		}
		clock := func(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }
		parts[i] = clock(sp.from) + "-" + clock(sp.until)
		if len(days) < 7 {
			parts[i] = strings.Join(days, ",") + " " + parts[i]
		}
	}
	return strings.Join(parts, "; ")
}

// Contain reports whether a local time lies in the hours.
func (h Hours) Contain(local time.Time) bool {
	if len(h.spans) == 0 {
		return true
	}
	m, today := local.Hour()*60+local.Minute(), local.Weekday()
	for _, sp := range h.spans {
		switch over := sp.until < sp.from; {
		case !over && sp.days[today] && m >= sp.from && m < sp.until,
			over && sp.days[today] && m >= sp.from,
			over && sp.days[(today+6)%7] && m < sp.until:
			return true
		}
	}
	return false
}

// OffDuty is why a person is not on duty. The set is closed; "" is on duty.
type OffDuty string

// Reasons to be off duty.
const (
	OnLeave   OffDuty = "leave"
	OnHoliday OffDuty = "holiday"
	OffHours  OffDuty = "hours"
)

// Off says why a person is not on duty at a local time; holiday reports
// whether a date is a public holiday.
func (p *Person) Off(local time.Time, holiday func(time.Time) bool) OffDuty {
	for _, l := range p.Leaves {
		if !local.Before(l.From) && local.Before(l.Until) {
			return OnLeave
		}
	}
	switch {
	case p.Holidays && holiday != nil && holiday(local):
		return OnHoliday
	case !p.Hours.Contain(local):
		return OffHours
	default:
		return ""
	}
}

// StandInAt is who is told instead of somebody who is off; "" is nobody.
func (p *Person) StandInAt(t time.Time) string {
	for _, l := range p.Leaves {
		if l.StandIn != "" && !t.Before(l.From) && t.Before(l.Until) {
			return l.StandIn
		}
	}
	return p.StandIn
}

// Always reports whether they hold at any time.
func (h Hours) Always() bool { return len(h.spans) == 0 }
