package roster

import (
	"slices"
	"time"

	"weimang/ingest"
)

// Period is [From, Until); a zero end is no bound.
type Period struct{ From, Until time.Time }

// holds reports whether a time is in it.
func (p Period) holds(t time.Time) bool {
	return !t.Before(p.From) && (p.Until.IsZero() || t.Before(p.Until))
}

// Agreed are the times for which a household has agreed to a scope, in order
// and without overlaps. Where nothing is recorded it has agreed, without
// bounds, if listed: if whoever gave the list answers for the consent of all
// whom it names.
func Agreed(consents []Consent, household string, scope Scope, listed bool) []Period {
	var given []Period
	recorded := false
	for _, c := range consents {
		if c.HouseholdID != household || c.Scope != scope {
			continue
		}
		recorded = true
		if c.Until.IsZero() || c.Until.After(c.From) {
			given = append(given, Period{c.From, c.Until})
		}
	}
	if !recorded && listed {
		return []Period{{}}
	}
	slices.SortFunc(given, func(a, b Period) int { return a.From.Compare(b.From) })
	out := given[:0]
	for _, p := range given {
		if n := len(out); n > 0 && (out[n-1].Until.IsZero() || !p.From.After(out[n-1].Until)) {
			if last := &out[n-1]; !last.Until.IsZero() && (p.Until.IsZero() || p.Until.After(last.Until)) {
				last.Until = p.Until
			}
			continue
		}
		out = append(out, p)
	}
	return out
}

// AgreedAt reports whether a time is in one of the periods.
func AgreedAt(agreed []Period, t time.Time) bool {
	return slices.ContainsFunc(agreed, func(p Period) bool { return p.holds(t) })
}

// Within are the parts of a meter's time at a home for which there is consent.
// They are cut inwards to the whole hour of UTC, as the stream knows them:
// nothing is watched before somebody has agreed, or after.
func Within(h ingest.Home, agreed []Period) []ingest.Home {
	var out []ingest.Home
	for _, p := range agreed {
		part := h
		if from := p.From.UTC(); !p.From.IsZero() {
			if cut := from.Truncate(time.Hour); cut.Before(from) {
				from = cut.Add(time.Hour)
			}
			if from.After(part.From) {
				part.From = from
			}
		}
		if !p.Until.IsZero() {
			if until := p.Until.UTC().Truncate(time.Hour); part.Until.IsZero() || until.Before(part.Until) {
				part.Until = until
			}
		}
		if part.Until.IsZero() || part.From.Before(part.Until) {
			out = append(out, part)
		}
	}
	return out
}
