package evaluate

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
)

// WriteCSV writes every figure as a row: section (untouched, score, bound,
// hindsight or curve), rule, the budget of the operating curve, kind of event, recipe,
// measure, within how many hours, and the figure with its interval. A delay
// that was not reached is an empty cell.
func (r *Report) WriteCSV(w io.Writer) error {
	c := csvTable{w: csv.NewWriter(w)}
	c.row("section", "rule", "budget", "kind", "recipe", "measure", "within_hours", "value", "low", "high")
	for _, rule := range append([]Rule{r.Detectors}, r.Peers...) {
		c.untouched(rule.Name, &rule.Untouched)
		for i := range rule.Scores {
			s := &rule.Scores[i]
			c.found("score", rule.Name, s.Kind, s.Recipe, "pushed", &s.Pushed)
			if s.Visit != nil {
				c.found("score", rule.Name, s.Kind, s.Recipe, "red_or_orange", s.Visit)
			}
			for _, o := range s.OwnWithin {
				c.estimate("score", rule.Name, "", s.Kind, s.Recipe, "own_kind", number(o.Hours), o.Share)
			}
			if s.Own != nil {
				c.estimate("score", rule.Name, "", s.Kind, s.Recipe, "own_kind", "", *s.Own)
			}
		}
	}
	for i := range r.Bound {
		c.found("bound", "", r.Bound[i].Kind, r.Bound[i].Recipe, "next_use", &r.Bound[i].Found)
	}
	for i := range r.Hindsight {
		c.found("hindsight", "", r.Hindsight[i].Kind, r.Hindsight[i].Recipe, "length_of_silence", &r.Hindsight[i].Found)
	}
	for i := range r.Curve {
		c.point(&r.Curve[i])
	}
	c.w.Flush()
	if err := c.w.Error(); err != nil {
		return fmt.Errorf("write figures as CSV: %w", err)
	}
	return nil
}

type csvTable struct{ w *csv.Writer }

// row keeps the first error in the writer.
func (c *csvTable) row(cells ...string) { _ = c.w.Write(cells) }

func number(f float64) string { return strconv.FormatFloat(f, 'g', 6, 64) }

func (c *csvTable) estimate(section, rule, budget, kind, recipe, measure, within string, e Estimate) {
	c.row(section, rule, budget, kind, recipe, measure, within, number(e.Value), number(e.Low), number(e.High))
}

func (c *csvTable) delay(section, rule, budget, kind, recipe, measure string, d Delay) {
	hours := func(h *float64) string {
		if h == nil {
			return ""
		}
		return number(*h)
	}
	c.row(section, rule, budget, kind, recipe, measure, "", hours(d.Hours), hours(d.Low), hours(d.High))
}

func (c *csvTable) found(section, rule, kind, recipe, measure string, f *Found) {
	for _, w := range f.Within {
		c.estimate(section, rule, "", kind, recipe, measure, number(w.Hours), w.Share)
	}
	c.delay(section, rule, "", kind, recipe, measure+"_median_hours", f.Median)
	c.delay(section, rule, "", kind, recipe, measure+"_p90_hours", f.P90)
}

func (c *csvTable) untouched(rule string, u *Untouched) {
	for _, m := range []struct {
		name string
		e    Estimate
	}{
		{"pushes_per_home_day", u.Pushes},
		{"visits_per_home_day", u.Visits},
		{"pushes_per_home_day_outside_silences", u.PushesOutside},
		{"visits_per_home_day_outside_silences", u.VisitsOutside},
		{"pushes_per_home_day_days_3_to_42", u.Early.Pushes},
		{"visits_per_home_day_days_3_to_42", u.Early.Visits},
	} {
		c.estimate("untouched", rule, "", "", "", m.name, "", m.e)
	}
	for _, k := range u.ByKind {
		c.row("untouched", rule, "", string(k.Kind), "", "pushes_per_home_day", "", number(k.Pushes), "", "")
		c.row("untouched", rule, "", string(k.Kind), "", "visits_per_home_day", "", number(k.Visits), "", "")
	}
}

func (c *csvTable) point(p *Point) {
	budget := ""
	if !p.Peer {
		budget = number(p.Budgets.Pushed)
	}
	c.estimate("curve", p.Name, budget, "", "", "pushes_per_home_day", "", p.Pushes)
	c.estimate("curve", p.Name, budget, "", "", "visits_per_home_day", "", p.Visits)
	c.estimate("curve", p.Name, budget, "", "", "pushes_per_home_day_outside_silences", "", p.PushesOut)
	c.estimate("curve", p.Name, budget, "", "", "visits_per_home_day_outside_silences", "", p.VisitsOut)
	for _, k := range p.Kinds {
		c.estimate("curve", p.Name, budget, k.Kind, "", "pushed", number(k.Hours), k.Share)
		c.estimate("curve", p.Name, budget, k.Kind, "", "own_kind", number(k.Hours), k.Own)
		c.delay("curve", p.Name, budget, k.Kind, "", "pushed_median_hours", k.Median)
	}
}
