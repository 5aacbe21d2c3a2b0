package evaluate

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// A picture of the operating curve: above, how many of the homes that fall
// still are found in time, below, how long half of them take; to the right
// more pushes. Plain SVG, drawn by hand, readable without a script.
const (
	svgWidth, svgHeight = 760, 640
	plotLeft, plotRight = 80, 730
	upperTop, upperEnd  = 60, 300
	lowerTop, lowerEnd  = 350, 560
)

// axis maps values to pixels, on a log scale if so.
type axis struct {
	from, until float64 // values
	at, to      float64 // pixels
	log         bool
}

func (a axis) pixel(v float64) float64 {
	from, until := a.from, a.until
	if a.log {
		v, from, until = math.Log(max(v, a.from)), math.Log(from), math.Log(until)
	}
	return a.at + (v-from)/(until-from)*(a.to-a.at)
}

// WriteSVG draws the operating curve of the first kind of event that was
// tried, which is still if it was among them.
func (r *Report) WriteSVG(w io.Writer) error {
	var b strings.Builder
	f := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	f(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="13" fill="#222">`,
		svgWidth, svgHeight, svgWidth, svgHeight)
	f(`<rect width="%d" height="%d" fill="#fff"/>`, svgWidth, svgHeight)
	kind, hours := "", 0.0
	if len(r.Curve) > 0 && len(r.Curve[0].Kinds) > 0 {
		kind, hours = r.Curve[0].Kinds[0].Kind, r.Curve[0].Kinds[0].Hours
	}
	f(`<title>Operating curve: %s</title>`, html.EscapeString(kind))
	f(`<text x="%d" y="24" font-size="16" font-weight="bold">Operating curve: %s, %d homes, %.0f home-days untouched</text>`,
		plotLeft, html.EscapeString(kind), len(r.Homes.Judged), r.Detectors.Untouched.HomeDays)

	x, ticks := rateAxis(r.Curve)
	share := axis{from: 0, until: 1, at: upperEnd, to: upperTop}
	most := longestMedian(r.Curve)
	delay := axis{from: 0, until: most, at: lowerEnd, to: lowerTop}

	frame := func(top, end int, label string) {
		f(`<rect x="%d" y="%d" width="%d" height="%d" fill="none" stroke="#999"/>`, plotLeft, top, plotRight-plotLeft, end-top)
		f(`<text x="20" y="%d" transform="rotate(-90 20 %d)" text-anchor="middle">%s</text>`, (top+end)/2, (top+end)/2, html.EscapeString(label))
		for _, v := range ticks {
			f(`<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#ddd"/>`, x.pixel(v), top, x.pixel(v), end)
		}
	}
	level := func(a axis, v float64, text string) {
		f(`<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#ddd"/>`, plotLeft, a.pixel(v), plotRight, a.pixel(v))
		f(`<text x="%d" y="%.1f" text-anchor="end">%s</text>`, plotLeft-6, a.pixel(v)+4, text)
	}
	frame(upperTop, upperEnd, fmt.Sprintf("found within %.0f h", hours))
	for i := range 5 {
		level(share, float64(i)/4, fmt.Sprintf("%d %%", 25*i))
	}
	frame(lowerTop, lowerEnd, "median delay, h")
	for i := range 5 {
		level(delay, most*float64(i)/4, fmt.Sprintf("%.0f", most*float64(i)/4))
	}
	for _, v := range ticks {
		f(`<text x="%.1f" y="%d" text-anchor="middle">%g</text>`, x.pixel(v), lowerEnd+18, v)
	}
	f(`<text x="%d" y="%d" text-anchor="middle">pushes per home-day on untouched homes (log scale)</text>`, (plotLeft+plotRight)/2, lowerEnd+40)

	var upper, lower []string
	for i := range r.Curve {
		p := &r.Curve[i]
		if len(p.Kinds) == 0 {
			continue
		}
		k := &p.Kinds[0]
		px, py := x.pixel(p.Pushes.Value), share.pixel(k.Share.Value)
		colour, name := "#0b6", fmt.Sprintf("budget %g", p.Budgets.Pushed)
		if p.Peer {
			colour, name = "#b33", p.Name
		}
		f(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-opacity="0.5"/>`, px, share.pixel(k.Share.Low), px, share.pixel(k.Share.High), colour)
		f(`<circle cx="%.1f" cy="%.1f" r="4" fill="%s"><title>%s</title></circle>`, px, py, colour, html.EscapeString(name))
		anchor, dx, below := "start", 7.0, 14.0
		if p.Peer {
			below = -6
		}
		if px > plotRight-110 {
			anchor, dx = "end", -7
		}
		f(`<text x="%.1f" y="%.1f" font-size="11" text-anchor="%s" fill="%s">%s</text>`, px+dx, py+below, anchor, colour, html.EscapeString(name))
		if !p.Peer {
			upper = append(upper, fmt.Sprintf("%.1f,%.1f", px, py))
		}
		if k.Median.Hours != nil {
			y := delay.pixel(*k.Median.Hours)
			f(`<circle cx="%.1f" cy="%.1f" r="4" fill="%s"><title>%s: %.1f h</title></circle>`, px, y, colour, html.EscapeString(name), *k.Median.Hours)
			if !p.Peer {
				lower = append(lower, fmt.Sprintf("%.1f,%.1f", px, y))
			}
		}
	}
	f(`<polyline points="%s" fill="none" stroke="#0b6" stroke-width="2"/>`, strings.Join(upper, " "))
	f(`<polyline points="%s" fill="none" stroke="#0b6" stroke-width="2"/>`, strings.Join(lower, " "))
	for i, text := range []string{
		"Green: these detectors, by budget. Red: rules of others. Bars: 95 % by resampling homes.",
		"Below stands nothing where less than half of the cases were found while they were watched.",
	} {
		f(`<text x="%d" y="%d" font-size="11" fill="#555">%s</text>`, plotLeft, svgHeight-24+14*i, text)
	}
	f(`</svg>`)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the operating curve: %w", err)
	}
	return nil
}

// rateAxis covers all rates; its marks are 1, 2 and 5 times powers of ten.
func rateAxis(points []Point) (axis, []float64) {
	low, high := math.Inf(1), 0.0
	for i := range points {
		if v := points[i].Pushes.Value; v > 0 {
			low, high = min(low, v), max(high, v)
		}
	}
	if high == 0 {
		low, high = 0.001, 0.1
	}
	a := axis{from: low / 1.6, until: high * 1.6, at: plotLeft, to: plotRight, log: true}
	var ticks []float64
	for e := math.Floor(math.Log10(a.from)); e <= math.Ceil(math.Log10(a.until)); e++ {
		for _, m := range []float64{1, 2, 5} {
			// Rounded, so that the label is 0.02 and not 0.020000000000000004.
			v := math.Round(m*math.Pow(10, e)*1e9) / 1e9
			if v >= a.from && v <= a.until {
				ticks = append(ticks, v)
			}
		}
	}
	return a, ticks
}

func longestMedian(points []Point) float64 {
	most := 4.0
	for i := range points {
		for _, k := range points[i].Kinds[:min(1, len(points[i].Kinds))] {
			if k.Median.Hours != nil {
				most = max(most, *k.Median.Hours)
			}
		}
	}
	return 4 * math.Ceil(most/4)
}
