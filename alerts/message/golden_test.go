package message

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"weimang/alerts"
	"weimang/alerts/roster"
	"weimang/detectors"
)

var update = flag.Bool("update", false, "write the golden files anew")

// example is a realistic finding of a kind; cause, severity and state are set
// by the tests.
func example(t *testing.T, kind detectors.Kind, cause detectors.Cause, sev detectors.Severity, state detectors.State) alerts.Notice {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 7, day, hour, minute, 0, 0, zone).UTC() }
	f := &detectors.Finding{
		MeterID: "m012", HouseholdID: "h012", AreaID: "a1", Kind: kind, Severity: sev, State: state, Episode: 1, Seq: 1, Pushed: true,
		Onset: at(12, 9, 30), At: at(12, 14, 0), DecidedAt: at(12, 14, 15), DataUntil: at(12, 14, 0),
		Value: 0.4, Usual: 3.2, Reason: detectors.Reason{Cause: cause, Hours: 4.5},
	}
	n := alerts.Notice{Finding: f, Label: "3组12号", Village: "湾底村", Zone: zone}
	switch kind {
	case detectors.AreaDark:
		f.Reason = detectors.Reason{Cause: cause, Homes: 18, OfHomes: 20, Until: at(12, 17, 0)}
		f.Value, f.Usual = 0, 0
		if state == detectors.Resolved {
			f.Reason.Homes = 1
		}
	case detectors.Announced:
		f.Reason = detectors.Reason{Cause: cause, From: at(13, 8, 0), Until: at(13, 17, 0)}
		f.IncidentID = "i7"
		f.Value, f.Usual = 0, 0
		if state == detectors.Resolved {
			f.At, f.DecidedAt = f.Reason.Until, f.Reason.Until
		}
	case detectors.SilentMeter:
		f.Reason = detectors.Reason{Cause: cause}
		f.Value, f.Usual = 0, 0
		if cause == detectors.CauseAreaSilent {
			f.Reason.Homes, f.Reason.OfHomes = 17, 20
		}
	case detectors.Impossible:
		f.Reason = detectors.Reason{Cause: cause}
		f.Value, f.Usual = 0, 0
	case detectors.Decline:
		f.Onset = at(1, 0, 0)
		f.Value, f.Usual, f.Reason.Hours = 9.4, 15.2, 7*24
		f.Reason.Neighbours, f.Reason.Rate = 0.97, 0.008
	case detectors.NightLife:
		f.Onset = at(9, 18, 0)
		f.Reason.Neighbours, f.Reason.Rate = 1.02, 0.015
	case detectors.Frozen:
		f.Reason.Rate = 0.004
	case detectors.NoSignOfLife:
		if cause == detectors.CauseQuiet {
			f.Reason.Neighbours, f.Reason.Rate = 0.81, 0.0012
		}
	case detectors.Shortfall:
		f.Reason.Neighbours, f.Reason.Rate = 1.4, 0.012
		if cause == detectors.CauseBelow {
			f.Reason.Neighbours, f.Reason.Rate = 1.02, 0.05
		}
	case detectors.StuckOn:
		f.Value, f.Usual = 9.2, 2.1
	}
	if f.Kind == detectors.AreaDark || f.Kind == detectors.Announced || cause == detectors.CauseAreaSilent {
		f.HouseholdID, f.MeterID, n.Label = "", "", ""
		n.Homes = []string{"3组1号", "3组2号", "3组5号", "3组12号"}
	}
	return n
}

