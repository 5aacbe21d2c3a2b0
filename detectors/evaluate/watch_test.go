package evaluate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"weimang/detectors"
)

func TestAStageShowsWhatTheModelsSee(t *testing.T) {
	feed, roster := villageFeed(t, 6, 2, 50, time.Hour)
	opt := DefaultOptions()
	opt.Roster, opt.Cases, opt.Warmup = roster, 2, 30*24*time.Hour
	opt.Homes = feed.Meters()[1:] // the first is a neighbour only
	stage, err := NewStage(t.Context(), feed, opt)
	if err != nil {
		t.Fatal(err)
	}
	homes := stage.Homes()
	if len(homes) != 5 || !slices.IsSorted(homes) {
		t.Fatalf("homes %v", homes)
	}

	var mu sync.Mutex
	watched := make(map[string]int) // samples
	var cases []WatchedCase
	const reach = 20 * time.Hour
	w := Watch{
		Recipes: []string{"still/any-time", "not-rising/heat"}, Reach: reach,
		Untouched: func(judged []string, out *detectors.Output) {
			mu.Lock()
			defer mu.Unlock()
			for _, home := range judged {
				if !slices.Contains(homes, home) {
					t.Errorf("home %s is not judged", home)
				}
			}
			out.Features = func(home string, _ *detectors.Features) {
				mu.Lock()
				defer mu.Unlock()
				watched[home]++
			}
		},
		Case: func(c *WatchedCase, out *detectors.Output) {
			mu.Lock()
			defer mu.Unlock()
			cases = append(cases, *c)
			last := c.Onset
			out.Features = func(home string, f *detectors.Features) {
				if home != c.Household {
					return
				}
				if f.At.Sub(last) != time.Hour || f.At.Sub(c.Onset) > reach {
					t.Errorf("case of %s at %s: sample at %s after %s", c.Recipe, c.Onset, f.At, last)
				}
				last = f.At
			}
		},
	}
	if err := stage.Run(t.Context(), opt.Params, w); err != nil {
		t.Fatal(err)
	}
	for _, home := range homes {
		if watched[home] < 49*24 {
			t.Errorf("%d hours of home %s were shown, of 50 days", watched[home], home)
		}
	}
	count := make(map[string]int)
	for _, c := range cases {
		count[c.Recipe]++
	}
	if count["still/any-time"] != 2*5 || count["not-rising/heat"] == 0 {
		t.Errorf("cases %v", count)
	}

	w.Recipes = []string{"still/any-time", "still/never"}
	if err := stage.Run(t.Context(), opt.Params, w); err == nil || !strings.Contains(err.Error(), "are not all recipes") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.Recipes = nil
	if err := stage.Run(ctx, opt.Params, w); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestAStageNeedsHomes(t *testing.T) {
	feed, roster := villageFeed(t, 2, 1, 20, time.Hour)
	opt := DefaultOptions()
	opt.Roster = roster
	if _, err := NewStage(t.Context(), feed, opt); !errors.Is(err, ErrNoHomes) {
		t.Errorf("%v", err)
	}
	opt.Cases = 0
	if _, err := NewStage(t.Context(), feed, opt); err == nil || !strings.Contains(err.Error(), "cases must be at least 1") {
		t.Errorf("%v", err)
	}
}
