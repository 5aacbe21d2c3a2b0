package roster

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"weimang/ingest"
)

func at(month time.Month, day int) time.Time {
	return time.Date(2026, month, day, 0, 0, 0, 0, time.UTC)
}

func TestAHomeIsWatchedOnlyWhileThereIsConsent(t *testing.T) {
	home := ingest.Home{MeterID: "m-1", HouseholdID: "h-1", From: at(3, 1)}
	given := func(from, until time.Time) Consent {
		return Consent{HouseholdID: "h-1", Scope: ToWatch, From: from, Until: until}
	}
	for name, c := range map[string]struct {
		consents []Consent
		listed   bool
		want     []Period
	}{
		"nothing is recorded":                  {nil, false, nil},
		"whoever gave the list answers for it": {nil, true, []Period{{at(3, 1), time.Time{}}}},
		"withdrawn, whatever the list says":    {[]Consent{given(time.Time{}, at(5, 1))}, true, []Period{{at(3, 1), at(5, 1)}}},
		"given later than the meter came":      {[]Consent{given(at(4, 1), time.Time{})}, false, []Period{{at(4, 1), time.Time{}}}},
		"withdrawn and given again":            {[]Consent{given(at(4, 1), at(5, 1)), given(at(6, 1), time.Time{})}, false, []Period{{at(4, 1), at(5, 1)}, {at(6, 1), time.Time{}}}},
		"two that overlap are one":             {[]Consent{given(at(6, 1), time.Time{}), given(at(4, 1), at(7, 1))}, false, []Period{{at(4, 1), time.Time{}}}},
		"ended before the meter came":          {[]Consent{given(at(1, 1), at(2, 1))}, false, nil},
		"withdrawn as soon as given":           {[]Consent{given(at(4, 1), at(4, 1))}, false, nil},
		"of another scope":                     {[]Consent{{HouseholdID: "h-1", Scope: ToKin}}, false, nil},
		"of another household":                 {[]Consent{{HouseholdID: "h-2", Scope: ToWatch}}, false, nil},
		"given and withdrawn within the hour":  {[]Consent{given(at(4, 1).Add(5*time.Minute), at(4, 1).Add(50*time.Minute))}, false, nil},
		"cut inwards to the hour": {
			[]Consent{given(at(4, 1).Add(5*time.Minute), at(4, 2).Add(50*time.Minute))},
			false,
			[]Period{{at(4, 1).Add(time.Hour), at(4, 2)}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []Period
			for _, h := range Within(home, Agreed(c.consents, "h-1", ToWatch, c.listed)) {
				got = append(got, Period{h.From, h.Until})
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("watched %v, want %v", got, c.want)
			}
		})
	}
}

func TestTheScreeningTakesItsSteps(t *testing.T) {
	var done []Screening
	for _, c := range []struct {
		step Step
		yes  Verdict
		next string
	}{
		{Proposed, Yes, "[first-review]"},
		{FirstReview, Yes, "[peer-review]"},
		{PeerReview, No, "[proposed decision]"}, // the neighbours say that she lives with her son
		{Decided, No, "[proposed]"},
		{Proposed, Yes, "[first-review]"}, // a year later he has moved out
		{FirstReview, Yes, "[peer-review]"},
		{PeerReview, Yes, "[visit]"},
		{DoorVisit, Yes, "[decision]"},
		{Decided, Yes, "[proposed discontinued]"},
		{Discontinued, Yes, "[proposed]"},
	} {
		done = append(done, Screening{HouseholdID: "h-1", Step: c.step, Verdict: c.yes, At: at(1, len(done)+1)})
		if got := fmt.Sprint(NextSteps(done)); got != c.next {
			t.Errorf("after %s %s: %s, want %s", c.step, c.yes, got, c.next)
		}
	}
	r := &Roster{Screening: done}
	if problems := Check(r, Checking{}); len(problems) > 0 {
		t.Errorf("complains: %v", problems)
	}
	r.Screening = append(r.Screening[:7:7], r.Screening[8:]...) // nobody has been at the door
	if got := fmt.Sprint(Check(r, Checking{})); got != "[{screening-order {screening 7 0} step []}]" {
		t.Errorf("without the visit: %s", got)
	}
}

