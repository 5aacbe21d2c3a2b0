package evaluate

import (
	"testing"

	"weimang/detectors"
)

func TestACaseCountsOnlyByAPushThatTheControlDoesNotGet(t *testing.T) {
	const onset, until = 1000, 1192
	life := []detectors.Kind{detectors.NoSignOfLife}
	at := func(t tick, kind detectors.Kind, visit bool) push {
		return push{at: t, onset: t, kind: kind, visit: visit}
	}
	for _, c := range []struct {
		name             string
		copied, control  []push
		push, visit, own tick
		named            detectors.Kind
	}{
		{name: "nothing is said", push: never, visit: never, own: never},
		{
			name: "said before the onset", copied: []push{at(999, detectors.NoSignOfLife, true), at(1000, detectors.NoSignOfLife, true)},
			push: never, visit: never, own: never,
		},
		{
			name: "said after it", copied: []push{at(1010, detectors.NoSignOfLife, false), at(1030, detectors.NoSignOfLife, true)},
			push: 10, visit: 30, own: 10, named: detectors.NoSignOfLife,
		},
		{
			name: "said too late", copied: []push{at(until+1, detectors.NoSignOfLife, true)},
			push: never, visit: never, own: never,
		},
		{
			name: "said of the control at the same time", copied: []push{at(1010, detectors.NoSignOfLife, true)},
			control: []push{at(1010, detectors.StuckOn, true)}, push: never, visit: never, own: 10,
		},
		{
			name: "said of the control later", copied: []push{at(1010, detectors.Shortfall, true)},
			control: []push{at(1011, detectors.Shortfall, true)}, push: 10, visit: 10, own: never, named: detectors.Shortfall,
		},
		{
			name: "said of the control first", copied: []push{at(1010, detectors.NoSignOfLife, true)},
			control: []push{at(1001, detectors.NoSignOfLife, false)}, push: never, visit: 10, own: never,
		},
		{
			name: "called by its own kind at last", copied: []push{at(1010, detectors.StuckOn, false), at(1100, detectors.NoSignOfLife, true)},
			push: 10, visit: 100, own: 100, named: detectors.StuckOn,
		},
		{
			name: "of the control before the onset", copied: []push{at(1010, detectors.NoSignOfLife, false)},
			control: []push{at(990, detectors.NoSignOfLife, false)}, push: 10, visit: never, own: 10, named: detectors.NoSignOfLife,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := judge(c.copied, c.control, onset, until, life)
			if want := (outcome{push: c.push, visit: c.visit, own: c.own, named: c.named}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

func TestOnlyPushesOfTheHomeAreCounted(t *testing.T) {
	a := villageArea()
	id := a.homes[2].id
	said := detectors.Finding{HouseholdID: id, Kind: detectors.Frozen, Severity: detectors.Orange, State: detectors.Open, Pushed: true}
	quiet, over, others, areas := said, said, said, said
	quiet.Pushed, over.State, others.HouseholdID, areas.HouseholdID = false, detectors.Resolved, "nobody", ""
	all := a.pushes([]detectors.Finding{quiet, over, others, areas, said})
	for i := range all {
		want := 0
		if i == 2 {
			want = 1
		}
		if len(all[i]) != want {
			t.Errorf("home %d: %d pushes", i, len(all[i]))
		}
	}
	if p := all[2][0]; !p.visit || p.kind != detectors.Frozen {
		t.Errorf("%+v", p)
	}
}
