package roster

import "testing"

func TestWhoMaySeeAHome(t *testing.T) {
	home := Household{ID: "h1", VillageID: "v1", CellID: "g1"}
	above := []Unit{{ID: "v1", Level: Village}, {ID: "t1", Level: Town}, {ID: "c1", Level: County}, {ID: "city", Level: City}}
	for _, tc := range []struct {
		name   string
		duties []Duty
		want   Role
	}{
		{"the chair of the village", []Duty{{Role: Chair, UnitID: "v1"}}, Chair},
		{"her deputy", []Duty{{Role: Deputy, UnitID: "v1"}}, Deputy},
		{"the chair of another village", []Duty{{Role: Chair, UnitID: "v2"}}, ""},
		{"a chair entered for the town", []Duty{{Role: Chair, UnitID: "t1"}}, ""},
		{"a chair entered for the home", []Duty{{Role: Chair, HouseholdID: "h1"}}, ""},
		{"the grid worker of the cell", []Duty{{Role: GridWorker, UnitID: "g1"}}, GridWorker},
		{"the grid worker of another cell", []Duty{{Role: GridWorker, UnitID: "g2"}}, ""},
		{"the town above", []Duty{{Role: TownDesk, UnitID: "t1"}}, TownDesk},
		{"another town", []Duty{{Role: TownDesk, UnitID: "t2"}}, ""},
		{"a town desk entered for the village", []Duty{{Role: TownDesk, UnitID: "v1"}}, ""},
		{"a town desk entered for the county", []Duty{{Role: TownDesk, UnitID: "c1"}}, ""},
		{"the county above", []Duty{{Role: CountyDesk, UnitID: "c1"}}, CountyDesk},
		{"the care team", []Duty{{Role: CareTeam, HouseholdID: "h1"}}, CareTeam},
		{"the care team of another home", []Duty{{Role: CareTeam, HouseholdID: "h2"}}, ""},
		{"the cadre", []Duty{{Role: Cadre, HouseholdID: "h1"}}, Cadre},
		{"family", []Duty{{Role: Kin, HouseholdID: "h1"}}, Kin},
		{"family who is chair, too", []Duty{{Role: Kin, HouseholdID: "h1"}, {Role: Chair, UnitID: "v1"}}, Chair},
		{"who lives there", []Duty{{Role: Resident, HouseholdID: "h1"}}, ""},
		{"a volunteer", []Duty{{Role: Volunteer, UnitID: "v1"}}, ""},
		{"an operator", []Duty{{Role: Operator, UnitID: "v1"}}, ""},
		{"nobody", nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := Viewer{ID: "p", Duties: tc.duties}
			if got := v.Sees(home, above); got != tc.want {
				t.Errorf("sees it as %q, want %q", got, tc.want)
			}
		})
	}
	// A home that is nowhere is nobody's but of those who help it, whatever stands
	// empty in a duty.
	nowhere := Household{ID: "h7"}
	for _, role := range Roles {
		if got := (&Viewer{Duties: []Duty{{Role: role}}}).Sees(nowhere, nil); got != "" {
			t.Errorf("a %s of nothing sees a home that is nowhere", role)
		}
	}
	standIn := Viewer{StandsIn: map[string]Role{"h1": Chair, "h2": Resident}}
	if got := standIn.Sees(home, above); got != Chair {
		t.Errorf("who stands in for the chair sees it as %q", got)
	}
	if got := standIn.Sees(Household{ID: "h2"}, nil); got != "" {
		t.Errorf("who stands in for the resident sees her home as %q", got)
	}
}