func TestNumbersThatCanAndCannotBe(t *testing.T) {
	for written, want := range map[string]Rule{
		"13800000000": "", "138 0000 0000": "", "+86 138-0000-0000": "", "8613800000000": "",
		"0574-88000000": "", "(0574)8800000": "", "010-62000000": "", "+86 574 8800 0000": "", "400-800-0000": "", "+81 3 1234 5678": "",
		"88000000": NumberWithoutAreaCode, "1380000000": NumberImpossible, "138000000000": NumberImpossible, "12800000000": NumberImpossible,
		"0574-18000000": NumberImpossible, "110": NumberImpossible, "see below": NumberImpossible, "": NumberImpossible,
	} {
		if got := NumberFault(CleanNumber(written)); got != want {
			t.Errorf("%q: %q, want %q", written, got, want)
		}
	}
}

func TestStandInsThatCannotStandIn(t *testing.T) {
	person := func(id, standIn string, leaves ...Leave) Person {
		return Person{ID: id, StandIn: standIn, Leaves: leaves}
	}
	for name, c := range map[string]struct {
		people []Person
		want   string
	}{
		"each for the next":         {[]Person{person("a", "b"), person("b", "c"), person("c", "")}, "[]"},
		"in a circle":               {[]Person{person("a", "b"), person("b", "a"), person("c", "a")}, "[{stand-in-circle {people 0 0} stand_in []} {stand-in-circle {people 1 0} stand_in []}]"},
		"for herself":               {[]Person{person("a", "a")}, "[{stand-in-circle {people 0 0} stand_in []}]"},
		"nobody there":              {[]Person{person("a", "z")}, "[{stand-in-unknown {people 0 0} stand_in []}]"},
		"off the same days":         {[]Person{person("a", "b", Leave{From: at(5, 1), Until: at(5, 8)}), person("b", "", Leave{From: at(5, 7), Until: at(5, 9)})}, "[{stand-in-off {leaves 0 0} stand_in [{people 1 0}]}]"},
		"off the week after":        {[]Person{person("a", "b", Leave{From: at(5, 1), Until: at(5, 8)}), person("b", "", Leave{From: at(5, 8), Until: at(5, 9)})}, "[]"},
		"leave that never was":      {[]Person{person("a", "", Leave{From: at(5, 8), Until: at(5, 8)})}, "[{until-not-after-from {leaves 0 0} until []}]"},
		"somebody else those days":  {[]Person{person("a", "b", Leave{From: at(5, 1), Until: at(5, 8), StandIn: "c"}), person("b", "", Leave{From: at(5, 1), Until: at(5, 9)}), person("c", "")}, "[]"},
		"off in days that are gone": {[]Person{person("a", "b", Leave{From: at(1, 1), Until: at(1, 8)}), person("b", "", Leave{From: at(1, 1), Until: at(1, 9)})}, "[]"},
	} {
		if got := fmt.Sprint(Check(&Roster{People: c.people}, Checking{Now: at(4, 1)})); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestAWholeRosterMissesWhatAPartMayLeaveOut(t *testing.T) {
	r := &Roster{
		Units:      []Unit{{ID: "wandi", Level: Village}},
		Households: []Household{{ID: "h-1", VillageID: "wandi"}, {ID: "h-2", VillageID: "wandi", Listed: true}},
	}
	if got := Check(r, Checking{}); len(got) != 0 {
		t.Errorf("of a part: %v", got)
	}
	want := "[{village-without-chair {units 0 0}  []} {escalation-ends {units 0 0} parent_id []} {home-without-meter {households 0 0}  []} " +
		"{consent-missing {households 0 0}  []} {home-without-meter {households 1 0}  []}]"
	if got := fmt.Sprint(Check(r, Checking{Whole: true})); got != want {
		t.Errorf("of the whole: %s", got)
	}
}

func TestEveryRuleHasItsTexts(t *testing.T) {
	for rule, e := range explanations {
		for _, said := range []Explanation{e.en, e.zh} {
			if said.Text == "" || said.Remedy == "" {
				t.Errorf("%s: %+v", rule, said)
			}
		}
	}
}
