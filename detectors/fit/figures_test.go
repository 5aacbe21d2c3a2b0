package fit

import (
	"math"
	"strings"
	"testing"
	"time"

	"weimang/detectors"
)

// marked is hours of two homes for 100 days, and a case, each with a score of
// class shortfall.
type marked struct {
	d *Days
	s *Scores
}

func newMarked() *marked {
	return &marked{&Days{Classes: detectors.DayClasses}, &Scores{Classes: len(detectors.DayClasses)}}
}

// add puts in an hour whose margin of shortfall is as given.
func (m *marked) add(home, number int, hour int, asUsual bool, margin float64) {
	y := 0
	if number >= 0 {
		y = 1
	}
	m.d.Add([]float32{0}, y, home, 1)
	m.d.At = append(m.d.At, day0.Add(time.Duration(hour)*time.Hour))
	m.d.Case, m.d.Ordinary = append(m.d.Case, number), append(m.d.Ordinary, asUsual)
	row := make([]float32, m.s.Classes)
	for c := range row {
		row[c] = -50
	}
	row[0], row[1] = 0, float32(margin)
	m.s.Log = append(m.s.Log, row...)
}

func TestALimitCountsRunsOfHoursAsOneAlarm(t *testing.T) {
	m := newMarked()
	for home := range 2 {
		for hour := range 100 * 24 {
			margin, asUsual := -20.0, true
			switch {
			case home == 0 && hour >= 500 && hour < 510: // one alarm
				margin = 9
			case home == 0 && (hour == 800 || hour == 840): // two, until the hour between joins them
				margin = 8
			case home == 0 && hour == 820:
				margin = 7
			case home == 1 && hour == 810: // another home's
				margin = 6
			case home == 1 && hour >= 900 && hour < 920: // nobody is there
				margin, asUsual = 10, false
			case home == 1 && hour == 1500:
				margin = 5
			}
			m.add(home, -1, hour, asUsual, margin)
		}
	}
	days := float64(200*24-20) / 24
	for _, c := range []struct {
		name    string
		allowed float64 // false alarms
		counted float64
		margin  float32
	}{
		{"the first hour is too many", 0, 0, 9},
		{"ten hours on end are one, the two at 8 are two more", 1, 1, 8},
		{"the hour at 7 makes one of the two at 8; the other home's at 6 is its own", 3, 3, 5},
		{"after the one at 5 everything is", 4, 4, -20},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := m.d.limits(m.s, 1, []float64{(c.allowed + 0.5) / days})[0]
			if l.Margin != c.margin || math.Abs(l.False*days-c.counted) > 1e-9 {
				t.Errorf("margin %g with %g alarms, not %g with %g", l.Margin, l.False*days, c.margin, c.counted)
			}
		})
	}
}

func TestJudgeTellsWhatShareOfCasesIsFound(t *testing.T) {
	m := newMarked()
	for hour := range 1000 * 24 {
		margin, asUsual := -20.0, true
		if hour == 5000 {
			margin = 4
		}
		if hour >= 9000 && hour < 9010 {
			margin, asUsual = 30, false
		}
		m.add(0, -1, hour, asUsual, margin)
	}
	for number, best := range []float64{3, 5, 6, 7} {
		m.d.Cases = append(m.d.Cases, Case{Class: "shortfall", Label: "shortfall/scaled", Number: number})
		for hour := range 10 {
			margin := -20.0
			if hour == 7 {
				margin = best
			}
			m.add(1, number, hour, false, margin)
		}
	}
	f := m.d.Judge(m.s, []float64{0.0005})
	if len(f.Labels) != 1 || f.Labels[0].Cases != 4 || f.Labels[0].Own[0] != 0.75 || f.Labels[0].Any[0] < 0.75 {
		t.Errorf("%+v", f.Labels)
	}
	short := f.Classes[0]
	if l := short.Limits[0]; short.Class != "shortfall" || l.Margin != 4 || l.False != 0 || l.All != 0.001 {
		t.Errorf("%+v", short)
	}
	var b strings.Builder
	if err := f.writeTable(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"0.0005", "shortfall/scaled as shortfall, 4 cases", "75 %", "limit of shortfall", "4.00"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table does not say %s:\n%s", want, b.String())
		}
	}
}
