package evaluate

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"weimang/detectors"
)

// WriteTable writes the report as text for people.
func (r *Report) WriteTable(w io.Writer) error {
	t := &table{w: w}
	r.writeHomes(t)
	r.writeUntouched(t)
	r.writeScores(t)
	r.writePeers(t)
	r.writeBound(t)
	r.writeCurve(t)
	return t.err
}

// table writes lines and aligned columns, and keeps the first error.
type table struct {
	w    io.Writer
	tabs *tabwriter.Writer
	err  error
}

func (t *table) line(format string, args ...any) {
	if t.tabs != nil {
		t.keep(t.tabs.Flush())
		t.tabs = nil
	}
	_, err := fmt.Fprintf(t.w, format+"\n", args...)
	t.keep(err)
}

func (t *table) row(cells ...string) {
	if t.tabs == nil {
		t.tabs = tabwriter.NewWriter(t.w, 0, 0, 2, ' ', 0)
	}
	_, err := fmt.Fprintln(t.tabs, "  "+strings.TrimRight(strings.Join(cells, "\t"), "\t"))
	t.keep(err)
}

func (t *table) keep(err error) {
	if t.err == nil {
		t.err = err
	}
}

func rateText(e Estimate) string {
	if e.Low == e.High {
		return fmt.Sprintf("%.4f", e.Value)
	}
	return fmt.Sprintf("%.4f [%.4f–%.4f]", e.Value, e.Low, e.High)
}

func shareText(e Estimate) string {
	if e.Low == e.High {
		return fmt.Sprintf("%.0f %%", 100*e.Value)
	}
	return fmt.Sprintf("%.0f %% [%.0f–%.0f]", 100*e.Value, 100*e.Low, 100*e.High)
}

func percentText(e Estimate) string { return fmt.Sprintf("%.0f %%", 100*e.Value) }

func hoursText(h *float64) string {
	switch {
	case h == nil:
		return "–"
	case *h >= 72:
		return fmt.Sprintf("%.1f d", *h/24)
	default:
		return fmt.Sprintf("%.1f h", *h)
	}
}

// delayText is a delay and, where they differ, the ends of its interval.
func delayText(d Delay) string {
	if d.Low == d.High || d.Low != nil && d.High != nil && *d.Low == *d.High {
		return hoursText(d.Hours)
	}
	return fmt.Sprintf("%s [%s to %s]", hoursText(d.Hours), hoursText(d.Low), hoursText(d.High))
}

func windowText(hours float64) string {
	if hours > 48 && int(hours)%24 == 0 {
		return fmt.Sprintf("≤ %.0f d", hours/24)
	}
	return fmt.Sprintf("≤ %.0f h", hours)
}

func (r *Report) writeHomes(t *table) {
	how := "picked as regular"
	if r.Homes.Given {
		how = "from the list"
	}
	homes := 0
	for _, a := range r.Homes.Areas {
		homes += a.Homes
	}
	t.line("%d homes %s, in %d areas (%d homes); %d cases, %d without room; seed %d; %.0f days of warm-up",
		len(r.Homes.Judged), how, len(r.Homes.Areas), homes, r.Cases, r.NoRoom, r.Settings.Seed, r.Settings.WarmupDays)
	for _, l := range r.Homes.LeftOut {
		t.line("  left out: %d %s", l.Homes, l.Why)
	}
	if r.Homes.Unknown > 0 {
		t.line("  left out: %d meters not in the file of households", r.Homes.Unknown)
	}
}

func (r *Report) writeUntouched(t *table) {
	u := &r.Detectors.Untouched
	t.line("\nUntouched homes, per home-day (%.0f home-days after the warm-up)", u.HomeDays)
	t.row("", "pushes", "red or orange")
	t.row("all", rateText(u.Pushes), rateText(u.Visits))
	t.row("outside silences", rateText(u.PushesOutside), rateText(u.VisitsOutside))
	t.row("days 3 to 42", rateText(u.Early.Pushes), rateText(u.Early.Visits))
	for _, k := range u.ByKind {
		t.row("  "+string(k.Kind), fmt.Sprintf("%.4f (%.4f outside)", k.Pushes, k.PushesOutside), fmt.Sprintf("%.4f", k.Visits))
	}
	t.line("  %d silences of a day and more, %.0f days of them; budgets: %g pushed, %g red or orange",
		u.Silences, u.SilentDays, r.Settings.Budgets.Pushed, r.Settings.Budgets.Visits)
	s := &u.Spread
	t.line("  over homes: quartiles %.4f, %.4f, %.4f; worst %.4f (%s); over the push budget %.0f %%, over the other %.0f %%",
		s.Quartiles[0], s.Quartiles[1], s.Quartiles[2], s.WorstRate, s.Worst, 100*s.OverBudget, 100*s.OverVisitBudget)
}