// spoken are the causes that a kind occurs with, by state.
func spoken(kind detectors.Kind, state detectors.State) []detectors.Cause {
	if state == detectors.Resolved {
		switch kind {
		case detectors.AreaDark:
			return []detectors.Cause{detectors.CausePowerBack, detectors.CauseCorrection}
		case detectors.Announced:
			return []detectors.Cause{detectors.CauseOver, detectors.CauseCorrection}
		case detectors.Frozen:
			return []detectors.Cause{detectors.CauseLifeBack, detectors.CauseAway, detectors.CauseConsentWithdrawn, detectors.CauseNewUsual, detectors.CauseCorrection}
		case detectors.NightLife, detectors.Decline:
			return []detectors.Cause{detectors.CauseUsualBack, detectors.CauseAway, detectors.CauseNewUsual, detectors.CauseCorrection}
		case detectors.SilentMeter:
			return []detectors.Cause{detectors.CauseDataBack, detectors.CauseAway, detectors.CauseOver, detectors.CauseLeft, detectors.CauseCorrection}
		case detectors.Impossible:
			return []detectors.Cause{detectors.CauseDataBack, detectors.CauseCorrection}
		default:
			return []detectors.Cause{
				detectors.CauseLifeBack, detectors.CauseUsualBack, detectors.CausePowerBack, detectors.CauseAway, detectors.CauseNewUsual,
				detectors.CauseLeft, detectors.CauseCorrection,
			}
		}
	}
	return map[detectors.Kind][]detectors.Cause{
		detectors.NoSignOfLife: {detectors.CauseQuiet, detectors.CauseDark},
		detectors.NotBack:      {detectors.CauseNotBack},
		detectors.Frozen:       {detectors.CauseFlat, detectors.CauseCycling},
		detectors.Shortfall:    {detectors.CauseBelow, detectors.CauseBelowArea, detectors.CauseNotRising},
		detectors.StuckOn:      {detectors.CauseAbove},
		detectors.NightLife:    {detectors.CauseReversed, detectors.CauseRestless},
		detectors.Decline:      {detectors.CauseLess},
		detectors.SilentMeter:  {detectors.CauseSilent, detectors.CauseNeverHeard, detectors.CauseStuckValue, detectors.CausePeak, detectors.CauseAreaSilent},
		detectors.Impossible:   {detectors.CauseBackward, detectors.CausePeak, detectors.CauseStuckValue},
		detectors.AreaDark:     {detectors.CauseOutage, detectors.CausePlanned},
		detectors.Announced:    {detectors.CauseAnnounced},
	}[kind]
}

// severities are the colours a kind occurs with.
func severities(kind detectors.Kind) []detectors.Severity {
	switch kind {
	case detectors.AreaDark, detectors.Announced, detectors.Decline, detectors.SilentMeter:
		return []detectors.Severity{detectors.Blue, detectors.Yellow}
	case detectors.Impossible:
		return []detectors.Severity{detectors.Blue}
	}
	return []detectors.Severity{detectors.Blue, detectors.Yellow, detectors.Orange, detectors.Red}
}

// Every message a chair can get, to be read and judged by people: one file per
// language and kind.
func TestEveryMessageReadsAsAgreed(t *testing.T) {
	c := catalogue(t)
	for _, lang := range roster.Langs {
		for _, kind := range detectors.Kinds {
			t.Run(string(lang)+"/"+string(kind), func(t *testing.T) {
				var b strings.Builder
				for _, state := range []detectors.State{detectors.Open, detectors.Update, detectors.Resolved} {
					for _, cause := range spoken(kind, state) {
						for _, sev := range severities(kind) {
							text, err := c.Text(lang, example(t, kind, cause, sev, state))
							if err != nil {
								t.Fatalf("%s %s %s: %v", state, cause, sev, err)
							}
							fmt.Fprintf(&b, "## %s %s %s\n%s\n%s\n\n", state, cause, sev, text.Title, text.Body)
						}
					}
				}
				compare(t, filepath.Join("testdata", string(lang), string(kind)+".golden"), b.String())
			})
		}
	}
}

// What is added when the data is old, the home is new, more is amiss, or the
// village has no chair.
func TestWhatIsAddedReadsAsAgreed(t *testing.T) {
	c := catalogue(t)
	for _, lang := range roster.Langs {
		t.Run(string(lang), func(t *testing.T) {
			n := example(t, detectors.NoSignOfLife, detectors.CauseQuiet, detectors.Orange, detectors.Open)
			f := n.Finding
			f.DecidedAt = f.DecidedAt.Add(18 * time.Hour) // the next morning
			f.DataUntil = time.Date(2026, 7, 12, 16, 0, 0, 0, time.UTC)
			f.Reason.Warmup = true
			f.Reason.Also = []detectors.Kind{detectors.Shortfall, detectors.NotBack}
			n.Fallback = true
			text, err := c.Text(lang, n)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, filepath.Join("testdata", string(lang), "additions.golden"), text.Title+"\n"+text.Body+"\n")
		})
	}
}

