package simulate

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"weimang/ingest"
)

// differing lists the readings that differ between two runs, as the first has
// them, and fails when one has a reading that the other has not.
func differing(t *testing.T, a, b *Village, from, to time.Time) []ingest.Block {
	t.Helper()
	left, right := collect(a, from, to), collect(b, from, to)
	if len(left) != len(right) {
		t.Fatalf("%d readings with, %d without", len(left), len(right))
	}
	var out []ingest.Block
	for i := range left {
		if left[i].MeterID != right[i].MeterID || !left[i].Start.Equal(right[i].Start) {
			t.Fatalf("reading %d: %s %v beside %s %v", i, left[i].MeterID, left[i].Start, right[i].MeterID, right[i].Start)
		}
		if left[i].KWh[0] != right[i].KWh[0] {
			out = append(out, left[i])
		}
	}
	return out
}

func onlyWithin(t *testing.T, blocks []ingest.Block, from, until time.Time, where func(ingest.Block) bool) {
	t.Helper()
	if len(blocks) == 0 {
		t.Error("the event changes nothing")
	}
	for _, b := range blocks {
		if !b.End().After(from) || !b.Start.Before(until) || !where(b) {
			t.Fatalf("the event changes %s at %v", b.MeterID, b.Start.In(shanghai))
		}
	}
}

func TestFailedAirConditionerDrawsNothing(t *testing.T) {
	for seed := range uint64(5) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			with, without := story(t, seed), story(t, seed, NameACFailure)
			failed, repaired := at(7, 12, 10, 0), at(7, 14, 15, 20)
			onlyWithin(t, differing(t, with, without, at(7, 10, 0, 0), at(7, 17, 0, 0)), failed, repaired,
				func(b ingest.Block) bool { return b.MeterID == meterID(storyAC) })

			// What a detector has to see: far below its early July, on a day on
			// which its neighbours are above theirs; and life goes on.
			early := days(with, at(7, 1, 0, 0), at(7, 10, 0, 0))
			dead := days(with, at(7, 13, 0, 0), at(7, 14, 0, 0))
			ac := HouseholdID(storyAC)
			for day, kwh := range early[ac] {
				if kwh < 5 {
					t.Errorf("%s: %.2f kWh is no day of a regular user", day, kwh)
				}
			}
			if usual, now := mean(early[ac]), mean(dead[ac]); now > 0.5*usual || now < 1 {
				t.Errorf("13 July: %.2f kWh, in early July %.2f a day", now, usual)
			}
			usual, now := 0.0, 0.0
			for _, home := range with.Homes() {
				if home.AreaID == AreaID(areaOf(storyAC, &with.opt)) && home.HouseholdID != ac {
					usual += mean(early[home.HouseholdID])
					now += mean(dead[home.HouseholdID])
				}
			}
			if now < 1.15*usual {
				t.Errorf("the neighbours use %.1f kWh, in early July %.1f", now, usual)
			}
		})
	}
}

func TestOutageIsZeroAndNotBackStaysZero(t *testing.T) {
	with, without := story(t, 2), story(t, 2, NameOutage)
	off, on, back := at(7, 21, 18, 32), at(7, 21, 20, 27), at(7, 22, 9, 34)
	area, dark := AreaID(storyArea), meterID(storyNotBack)
	onlyWithin(t, differing(t, with, without, at(7, 20, 0, 0), at(7, 24, 0, 0)), off, back,
		func(b ingest.Block) bool { return b.AreaID == area && (b.Start.Before(on) || b.MeterID == dark) })

	homes := make(map[string]bool)
	for b := range with.Blocks(at(7, 20, 0, 0), at(7, 24, 0, 0)) {
		inOutage := b.AreaID == area && !b.Start.Before(off) && !b.End().After(on)
		inNotBack := b.MeterID == dark && !b.Start.Before(off) && !b.End().After(back)
		if zero := b.KWh[0] == 0; zero != (inOutage || inNotBack) {
			// The two intervals that the outage cuts may round to nothing.
			if !zero || b.End().Before(off) || b.Start.After(on) || b.AreaID != area {
				t.Errorf("%s %s: %v kWh", b.MeterID, b.Start.In(shanghai), b.KWh[0])
			}
		}
		if inOutage {
			homes[b.MeterID] = true
		}
	}
	if len(homes) < 19 { // one may miss both readings
		t.Errorf("%d homes report through the outage", len(homes))
	}
}

func TestNotBackAlone(t *testing.T) {
	with, without := story(t, 4), story(t, 4, NameNotBack)
	onlyWithin(t, differing(t, with, without, at(7, 20, 0, 0), at(7, 24, 0, 0)), at(7, 21, 20, 27), at(7, 22, 9, 34),
		func(b ingest.Block) bool { return b.MeterID == meterID(storyNotBack) })
}

