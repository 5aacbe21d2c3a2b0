package detectors

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"weimang/ingest"
)

func TestOrdinaryDaysSayNothing(t *testing.T) {
	v := &village{homes: 8, seed: 1}
	_, findings := watch(t, DefaultParams(), v.inputs(0, 60))
	told := 0
	for _, f := range findings {
		if f.Pushed {
			told++
			t.Logf("%s %s %s at %s: %+v", f.Subject(), f.Kind, f.State, f.At, f.Reason)
		}
	}
	if limit := DefaultBudgets.Pushed * 60 * float64(v.homes); float64(told) > limit/2 {
		t.Errorf("%d messages, the budget is %.1f", told, limit)
	}
}

func TestNobodyUsesAnythingAnyMore(t *testing.T) {
	v := &village{homes: 8, seed: 2, edit: func(home int, start time.Time, wh float64) float64 {
		if home == 3 && between(start, at(40, 7), at(42, 9)) {
			return 20 // the fridge goes on
		}
		return wh
	}}
	_, findings := watch(t, DefaultParams(), v.inputs(0, 50))
	story := of(findings, homeID(3))
	if len(story) < 2 || len(story) != len(findings) {
		t.Fatalf("want the story of one home, got %+v", findings)
	}
	open, last := story[0], story[len(story)-1]
	if open.State != Open || open.Kind != NoSignOfLife || !open.Pushed || open.Reason.Cause != CauseQuiet {
		t.Errorf("opened as %+v", open)
	}
	if !between(open.At, at(40, 9), at(40, 23)) || !between(open.Onset, at(39, 18), at(40, 8)) {
		t.Errorf("opened at %s for a silence since %s", open.At, open.Onset)
	}
	if open.Value >= open.Usual {
		t.Errorf("used %v of usual %v", open.Value, open.Usual)
	}
	if last.State != Resolved || last.Reason.Cause != CauseLifeBack || !between(last.At, at(42, 9), at(42, 15)) {
		t.Errorf("ended as %+v", last)
	}
	highest := Severity(0)
	for i, f := range story {
		if f.Seq != i+1 || f.Episode != open.Episode || f.AlertID() != open.AlertID() {
			t.Errorf("transition %d is %d of episode %d", i+1, f.Seq, f.Episode)
		}
		if f.State != Resolved && f.Severity <= highest {
			t.Errorf("transition %d: severity %s does not rise", i+1, f.Severity)
		}
		highest = max(highest, f.Severity)
	}
	if !highest.VisitLevel() {
		t.Errorf("two days of silence reached only %s", highest)
	}
}

func outageVillage(back bool) *village {
	return &village{homes: 8, seed: 3, edit: func(home int, start time.Time, wh float64) float64 {
		switch {
		case between(start, at(40, 18.5), at(40, 20.5)):
			return 0
		case !back && home == 5 && between(start, at(40, 18), at(41, 9)):
			return 0
		default:
			return wh
		}
	}}
}

func TestOutageIsOneNoticeAndNobodysSilence(t *testing.T) {
	_, findings := watch(t, DefaultParams(), outageVillage(true).inputs(0, 45))
	if len(findings) != 2 {
		t.Fatalf("want the notice and its end, got %+v", findings)
	}
	open, end := findings[0], findings[1]
	if open.Kind != AreaDark || open.HouseholdID != "" || open.Reason.Cause != CauseOutage || !open.Pushed {
		t.Errorf("opened as %+v", open)
	}
	if !open.Onset.Equal(at(40, 18.5)) || open.Reason.Homes != 8 || open.Reason.OfHomes != 8 {
		t.Errorf("dark since %s, %d of %d", open.Onset, open.Reason.Homes, open.Reason.OfHomes)
	}
	if end.State != Resolved || !end.At.Equal(at(40, 21)) || end.Reason.Homes != 0 || end.Pushed {
		t.Errorf("ended as %+v", end)
	}
}

