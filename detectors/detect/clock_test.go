package detect

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"weimang/detectors"
	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// hands is a wall clock that a test moves.
type hands struct{ ms atomic.Int64 }

func (h *hands) set(t time.Time) { h.ms.Store(t.UnixMilli()) }
func (h *hands) now() time.Time  { return time.UnixMilli(h.ms.Load()).UTC() }

// village is some hours of readings of areas of six homes, until end.
func villages(areas, hours int, end time.Time) []ingest.Input {
	var log []ingest.Input
	for n := range hours {
		start := end.Add(time.Duration(n-hours) * time.Hour)
		for area := range areas {
			for home := range 6 {
				id := fmt.Sprintf("h-%d-%d", area, home)
				log = append(log, ingest.Input{AreaID: fmt.Sprintf("tq-%d", area), Clock: start.Add(time.Hour), Readings: &ingest.Readings{
					MeterID: "m" + id, HouseholdID: id, Start: start, Interval: time.Hour, Wh: []uint32{uint32(100 + (n*37+home)%200)},
				}})
			}
		}
	}
	return log
}

// clocks are the entries with the clock alone, by area.
func (s *site) clocks() map[string][]time.Time {
	s.t.Helper()
	found := make(map[string][]time.Time)
	s.read(ingest.TopicInputs, func(r stream.Record) {
		entries, err := contract.DecodeInputs(r.Value)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, e := range entries {
			if e.Readings == nil && e.Incident == nil && e.Directive == nil {
				found[e.AreaID] = append(found[e.AreaID], e.Clock)
			}
		}
	})
	return found
}

// waitClocks waits until each of three areas has that many entries with the
// clock alone.
func (s *site) waitClocks(n int) {
	s.t.Helper()
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		found := s.clocks()
		if len(found) == 3 && !slices.ContainsFunc([]string{"tq-0", "tq-1", "tq-2"}, func(id string) bool { return len(found[id]) < n }) {
			return
		}
		if time.Since(begun) > 30*time.Second {
			s.t.Fatalf("the logs hold the clocks %v, want %d each", found, n)
		}
	}
}

// All readings stop. Nobody but the wall clock is left to tell it, once for
// each area; with the readings it ends.
func TestAFeedThatFallsSilentIsToldByTheWallClock(t *testing.T) {
	s := newSite(t)
	stopped := time.Date(2026, 7, 12, 12, 0, 0, 0, time.UTC)
	var clock hands
	clock.set(stopped)
	reg := prometheus.NewRegistry()
	timed := func(o *Options) { o.Now, o.Registry = clock.now, reg }
	svc, stop := s.member(timed)
	s.append(villages(3, 72, stopped))
	s.waitCaught(svc)

	open := func() (n int) {
		t.Helper()
		said, _ := s.findings()
		for _, f := range said {
			if f.Kind == detectors.SilentMeter && f.HouseholdID == "" && f.State == detectors.Open {
				n++
			}
		}
		return n
	}
	for hour := 1; hour <= 4; hour++ {
		clock.set(stopped.Add(time.Duration(hour) * time.Hour))
		s.waitClocks(hour)
	}
	s.waitCaught(svc)
	if n := open(); n != 0 {
		t.Errorf("%d areas are told after 4 h, before the usual delay is over", n)
	}
	for hour := 5; hour <= 6; hour++ {
		clock.set(stopped.Add(time.Duration(hour) * time.Hour))
		s.waitClocks(hour)
	}
	s.waitCaught(svc)
	if n := open(); n != 3 {
		t.Errorf("%d areas are told after 6 h, want all 3", n)
	}
	if n, err := testutil.GatherAndCount(reg, "weimang_detect_clock_entries_total"); n != 1 || err != nil {
		t.Errorf("the metric: %d, %v", n, err)
	}
	stop()

	// Another member goes on an hour after it has taken over; one that is
	// still there for a moment may have written, too.
	s.append([]ingest.Input{{AreaID: "tq-0", Clock: clock.now()}, {AreaID: "tq-1", Clock: clock.now()}, {AreaID: "tq-2", Clock: clock.now()}})
	svc, _ = s.member(func(o *Options) { o.Now = clock.now })
	s.waitCaught(svc)
	clock.set(stopped.Add(8 * time.Hour))
	s.waitClocks(8)
	s.waitCaught(svc)

	back := stopped.Add(20 * time.Hour)
	clock.set(back)
	s.append(villages(3, 4, back))
	s.waitCaught(svc)
	said, _ := s.findings()
	opened, ended := 0, 0
	for _, f := range said {
		switch {
		case f.Kind != detectors.SilentMeter || f.HouseholdID != "":
		case f.State == detectors.Open:
			opened++
		case f.State == detectors.Resolved:
			ended++
		}
	}
	if opened != 3 || ended != 3 {
		t.Errorf("%d areas told, %d ended, want 3 and 3", opened, ended)
	}
}

// While readings come, of a feed without a wall clock, and of an area that
// nobody waits for any more, the log holds nothing but what ingest wrote.
func TestTheClockAloneIsWrittenOnlyWhereItTellsSomething(t *testing.T) {
	stopped := time.Date(2026, 7, 12, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		later time.Duration // the wall clock moves on, after the readings
		wall  bool
	}{
		"readings come":       {59 * time.Minute, true},
		"a replayed feed":     {5 * time.Hour, false},
		"given up long since": {15 * 24 * time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			var clock hands
			clock.set(stopped)
			svc, _ := s.member(func(o *Options) {
				if c.wall {
					o.Now = clock.now
				}
			})
			s.append(villages(3, 24, stopped))
			s.waitCaught(svc)
			clock.set(stopped.Add(c.later))
			time.Sleep(200 * time.Millisecond) // ten fetches
			if found := s.clocks(); len(found) != 0 {
				t.Errorf("the logs hold the clocks %v", found)
			}
		})
	}
}
