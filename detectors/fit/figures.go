package fit

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"
)

// mergeWithin is how far apart two hours above a threshold are at most to be
// one alarm.
const mergeWithin = 24 * time.Hour

// margin is how much more likely row i is of class c than of a day like any
// other or, but for stillness, of a home in which nobody is: the score of the
// detectors.
func (d *Days) margin(s *Scores, i, c int) float32 {
	row := s.Row(i)
	usual := row[slices.Index(d.Classes, ordinary)]
	if nobody := slices.Index(d.Classes, still); c != nobody {
		usual = float32(math.Log(math.Exp(float64(usual)) + math.Exp(float64(row[nobody]))))
	}
	return row[c] - usual
}

// Limit is the margin of a class above which an hour counts as an alarm.
type Limit struct {
	Rate   float64 // of false alarms per home-day that it is set for
	Margin float32
	False  float64 // false alarms per home-day that it gives at ordinary times
	All    float64 // the same at all times, silences too
}

// limits are the lowest margins of class c that keep to each of the rates at
// ordinary times: hours above it less than a day apart are one false alarm.
func (d *Days) limits(s *Scores, c int, rates []float64) []Limit {
	var quiet, all []int // rows
	for i, number := range d.Case {
		if number < 0 {
			all = append(all, i)
			if d.Ordinary[i] {
				quiet = append(quiet, i)
			}
		}
	}
	margin := make([]float32, d.Len())
	for i := range margin {
		margin[i] = d.margin(s, i, c)
	}
	byMargin := slices.Clone(quiet)
	slices.SortStableFunc(byMargin, func(a, b int) int { return cmp.Compare(margin[b], margin[a]) })
	homeDays := func(rows []int) float64 { return float64(len(rows)) / 24 }
	above := make([]bool, d.Len())
	got := make([]Limit, len(rates))
	for r, rate := range rates {
		clear(above)
		alarms, last := 0, 0
		got[r] = Limit{Rate: rate}
		for _, i := range byMargin {
			got[r].Margin = margin[i]
			if alarms += d.joins(above, i); float64(alarms) > rate*homeDays(quiet) {
				break
			}
			last = alarms
		}
		got[r].False = float64(last) / homeDays(quiet)
		clear(above)
		alarms = 0
		for _, i := range all {
			if margin[i] > got[r].Margin {
				alarms += d.joins(above, i)
			}
		}
		got[r].All = float64(alarms) / homeDays(all)
	}
	return got
}

// joins sets row i above and says by how much that changes the number of
// alarms: one more, none where it lengthens one, one less where it joins two.
func (d *Days) joins(above []bool, i int) int {
	near := func(step int) bool {
		for j := i + step; j >= 0 && j < d.Len() && d.Case[j] < 0 && d.Group[j] == d.Group[i]; j += step {
			if d.At[j].Sub(d.At[i]).Abs() > mergeWithin {
				return false
			}
			if above[j] {
				return true
			}
		}
		return false
	}
	above[i] = true
	before, after := near(-1), near(1)
	switch {
	case before && after:
		if d.apart(above, i) {
			return -1
		}
		return 0
	case before || after:
		return 0
	default:
		return 1
	}
}

// apart reports whether the rows above on the two sides of row i are too far
// from each other to be one alarm without it.
func (d *Days) apart(above []bool, i int) bool {
	side := func(step int) time.Time {
		j := i + step
		for !above[j] {
			j += step
		}
		return d.At[j]
	}
	return side(1).Sub(side(-1)) > mergeWithin
}

// Figures is how well a day model tells events from ordinary days.
type Figures struct {
	Loss     float64   // log loss, every class weighing the same
	Rates    []float64 // of false alarms per home-day and class
	Classes  []ClassFigures
	Labels   []LabelFigures
	HomeDays float64 // ordinary ones
}

// ClassFigures are those of one class of events.
type ClassFigures struct {
	Class  string
	Limits []Limit // by rate
}

// LabelFigures are those of the cases of one label.
type LabelFigures struct {
	Class, Label string
	Cases        int
	Own          []float64 // by rate: share of cases with an hour above their class's limit
	Any          []float64 // by rate: share with an hour above the limit of any class
}

// Judge makes the figures of scores, which should come from CrossValidate.
func (d *Days) Judge(s *Scores, rates []float64) *Figures {
	f := &Figures{Loss: s.LogLoss(&d.Set, true), Rates: rates}
	for _, asUsual := range d.Ordinary {
		if asUsual {
			f.HomeDays += 1.0 / 24
		}
	}
	own, anyOf := make([][]bool, len(rates)), make([][]bool, len(rates)) // by rate and case
	for r := range rates {
		own[r], anyOf[r] = make([]bool, len(d.Cases)), make([]bool, len(d.Cases))
	}
	for c, class := range d.Classes {
		if class == ordinary {
			continue
		}
		limits := d.limits(s, c, rates)
		f.Classes = append(f.Classes, ClassFigures{class, limits})
		for i, number := range d.Case {
			if number < 0 {
				continue
			}
			for r := range limits {
				if d.margin(s, i, c) > limits[r].Margin {
					anyOf[r][number] = true
					own[r][number] = own[r][number] || d.Y[i] == c
				}
			}
		}
	}
	f.label(d, own, anyOf)
	return f
}

func (f *Figures) label(d *Days, own, anyOf [][]bool) {
	index := make(map[string]int)
	for number, c := range d.Cases {
		i, ok := index[c.Label]
		if !ok {
			i = len(f.Labels)
			index[c.Label] = i
			f.Labels = append(f.Labels, LabelFigures{Class: c.Class, Label: c.Label, Own: make([]float64, len(f.Rates)), Any: make([]float64, len(f.Rates))})
		}
		l := &f.Labels[i]
		l.Cases++
		for r := range f.Rates {
			if own[r][number] {
				l.Own[r]++
			}
			if anyOf[r][number] {
				l.Any[r]++
			}
		}
	}
	for i := range f.Labels {
		l := &f.Labels[i]
		for r := range f.Rates {
			l.Own[r] /= float64(l.Cases)
			l.Any[r] /= float64(l.Cases)
		}
	}
	slices.SortStableFunc(f.Labels, func(a, b LabelFigures) int {
		return cmp.Or(cmp.Compare(slices.Index(d.Classes, a.Class), slices.Index(d.Classes, b.Class)), cmp.Compare(a.Label, b.Label))
	})
}

func (f *Figures) writeTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "false alarms per home-day and class\t")
	for _, r := range f.Rates {
		fmt.Fprintf(t, "%g\t", r)
	}
	fmt.Fprintln(t)
	for _, l := range f.Labels {
		fmt.Fprintf(t, "%s as %s, %d cases\t", l.Label, l.Class, l.Cases)
		for r := range f.Rates {
			fmt.Fprintf(t, "%.0f %% (any class %.0f %%)\t", 100*l.Own[r], 100*l.Any[r])
		}
		fmt.Fprintln(t)
	}
	for _, c := range f.Classes {
		fmt.Fprintf(t, "limit of %s\t", c.Class)
		for _, l := range c.Limits {
			fmt.Fprintf(t, "%.2f (with silences %.4f)\t", l.Margin, l.All)
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}
