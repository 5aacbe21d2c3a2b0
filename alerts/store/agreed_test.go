package store_test

import (
	"testing"
	"time"

	"weimang/alerts/roster"
	"weimang/alerts/store/storetest"
)

func TestWhatAHomeHasAgreedTo(t *testing.T) {
	db := storetest.Open(t, func() time.Time { return noon })
	by := roster.By{Actor: "test", For: roster.ForImport}
	must(t, db.ChangeRoster(t.Context(), by, func(r *roster.Roster) (*roster.Roster, error) {
		r.Households = append(r.Households, roster.Household{ID: "h1", Label: "1号"}, roster.Household{ID: "h2", Label: "2号"}, roster.Household{ID: "h3", Label: "3号"})
		r.Consents = append(r.Consents,
			roster.Consent{HouseholdID: "h1", Scope: roster.ToWatch, GivenBy: "resident"},
			roster.Consent{HouseholdID: "h2", Scope: roster.ToCurve, GivenBy: "resident", Until: noon.Add(time.Hour)},
			roster.Consent{HouseholdID: "h2", Scope: roster.ToName, GivenBy: "resident", Until: noon.Add(-time.Hour)})
		return r, nil
	}))
	for _, c := range []struct {
		household string
		scope     roster.Scope
		want      bool
	}{
		{"h1", roster.ToWatch, true},
		{"h1", roster.ToCurve, false}, // something is recorded, and not this
		{"h2", roster.ToCurve, true},
		{"h2", roster.ToName, false}, // it has ended
		{"h3", roster.ToCurve, true}, // nothing is recorded: the list answers for it
	} {
		got, err := db.Agreed(t.Context(), c.household, c.scope)
		must(t, err)
		if got != c.want {
			t.Errorf("%s to %s: %v, want %v", c.household, c.scope, got, c.want)
		}
	}
}
