package fit

import (
	"slices"
	"time"

	"weimang/detectors"
)

// Life is the set of the life model: the classes are levels of use, the rows
// ordinary times of untouched homes.
func (c *Collector) Life() *Set {
	tracks, homes := c.inOrder()
	set := new(Set)
	for _, t := range tracks {
		if t.event != nil {
			continue
		}
		for i, at := range t.life.at {
			if t.ordinary(at, 0) {
				set.Add(t.life.row(i), t.life.level[i], homes[t.home], 1)
			}
		}
	}
	return set
}

// Stuck is the set of the model of strong use, features in their quadratic
// terms: half-hours of untouched homes at ordinary times, and those of cases in
// which something is left on.
func (c *Collector) Stuck() *Set {
	tracks, homes := c.inOrder()
	set := new(Set)
	var row []float32
	for _, t := range tracks {
		y := 0
		if t.event != nil {
			if y = slices.Index(detectors.StuckClasses, t.event.Class); y < 0 {
				continue
			}
		}
		for i, at := range t.stuck.at {
			if t.event != nil || t.ordinary(at, 0) {
				row = detectors.Quadratic(row, t.stuck.row(i))
				set.Add(row, y, homes[t.home], 1)
			}
		}
	}
	return set
}

// levels is how many levels of use there are.
const levels = len(detectors.Model{}.Still)

// Still is how often a level follows another in the cases of a class, by the
// level before. A level that is rarely seen leans on what follows any, and no
// home is held to be as regular as those that were looked at.
func (c *Collector) Still(class string) (p [levels][levels]float64) {
	const (
		seen = 0.5 // of each level, before any is seen
		lean = 5   // half-hours' worth
		// Of half-hours in homes not looked at, and how they are spread.
		strange = 0.02
	)
	often := [levels]float64{0.2, 0.2, 0.2, 0.2, 0.15, 0.05}
	tracks, _ := c.inOrder()
	var after [levels]float64 // any level
	total := 0.0
	for to := range after {
		after[to], total = seen, total+seen
	}
	for _, t := range tracks {
		if t.event == nil || t.event.Class != class {
			continue
		}
		for i := 1; i < len(t.life.level); i++ {
			if t.life.at[i].Sub(t.life.at[i-1]) == 30*time.Minute {
				from, to := t.life.level[i-1], t.life.level[i]
				p[from][to]++
				after[to]++
				total++
			}
		}
	}
	for from := range p {
		n := 0.0
		for _, v := range p[from] {
			n += v
		}
		for to := range p[from] {
			known := (p[from][to] + lean*after[to]/total) / (n + lean)
			p[from][to] = (1-strange)*known + strange*often[to]
		}
	}
	return p
}

// Days is the set of the day model, with what its rows stand for.
type Days struct {
	Set
	Classes []string // detectors.DayClasses
	At      []time.Time
	Case    []int // of each row, in Cases; -1: untouched
	Cases   []Case
	// Ordinary says which rows are hours of untouched homes at ordinary times.
	Ordinary []bool
}

// oneIn of the ordinary hours is learned from: a day looks much the same an
// hour later. It divides no 24, so that every hour of the day has its turn.
const oneIn = 5

// The two classes that others are told from: a day like any other, and a home
// in which nobody is.
const (
	ordinary = "ordinary"
	still    = "still"
)

// Days makes the set of the day model, features in their quadratic terms.
// Hours of untouched homes are of the ordinary class; those that are no
// ordinary times, and most others, weigh nothing.
func (c *Collector) Days() *Days {
	tracks, homes := c.inOrder()
	d := &Days{Classes: detectors.DayClasses}
	var row []float32
	for _, t := range tracks {
		y, number := slices.Index(d.Classes, ordinary), -1
		if t.event != nil {
			if y = slices.Index(d.Classes, t.event.Class); y < 0 {
				continue
			}
			number = len(d.Cases)
			d.Cases = append(d.Cases, *t.event)
		}
		for i, at := range t.day.at {
			weight, asUsual := float32(1), t.event == nil && t.ordinary(at, t.opt.After)
			if t.event == nil && (!asUsual || (int(at.Unix()/3600)+homes[t.home])%oneIn != 0) {
				weight = 0
			}
			row = detectors.Quadratic(row, t.day.row(i))
			d.Add(row, y, homes[t.home], weight)
			d.At, d.Case, d.Ordinary = append(d.At, at), append(d.Case, number), append(d.Ordinary, asUsual)
		}
	}
	return d
}
