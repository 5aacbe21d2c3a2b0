package alerts

import (
	"math"
	"slices"

	"weimang/detectors"
)

// Turned is how many cases of one kind in one village turned out some way.
type Turned struct {
	VillageID string
	Village   string // name
	Kind      detectors.Kind
	Severity  detectors.Severity // the highest
	Outcome   Outcome            // "" while it is not closed
	Cases     int
}

// Quality is what became of what people were told: for a kind, a village, or
// all. A case counts where somebody was told of it and it is closed.
type Quality struct {
	VillageID string         `json:"village_id,omitempty"`
	Village   string         `json:"village,omitempty"`
	Kind      detectors.Kind `json:"kind,omitempty"`

	Told       int `json:"told"`
	Open       int `json:"open"`       // not closed yet
	Real       int `json:"real"`       // somebody or something needed help
	Harmless   int `json:"harmless"`   // away, or with family
	Technical  int `json:"technical"`  // the meter, or its data
	False      int `json:"false"`      // all was well, at home
	Unanswered int `json:"unanswered"` // nobody said what it was

	// Precision is the share of the answered that were real, with the bounds
	// within which it lies at 95 % (Wilson); 0 to 1 where nothing is answered.
	Precision float64 `json:"precision"`
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
}

// Answered is how many cases somebody said something about.
func (q *Quality) Answered() int { return q.Real + q.Harmless + q.Technical + q.False }

// actual are the outcomes for which it was right to tell somebody.
var actual = []Outcome{Emergency, NeedsHelp, Appliance, Wiring}

// add counts cases.
func (q *Quality) add(t Turned) {
	if t.Outcome == Superseded || t.Outcome == Erased {
		return // the case goes on in another alert, or is not to be known any more
	}
	q.Told += t.Cases
	switch {
	case t.Outcome == "":
		q.Open += t.Cases
	case slices.Contains(actual, t.Outcome):
		q.Real += t.Cases
	case t.Outcome == WasAway || t.Outcome == AtFamily:
		q.Harmless += t.Cases
	case t.Outcome == Technical:
		q.Technical += t.Cases
	case t.Outcome == FalseCall:
		q.False += t.Cases
	default:
		q.Unanswered += t.Cases
	}
}

// judge works out the precision. The interval is Wilson's (1927): unlike the
// usual one it is right for few cases, too.
func (q *Quality) judge() {
	n := float64(q.Answered())
	q.Low, q.High = 0, 1
	if n == 0 {
		return
	}
	const z = 1.959964 // 95 %
	p := float64(q.Real) / n
	middle := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	q.Precision, q.Low, q.High = p, max(0, middle-half), min(1, middle+half)
}

// Qualities are the figures by kind and, within each, by village, in the order
// of detectors.Kinds and of the villages' names; the first is of all together. A
// kind's own line has no village.
func Qualities(all []Turned) []Quality {
	total := Quality{}
	byKind := map[detectors.Kind]*Quality{}
	type place struct {
		kind    detectors.Kind
		village string
	}
	byPlace := map[place]*Quality{}
	for _, t := range all {
		total.add(t)
		if byKind[t.Kind] == nil {
			byKind[t.Kind] = &Quality{Kind: t.Kind}
		}
		byKind[t.Kind].add(t)
		at := place{t.Kind, t.VillageID}
		if byPlace[at] == nil {
			byPlace[at] = &Quality{Kind: t.Kind, VillageID: t.VillageID, Village: t.Village}
		}
		byPlace[at].add(t)
	}
	out := []Quality{total}
	for _, k := range detectors.Kinds {
		if byKind[k] == nil || byKind[k].Told == 0 {
			continue
		}
		out = append(out, *byKind[k])
		var places []Quality
		for at, q := range byPlace {
			if at.kind == k && q.Told > 0 {
				places = append(places, *q)
			}
		}
		slices.SortFunc(places, func(a, b Quality) int {
			if a.Village != b.Village {
				if a.Village < b.Village {
					return -1
				}
				return 1
			}
			return slices.Compare([]byte(a.VillageID), []byte(b.VillageID))
		})
		out = append(out, places...)
	}
	for i := range out {
		out[i].judge()
	}
	return out
}
