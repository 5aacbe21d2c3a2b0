package detectors

import (
	"bytes"
	"cmp"
	"reflect"
	"slices"
	"testing"
	"time"

	"weimang/ingest"
)

// resident is an entry of the roster, written at clock.
func resident(clock time.Time, household string, stays ...ingest.Stay) ingest.Input {
	for i := range stays {
		if stays[i].Zone == "" {
			stays[i].Zone = "Asia/Shanghai"
		}
		stays[i].MeterID = cmp.Or(stays[i].MeterID, "m-"+household)
	}
	return ingest.Input{AreaID: "tq", Clock: clock, Residence: &ingest.Residence{HouseholdID: household, Stays: stays}}
}

// residents is what the roster says of the village's homes when it is first read.
func (v *village) residents(clock time.Time) (log []ingest.Input) {
	for home := range v.homes {
		log = append(log, resident(clock, homeID(home), ingest.Stay{}))
	}
	return log
}

// with puts inputs into a log by their clock, before those of the same time.
func with(log []ingest.Input, more ...ingest.Input) []ingest.Input {
	log = slices.Clone(log)
	for _, in := range slices.Backward(more) {
		i, _ := slices.BinarySearchFunc(log, in, func(x, y ingest.Input) int { return x.Clock.Compare(y.Clock) })
		log = slices.Insert(log, i, in)
	}
	return log
}

func TestAHomeThatNobodyHasEverHeardIsMissed(t *testing.T) {
	v := &village{homes: 8, seed: 31}
	for name, c := range map[string]struct {
		told      time.Time // clock of the roster's entry
		stay      ingest.Stay
		onset, at time.Time
	}{
		"from the first day on":      {at(0, 0), ingest.Stay{}, at(0, 0), at(1, 1)}, // the neighbours must have been heard for a day
		"before any clock is known":  {time.Time{}, ingest.Stay{}, at(0, 1), at(1, 1)},
		"later, without a date":      {at(5, 10), ingest.Stay{}, at(5, 10), at(6, 10)},
		"before its date":            {at(5, 10), ingest.Stay{From: at(7, 0)}, at(7, 0), at(8, 0)},
		"after its date":             {at(5, 10), ingest.Stay{From: at(3, 0)}, at(5, 10), at(6, 10)},
		"with a meter that is later": {at(5, 10), ingest.Stay{MeterID: "new", From: at(5, 12)}, at(5, 12), at(6, 12)},
	} {
		t.Run(name, func(t *testing.T) {
			log := with(v.inputs(0, 30), resident(c.told, "never", c.stay))
			a, findings := watch(t, DefaultParams(), log)
			expect(t, findings, step{Open, Yellow, CauseNeverHeard, true}, step{Resolved, Yellow, CauseOver, false})
			if f := findings[0]; f.Kind != SilentMeter || f.HouseholdID != "never" || f.MeterID == "" || !f.Onset.Equal(c.onset) || !f.At.Equal(c.at) || f.DataUntil.Before(at(1, 0)) {
				t.Errorf("%+v, want since %s at %s", f, c.onset, c.at)
			}
			if a.Homes() != 9 {
				t.Errorf("%d homes", a.Homes())
			}
		})
	}
}

// The list may be there long before the feed is.
func TestNeighboursHeardLateMakeAHomeMissedAllTheSame(t *testing.T) {
	v := &village{homes: 8, seed: 31}
	_, findings := watch(t, DefaultParams(), with(v.inputs(30, 34), resident(at(0, 0), "never", ingest.Stay{})))
	expect(t, findings, step{Open, Yellow, CauseNeverHeard, true})
	if f := findings[0]; !f.At.Equal(at(31, 1)) {
		t.Errorf("%+v", f)
	}
}

func TestAHomeThatIsHeardAtLastIsMissedNoMore(t *testing.T) {
	v := &village{homes: 8, seed: 31}
	log := without(v.inputs(0, 12), func(home string, start time.Time) bool {
		return home == homeID(3) && start.Before(at(4, 9))
	})
	_, findings := watch(t, DefaultParams(), with(log, v.residents(time.Time{})...))
	expect(t, findings, step{Open, Yellow, CauseNeverHeard, true}, step{Resolved, Yellow, CauseDataBack, false})
	if f := findings[1]; !f.At.Equal(at(4, 9.5)) || f.HouseholdID != homeID(3) {
		t.Errorf("%+v", f)
	}
}

// Where few report, or all fall silent with it, nobody can say.
func TestNobodyIsMissedWhoseNeighboursAreNotHeard(t *testing.T) {
	v := &village{homes: 4, seed: 31}
	_, findings := watch(t, DefaultParams(), with(v.inputs(0, 12), resident(at(0, 0), "never", ingest.Stay{})))
	expect(t, findings)
}

