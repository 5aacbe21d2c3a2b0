package evaluate

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"weimang/detectors"
	"weimang/detectors/backtest"
	"weimang/ingest/intake"
)

// villageArea is the simulated village as one area.
func villageArea() *area {
	return newArea("tq-01", village(), func(*home) bool { return true })
}

func TestAnAreaRestoredFromASnapshotGoesOnAsTheOriginal(t *testing.T) {
	a := villageArea()
	params := detectors.DefaultParams()
	params.Window = shortWindow
	var whole detectors.Output
	original := detectors.NewArea(&params, a.id)
	if _, err := a.feed(original, a.from-1, a.until, nil, &whole); err != nil {
		t.Fatal(err)
	}
	if len(whole.Findings) == 0 {
		t.Fatal("the village has no finding to compare")
	}
	var parts detectors.Output
	state, now := detectors.NewArea(&params, a.id), a.from-1
	// At odd moments, also while episodes are open.
	for until := a.from + 5*dayTicks + 2; now < a.until; until += 2*dayTicks + 10 {
		until = min(until, a.until)
		if _, err := a.feed(state, now, until, nil, &parts); err != nil {
			t.Fatal(err)
		}
		snapshot, err := state.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if state, err = detectors.DecodeArea(&params, snapshot); err != nil {
			t.Fatal(err)
		}
		now = until
	}
	if !reflect.DeepEqual(whole.Findings, parts.Findings) {
		t.Errorf("%d transitions without snapshots, %d with, or others", len(whole.Findings), len(parts.Findings))
	}
}

func TestTheUntouchedRunSaysWhatABacktestSays(t *testing.T) {
	feed, roster := villageFeed(t, 12, 2, 80, 30*time.Minute)
	params := detectors.DefaultParams()
	want, _, err := backtest.Run(t.Context(), feed, backtest.Options{Params: params, Roster: roster})
	if err != nil {
		t.Fatal(err)
	}
	homes, _, err := readHomes(feed, roster, 0)
	if err != nil {
		t.Fatal(err)
	}
	params.Window = shortWindow
	tr := &trial{params: params, areas: deal(homes, func(*home) bool { return true }, 30, 1), workers: 2}
	var got []detectors.Finding
	for _, a := range tr.areas {
		found, err := tr.walk(t.Context(), a, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, found...)
	}
	byArea := func(x, y detectors.Finding) int {
		return int(x.AreaID[len(x.AreaID)-1]) - int(y.AreaID[len(y.AreaID)-1])
	}
	slices.SortStableFunc(want, byArea)
	slices.SortStableFunc(got, byArea)
	if len(want) == 0 || len(got) != len(want) {
		t.Fatalf("%d transitions, the backtest has %d", len(got), len(want))
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("a transition and the backtest's:\n%+v\n%+v", got[i], want[i])
		}
	}
}

// small options judge the simulated village within a second or so.
func smallOptions() Options {
	opt := DefaultOptions()
	opt.Cases, opt.Headlines, opt.Bootstrap, opt.Budgets = 1, true, 50, []float64{0.02}
	opt.Kinds = []string{kindStill, kindNotRising, kindNotBack}
	return opt
}

func TestTheNumberOfWorkersChangesNoFigure(t *testing.T) {
	feed, roster := villageFeed(t, 6, 2, 80, time.Hour)
	var first []byte
	for _, workers := range []int{1, 5} {
		opt := smallOptions()
		opt.Roster, opt.Workers = roster, workers
		opt.Homes = householdsOf(t, feed.Meters(), roster)
		report, err := Run(t.Context(), feed, opt)
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(report)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		}
		if string(got) != string(first) {
			t.Errorf("%d workers: another report", workers)
		}
	}
	opt := smallOptions()
	opt.Roster, opt.Seed = roster, 2
	opt.Homes = householdsOf(t, feed.Meters(), roster)
	report, err := Run(t.Context(), feed, opt)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := json.Marshal(report); string(got) == string(first) {
		t.Error("another seed gives the same report")
	}
}

func householdsOf(t *testing.T, meters []string, roster intake.Roster) []string {
	t.Helper()
	var ids []string
	for _, m := range meters {
		h, ok := roster.Lookup(m, time.Time{})
		if !ok {
			t.Fatalf("no household of %s", m)
		}
		ids = append(ids, h.HouseholdID)
	}
	return ids
}

func TestEveryIntervalCanBeJudged(t *testing.T) {
	fine, roster := villageFeed(t, 3, 1, 73, 15*time.Minute)
	for _, coarsen := range []time.Duration{0, 30 * time.Minute, time.Hour} {
		opt := smallOptions()
		opt.Roster, opt.Coarsen, opt.Budgets, opt.Kinds, opt.Peers = roster, coarsen, nil, nil, false
		opt.Homes = householdsOf(t, fine.Meters(), roster)
		report, err := Run(t.Context(), fine, opt)
		if err != nil {
			t.Fatalf("%s: %v", coarsen, err)
		}
		want := max(coarsen, 15*time.Minute)
		if got := report.Homes.Areas[0].IntervalMinutes; got != int(want.Minutes()) {
			t.Errorf("%s: judged at %d minutes", coarsen, got)
		}
		for _, s := range report.Detectors.Scores {
			if s.Cases != 3 && s.Kind != kindDecline {
				t.Errorf("%s: %d cases of %s", coarsen, s.Cases, s.Kind)
			}
			if s.Kind == kindStill && s.Pushed.Within[len(s.Pushed.Within)-1].Share.Value == 0 {
				t.Errorf("%s: nobody who fell still was found", coarsen)
			}
		}
	}
	opt := smallOptions()
	opt.Roster, opt.Coarsen = roster, 30*time.Minute
	hourly, roster := villageFeed(t, 2, 1, 60, time.Hour)
	opt.Roster = roster
	if _, err := Run(t.Context(), hourly, opt); err == nil {
		t.Error("hourly readings were made half-hourly")
	}
}

func TestAnInterruptEndsTheRun(t *testing.T) {
	feed, roster := villageFeed(t, 2, 1, 60, time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	opt := smallOptions()
	opt.Roster = roster
	opt.Homes = householdsOf(t, feed.Meters(), roster)
	if _, err := Run(ctx, feed, opt); err == nil {
		t.Error("it ran to the end")
	}
}
