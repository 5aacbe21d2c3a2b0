package rosterfile

import (
	"strings"
	"testing"

	"weimang/alerts"
)

func TestPeople(t *testing.T) {
	people, err := ReadPeople(strings.NewReader("\ufeffvillage_id,role,name,channel,address,language\nwd,chair,妇联主席,console,,\nwd,chair,副主席,webhook,x,en\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []alerts.Person{
		{ID: "wd:chair:1", VillageID: "wd", Role: alerts.Chair, Name: "妇联主席", Channel: "console", Lang: alerts.Chinese},
		{ID: "wd:chair:2", VillageID: "wd", Role: alerts.Chair, Name: "副主席", Channel: "webhook", Address: "x", Lang: alerts.English},
	}
	if len(people) != 2 || people[0] != want[0] || people[1] != want[1] {
		t.Errorf("read %+v", people)
	}
}

func TestBadPeopleAreNamedByPlaceNotByContent(t *testing.T) {
	const header = "village_id,role,name,channel,address,language\n"
	for name, c := range map[string]struct{ file, want string }{
		"empty file":       {"", "line 1"},
		"column missing":   {"village_id,name,channel\n", "column role is missing"},
		"no village":       {header + ",chair,李桂花,console,,\n", "line 2, column village_id"},
		"unknown role":     {header + "wd,chair,李桂花,console,,\nwd,boss,李桂花,console,,\n", "line 3, column role"},
		"no channel":       {header + "wd,chair,李桂花,,13800000000,\n", "line 2, column channel"},
		"unknown language": {header + "wd,chair,李桂花,console,,fr\n", "line 2, column language"},
		"too many columns": {header + "wd,chair,李桂花,console,,,,\n", "line 2"},
		"quote left open":  {header + "wd,\"chair,李桂花,console,,\n", "line"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadPeople(strings.NewReader(c.file))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), "李桂花") || strings.Contains(err.Error(), "138") {
				t.Errorf("the error repeats a person's data: %v", err)
			}
		})
	}
}
