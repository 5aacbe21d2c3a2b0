package intake

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// residencesOf are the entries about a household in an area's log.
func residencesOf(entries []ingest.Input, household string) (found []ingest.Residence) {
	for _, e := range entries {
		if e.Residence != nil && e.Residence.HouseholdID == household {
			found = append(found, *e.Residence)
		}
	}
	return found
}

func (w *world) following() *Follower {
	f := NewFollower(nil)
	w.run(func(ctx context.Context) error { return f.Follow(ctx, w.client) })
	return f
}

func TestAreasAreToldWhoIsInThem(t *testing.T) {
	w := newWorld(t)
	date := noon.AddDate(0, 0, 3)
	homes := []ingest.Home{
		{MeterID: "m1", HouseholdID: "h1", AreaID: "A", Zone: "Asia/Shanghai", Until: date},
		{MeterID: "m1-new", HouseholdID: "h1", AreaID: "A", Zone: "Asia/Shanghai", From: date},
		{MeterID: "m2", HouseholdID: "h2", AreaID: "A", Until: date},
		{MeterID: "m2", HouseholdID: "h2", AreaID: "B", From: date},
		{MeterID: "m3", HouseholdID: "h3"},
	}
	if err := PublishRoster(w.ctx(), w.producer, homes); err != nil {
		t.Fatal(err)
	}
	s := w.service(w.following())
	w.run(s.Run)
	w.caught(s)
	in := w.inputs()
	for _, want := range []struct {
		area, household string
		stays           []ingest.Stay
	}{
		{"A", "h1", []ingest.Stay{{MeterID: "m1", Zone: "Asia/Shanghai", Until: date}, {MeterID: "m1-new", Zone: "Asia/Shanghai", From: date}}},
		{"A", "h2", []ingest.Stay{{MeterID: "m2", Until: date, To: "B"}}},
		{"B", "h2", []ingest.Stay{{MeterID: "m2", From: date}}},
		{"meter:m3", "h3", []ingest.Stay{{MeterID: "m3"}}},
	} {
		got := residencesOf(in[want.area], want.household)
		if len(got) != 1 || !reflect.DeepEqual(got[0].Stays, want.stays) {
			t.Errorf("%s in %s: %+v, want %+v", want.household, want.area, got, want.stays)
		}
	}
	if len(in) != 3 || w.metric("weimang_ingest_residences_total") != 4 {
		t.Errorf("%d logs, %v counted", len(in), w.metric("weimang_ingest_residences_total"))
	}
}

// A record that becomes another without a date, or goes, is told to the areas that
// it named before.
func TestAnAreaIsToldWhoIsNotInItAnyMore(t *testing.T) {
	w := newWorld(t)
	if err := PublishRoster(w.ctx(), w.producer, []ingest.Home{
		{MeterID: "m1", HouseholdID: "h1", AreaID: "A"}, {MeterID: "m2", HouseholdID: "h2", AreaID: "A"}, {MeterID: "m3", HouseholdID: "h3", AreaID: "A"},
	}); err != nil {
		t.Fatal(err)
	}
	s := w.service(w.following())
	w.run(s.Run)
	w.caught(s)
	if err := PublishRoster(w.ctx(), w.producer, []ingest.Home{{MeterID: "m1", HouseholdID: "h1", AreaID: "B"}, {MeterID: "m3", HouseholdID: "h4", AreaID: "A"}}); err != nil {
		t.Fatal(err)
	}
	if err := RemoveFromRoster(w.ctx(), w.producer, []string{"m2"}); err != nil {
		t.Fatal(err)
	}
	w.caught(s)
	in := w.inputs()
	for _, household := range []string{"h1", "h2", "h3"} {
		if got := residencesOf(in["A"], household); len(got) < 2 || len(got[len(got)-1].Stays) != 0 {
			t.Errorf("A was told of %s %+v, want that it is not there any more", household, got)
		}
	}
	if got := residencesOf(in["B"], "h1"); len(got) != 1 || len(got[0].Stays) != 1 {
		t.Errorf("B was told of h1 %+v", got)
	}
	if got := residencesOf(in["A"], "h4"); len(got) != 1 || len(got[0].Stays) != 1 {
		t.Errorf("A was told of h4 %+v", got)
	}
}