func TestAnnouncementExplainsTheOutage(t *testing.T) {
	v := outageVillage(true)
	log := v.inputs(0, 45)
	incident := &ingest.Incident{
		ID: "pw-7", Source: ingest.PowerGrid, Class: ingest.ClassPlannedOutage, State: ingest.Accepted,
		Scope: ingest.Scope{Areas: []string{"tq"}}, From: at(40, 18.5), Until: at(40, 20.5),
	}
	var with []ingest.Input
	told := at(39, 10)
	for _, in := range log {
		if incident != nil && in.Clock.After(told) {
			with = append(with, ingest.Input{AreaID: "tq", Clock: told, Incident: incident})
			incident = nil
		}
		with = append(with, in)
	}
	_, findings := watch(t, DefaultParams(), with)
	announced, dark := of(findings, "area:tq:pw-7"), of(findings, "area:tq")
	if len(announced) != 2 || !announced[0].Pushed || !announced[0].DecidedAt.Equal(told) || announced[1].Reason.Cause != CauseOver {
		t.Errorf("announcement: %+v", announced)
	}
	if len(dark) != 2 || dark[0].Reason.Cause != CausePlanned || dark[0].IncidentID != "pw-7" {
		t.Errorf("outage: %+v", dark)
	}
}

func TestAnnouncementsChangeAndAreCalledOff(t *testing.T) {
	planned := func(id string, clock time.Time, state ingest.IncidentState, from, until time.Time) ingest.Input {
		return ingest.Input{AreaID: "tq", Clock: clock, Incident: &ingest.Incident{
			ID: id, Source: ingest.PowerGrid, Class: ingest.ClassPlannedOutage, State: state, From: from, Until: until,
		}}
	}
	type heard struct {
		state  State
		pushed bool
		from   time.Time
		at     time.Time
	}
	noon := at(1, 12)
	for name, c := range map[string]struct {
		log  []ingest.Input
		want []heard
	}{
		"it passes": {
			[]ingest.Input{planned("x", at(0, 9), ingest.Accepted, noon, at(1, 14)), planned("other", at(1, 15), ingest.Closed, noon, at(1, 14))},
			[]heard{{Open, true, noon, at(0, 9)}, {Resolved, false, noon, at(1, 14)}},
		},
		"it is repeated": {
			[]ingest.Input{planned("x", at(0, 9), ingest.Accepted, noon, at(1, 14)), planned("x", at(0, 10), ingest.Assigned, noon, at(1, 14))},
			[]heard{{Open, true, noon, at(0, 9)}},
		},
		"it is put off": {
			[]ingest.Input{planned("x", at(0, 9), ingest.Accepted, noon, at(1, 14)), planned("x", at(0, 10), ingest.Accepted, at(2, 12), at(2, 14))},
			[]heard{{Open, true, noon, at(0, 9)}, {Update, true, at(2, 12), at(0, 10)}},
		},
		"it is withdrawn before it begins": {
			[]ingest.Input{planned("x", at(0, 9), ingest.Accepted, noon, at(1, 14)), planned("x", at(0, 10), ingest.Withdrawn, noon, at(1, 14))},
			[]heard{{Open, true, noon, at(0, 9)}, {Resolved, true, noon, at(0, 10)}},
		},
		"it is done early": {
			[]ingest.Input{planned("x", at(0, 9), ingest.Accepted, noon, at(1, 14)), planned("x", at(1, 13), ingest.Closed, noon, at(1, 14))},
			[]heard{{Open, true, noon, at(0, 9)}, {Resolved, false, noon, at(1, 13)}},
		},
		"it comes when it is over": {
			[]ingest.Input{planned("x", at(1, 15), ingest.Accepted, noon, at(1, 14))},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, findings := watch(t, DefaultParams(), c.log)
			var got []heard
			for i, f := range of(findings, "area:tq:x") {
				if f.Seq != i+1 || f.Episode != int64(tickOf(noon)) {
					t.Errorf("transition %d is %s#%d", i+1, f.AlertID(), f.Seq)
				}
				got = append(got, heard{f.State, f.Pushed, f.Reason.From, f.At})
			}
			if !slices.EqualFunc(got, c.want, func(x, y heard) bool {
				return x.state == y.state && x.pushed == y.pushed && x.from.Equal(y.from) && x.at.Equal(y.at)
			}) {
				t.Errorf("heard %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestIncidentsOfASilentAreaAreForgotten(t *testing.T) {
	a, _ := watch(t, DefaultParams(), nil)
	for day := range 100 {
		apply(t, a, []ingest.Input{{AreaID: "tq", Clock: at(day, 9), Incident: &ingest.Incident{
			ID: at(day, 9).String(), Source: ingest.SocialGrid, Class: "dispute", From: at(day, 8), Until: at(day, 9),
		}}})
	}
	if len(a.incidents) > 9 {
		t.Errorf("%d incidents kept", len(a.incidents))
	}
}

func TestAKnownFaultIsNoAnnouncement(t *testing.T) {
	log := outageVillage(true).inputs(0, 45)
	fault := ingest.Input{AreaID: "tq", Clock: at(40, 18.75), Incident: &ingest.Incident{
		ID: "pw-8", Source: ingest.PowerGrid, Class: ingest.ClassOutage, State: ingest.Reported,
		Scope: ingest.Scope{Areas: []string{"tq"}}, From: at(40, 18.5), Until: at(40, 21),
	}}
	i := slices.IndexFunc(log, func(in ingest.Input) bool { return in.Clock.After(fault.Clock) })
	_, findings := watch(t, DefaultParams(), slices.Insert(log, i, fault))
	if len(findings) != 2 || findings[0].Reason.Cause != CauseOutage || findings[0].IncidentID != "pw-8" || !findings[0].Reason.Until.Equal(at(40, 21)) {
		t.Fatalf("a fault reported at once gave %+v", findings)
	}
}

func TestWhoIsNotBackWhenTheOthersAre(t *testing.T) {
	_, findings := watch(t, DefaultParams(), outageVillage(false).inputs(0, 45))
	story := of(findings, homeID(5))
	if len(story) < 2 {
		t.Fatalf("want the story of one home, got %+v", findings)
	}
	if open := story[0]; open.Kind != NotBack || open.Severity != Orange || !open.Onset.Equal(at(40, 20.5)) || !open.At.Equal(at(40, 21.5)) {
		t.Errorf("opened as %+v", open)
	}
	if end := story[len(story)-1]; end.State != Resolved || !between(end.At, at(41, 9), at(41, 11.5)) {
		t.Errorf("ended as %+v", end)
	}
	if notice := of(findings, "area:tq"); len(notice) != 2 || notice[1].Reason.Homes != 1 {
		t.Errorf("notice: %+v", notice)
	}
}

func TestOneHomeDarkAmongLitNeighbours(t *testing.T) {
	v := &village{homes: 8, seed: 4, edit: func(home int, start time.Time, wh float64) float64 {
		if home == 2 && between(start, at(30, 23), at(31, 12)) {
			return 0
		}
		return wh
	}}
	_, findings := watch(t, DefaultParams(), v.inputs(0, 35))
	story := of(findings, homeID(2))
	if len(story) < 2 || story[0].Reason.Cause != CauseDark || story[0].Severity != Orange || !story[0].At.Equal(at(31, 1)) {
		t.Fatalf("a tripped breaker at 23:00 gave %+v", story)
	}
}

func TestShortfallOnAHotDay(t *testing.T) {
	hot := func(start time.Time) float64 {
		d := int(start.Sub(day0) / (24 * time.Hour))
		if d < 35 {
			return 0
		}
		return 150 + 60*float64(d%4) // Wh a half-hour of cooling
	}
	v := &village{homes: 8, seed: 5, edit: func(home int, start time.Time, wh float64) float64 {
		local := start.In(day0.Location())
		cooled := local.Hour() >= 10 && local.Hour() < 23
		if !cooled || (home == 4 && between(start, at(47, 10), at(49, 15))) {
			return wh
		}
		return wh + hot(start)
	}}
	_, findings := watch(t, DefaultParams(), v.inputs(0, 52))
	story := of(findings, homeID(4))
	if len(story) == 0 || story[0].Kind != Shortfall || !between(story[0].At, at(47, 12), at(48, 22)) {
		t.Fatalf("a failed air conditioner gave %+v", findings)
	}
	if f := story[0]; f.Reason.Neighbours < 1.2 || f.Reason.Cause != CauseNotRising && f.Reason.Cause != CauseBelowArea {
		t.Errorf("%s, neighbours at %v of their usual", f.Reason.Cause, f.Reason.Neighbours)
	}
	if end := story[len(story)-1]; end.State != Resolved || !end.At.After(at(49, 15)) {
		t.Errorf("ended as %+v", end)
	}
}

func TestStoveLeftOn(t *testing.T) {
	v := &village{homes: 8, seed: 6, edit: func(home int, start time.Time, wh float64) float64 {
		if home == 1 && between(start, at(33, 14), at(33, 22)) {
			return wh + 750
		}
		return wh
	}}
	_, findings := watch(t, DefaultParams(), v.inputs(0, 36))
	if len(findings) != 2 || findings[0].Kind != StuckOn || !findings[0].Onset.Equal(at(33, 14)) || !between(findings[0].At, at(33, 16.5), at(33, 18.5)) {
		t.Fatalf("a stove left on at 14:00 gave %+v", findings)
	}
}

func TestSilentHomeDoesNotKeepItsAreaDark(t *testing.T) {
	for name, c := range map[string]struct {
		silent int           // homes that are never heard again after the outage
		within time.Duration // in which its end must be seen
	}{
		"one of five":  {1, time.Hour},
		"four of five": {4, 26 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			v := outageVillage(true)
			v.homes = 5
			var log []ingest.Input
			for _, in := range v.inputs(0, 45) {
				if in.Readings.HouseholdID > homeID(4-c.silent) && in.Readings.Start.After(at(40, 20)) {
					continue
				}
				log = append(log, in)
			}
			_, findings := watch(t, DefaultParams(), log)
			notice := of(findings, "area:tq")
			if len(notice) != 2 || notice[1].At.After(at(40, 20.5).Add(c.within)) {
				t.Errorf("notice: %+v", notice)
			}
		})
	}
}

func TestHomesDarkOneAfterTheOtherAreNoOutage(t *testing.T) {
	v := &village{homes: 6, seed: 24, edit: func(home int, start time.Time, wh float64) float64 {
		if home < 4 && start.After(at(30+2*home, 12)) { // four move out in a week
			return 0
		}
		return wh
	}}
	_, findings := watch(t, DefaultParams(), v.inputs(0, 45))
	for _, f := range of(findings, "area:tq") {
		t.Errorf("took single homes for an outage: %+v", f)
	}
	for home := range 4 {
		if story := of(findings, homeID(home)); len(story) == 0 || story[len(story)-1].Reason.Cause != CauseDark {
			t.Errorf("home %d: %+v", home, story)
		}
	}
}

func TestNoDataIsNeverZero(t *testing.T) {
	v := &village{homes: 8, seed: 7}
	var log []ingest.Input
	for _, in := range v.inputs(0, 45) {
		r := in.Readings
		if r.HouseholdID == homeID(6) && between(r.Start, at(40, 6), at(43, 0)) {
			if r.Start.Before(at(41, 0)) {
				r.Wh[0] = ingest.NoValue // told to be missing, then not told at all
			} else {
				continue
			}
		}
		log = append(log, in)
	}
	_, findings := watch(t, DefaultParams(), log)
	if len(of(findings, homeID(6))) != len(findings) {
		t.Errorf("three days without data of one home gave %+v", findings)
	}
	for _, f := range findings {
		if f.Kind != SilentMeter {
			t.Errorf("three days without data were taken for %+v", f)
		}
	}
}

func TestEstimatesProveNoLife(t *testing.T) {
	v := &village{homes: 8, seed: 8}
	quiet := func(home int, start time.Time, wh float64) float64 {
		if home == 0 && start.After(at(40, 7)) {
			return 20
		}
		return wh
	}
	v.edit = quiet
	log := v.inputs(0, 42)
	var with []ingest.Input
	for _, in := range log {
		with = append(with, in)
		r := in.Readings
		if r.HouseholdID == homeID(0) && between(r.Start, at(40, 12), at(40, 13)) {
			estimate := *r
			estimate.Wh, estimate.Quality = []uint32{900}, ingest.Estimated
			with = append(with, ingest.Input{AreaID: "tq", Clock: in.Clock, Readings: &estimate})
		}
	}
	_, plain := watch(t, DefaultParams(), log)
	_, estimated := watch(t, DefaultParams(), with)
	if len(plain) == 0 || len(estimated) != len(plain) || !estimated[0].At.Equal(plain[0].At) {
		t.Errorf("an estimate of 0.9 kWh beside a measured 0.02 changed %+v into %+v", plain, estimated)
	}
}

func TestLearningSilently(t *testing.T) {
	p := DefaultParams()
	p.PushFrom = at(60, 0)
	_, findings := watch(t, p, outageVillage(false).inputs(0, 45))
	if len(findings) == 0 {
		t.Fatal("the outage was not seen")
	}
	for _, f := range findings {
		if f.Pushed {
			t.Errorf("pushed while learning: %+v", f)
		}
	}
}

func TestReadingsThatAreNoIntervalsAreRejected(t *testing.T) {
	v := &village{homes: 2, seed: 9}
	for name, c := range map[string]struct {
		edit func(*ingest.Readings)
		want ingest.Reason
	}{
		"a start beside the grid":       {func(r *ingest.Readings) { r.Start = r.Start.Add(15 * time.Minute) }, ingest.BadTime},
		"a start beside the minute":     {func(r *ingest.Readings) { r.Start = r.Start.Add(time.Second) }, ingest.BadTime},
		"a start before any meter":      {func(r *ingest.Readings) { r.Start = time.Unix(-1800, 0) }, ingest.BadTime},
		"no interval":                   {func(r *ingest.Readings) { r.Interval = 0 }, ingest.BadInterval},
		"an interval of three quarters": {func(r *ingest.Readings) { r.Interval = 45 * time.Minute }, ingest.BadInterval},
		"the end after the clock":       {func(r *ingest.Readings) { r.Start = r.Start.Add(time.Hour) }, ingest.Future},
		"a zone that does not exist":    {func(r *ingest.Readings) { r.Zone = "Mars/Olympus" }, ingest.BadField},
	} {
		t.Run(name, func(t *testing.T) {
			a, _ := watch(t, DefaultParams(), v.inputs(0, 1))
			before, _ := a.Encode()
			in := v.input(1, at(0, 23.5))
			in.Readings.HouseholdID = "new"
			c.edit(in.Readings)
			var rejection *ingest.Rejection
			if err := a.Apply(&in, new(Output)); !errors.As(err, &rejection) || rejection.Reason != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if after, _ := a.Encode(); !bytes.Equal(before, after) {
				t.Error("it was applied all the same")
			}
		})
	}
}

// In a feed of day blocks all homes of a new area report the same day one after
// the other. Did the first complete it, each of the others would be late, and
// the day be computed as often as there are homes.
func TestANewAreaWaitsForTheHomesItDoesNotKnowYet(t *testing.T) {
	p := DefaultParams()
	p.UsualDelay = 25 * time.Hour
	a := NewArea(&p, "tq-1")
	const homes, days = 20, 3
	decided := 0
	out := Output{Points: func(string, string, UsePoint) { decided++ }}
	for d := range days {
		for n := range homes {
			if err := a.Apply(&ingest.Input{AreaID: "tq-1", Clock: at(d+1, 0), Readings: &ingest.Readings{
				MeterID: "m" + homeID(n), HouseholdID: homeID(n), Start: at(d, 0), Interval: 15 * time.Minute,
				Wh: slices.Repeat([]uint32{60, 40}, 48),
			}}, &out); err != nil {
				t.Fatal(err)
			}
		}
	}
	if want := days * homes * 96; decided != want {
		t.Errorf("%d intervals are decided, want %d", decided, want)
	}
	if a.lateUntil != 0 {
		t.Errorf("something was late at %s", (a.lateUntil - nearFor).time())
	}
}