// still is a village in which home 3 lives no more from the 40th day on.
func still() *village {
	return &village{homes: 8, seed: 2, edit: func(home int, start time.Time, wh float64) float64 {
		if home == 3 && !start.Before(at(40, 7)) {
			return 20
		}
		return wh
	}}
}

func TestWhoLeavesEndsWhatIsOpenAndIsForgotten(t *testing.T) {
	for name, told := range map[string]time.Time{"told before": at(30, 0), "told after": at(42, 6)} {
		t.Run(name, func(t *testing.T) {
			v := still()
			log := without(v.inputs(0, 50), func(home string, start time.Time) bool {
				return home == homeID(3) && !start.Before(at(41, 12))
			})
			left := resident(told, homeID(3), ingest.Stay{Until: at(41, 12)})
			a, findings := watch(t, DefaultParams(), with(with(log, v.residents(at(0, 0))...), left))
			story := of(findings, homeID(3))
			if len(story) < 2 || len(story) != len(findings) {
				t.Fatalf("want the story of one home, got %+v", findings)
			}
			last := story[len(story)-1]
			if last.State != Resolved || last.Reason.Cause != CauseLeft || !last.At.Equal(at(41, 12)) || last.AlertID() != story[0].AlertID() {
				t.Errorf("ended as %+v", last)
			}
			if a.Homes() != 7 || a.Unheard() != 0 {
				t.Errorf("%d homes, %d silent", a.Homes(), a.Unheard())
			}
		})
	}
}

// A home whose record was taken away, without a date, has left when that is
// read; put back it is here again.
func TestARecordTakenAwayIsALeave(t *testing.T) {
	v := still()
	log := with(v.inputs(0, 42), v.residents(at(0, 0))...)
	gone := resident(at(41, 12.5), homeID(3))
	a, findings := watch(t, DefaultParams(), with(log, gone))
	last := findings[len(findings)-1]
	if last.Reason.Cause != CauseLeft || !last.At.Equal(at(41, 12)) {
		t.Errorf("ended as %+v", last)
	}
	back := apply(t, a, []ingest.Input{resident(at(42, 0), homeID(3), ingest.Stay{})}).Findings
	if len(back) != 1 || back[0].State != Open || back[0].AlertID() == last.AlertID() {
		t.Errorf("put back it says %+v", back)
	}
}

// The last home of an area takes the readings with it that would move what is
// settled. The clock is enough.
func TestAnAreaThatEverybodyHasLeftForgetsThem(t *testing.T) {
	v := &village{homes: 2, seed: 5}
	log := with(v.inputs(0, 9), v.residents(at(0, 0))...)
	for home := range v.homes {
		log = append(log, resident(at(9, 0), homeID(home), ingest.Stay{Until: at(9, 0)}))
	}
	a, _ := watch(t, DefaultParams(), append(log, ingest.Input{AreaID: "tq", Clock: at(13, 0)}))
	if a.Homes() != 2 {
		t.Fatalf("%d homes while late readings may come", a.Homes())
	}
	apply(t, a, []ingest.Input{{AreaID: "tq", Clock: at(18, 0)}})
	if a.Homes() != 0 {
		t.Errorf("%d homes are kept", a.Homes())
	}
	p := DefaultParams()
	saveAndRestore(t, &p, a)
	// What was left over of them is no reason to know them again.
	if out := apply(t, a, []ingest.Input{{AreaID: "tq", Clock: at(18, 1), Readings: v.input(1, at(3, 0)).Readings}}); len(out.TooLate) != 1 || a.Homes() != 0 {
		t.Errorf("%d too late, %d homes", len(out.TooLate), a.Homes())
	}
}

// exchange gives home 3 another meter from a time on.
func exchange(log []ingest.Input, from time.Time) []ingest.Input {
	log = slices.Clone(log)
	for i := range log {
		if r := log[i].Readings; r != nil && r.HouseholdID == homeID(3) && !r.Start.Before(from) {
			other := *r
			other.MeterID = "new"
			log[i].Readings = &other
		}
	}
	return log
}