// Of all processes that follow the roster one writes; after a stop it goes on where
// that was committed.
func TestAreasAreToldOnce(t *testing.T) {
	w := newWorld(t)
	if err := PublishRoster(w.ctx(), w.producer, []ingest.Home{{MeterID: "m1", HouseholdID: "h1", AreaID: "A"}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		a, b := w.service(w.following()), w.service(w.following(), func(o *Options) { o.Registry = nil })
		ctx, cancel := context.WithCancel(w.ctx())
		done := make(chan error, 2)
		go func() { done <- a.Run(ctx) }()
		go func() { done <- b.Run(ctx) }()
		w.caught(a)
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		w.registry = prometheus.NewRegistry() // for the next
	}
	if got := residencesOf(w.inputs()["A"], "h1"); len(got) != 1 {
		t.Errorf("told %d times", len(got))
	}
}

func TestABlockIsSplitWhereItsMeterChangesHomes(t *testing.T) {
	w := newWorld(t)
	day := noon.Add(-24 * time.Hour)
	roster := Fixed([]ingest.Home{
		{MeterID: "m1", HouseholdID: "h1", AreaID: "A", From: day.Add(2 * time.Hour), Until: day.Add(6 * time.Hour)},
		{MeterID: "m1", HouseholdID: "h1", AreaID: "B", From: day.Add(6 * time.Hour), Until: day.Add(8 * time.Hour)},
		{MeterID: "m1", HouseholdID: "h9", AreaID: "B", From: day.Add(10 * time.Hour)},
	})
	b := ingest.Block{MeterID: "m1", Start: day, Interval: time.Hour}
	for i := range 12 {
		b.KWh = append(b.KWh, float64(i)/1000)
	}
	w.send(ingest.TopicReadings, stream.Record{Value: contract.EncodeJSON(&b)})
	s := w.service(roster, func(o *Options) { o.KeepUnknown = true })
	w.run(s.Run)
	w.caught(s)
	type part struct {
		household string
		start     time.Time
		wh        []uint32
	}
	want := map[string][]part{
		"A": {{"h1", day.Add(2 * time.Hour), []uint32{2, 3, 4, 5}}},
		"B": {{"h1", day.Add(6 * time.Hour), []uint32{6, 7}}, {"h9", day.Add(10 * time.Hour), []uint32{10, 11}}},
	}
	got := make(map[string][]part)
	for area, entries := range w.inputs() {
		for _, e := range entries {
			got[area] = append(got[area], part{e.Readings.HouseholdID, e.Readings.Start, e.Readings.Wh})
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	letters := w.letters()
	if len(letters) != 1 || letters[0].Reason != ingest.UnknownMeter {
		t.Errorf("of the rest: %+v", letters)
	}
}

func TestADirectiveGoesToTheAreaOfItsTime(t *testing.T) {
	f := NewFollower(nil)
	f.set("m1", []ingest.Home{
		{MeterID: "m1", HouseholdID: "h1", AreaID: "A", From: noon, Until: noon.Add(time.Hour)},
		{MeterID: "m1", HouseholdID: "h1", AreaID: "B", From: noon.Add(time.Hour), Until: noon.Add(2 * time.Hour)},
	})
	for at, want := range map[time.Duration]string{-time.Hour: "A", 0: "A", time.Hour: "B", 3 * time.Hour: "B"} {
		if got := f.Areas(ingest.Scope{Households: []string{"h1"}}, noon.Add(at)); len(got) != 1 || got[want] == nil {
			t.Errorf("after %s: %v, want %s", at, got, want)
		}
	}
}

func TestWhatAListChangesIsDated(t *testing.T) {
	now := time.Date(2026, 7, 12, 12, 34, 56, 0, time.FixedZone("CST", 8*3600))
	hour := time.Date(2026, 7, 12, 4, 0, 0, 0, time.UTC)
	before, after, long := hour.AddDate(0, 0, -9), hour.AddDate(0, 0, 9), hour.AddDate(-1, 0, 0)
	home := func(household, area string, from, until time.Time) ingest.Home {
		return ingest.Home{MeterID: "m1", HouseholdID: household, AreaID: area, From: from, Until: until}
	}
	var no time.Time
	for name, c := range map[string]struct{ was, list, want []ingest.Home }{
		"nothing before":               {nil, []ingest.Home{home("h1", "A", no, no)}, []ingest.Home{home("h1", "A", no, no)}},
		"the same":                     {[]ingest.Home{home("h1", "A", before, no)}, []ingest.Home{home("h1", "A", no, no)}, []ingest.Home{home("h1", "A", before, no)}},
		"moves without a date":         {[]ingest.Home{home("h1", "A", no, no)}, []ingest.Home{home("h1", "B", no, no)}, []ingest.Home{home("h1", "A", no, hour), home("h1", "B", hour, no)}},
		"moves with a date":            {[]ingest.Home{home("h1", "A", no, no)}, []ingest.Home{home("h1", "B", after, no)}, []ingest.Home{home("h1", "A", no, after), home("h1", "B", after, no)}},
		"moves, told late":             {[]ingest.Home{home("h1", "A", no, no)}, []ingest.Home{home("h1", "B", before, no)}, []ingest.Home{home("h1", "A", no, before), home("h1", "B", before, no)}},
		"leaves with a date":           {[]ingest.Home{home("h1", "A", no, no)}, []ingest.Home{home("h1", "A", no, after)}, []ingest.Home{home("h1", "A", no, after)}},
		"the date is another":          {[]ingest.Home{home("h1", "A", no, after), home("h1", "B", after, no)}, []ingest.Home{home("h1", "B", before, no)}, []ingest.Home{home("h1", "A", no, before), home("h1", "B", before, no)}},
		"is not in the list":           {[]ingest.Home{home("h1", "A", no, no)}, nil, []ingest.Home{home("h1", "A", no, hour)}},
		"had left before":              {[]ingest.Home{home("h1", "A", no, before)}, nil, []ingest.Home{home("h1", "A", no, before)}},
		"was left out by mistake":      {[]ingest.Home{home("h1", "A", no, before)}, []ingest.Home{home("h1", "A", no, no)}, []ingest.Home{home("h1", "A", no, no)}},
		"had left long ago":            {[]ingest.Home{home("h1", "A", no, long)}, nil, nil},
		"comes to another, long after": {[]ingest.Home{home("h1", "A", no, long)}, []ingest.Home{home("h2", "A", no, no)}, []ingest.Home{home("h2", "A", hour, no)}},
		"two homes in the list":        {[]ingest.Home{home("h1", "A", no, no)}, []ingest.Home{home("h1", "A", no, after), home("h2", "A", after, no)}, []ingest.Home{home("h1", "A", no, after), home("h2", "A", after, no)}},
		"two homes, of which one is over": {
			[]ingest.Home{home("h1", "A", no, before), home("h1", "B", before, no)},
			[]ingest.Home{home("h1", "A", no, before), home("h1", "B", before, no)},
			[]ingest.Home{home("h1", "A", no, before), home("h1", "B", before, no)},
		},
		"two homes, the move told late": {
			[]ingest.Home{home("h1", "A", no, no)},
			[]ingest.Home{home("h1", "A", no, before), home("h1", "B", before, no)},
			[]ingest.Home{home("h1", "A", no, before), home("h1", "B", before, no)},
		},
		"two homes, of which one was never known": {
			[]ingest.Home{home("h1", "A", no, no)},
			[]ingest.Home{home("h2", "A", no, before), home("h2", "B", before, no)},
			[]ingest.Home{home("h1", "A", no, before), home("h2", "B", before, no)},
		},
		"was to come, and comes now": {[]ingest.Home{home("h1", "A", after, no)}, []ingest.Home{home("h1", "A", no, no)}, []ingest.Home{home("h1", "A", no, no)}},
		"ended before it was known":  {[]ingest.Home{home("h1", "A", no, no)}, []ingest.Home{home("h2", "A", no, before)}, []ingest.Home{home("h1", "A", no, before)}},
	} {
		sync := Sync{Now: now, Whole: true}
		var got []ingest.Home
		if c.list == nil {
			got = sync.end(c.was)
		} else {
			got = sync.merge(c.was, c.list)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
		// The next start changes nothing, unless time has.
		if c.list != nil {
			if again := sync.merge(got, c.list); !slices.Equal(again, c.want) {
				t.Errorf("%s, again: got %+v, want %+v", name, again, c.want)
			}
			later := Sync{Now: now.AddDate(0, 0, 20), Whole: true}
			if again := later.merge(got, c.list); !slices.Equal(again, c.want) {
				t.Errorf("%s, three weeks later: got %+v, want %+v", name, again, c.want)
			}
		}
	}
	if got := (Sync{}).merge([]ingest.Home{home("h1", "A", no, no)}, []ingest.Home{home("h1", "B", no, no)}); !slices.Equal(got, []ingest.Home{home("h1", "B", no, no)}) {
		t.Errorf("without a clock: %+v", got)
	}
}
