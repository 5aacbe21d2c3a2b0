package web

import (
	"math"
	"strconv"
	"strings"
	"time"

	"weimang/detectors"
)

// series is the use of a home by the hour, from a local midnight to now. An
// hour that is not covered at least by half is a gap: no data is never zero.
type series struct {
	from, to time.Time
	until    time.Time // end of the newest interval with data
	hours    []hourOfUse
}

type hourOfUse struct {
	use, low, high float64 // kWh an hour
	ok             bool    // use is known
	usual          bool    // the band is known
}

func newSeries(points []detectors.UsePoint, from, to time.Time) *series {
	n := int(math.Ceil(to.Sub(from).Hours()))
	s := &series{from: from, to: to, hours: make([]hourOfUse, max(1, n))}
	covered := make([]time.Duration, len(s.hours))
	banded := make([]time.Duration, len(s.hours))
	for _, p := range points {
		i := int(p.Start.Sub(from) / time.Hour)
		if p.Start.Before(from) || i >= len(s.hours) || p.Interval <= 0 {
			continue
		}
		hr := &s.hours[i]
		hr.low += p.Low
		hr.high += p.High
		banded[i] += p.Interval
		if p.NoData {
			continue
		}
		hr.use += p.KWh
		covered[i] += p.Interval
		if end := p.Start.Add(p.Interval); end.After(s.until) {
			s.until = end
		}
	}
	for i := range s.hours {
		hr := &s.hours[i]
		hr.ok, hr.usual = covered[i] >= 30*time.Minute, banded[i] >= 30*time.Minute
		if hr.ok {
			hr.use *= float64(time.Hour) / float64(covered[i])
		}
		if hr.usual {
			hr.low *= float64(time.Hour) / float64(banded[i])
			hr.high *= float64(time.Hour) / float64(banded[i])
		}
	}
	return s
}

func (s *series) empty() bool { return s.until.IsZero() }

func (s *series) peak() float64 {
	peak := 0.0
	for _, hr := range s.hours {
		if hr.ok {
			peak = max(peak, hr.use)
		}
	}
	return peak
}

// size is a drawing in its own units, which are pixels when it is as wide as
// its place.
type size struct {
	class                    string
	width, height            float64
	left, right, top, bottom float64 // margins
	hourStep                 int
	hourWidth                float64 // room an hour's label needs
}

var (
	narrow = size{class: "narrow", width: 354, height: 270, left: 34, right: 8, top: 34, bottom: 46, hourStep: 12, hourWidth: 40}
	wide   = size{class: "wide", width: 920, height: 330, left: 44, right: 12, top: 38, bottom: 50, hourStep: 6, hourWidth: 40}
)

// chart is a drawing ready for the template: coordinates and texts only.
type chart struct {
	Class         string
	Width, Height float64
	Left, Right   float64 // of the plot
	Top, Bottom   float64
	Label, Desc   string
	Unit          string
	YTicks        []tick
	XTicks        []tick
	Days          []tick
	Gaps          []box
	Bands         []string // closed outlines, "x,y x,y …"
	Lines         []string
	Dots          []dot // single hours between gaps
	Onset         *mark

	scale float64 // kWh at the top
}

// Places that follow from the plot's edges.

func (c *chart) Plot() float64      { return c.Bottom - c.Top }
func (c *chart) YLabel() float64    { return c.Left - 6 }
func (c *chart) HourLabel() float64 { return c.Bottom + 17 }
func (c *chart) DayLabel() float64  { return c.Bottom + 36 }
func (c *chart) OnsetTop() float64  { return c.Top - 12 }
func (c *chart) OnsetText() float64 { return c.Top - 6 }

type tick struct {
	At    float64
	Label string
}

type box struct{ X, Width float64 }

type dot struct{ X, Y float64 }

type mark struct {
	X, TextX float64
	Anchor   string
	Class    string
	Text     string
}

func (s *series) chart(z size, hour, day func(time.Time) string) *chart {
	c := &chart{
		Class: z.class, Width: z.width, Height: z.height,
		Left: z.left, Right: z.width - z.right, Top: z.top, Bottom: z.height - z.bottom,
	}
	top := 0.0
	for _, hr := range s.hours {
		if hr.ok {
			top = max(top, hr.use)
		}
		if hr.usual {
			top = max(top, hr.high)
		}
	}
	step := niceStep(top / 6)
	c.scale = max(step, math.Ceil(top/step)*step)
	for i := 0; float64(i)*step <= c.scale+step/2; i++ {
		v := float64(i) * step
		c.YTicks = append(c.YTicks, tick{At: c.y(v), Label: strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64)})
	}
	s.axis(c, z, hour, day)
	s.lines(c)
	return c
}

