package main

import (
	"fmt"
	"strings"
	"testing"

	"weimang/alerts/store"
	"weimang/ingest"
)

func TestAListThatIsCutShortIsRefused(t *testing.T) {
	var watched []ingest.Home
	var rows []store.HouseholdRow
	for i := range 10 {
		home := fmt.Sprintf("h-%d", i)
		watched = append(watched, ingest.Home{MeterID: "m-" + home, HouseholdID: home}, ingest.Home{MeterID: "second-" + home, HouseholdID: home})
		rows = append(rows, store.HouseholdRow{MeterID: "new-" + home, HouseholdID: home})
	}
	for name, c := range map[string]struct {
		rows    []store.HouseholdRow
		refused bool
	}{
		"no list":          {nil, false},
		"the same homes":   {rows, false},
		"half of them":     {rows[:5], false},
		"fewer than half":  {rows[:4], true},
		"only others":      {[]store.HouseholdRow{{MeterID: "m-x", HouseholdID: "x"}}, true},
		"meters exchanged": {rows[2:], false},
	} {
		t.Run(name, func(t *testing.T) {
			err := tooShort(watched, c.rows)
			if (err != nil) != c.refused {
				t.Errorf("got %v", err)
			}
			if err != nil && !strings.Contains(err.Error(), "roster.allow_removal") {
				t.Errorf("the error names no remedy: %v", err)
			}
		})
	}
	if err := tooShort(nil, rows); err != nil {
		t.Errorf("a first list: %v", err)
	}
}
