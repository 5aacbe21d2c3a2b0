package evaluate

import (
	"slices"
	"strings"

	"weimang/detectors"
)

// scorer turns outcomes into scores; all figures are resampled alike.
type scorer struct {
	tr    *trial
	index map[*home]int // of judged homes
	homes []*home
	draws [][]int
	away  [][]silence // by judged home
}

func newScorer(tr *trial, bootstrap int) *scorer {
	s := &scorer{tr: tr, index: make(map[*home]int)}
	for _, a := range tr.areas {
		for _, i := range a.judged {
			s.homes = append(s.homes, a.homes[i])
		}
	}
	slices.SortFunc(s.homes, func(a, b *home) int { return strings.Compare(a.id, b.id) })
	s.away = make([][]silence, len(s.homes))
	for i, h := range s.homes {
		s.index[h], s.away[i] = i, h.silences()
	}
	s.draws = resample(len(s.homes), bootstrap, tr.seed)
	return s
}

// delays collects one sort of delay of a recipe's cases.
func (s *scorer) delays(recipe int, of func(n int) tick) byHome {
	d := make(byHome, len(s.homes))
	for n, j := range s.tr.jobs {
		if j.recipe == recipe {
			i := s.index[j.area.homes[j.self]]
			d[i] = append(d[i], of(n))
		}
	}
	return d
}

func (s *scorer) found(r *Recipe, d byHome) Found {
	return Found{Within: s.within(r, d), Median: d.quantileOf(0.5, s.draws), P90: d.quantileOf(0.9, s.draws)}
}

func (s *scorer) within(r *Recipe, d byHome) []WithinHours {
	var all []WithinHours
	for _, w := range r.Windows {
		all = append(all, WithinHours{Hours: w.Hours(), Share: d.share(ticksIn(w), s.draws)})
	}
	return all
}

// scores of every recipe; visits and kinds only where outcomes know them.
func (s *scorer) scores(outcomes func(n int) *outcome, kinds bool) []Score {
	var all []Score
	for r := range s.tr.recipes {
		recipe := &s.tr.recipes[r]
		score := Score{Kind: recipe.Kind, Recipe: recipe.Name, Headline: recipe.Headline, Says: recipe.Says, HeadlineHours: recipe.Within.Hours()}
		for n, j := range s.tr.jobs {
			if j.recipe != r {
				continue
			}
			score.Cases++
			if within(s.away[s.index[j.area.homes[j.self]]], j.scene.onset) {
				score.InSilence++
			}
			if kind := outcomes(n).named; kind != "" {
				if score.Named == nil {
					score.Named = make(map[string]int)
				}
				score.Named[string(kind)]++
			}
		}
		score.Pushed = s.found(recipe, s.delays(r, func(n int) tick { return outcomes(n).push }))
		if kinds {
			visit := s.found(recipe, s.delays(r, func(n int) tick { return outcomes(n).visit }))
			own := s.delays(r, func(n int) tick { return outcomes(n).own })
			share := own.share(never-1, s.draws)
			score.Visit, score.Own, score.OwnWithin = &visit, &share, s.within(recipe, own)
		}
		all = append(all, score)
	}
	return all
}

// bounds of the recipes in which nobody uses anything.
func (s *scorer) bounds() []Bound {
	var all []Bound
	for r := range s.tr.recipes {
		recipe := &s.tr.recipes[r]
		if !recipe.Quiet {
			continue
		}
		d := s.delays(r, func(n int) tick {
			j := s.tr.jobs[n]
			return j.area.homes[j.self].nextUse(j.scene.onset)
		})
		b := Bound{Kind: recipe.Kind, Recipe: recipe.Name, Found: s.found(recipe, d)}
		for _, delays := range d {
			b.Cases += len(delays)
		}
		all = append(all, b)
	}
	return all
}

