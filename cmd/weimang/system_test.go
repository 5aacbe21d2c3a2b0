package main

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"weimang/alerts/store"
	"weimang/ingest"
	"weimang/ingest/intake"
	"weimang/ingest/stream"
)

func TestAListThatIsCutShortIsRefused(t *testing.T) {
	var watched []ingest.Home
	var rows []store.HouseholdRow
	for i := range 10 {
		home := fmt.Sprintf("h-%d", i)
		watched = append(watched, ingest.Home{MeterID: "m-" + home, HouseholdID: home}, ingest.Home{MeterID: "second-" + home, HouseholdID: home})
		rows = append(rows, store.HouseholdRow{MeterID: "new-" + home, HouseholdID: home})
	}
	for name, c := range map[string]struct {
		rows    []store.HouseholdRow
		refused bool
	}{
		"no list":          {nil, false},
		"the same homes":   {rows, false},
		"half of them":     {rows[:5], false},
		"fewer than half":  {rows[:4], true},
		"only others":      {[]store.HouseholdRow{{MeterID: "m-x", HouseholdID: "x"}}, true},
		"meters exchanged": {rows[2:], false},
	} {
		t.Run(name, func(t *testing.T) {
			err := tooShort(watched, c.rows)
			if (err != nil) != c.refused {
				t.Errorf("got %v", err)
			}
			if err != nil && !strings.Contains(err.Error(), "roster.allow_removal") {
				t.Errorf("the error names no remedy: %v", err)
			}
		})
	}
	if err := tooShort(nil, rows); err != nil {
		t.Errorf("a first list: %v", err)
	}
}

// A replay or a second process on the brokers of a running site has a store of
// its own that knows nobody. It must not take the site's homes off the roster.
func TestOnlyAGivenListTakesHomesOffTheRoster(t *testing.T) {
	_, client := startBroker(t)
	if err := client.EnsureTopics(t.Context(), stream.Topics(1, stream.Retention{})); err != nil {
		t.Fatal(err)
	}
	producer := stream.NewProducer(client)
	row := func(home string) store.HouseholdRow {
		return store.HouseholdRow{MeterID: "m-" + home, HouseholdID: home}
	}
	process := func(name string, allow bool, rows ...store.HouseholdRow) error {
		db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), name+".db"), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close() //nolint:errcheck // a temporary file
		cfg := DefaultConfig()
		cfg.Roster.AllowRemoval = allow
		s := &system{cfg: cfg, log: slog.New(slog.DiscardHandler), client: client, store: db}
		return s.publishRoster(t.Context(), producer, wiring{roster: rows})
	}
	watched := func() (homes []string) {
		roster, err := intake.ReadRoster(t.Context(), client)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range roster {
			if h.Until.IsZero() {
				homes = append(homes, h.HouseholdID)
			}
		}
		return homes
	}
	expect := func(when string, want ...string) {
		t.Helper()
		if got := watched(); !slices.Equal(got, want) {
			t.Errorf("%s: %v are watched, want %v", when, got, want)
		}
	}
	if err := process("site", false, row("a"), row("b"), row("c")); err != nil {
		t.Fatal(err)
	}
	expect("the site's list", "a", "b", "c")
	if err := process("replay", false); err != nil {
		t.Fatal(err)
	}
	expect("a process without a list", "a", "b", "c")
	if err := process("stranger", false, row("x")); err == nil {
		t.Error("another village's list was taken for the whole one")
	}
	expect("another village's list", "a", "b", "c")
	if err := process("smaller", false, row("a"), row("c")); err != nil {
		t.Fatal(err)
	}
	expect("one home leaves", "a", "c")
	if err := process("moved", true, row("x")); err != nil {
		t.Fatal(err)
	}
	expect("a new list that is meant", "x")
}
