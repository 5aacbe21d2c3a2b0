package latency

import (
	"strings"
	"testing"
	"time"

	"weimang/detectors"
	"weimang/ingest"
	"weimang/ingest/contract"
)

func TestASpreadIsOfWholeProbes(t *testing.T) {
	var took []time.Duration
	for i := range 200 {
		took = append(took, time.Duration(200-i)*time.Millisecond)
	}
	if got, want := spread(took), (Spread{P50: 100, P90: 180, P99: 198, Max: 200}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := spread([]time.Duration{1500 * time.Microsecond}), (Spread{1.5, 1.5, 1.5, 1.5}); got != want {
		t.Errorf("of one: got %+v, want %+v", got, want)
	}
	if got := spread(nil); got != (Spread{}) {
		t.Errorf("of none: got %+v", got)
	}
}

func small() Options {
	return Options{Partitions: 2, Households: 1000, Rate: 5000, Load: time.Second, Idle: 500 * time.Millisecond, ProbeEvery: 100 * time.Millisecond}
}

func TestOptionsThatCannotBeMeasuredAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Options)
		says   string
	}{
		"no rate":              {func(o *Options) { o.Rate = 0 }, "at least one of each"},
		"no time":              {func(o *Options) { o.Load = 0 }, "above 0"},
		"too few areas":        {func(o *Options) { o.Households = 100 }, "take 475 households or more"},
		"more than a few days": {func(o *Options) { o.Rate = 1_000_000 }, "take more households, or less load"},
	} {
		t.Run(name, func(t *testing.T) {
			o := small()
			c.change(&o)
			if err := o.Validate(); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
	o := small()
	if err := o.Validate(); err != nil {
		t.Error(err)
	}
}

// The feed must be what it says: every reading is accepted by a system with the
// usual delay asked for, the first interval alone is overdue, none is of the
// future, and a probe cannot be.
func TestTheFeedIsOfTheLastHours(t *testing.T) {
	o := small()
	now := time.Date(2026, 11, 22, 18, 7, 13, 0, time.UTC)
	f, err := newFeed(&o, now)
	if err != nil {
		t.Fatal(err)
	}
	limits := contract.DefaultLimits()
	limits.UsualDelay = o.UsualDelay()
	var last time.Time
	for n := 0; f.left() > 0; n++ {
		home, lastOfArea := f.home(), f.lastOfArea()
		if lastOfArea != (home%homesPerArea == homesPerArea-1) {
			t.Fatalf("home %d: last of its area is %t", home, lastOfArea)
		}
		rec := f.take(n%3 == 0)
		b, err := limits.Decode(contract.JSON, rec.Value)
		if err != nil {
			t.Fatal(err)
		}
		if err := contract.CheckClock(&b, now, limits); err != nil {
			t.Fatal(err)
		}
		if age := now.Sub(b.End()); age < 0 || (age < o.UsualDelay()) != (n >= o.Households) {
			t.Fatalf("a reading that is %v old; the usual delay is %v", age, o.UsualDelay())
		}
		if b.MeterID != f.homes[home].MeterID || string(rec.Key) != f.homes[home].AreaID {
			t.Fatalf("reading of %s under key %s for home %+v", b.MeterID, rec.Key, f.homes[home])
		}
		if peak := b.KWh[0] == peakKWh; peak != (n%3 == 0) {
			t.Fatalf("%v kWh, probe %t", b.KWh[0], n%3 == 0)
		}
		last = b.End()
	}
	if want := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC); !last.Equal(want) {
		t.Errorf("the feed ends at %v, want %v", last, want)
	}
}

// A probe counts once it stands in weimang.alerts, once, and a finding of
// anything else is none.
func TestAProbeHasArrivedWithItsAlert(t *testing.T) {
	ps := newProbes()
	p, err := ps.send("outage-1", func() error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	at := p.acked
	of := func(kind detectors.Kind, state detectors.State) *detectors.Finding {
		return &detectors.Finding{Kind: kind, State: state, IncidentID: "outage-1", HouseholdID: "outage-1"}
	}
	ps.seen(of(detectors.AreaDark, detectors.Open), ingest.TopicAlerts, at.Add(time.Second))
	ps.seen(of(detectors.Announced, detectors.Resolved), ingest.TopicAlerts, at.Add(time.Second))
	ps.seen(of(detectors.Announced, detectors.Open), ingest.TopicFindings, at.Add(2*time.Second))
	if err := ps.arrived(t.Context(), time.Millisecond); err == nil || !strings.Contains(err.Error(), "1 of 1 probes") || !strings.Contains(err.Error(), "outage-1") {
		t.Fatalf("before the alert: %v", err)
	}
	ps.seen(of(detectors.Announced, detectors.Open), ingest.TopicAlerts, at.Add(5*time.Second))
	ps.seen(of(detectors.Announced, detectors.Open), ingest.TopicAlerts, at.Add(9*time.Second))
	if err := ps.arrived(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	w := ps.way([]*probe{p})
	if w.Probes != 1 || w.FromAck.Max != 5000 || w.ToFinding.P50 != 2000 || w.ToAlert.P99 != 3000 {
		t.Errorf("got %+v", w)
	}
}