// What a chair hears of outages in other numbers, and of announcements that
// are changed or called off, have no end, or come for one home or an area
// without names.
func TestOutagesOfAllSortsReadAsAgreed(t *testing.T) {
	c := catalogue(t)
	announced := func(state detectors.State) alerts.Notice {
		n := example(t, detectors.Announced, detectors.CauseAnnounced, detectors.Yellow, detectors.Open)
		n.Finding.State = state
		return n
	}
	for _, lang := range roster.Langs {
		t.Run(string(lang), func(t *testing.T) {
			var b strings.Builder
			add := func(name string, n alerts.Notice, change func(*alerts.Notice)) {
				f := *n.Finding
				n.Finding = &f
				if change != nil {
					change(&n)
				}
				text, err := c.Text(lang, n)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				fmt.Fprintf(&b, "## %s\n%s\n%s\n\n", name, text.Title, text.Body)
			}
			add("without an end", announced(detectors.Open), func(n *alerts.Notice) { n.Finding.Reason.Until = time.Time{} })
			add("changed", announced(detectors.Update), nil)
			add("changed, without an end", announced(detectors.Update), func(n *alerts.Notice) { n.Finding.Reason.Until = time.Time{} })
			add("called off before it began", announced(detectors.Resolved), func(n *alerts.Notice) { n.Finding.Reason.Cause = detectors.CauseOver })
			some := func(n *alerts.Notice) { n.Homes, n.Finding.Households = n.Homes[:2], []string{"h-1", "h-2"} }
			add("for two homes only", announced(detectors.Open), some)
			add("for two homes only, changed", announced(detectors.Update), some)
			add("for two homes only, called off", announced(detectors.Resolved), func(n *alerts.Notice) {
				some(n)
				n.Finding.Reason.Cause = detectors.CauseOver
			})
			dark := example(t, detectors.AreaDark, detectors.CauseOutage, detectors.Yellow, detectors.Open)
			add("one home of the village", dark, func(n *alerts.Notice) { n.Homes = n.Homes[:1] })
			add("five homes, all dark", dark, func(n *alerts.Notice) {
				n.Homes = append(n.Homes[:4:4], "4组1号")
				n.Finding.Reason.Homes, n.Finding.Reason.OfHomes = 5, 5
			})
			add("no home in the roster", dark, func(n *alerts.Notice) { n.Homes, n.Fallback, n.Village = nil, true, "" })
			compare(t, filepath.Join("testdata", string(lang), "outages.golden"), b.String())
		})
	}
}

// What most meters of an area being silent ends with.
func TestTheEndOfAnAreasSilenceReadsAsAgreed(t *testing.T) {
	c := catalogue(t)
	for _, lang := range roster.Langs {
		t.Run(string(lang), func(t *testing.T) {
			var b strings.Builder
			for _, cause := range []detectors.Cause{detectors.CauseDataBack, detectors.CauseCorrection} {
				n := example(t, detectors.SilentMeter, detectors.CauseAreaSilent, detectors.Yellow, detectors.Resolved)
				n.Finding.Reason.Cause = cause
				text, err := c.Text(lang, n)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&b, "## %s\n%s\n%s\n\n", cause, text.Title, text.Body)
			}
			compare(t, filepath.Join("testdata", string(lang), "area-silent-end.golden"), b.String())
		})
	}
}

func compare(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; read it and run go test -update if it is better now.\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// loaded is the catalogue of all tests, which only read it: under the race
// detector parsing it takes longer than most of them.
var loaded = sync.OnceValues(New)

func catalogue(t *testing.T) *Catalogue {
	t.Helper()
	c, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return c
}