func TestAnExchangedMeterLeavesNoBlindDay(t *testing.T) {
	p := DefaultParams()
	v := still()
	log := with(v.inputs(0, 46), v.residents(at(0, 0))...)
	same, want := watch(t, p, log)
	d := at(40, 10) // in the middle of a silence
	for name, told := range map[string]time.Time{"told before": at(38, 0), "told after": at(40, 21)} {
		t.Run(name, func(t *testing.T) {
			note := resident(told, homeID(3), ingest.Stay{Until: d}, ingest.Stay{MeterID: "new", From: d})
			a, got := watch(t, p, with(exchange(log, d), note))
			if told.Before(d) && len(got) != len(want) {
				t.Fatalf("%d findings, want %d", len(got), len(want))
			}
			for i, h := range a.homes {
				if !reflect.DeepEqual(h.live, same.homes[i].live) {
					t.Errorf("home %s: state differs from that with one meter", h.id)
				}
			}
			if h := a.find(homeID(3)); len(h.meters) != 1 || h.meters[0].id != "new" || h.res != nil {
				t.Errorf("the old meter is kept: %d meters, %+v", len(h.meters), h.res)
			}
		})
	}
	// Without a word of it, the home is not seen for a day.
	a, _ := watch(t, p, exchange(log, d))
	if h := a.find(homeID(3)); reflect.DeepEqual(h.live, same.find(homeID(3)).live) {
		t.Error("the exchange makes no difference: this test shows nothing")
	}
}

func TestAZoneCountsFromItsDate(t *testing.T) {
	p := DefaultParams()
	v := &village{homes: 8, seed: 7}
	log := with(v.inputs(0, 20), v.residents(at(0, 0))...)
	plain, _ := watch(t, p, log)
	day := at(12, 0)
	dated := resident(at(10, 0), homeID(3), ingest.Stay{Until: day}, ingest.Stay{From: day, Zone: "Europe/London"})
	undated := resident(day, homeID(3), ingest.Stay{Zone: "Europe/London"})
	late := dated
	late.Clock = at(13, 0)
	var want []byte
	for name, note := range map[string]ingest.Input{"dated": dated, "undated": undated, "late": late} {
		again := note
		again.Clock = at(13, 5) // a roster is read again
		a, _ := watch(t, p, with(log, note, again))
		h := a.find(homeID(3))
		if z := h.zoneAt(a.pos[live]).loc.String(); z != "Europe/London" || h.res != nil {
			t.Errorf("%s: lives in %s, %+v", name, z, h.res)
		}
		if reflect.DeepEqual(h.live.Habits, plain.find(homeID(3)).live.Habits) {
			t.Errorf("%s: the zone makes no difference", name)
		}
		got := frozen(t, a)
		if want == nil {
			want = got
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: another state", name)
		}
	}
}

// Ingest may read the roster from its begin again.
func TestTheSameRosterAgainChangesNothing(t *testing.T) {
	p := DefaultParams()
	v := &village{homes: 8, seed: 8}
	roster := append(v.residents(at(9, 0)),
		resident(at(9, 0), homeID(3), ingest.Stay{Until: at(10, 0)}, ingest.Stay{MeterID: "new", From: at(10, 0)}),
		resident(at(9, 0), homeID(4), ingest.Stay{Until: at(9, 12)}),
		resident(at(9, 0), homeID(5)),
		resident(at(9, 0), homeID(6), ingest.Stay{Until: at(8, 0)}, ingest.Stay{From: at(8, 0), Zone: "Europe/London"}),
		resident(at(9, 0), "long ago", ingest.Stay{Until: at(-30, 0)}),
		resident(at(9, 0), "soon", ingest.Stay{From: at(12, 0)}),
	)
	a, _ := watch(t, p, with(exchange(v.inputs(0, 11), at(10, 0)), roster...))
	before, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if a.find("long ago") != nil || a.find("soon") == nil {
		t.Error("who has long left is known, or who is to come is not")
	}
	for i := range roster {
		if i == 3 || i == 4 || i == 5 || i == 6 { // what an entry replaced is not in the roster any more
			continue
		}
		roster[i].Clock = a.clock
		if out := apply(t, a, roster[i:i+1]); len(out.Findings) > 0 {
			t.Errorf("entry %d again says %+v", i, out.Findings)
		}
		if after, err := a.Encode(); err != nil || !bytes.Equal(before, after) {
			t.Fatalf("entry %d again has changed the state (%v)", i, err)
		}
	}
}

func TestAnEntryThatCannotBeIsRefused(t *testing.T) {
	p := DefaultParams()
	for reason, stay := range map[ingest.Reason]ingest.Stay{
		ingest.BadField: {Zone: "Mars/Olympus"},
		ingest.BadTime:  {From: at(10, 0), Until: at(9, 0)},
	} {
		a := NewArea(&p, "tq")
		in := resident(at(0, 0), "h", stay)
		err := a.Apply(&in, new(Output))
		if rej, ok := err.(*ingest.Rejection); !ok || rej.Reason != reason || a.Homes() != 0 { //nolint:errorlint // Apply returns it as it is
			t.Errorf("%s: %v", reason, err)
		}
	}
}
