package rosterfile

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"weimang/alerts/roster"
)

func TestPeople(t *testing.T) {
	const file = "\ufeffvillage_id,role,name,channel,address,language\nwd,chair,妇联主席,console,,\nwd,chair,副主席,webhook,x,en\n"
	people, err := ReadPeople(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	want := []roster.Member{
		{Person: roster.Person{ID: "wd:chair:1", Name: "妇联主席", Contacts: []roster.Contact{{Channel: "console"}}}, Duty: roster.Duty{Role: roster.Chair, UnitID: "wd"}},
		{Person: roster.Person{ID: "wd:chair:2", Name: "副主席", Lang: roster.English, Contacts: []roster.Contact{{Channel: "webhook", Address: "x"}}}, Duty: roster.Duty{Role: roster.Chair, UnitID: "wd"}},
	}
	if !reflect.DeepEqual(people, want) {
		t.Errorf("read %+v", people)
	}
	var out bytes.Buffer
	if err := WritePeople(&out, people); err != nil || "\ufeff"+out.String() != file {
		t.Errorf("wrote %q (%v)", out.String(), err)
	}
}

func TestEveryBadLineIsNamedByPlaceNotByContent(t *testing.T) {
	const header = "village_id,role,name,channel,address,language\n"
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"empty file":       {"", []string{"line 1"}},
		"column missing":   {"village_id,name,channel\n", []string{"no column role"}},
		"no village":       {header + ",chair,李桂花,console,,\n", []string{"line 2: column village_id"}},
		"two bad lines":    {header + "wd,boss,李桂花,console,,\nwd,chair,李桂花,console,,\nwd,chair,李桂花,,13800000000,\n", []string{"line 2: column role", "line 4: column channel"}},
		"unknown language": {header + "wd,chair,李桂花,console,,fr\n", []string{"line 2: column language"}},
		"GBK":              {header + "wd,chair,\xc0\xee,console,,\n", []string{"line 2", "UTF-8"}},
		"quote left open":  {header + "wd,\"chair,李桂花,console,,\n", []string{"line"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadPeople(strings.NewReader(c.file))
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Fatalf("got %v, want %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "李桂花") || strings.Contains(err.Error(), "138") {
				t.Errorf("the error repeats a person's data: %v", err)
			}
		})
	}
}
