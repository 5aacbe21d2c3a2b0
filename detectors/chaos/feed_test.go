package chaos

import (
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"weimang/detectors"
	"weimang/ingest"
	"weimang/ingest/contract"
)

func TestTheScheduleIsAFunctionOfSeedAndRound(t *testing.T) {
	o := DefaultOptions()
	o.Cluster = threeBrokers{}
	kinds, struck := o.dealt(), make(map[Kind]int)
	const rounds = 65
	for round := range rounds {
		faults := schedule(3, round, kinds, time.Second)
		if again := schedule(3, round, kinds, time.Second); !reflect.DeepEqual(faults, again) {
			t.Fatalf("round %d: %v and %v", round, faults, again)
		}
		if reflect.DeepEqual(faults, schedule(4, round, kinds, time.Second)) {
			t.Errorf("round %d: the same by another seed", round)
		}
		for _, f := range faults {
			struck[f.Kind]++
		}
	}
	for _, k := range kinds {
		if struck[k] != rounds*perRound/len(kinds) {
			t.Errorf("%s has %d turns of %d", k, struck[k], rounds*perRound)
		}
	}
}

type threeBrokers struct{ Cluster }

func (threeBrokers) Size() int { return 3 }

func TestADisturbedFeedHoldsTheSameReadings(t *testing.T) {
	o := DefaultOptions()
	o.Rounds, o.Seed = 3, 2
	f, err := makeFeed(&o)
	if err != nil {
		t.Fatal(err)
	}
	type key struct {
		meter string
		start time.Time
	}
	want, got := make(map[key]float64), make(map[key]float64)
	newest := make(map[string]time.Time)
	listed := make(map[string][]ingest.Home) // by meter, as they are told of
	for _, h := range f.homes {
		listed[h.MeterID] = []ingest.Home{h}
	}
	s := newSender(&o, f)
	behind, words, clock := 0, make(map[string]int), time.Time{}
	for d := range f.days {
		for h := range f.days[d].halves {
			half := &f.days[d].halves[h]
			for _, w := range half.words {
				words[w.topic]++
			}
			homes := maps.Clone(listed)
			for _, w := range half.words {
				if w.topic != ingest.TopicRoster {
					continue
				}
				if listed[w.key], err = contract.DecodeHomes(w.key, w.value); err != nil {
					t.Fatal(err)
				}
			}
			for _, r := range half.readings {
				want[key{r.MeterID, r.Start}] = r.KWh[0]
				at := slices.IndexFunc(homes[r.MeterID], func(h ingest.Home) bool { return h.Holds(r.Start) })
				switch gone := len(homes[r.MeterID]) > 0 && at < 0; {
				case homes[r.MeterID] == nil:
					t.Fatalf("meter %s sends, of which ingest has not been told", r.MeterID)
				case !gone && homes[r.MeterID][at].AreaID != r.AreaID:
					t.Fatalf("meter %s names area %s, ingest has been told of %s", r.MeterID, r.AreaID, homes[r.MeterID][at].AreaID)
				}
				if r.at.After(f.end(d, h)) {
					t.Fatalf("a reading of %s in the half before %s", r.at, f.end(d, h))
				}
			}
			for _, r := range s.half(half, f.end(d, h)) {
				k := key{r.MeterID, r.Start}
				_, again := got[k]
				got[k] = r.KWh[0]
				if end := r.End(); end.After(clock) {
					clock = end
				}
				switch late := clock.Sub(r.End()); {
				case again:
				case late > latest:
					t.Fatalf("%v late: the window is over", late)
				case r.Start.Before(newest[r.MeterID]):
					behind++
					if !s.late[r.AreaID] {
						t.Fatalf("area %s: a reading behind a newer one of its home", r.AreaID)
					}
				default:
					newest[r.MeterID] = r.Start
					if late > disorder+interval {
						t.Fatalf("a delay of %v", late)
					}
				}
			}
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%d readings come of %d", len(got), len(want))
	}
	for _, k := range []Kind{DuplicateInput, ReorderInput, LateInput} {
		if s.counts[k] < 50 {
			t.Errorf("%s: only %d", k, s.counts[k])
		}
	}
	for _, k := range changeDeck {
		if s.counts[k] == 0 {
			t.Errorf("%s: not once", k)
		}
	}
	if behind != s.counts[LateInput] {
		t.Errorf("%d readings behind newer ones, %d late", behind, s.counts[LateInput])
	}
	if words[ingest.TopicIncidents] == 0 || words[ingest.TopicDirectives] < 3 {
		t.Errorf("words: %v", words)
	}
}

func TestASilenceThatEndsAsItIsToldIsNoDifference(t *testing.T) {
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for hours, want := range map[time.Duration]detectors.Severity{5: 0, 9: detectors.Yellow, 25: detectors.Blue, 30: detectors.Yellow} {
		e := episode{subject: "h-1", kind: detectors.SilentMeter, severity: detectors.Yellow, onset: at, end: at.Add(hours * time.Hour)}
		if e.clear(); e.severity != want {
			t.Errorf("of %d hours is left: %s", hours, e)
		}
	}
}

func TestAnOutcomeDiffersByWhatIsTrueOnly(t *testing.T) {
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	e := episode{subject: "h-1", kind: "shortfall", severity: 2, onset: at, end: at.Add(time.Hour)}
	calm := outcome{map[string]episode{"h-1/5": e}, map[string][]byte{"tq": {0, 2}}}
	same := outcome{map[string]episode{"h-1/6": e}, map[string][]byte{"tq": {0, 2}}}
	if wrong := calm.differs(&same, nil); len(wrong) > 0 {
		t.Errorf("the number of an episode is no difference: %v", wrong)
	}
	longer := e
	longer.end = at.Add(2 * time.Hour)
	other := outcome{map[string]episode{"h-1/5": longer}, map[string][]byte{"tq": {0, 3}, "tq-2": {}}}
	want := []string{
		"missing: h-1: shortfall, yellow, since 2026-06-01T12:00:00Z, 2026-06-01T13:00:00Z",
		"not in the undisturbed run: h-1: shortfall, yellow, since 2026-06-01T12:00:00Z, 2026-06-01T14:00:00Z",
		"area tq: its state differs (2 and 2 bytes)",
		"  unknown state version",
		"area tq-2: is not in the undisturbed run",
	}
	if wrong := calm.differs(&other, new(detectors.DefaultParams())); !slices.Equal(wrong, want) {
		t.Errorf("differences: %q", wrong)
	}
}