func TestAnnouncementIsAReportAndNothingElse(t *testing.T) {
	with, without := story(t, 1), story(t, 1, NameAnnouncement)
	if d := differing(t, with, without, at(7, 20, 0, 0), at(7, 23, 0, 0)); len(d) > 0 {
		t.Errorf("it changes %d readings", len(d))
	}
	power := func(v *Village) (found []ingest.Report) {
		for _, r := range v.Reports() {
			if r.Source == ingest.PowerGrid {
				found = append(found, r)
			}
		}
		return found
	}
	if got := power(without); len(got) != 0 {
		t.Errorf("without: %+v", got)
	}
	got := power(with)
	if len(got) != 1 {
		t.Fatalf("%d reports of the power grid", len(got))
	}
	r := got[0]
	if r.Class != ingest.ClassPlannedOutage || r.State != ingest.Accepted || !slices.Equal(r.Scope.Areas, []string{AreaID(storyArea)}) {
		t.Errorf("report %+v", r)
	}
	if !r.PublishedAt.Equal(at(7, 20, 10, 0)) || !r.From.Equal(at(7, 21, 18, 30)) || !r.Until.Equal(at(7, 21, 20, 30)) {
		t.Errorf("published %v for %v to %v", r.PublishedAt, r.From, r.Until)
	}
	if !strings.Contains(r.Text, "7月21日18:30至20:30") || !strings.Contains(r.Text, "2号台区") {
		t.Errorf("text %q", r.Text)
	}
}

func TestGridWorkersReportHarmlessThings(t *testing.T) {
	v := story(t, 6)
	rounds := 0
	ids := make(map[string]bool)
	var last time.Time
	for _, r := range v.Reports() {
		if r.PublishedAt.Before(last) {
			t.Errorf("%s at %v comes after %v", r.ID, r.PublishedAt, last)
		}
		last = r.PublishedAt
		if ids[r.ID] {
			t.Errorf("id %s twice", r.ID)
		}
		ids[r.ID] = true
		if r.Source == ingest.SocialGrid {
			rounds++
			if len(r.Scope.Households) > 0 || strings.Contains(r.Text, "%") || r.Text == "" {
				t.Errorf("report %+v", r)
			}
		}
	}
	if rounds < 3 || rounds > 25 {
		t.Errorf("%d rounds in three months", rounds)
	}
}

// The seed may send two homes away in July, and never those, nor when, it
// would spoil the story.
func TestStoryKeepsHomesAtHome(t *testing.T) {
	everAway := 0
	for seed := range uint64(8) {
		v := story(t, seed)
		d := newDice()
		gone := make(map[int]bool)
		for day := dayNumber(at(7, 1, 12, 0), v.loc); day <= dayNumber(at(7, 31, 12, 0), v.loc); day++ {
			s := v.sky(day, d)
			for i := range v.homes {
				var h home
				v.home(i, d, &h)
				if len(v.away(&h, s, d, nil)) == 0 {
					continue
				}
				gone[i] = true
				date := s.start.Day()
				if h.area == storyArea || i == storyAC || date >= 9 && date <= 17 || date >= 18 && date <= 23 {
					t.Errorf("seed %d: home %d is away on %d July", seed, i, date)
				}
			}
		}
		if len(gone) > 2 {
			t.Errorf("seed %d: %d homes away in July", seed, len(gone))
		}
		everAway += len(gone)
	}
	if everAway == 0 {
		t.Error("no seed sends anybody away")
	}
}

func TestStoryWithoutEvents(t *testing.T) {
	tests := []struct {
		without []string
		left    []string
	}{
		{nil, []string{NameACFailure, NameAnnouncement, NameOutage, NameNotBack}},
		{[]string{NameACFailure}, []string{NameAnnouncement, NameOutage, NameNotBack}},
		{[]string{NameAnnouncement}, []string{NameACFailure, NameOutage, NameNotBack}},
		{[]string{NameNotBack}, []string{NameACFailure, NameAnnouncement, NameOutage}},
		{[]string{NameOutage}, []string{NameACFailure, NameAnnouncement}}, // its cause is gone
		{StoryNames(), nil},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.without, "+"), func(t *testing.T) {
			o, err := Story(1, tt.without...)
			if err != nil {
				t.Fatal(err)
			}
			var left []string
			for _, e := range o.Events {
				left = append(left, e.Name())
			}
			if !slices.Equal(left, tt.left) {
				t.Errorf("events %v, want %v", left, tt.left)
			}
		})
	}
	if _, err := Story(1, "flood"); err == nil || !strings.Contains(err.Error(), NameOutage) {
		t.Errorf("an unknown event gives %v, want an error that lists the known", err)
	}
}
