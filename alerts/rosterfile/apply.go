package rosterfile

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"weimang/alerts/roster"
)

// Import says how a list changes the store's roster.
type Import struct {
	Replace      bool // a sheet that the list has is the whole of it
	AllowRemoval bool // most homes may leave
	Now          time.Time
	Channels     []string // that exist; nil: any
	Erased       []string // households that were erased, and stay so
	Lang         roster.Lang
}

// Imported is what a list would make of a roster.
type Imported struct {
	Roster  *roster.Roster
	Changes []Change
	Faults  []Fault
	// Homes that are watched before, and of them those that are not after.
	Watched, Lost int
	Lang          roster.Lang // of the faults
}

// Apply says what the store's roster becomes by a list. A list that cannot be
// used, or that takes more than half of the homes off, is an error; what it
// would have done is there all the same.
func Apply(stored *roster.Roster, list *List, how Import) (Imported, error) {
	was := Encode(stored)
	is := Overlay(was, list, how.Replace)
	// Whoever imports a home records its consent, or has none.
	for i, row := range is[roster.SheetHouseholds] {
		if row.At.Row > 0 {
			is[roster.SheetHouseholds][i].Values = without(row.Values, "listed")
		}
	}
	out := Imported{Changes: Diff(was, is), Faults: list.Faults, Lang: how.Lang}
	for _, row := range list.Tables[roster.SheetHouseholds] {
		if slices.Contains(how.Erased, row.Values["household_id"]) {
			out.Faults = append(out.Faults, fault(row.At, "household_id", roster.HomeErased, how.Lang))
		}
	}
	r, at := Build(is)
	out.Roster = r
	by := roster.Checking{Now: how.Now, Whole: true, Channels: how.Channels}
	before := make(map[string]bool)
	_, stands := Build(was)
	for _, f := range Locate(roster.Check(stored, by), stands, how.Lang) {
		before[string(f.Rule)+f.Entry] = true
	}
	refused := Refused(out.Faults)
	for _, f := range Locate(roster.Check(r, by), at, how.Lang) {
		if f.File == "" && before[string(f.Rule)+f.Entry] {
			continue // it was there before, and is not the list's
		}
		refused = refused || f.Grave
		out.Faults = append(out.Faults, f)
	}
	if refused {
		return out, errors.New("the list has errors, and nothing was changed")
	}
	watched := Watched(stored, how.Now)
	after := Watched(r, how.Now)
	out.Watched = len(watched)
	for id := range watched {
		if !after[id] {
			out.Lost++
		}
	}
	if out.Lost*2 > out.Watched && !how.AllowRemoval {
		return out, fmt.Errorf("the list leaves %d of the %d homes watched now unwatched, and nothing was changed; if that is meant, say --allow-removal", out.Lost, out.Watched)
	}
	return out, nil
}

// Watched are the households that are watched at a time: with a meter, and
// with consent.
func Watched(r *roster.Roster, now time.Time) map[string]bool {
	consents := make(map[string][]roster.Consent)
	for _, c := range r.Consents {
		consents[c.HouseholdID] = append(consents[c.HouseholdID], c)
	}
	agreed := make(map[string]bool, len(r.Households))
	for _, h := range r.Households {
		agreed[h.ID] = roster.AgreedAt(roster.Agreed(consents[h.ID], h.ID, roster.ToWatch, h.Listed), now)
	}
	out := make(map[string]bool)
	for i := range r.Meters {
		if m := &r.Meters[i]; agreed[m.HouseholdID] && (m.Until.IsZero() || m.Until.After(now)) {
			out[m.HouseholdID] = true
		}
	}
	return out
}

func without(values map[string]string, key string) map[string]string {
	out := make(map[string]string, len(values))
	for k, v := range values {
		if k != key {
			out[k] = v
		}
	}
	return out
}

// Households are the ids of the homes that a list names.
func (l *List) Households() []string {
	var ids []string
	for _, row := range l.Tables[roster.SheetHouseholds] {
		ids = append(ids, row.Values["household_id"])
	}
	return ids
}