func (r *Report) writeScores(t *table) {
	t.line("\nFound after the onset, and not by the control; in brackets 95 %% by resampling homes")
	kind := ""
	for i := range r.Detectors.Scores {
		s := &r.Detectors.Scores[i]
		if s.Kind != kind {
			kind = s.Kind
			t.line("\n%s", kind)
			head := []string{"", ""}
			for _, w := range s.Pushed.Within {
				head = append(head, windowText(w.Hours))
			}
			if s.Cases > 0 {
				t.row(append(head, "median", "90 %", "own kind")...)
			}
		}
		if s.Cases == 0 {
			t.row(s.Recipe, "no home has room for a case")
			continue
		}
		own := ""
		if s.Own != nil {
			own = percentText(*s.Own)
		}
		found := func(name, what string, f *Found, text func(Estimate) string, tail ...string) {
			cells := []string{name, what}
			for _, w := range f.Within {
				cells = append(cells, text(w.Share))
			}
			t.row(append(append(cells, delayText(f.Median), hoursText(f.P90.Hours)), tail...)...)
		}
		found(s.Recipe, "pushed", &s.Pushed, shareText, own)
		if s.Visit != nil {
			found("", "red or orange", s.Visit, shareText)
		}
		if len(s.OwnWithin) > 0 {
			cells := []string{"", "own kind"}
			for _, w := range s.OwnWithin {
				cells = append(cells, shareText(w.Share))
			}
			t.row(cells...)
		}
		if named := namedText(s.Named); named != "" {
			t.row("", "named first", named)
		}
	}
}

// namedText is which kinds were named first, in the order of precedence.
func namedText(named map[string]int) string {
	var parts []string
	for _, k := range detectors.Kinds {
		if n := named[string(k)]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", k, n))
		}
	}
	return strings.Join(parts, ", ")
}

func (r *Report) writePeers(t *table) {
	if len(r.Peers) == 0 {
		return
	}
	t.line("\nRules of others on the same homes and cases (headline recipes)")
	head := []string{"", "alerts per home-day", "outside silences"}
	rules := append([]Rule{r.Detectors}, r.Peers...)
	for i := range r.Detectors.Scores {
		if s := &r.Detectors.Scores[i]; s.Headline {
			head = append(head, s.Kind+" "+windowText(s.HeadlineHours))
		}
	}
	t.row(head...)
	for _, p := range rules {
		cells := []string{p.Name, fmt.Sprintf("%.4f", p.Untouched.Pushes.Value), fmt.Sprintf("%.4f", p.Untouched.PushesOutside.Value)}
		for i := range p.Scores {
			if s := &p.Scores[i]; s.Headline {
				cells = append(cells, fmt.Sprintf("%s, %s", percentText(shareAt(s.Pushed.Within, s.HeadlineHours)), hoursText(s.Pushed.Median.Hours)))
			}
		}
		t.row(cells...)
	}
	for _, p := range r.Peers {
		t.line("  %s: %s; %s", p.Name, p.Says, p.Source)
	}
}

func (r *Report) writeBound(t *table) {
	if len(r.Bound) == 0 {
		return
	}
	t.line("\nThe bound: when the person would next have used something")
	for i := range r.Bound {
		t.bound(&r.Bound[i])
	}
	t.flush()
	if len(r.Hindsight) == 0 {
		return
	}
	t.line("\nHindsight: one length of silence for each home, chosen knowing its base and its whole year,")
	t.line("at the rate at which no-sign-of-life was told outside silences (%.4f per home-day)", r.Hindsight[0].Rate)
	for i := range r.Hindsight {
		t.bound(&r.Hindsight[i].Bound)
	}
	t.flush()
}

func (t *table) bound(b *Bound) {
	cells := []string{b.Kind + "/" + b.Recipe}
	for _, w := range b.Within {
		cells = append(cells, windowText(w.Hours)+" "+percentText(w.Share))
	}
	t.row(append(cells, "median "+delayText(b.Median), "90 % "+hoursText(b.P90.Hours))...)
}

func (t *table) flush() {
	if t.tabs != nil {
		t.keep(t.tabs.Flush())
		t.tabs = nil
	}
}

func (r *Report) writeCurve(t *table) {
	if len(r.Curve) == 0 || len(r.Settings.CurveBudgets) == 0 {
		t.flush()
		return
	}
	t.line("\nOperating curve: per home-day, and the headline recipe's share within its window and median delay")
	head := []string{"budget", "pushes", "outside", "red or orange", "outside"}
	for _, k := range r.Curve[0].Kinds {
		head = append(head, k.Kind+" "+windowText(k.Hours))
	}
	t.row(head...)
	for _, p := range r.Curve {
		name := fmt.Sprintf("%g", p.Budgets.Pushed)
		visits, visitsOut := fmt.Sprintf("%.4f", p.Visits.Value), fmt.Sprintf("%.4f", p.VisitsOut.Value)
		if p.Peer {
			name, visits, visitsOut = p.Name, "", ""
		}
		cells := []string{name, fmt.Sprintf("%.4f", p.Pushes.Value), fmt.Sprintf("%.4f", p.PushesOut.Value), visits, visitsOut}
		for _, k := range p.Kinds {
			cells = append(cells, fmt.Sprintf("%s, %s", percentText(k.Share), hoursText(k.Median.Hours)))
		}
		t.row(cells...)
	}
	t.flush()
}
