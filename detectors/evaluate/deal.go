package evaluate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"weimang/ingest"
	"weimang/ingest/intake"
)

// deal puts homes into areas: where the roster names the area, the whole area
// as it is, with its other homes as neighbours; the judged homes without an
// area into areas of about size, by the seed.
func deal(homes []*home, judged func(*home) bool, size int, seed uint64) []*area {
	byArea := make(map[string][]*home)
	var loose []*home
	for _, h := range homes {
		if h.area != "" {
			byArea[h.area] = append(byArea[h.area], h)
		} else if judged(h) {
			loose = append(loose, h)
		}
	}
	var areas []*area
	for id, hs := range byArea {
		if slices.ContainsFunc(hs, judged) {
			areas = append(areas, newArea(id, hs, judged))
		}
	}
	slices.SortFunc(areas, func(a, b *area) int { return strings.Compare(a.id, b.id) })
	rng := dice(seed, "areas")
	rng.Shuffle(len(loose), func(i, j int) { loose[i], loose[j] = loose[j], loose[i] })
	n := (len(loose) + size - 1) / size
	for i := range n {
		areas = append(areas, newArea(fmt.Sprintf("dealt-%02d", i+1), loose[i*len(loose)/n:(i+1)*len(loose)/n], judged))
	}
	return areas
}

// inform gives each area the incidents that concern it or homes in it.
func inform(areas []*area, roster intake.Roster, reports []ingest.Report) {
	for r := range reports {
		concerned := roster.Areas(reports[r].Scope, reports[r].KnownAt())
		for _, a := range areas {
			in := reports[r].Incident
			in.Scope = ingest.Scope{}
			households, all := concerned[a.id]
			concerns := all
			if all {
				in.Scope.Households = households
			} else {
				for _, h := range a.homes { // dealt, and named alone
					if _, own := concerned[intake.OwnArea(h.meter)]; own && h.area == "" {
						in.Scope.Households = append(in.Scope.Households, h.id)
						concerns = true
					}
				}
			}
			if concerns {
				a.reports = append(a.reports, report{at: reports[r].KnownAt(), incident: in})
			}
		}
	}
	for _, a := range areas {
		slices.SortStableFunc(a.reports, func(x, y report) int { return x.at.Compare(y.at) })
	}
}

// interval is the area's shortest, for people.
func (a *area) interval() time.Duration { return a.grid.duration() }
