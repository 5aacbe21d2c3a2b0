package roster

import (
	"cmp"
	"slices"
)

// screening judges each household's steps in their order: the village and the
// town propose, the county reviews, others review, somebody stands at the
// door, and only then it is decided. Whoever was refused may be proposed anew.
func (c *checker) screening() {
	steps := make(map[string][]int) // by household
	for i, s := range c.Screening {
		if c.lacks(c.home, s.HouseholdID) {
			c.tell(UnknownHousehold, SheetScreening, i, "household_id")
		}
		steps[s.HouseholdID] = append(steps[s.HouseholdID], i)
	}
	decided := make(map[string]bool, len(steps))
	for household, at := range steps {
		slices.SortStableFunc(at, func(a, b int) int {
			x, y := c.Screening[a], c.Screening[b]
			return cmp.Or(x.At.Compare(y.At), cmp.Compare(slices.Index(Steps, x.Step), slices.Index(Steps, y.Step)))
		})
		way := screeningWay{}
		for _, i := range at {
			if rule := way.take(c.Screening[i]); rule != "" {
				c.tell(rule, SheetScreening, i, "step")
			}
		}
		decided[household] = way.last == Decided || way.last == Discontinued
	}
	if len(c.Screening) == 0 {
		return // nobody screens here
	}
	for i, h := range c.Households {
		if !decided[h.ID] {
			c.tell(ScreeningIncomplete, SheetHouseholds, i, "")
		}
	}
}

// screeningWay is how far a household has come.
type screeningWay struct {
	last    Step // "" before the first
	refused bool
}

// take takes the next step; it returns what is wrong with it.
func (w *screeningWay) take(s Screening) Rule {
	before := *w
	w.last, w.refused = s.Step, s.Verdict == No
	ended := before.last == "" || before.last == Decided || before.last == Discontinued
	switch {
	case s.Step == Proposed:
		if ended || before.refused {
			return ""
		}
		return ScreeningOrder // proposed again in the middle
	case s.Step == Discontinued:
		if before.last == Decided && !before.refused {
			return ""
		}
		return ScreeningOrder
	case before.refused && !ended:
		if s.Step == Decided && s.Verdict == No {
			return ""
		}
		return ScreeningRefused
	case !ended && slices.Index(Steps, s.Step) == slices.Index(Steps, before.last)+1:
		return ""
	default:
		return ScreeningOrder
	}
}

// NextSteps are the steps that may follow a household's screening so far; those
// given are in order. Whatever else is refused by Check.
func NextSteps(sofar []Screening) []Step {
	var next []Step
	for _, step := range Steps {
		way := screeningWay{}
		for _, s := range sofar {
			way.take(s)
		}
		if way.take(Screening{Step: step, Verdict: No}) == "" {
			next = append(next, step)
		}
	}
	return next
}
