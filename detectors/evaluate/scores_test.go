package evaluate

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"testing"
	"time"

	"weimang/ingest/feedfile"
	"weimang/ingest/intake"
)

var update = flag.Bool("update", false, "write testdata/scores.json anew from what the detectors do now")

const scoresFile = "../../testdata/scores.json"

// How much worse detectors may be than the golden scores. The cases are the
// same every time, so this is room for a change that moves a case or two and
// not for chance. Better scores are written with -update, that they stay.
const (
	shareTolerance = 0.04   // of the cases of a recipe
	rateTolerance  = 0.0005 // pushes per home-day
)

// golden is testdata/scores.json: what the detectors came to on some homes.
type golden map[string]scores

type scores struct {
	Pushes float64                `json:"pushes_per_home_day"`
	Visits float64                `json:"visits_per_home_day"`
	Out    float64                `json:"visits_per_home_day_outside_silences"`
	Shares map[string]shareScores `json:"shares"` // by recipe
}

// shareScores are shares of a recipe's cases within its headline window, or
// within the whole time watched.
type shareScores struct {
	Hours   float64 `json:"within_hours"`
	Pushed  float64 `json:"pushed"`
	Visit   float64 `json:"red_or_orange"`
	Own     float64 `json:"own_kind"`
	Forever float64 `json:"pushed_at_any_time"`
}

func scoresOf(r *Report) scores {
	u := &r.Detectors.Untouched
	s := scores{
		Pushes: round4(u.Pushes.Value), Visits: round4(u.Visits.Value), Out: round4(u.VisitsOutside.Value),
		Shares: make(map[string]shareScores),
	}
	for i := range r.Detectors.Scores {
		sc := &r.Detectors.Scores[i]
		s.Shares[sc.Kind+"/"+sc.Recipe] = shareScores{
			Hours: sc.HeadlineHours, Pushed: round4(shareAt(sc.Pushed.Within, sc.HeadlineHours).Value),
			Visit: round4(shareAt(sc.Visit.Within, sc.HeadlineHours).Value), Own: round4(shareAt(sc.OwnWithin, sc.HeadlineHours).Value),
			Forever: round4(sc.Pushed.Within[len(sc.Pushed.Within)-1].Share.Value),
		}
	}
	return s
}

func round4(v float64) float64 { return float64(int(v*1e4+0.5)) / 1e4 }

// worse lists in what now is worse than before.
func worse(before, now scores) []string {
	var all []string
	rate := func(what string, was, is float64) {
		if is > was+rateTolerance {
			all = append(all, fmt.Sprintf("%s rose from %.4f to %.4f", what, was, is))
		}
	}
	rate("pushes per home-day", before.Pushes, now.Pushes)
	rate("visit-level pushes per home-day", before.Visits, now.Visits)
	rate("visit-level pushes per home-day outside silences", before.Out, now.Out)
	for id, was := range before.Shares {
		is, ok := now.Shares[id]
		if !ok {
			all = append(all, id+" is tried no more")
			continue
		}
		for _, s := range []struct {
			what    string
			was, is float64
		}{
			{"pushed", was.Pushed, is.Pushed},
			{"red or orange", was.Visit, is.Visit},
			{"called by its own kind", was.Own, is.Own},
			{"pushed at any time", was.Forever, is.Forever},
		} {
			if s.is < s.was-shareTolerance {
				all = append(all, fmt.Sprintf("%s: share %s fell from %.2f to %.2f", id, s.what, s.was, s.is))
			}
		}
	}
	slices.Sort(all)
	return all
}

func checkScores(t *testing.T, name string, feed *feedfile.Feed, opt Options) {
	t.Helper()
	opt.Cases, opt.Headlines, opt.Peers, opt.Bootstrap, opt.Budgets = 1, true, false, 0, nil
	report, err := Run(t.Context(), feed, opt)
	if err != nil {
		t.Fatal(err)
	}
	now := scoresOf(report)
	t.Logf("%s: %.4f pushes and %.4f visit-level pushes per home-day", name, now.Pushes, now.Visits)

	before := golden{}
	raw, err := os.ReadFile(scoresFile)
	switch {
	case errors.Is(err, fs.ErrNotExist) && *update:
	case err != nil:
		t.Fatalf("%v; write it with -update", err)
	default:
		if err := json.Unmarshal(raw, &before); err != nil {
			t.Fatalf("%s: %v", scoresFile, err)
		}
	}
	if *update {
		before[name] = now
		raw, err := json.MarshalIndent(before, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(scoresFile, append(raw, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	was, ok := before[name]
	if !ok {
		t.Fatalf("%s knows nothing of %s; write it with -update", scoresFile, name)
	}
	for _, text := range worse(was, now) {
		t.Errorf("%s: %s; if that is meant, run this test with -update and say why", name, text)
	}
}

// TestScores fails when the detectors get worse on the development homes.
func TestScores(t *testing.T) {
	feed, regular := london(t)
	opt := DefaultOptions()
	opt.Roster, opt.Homes = intake.Open{Zone: "Europe/London"}, regular
	checkScores(t, "development homes", feed, opt)
}

// TestScoresOfTheVillage does the same on a simulated village, everywhere.
func TestScoresOfTheVillage(t *testing.T) {
	feed, roster := villageFeed(t, 10, 1, 80, time.Hour)
	opt := DefaultOptions()
	opt.Roster, opt.Homes = roster, householdsOf(t, feed.Meters(), roster)
	checkScores(t, "simulated village", feed, opt)
}

func TestADropOfTheScoresIsNoticed(t *testing.T) {
	was := scores{Pushes: 0.02, Visits: 0.005, Shares: map[string]shareScores{"still/any-time": {Pushed: 0.8, Visit: 0.6, Own: 0.7, Forever: 0.9}}}
	with := func(change func(*shareScores)) scores {
		s := was.Shares["still/any-time"]
		change(&s)
		return scores{Pushes: was.Pushes, Visits: was.Visits, Shares: map[string]shareScores{"still/any-time": s}}
	}
	for _, c := range []struct {
		name string
		now  scores
		want int
	}{
		{"the same", was, 0},
		{"better", with(func(s *shareScores) { s.Pushed, s.Own = 1, 1 }), 0},
		{"one case less", with(func(s *shareScores) { s.Pushed -= 0.03 }), 0},
		{"fewer pushed", with(func(s *shareScores) { s.Pushed -= 0.05 }), 1},
		{"fewer visits", with(func(s *shareScores) { s.Visit -= 0.05 }), 1},
		{"called by another kind", with(func(s *shareScores) { s.Own = 0 }), 1},
		{"never found", with(func(s *shareScores) { s.Forever = 0.5 }), 1},
		{"tried no more", scores{Pushes: 0.02, Visits: 0.005}, 1},
		{"more pushes, more visits", scores{Pushes: 0.03, Visits: 0.008, Shares: was.Shares}, 2},
	} {
		if got := worse(was, c.now); len(got) != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