// dayWidth is what the longest label of a day takes.
const dayWidth = 56

// axis marks hours and days of the home's own zone.
func (s *series) axis(c *chart, z size, hour, day func(time.Time) string) {
	for d := s.from; d.Before(s.to); d = d.AddDate(0, 0, 1) {
		mark := tick{At: s.x(c, d), Label: day(d)}
		if mark.At > z.width-dayWidth { // a day that has only just begun
			mark.Label = ""
		}
		c.Days = append(c.Days, mark)
		for h := 0; h < 24; h += z.hourStep {
			t := time.Date(d.Year(), d.Month(), d.Day(), h, 0, 0, 0, d.Location())
			// A label at the very end would stick out of the drawing.
			if x := s.x(c, t); x < c.Right-z.hourWidth+z.right {
				c.XTicks = append(c.XTicks, tick{At: x, Label: hour(t)})
			}
		}
	}
}

// lines draws the band, the use and the gaps.
func (s *series) lines(c *chart) {
	var upper, lower, line []string
	gapFrom := -1
	flush := func() {
		if len(upper) > 1 {
			for i := len(lower) - 1; i >= 0; i-- {
				upper = append(upper, lower[i])
			}
			c.Bands = append(c.Bands, strings.Join(upper, " "))
		}
		upper, lower = nil, nil
	}
	end := func(i int) {
		if len(line) == 1 {
			c.Dots = append(c.Dots, dot{X: s.mid(c, i-1), Y: c.y(s.hours[i-1].use)})
		} else if len(line) > 1 {
			c.Lines = append(c.Lines, strings.Join(line, " "))
		}
		line = nil
	}
	for i, hr := range s.hours {
		x := s.mid(c, i)
		if hr.usual {
			upper = append(upper, pair(x, c.y(hr.high)))
			lower = append(lower, pair(x, c.y(hr.low)))
		} else {
			flush()
		}
		if hr.ok {
			line = append(line, pair(x, c.y(hr.use)))
			s.gap(c, gapFrom, i)
			gapFrom = -1
			continue
		}
		end(i)
		if gapFrom < 0 {
			gapFrom = i
		}
	}
	flush()
	end(len(s.hours))
	// The hour that has only begun is not missing yet.
	if s.to.Sub(s.until) >= time.Hour {
		s.gap(c, gapFrom, len(s.hours))
	}
}

func (s *series) gap(c *chart, from, to int) {
	if from < 0 {
		return
	}
	x := s.x(c, s.from.Add(time.Duration(from)*time.Hour))
	end := min(c.Right, s.x(c, s.from.Add(time.Duration(to)*time.Hour)))
	if end-x > 0.5 {
		c.Gaps = append(c.Gaps, box{X: round(x), Width: round(end - x)})
	}
}

// mark draws the onset, its words on the side where there is room.
func (c *chart) mark(s *series, onset time.Time, class, text string) {
	x := s.x(c, onset)
	m := &mark{X: x, TextX: round(x + 5), Anchor: "start", Class: class, Text: text}
	if x > (c.Left+c.Right)/2 {
		m.TextX, m.Anchor = round(x-5), "end"
	}
	c.Onset = m
}

func (s *series) x(c *chart, t time.Time) float64 {
	return round(c.Left + (c.Right-c.Left)*t.Sub(s.from).Hours()/math.Max(1, s.to.Sub(s.from).Hours()))
}

// mid is the middle of an hour; the last hour may be cut short by now.
func (s *series) mid(c *chart, i int) float64 {
	return min(c.Right, s.x(c, s.from.Add(time.Duration(i)*time.Hour+30*time.Minute)))
}

func (c *chart) y(kWh float64) float64 {
	return round(c.Bottom - (c.Bottom-c.Top)*kWh/c.scale)
}

func pair(x, y float64) string {
	return strconv.FormatFloat(x, 'f', -1, 64) + "," + strconv.FormatFloat(y, 'f', -1, 64)
}

func round(v float64) float64 { return math.Round(v*10) / 10 }

// niceStep is the next of 1, 2, 5 times a power of ten.
func niceStep(v float64) float64 {
	if v <= 0.05 {
		return 0.05
	}
	pow := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if v <= m*pow*1.0001 {
			return m * pow
		}
	}
	return 10 * pow
}