// untouched counts what was said of the judged homes as they were.
func (s *scorer) untouched(pushes [][][]push, budgets detectors.Budgets) Untouched {
	n := len(s.homes)
	days, earlyDays := make([]float64, n), make([]float64, n)
	all, visits, out, visitsOut := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	early, earlyVisits := make([]float64, n), make([]float64, n)
	kinds := make(map[detectors.Kind]*KindRate)
	var u Untouched
	warm := ticksIn(s.tr.warmup)
	for ai, a := range s.tr.areas {
		for _, self := range a.judged {
			h := a.homes[self]
			i := s.index[h]
			after, from3, until42 := h.start+warm, h.start+3*dayTicks, h.start+42*dayTicks
			for k, wh := range h.wh {
				if !measured(wh) {
					continue
				}
				t := h.at(k)
				if t >= after {
					days[i] += h.step.hours() / 24
				}
				if t >= from3 && t < until42 {
					earlyDays[i] += h.step.hours() / 24
				}
			}
			for k := range pushes[ai][self] {
				p := &pushes[ai][self][k]
				if p.at > from3 && p.at <= until42 {
					early[i]++
					earlyVisits[i] += one(p.visit)
				}
				if p.at <= after {
					continue
				}
				outside := one(!during(s.away[i], p))
				all[i]++
				visits[i] += one(p.visit)
				out[i] += outside
				visitsOut[i] += outside * one(p.visit)
				if p.kind != "" {
					r := kinds[p.kind]
					if r == nil {
						r = &KindRate{Kind: p.kind}
						kinds[p.kind] = r
					}
					r.Pushes++
					r.Visits += one(p.visit)
					r.PushesOutside += outside
				}
			}
			for _, sl := range s.away[i] {
				if sl.until > after {
					u.Silences++
					u.SilentDays += (sl.until - max(sl.from, after)).hours() / 24
				}
			}
			u.HomeDays += days[i]
			u.Early.HomeDays += earlyDays[i]
		}
	}
	u.Pushes, u.Visits = fraction(all, days, s.draws), fraction(visits, days, s.draws)
	u.PushesOutside, u.VisitsOutside = fraction(out, days, s.draws), fraction(visitsOut, days, s.draws)
	u.Early.Pushes, u.Early.Visits = fraction(early, earlyDays, s.draws), fraction(earlyVisits, earlyDays, s.draws)
	for _, kind := range detectors.Kinds {
		if r := kinds[kind]; r != nil {
			r.Pushes, r.Visits, r.PushesOutside = r.Pushes/u.HomeDays, r.Visits/u.HomeDays, r.PushesOutside/u.HomeDays
			u.ByKind = append(u.ByKind, *r)
		}
	}
	u.Spread = s.spread(all, visits, days, budgets)
	return u
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (s *scorer) spread(pushes, visits, days []float64, budgets detectors.Budgets) Spread {
	var sp Spread
	var rates []float64
	for i, h := range s.homes {
		if days[i] == 0 {
			continue
		}
		rate := pushes[i] / days[i]
		if rates = append(rates, rate); rate > sp.WorstRate || sp.Worst == "" {
			sp.Worst, sp.WorstRate = h.id, rate
		}
		sp.OverBudget += one(rate > budgets.Pushed)
		sp.OverVisitBudget += one(visits[i]/days[i] > budgets.Visit)
	}
	if n := float64(len(rates)); n > 0 {
		slices.Sort(rates)
		sp.OverBudget /= n
		sp.OverVisitBudget /= n
		sp.Quartiles = [3]float64{quantile(rates, 0.25), quantile(rates, 0.5), quantile(rates, 0.75)}
	}
	return sp
}

// point is the rule's place on the operating curve.
func point(name string, u *Untouched, scores []Score) Point {
	p := Point{Name: name, Pushes: u.Pushes, Visits: u.Visits, PushesOut: u.PushesOutside, VisitsOut: u.VisitsOutside}
	for i := range scores {
		sc := &scores[i]
		if !sc.Headline {
			continue
		}
		k := KindPoint{Kind: sc.Kind, Hours: sc.HeadlineHours, Median: sc.Pushed.Median}
		k.Share = shareAt(sc.Pushed.Within, k.Hours)
		k.Own = shareAt(sc.OwnWithin, k.Hours)
		p.Kinds = append(p.Kinds, k)
	}
	return p
}

func shareAt(all []WithinHours, hours float64) Estimate {
	for _, w := range all {
		if w.Hours == hours {
			return w.Share
		}
	}
	return Estimate{}
}
