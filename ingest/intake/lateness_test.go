package intake

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// arrivals are blocks as they come to a lateness.
type arrivals struct {
	*lateness
	t   *testing.T
	log strings.Builder
}

func newArrivals(t *testing.T, usual time.Duration) *arrivals {
	return &arrivals{lateness: newLateness(usual, newMetrics(prometheus.NewRegistry())), t: t}
}

// homes sends a block each of some homes: hours of half-hours up to end,
// received at clock.
func (a *arrivals) homes(n int, end time.Time, hours int, clock time.Time) {
	b := a.batch()
	defer b.end()
	for h := range n {
		b.block(&ingest.Block{
			MeterID: fmt.Sprintf("m%d", h), Start: end.Add(-time.Duration(hours) * time.Hour),
			Interval: 30 * time.Minute, KWh: make([]float64, 2*hours),
		}, clock)
	}
}

// said is what is said of the hour that ends now.
func (a *arrivals) said() string {
	a.log.Reset()
	a.tell(slog.New(slog.NewTextHandler(&a.log, nil)))
	return a.log.String()
}

func TestDayBlocksUnderTheDefaultAreTold(t *testing.T) {
	a := newArrivals(t, 30*time.Minute)
	midnight := noon.Add(-12 * time.Hour)
	a.homes(100, midnight, 24, midnight.Add(10*time.Minute)) // prompt, and yet the first half-hour is a day late
	said := a.said()
	for _, want := range []string{"late=", "usual_delay=30m0s", `remedy="feed.usual_delay: 24h; none if a backlog`} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in %q", want, said)
		}
	}
	if late := testutil.ToFloat64(a.late); late < 95 || late > 100 { // but for meters that share a place
		t.Errorf("%v late blocks are counted", late)
	}
	if said := a.said(); said != "" {
		t.Errorf("of an hour without blocks: %q", said)
	}
	a.homes(100, midnight.Add(24*time.Hour), 24, midnight.Add(32*time.Hour))
	if said := a.said(); !strings.Contains(said, "feed.usual_delay: 32h") {
		t.Errorf("of yesterday by eight: %q", said)
	}
}

func TestWhatTheUsualDelayCoversIsNotTold(t *testing.T) {
	midnight := noon.Add(-12 * time.Hour)
	for name, c := range map[string]struct {
		usual time.Duration
		send  func(a *arrivals)
	}{
		"day blocks": {25 * time.Hour, func(a *arrivals) { a.homes(100, midnight, 24, midnight.Add(80*time.Minute)) }},
		"the day so far, every half-hour": {30 * time.Minute, func(a *arrivals) {
			a.homes(100, noon, 12, noon.Add(20*time.Minute))
			a.said() // that was news for all of the day
			for n := range 3 {
				end := noon.Add(time.Duration(n+1) * 30 * time.Minute)
				a.homes(100, end, 12, end.Add(20*time.Minute))
			}
		}},
		"corrections and repeats": {25 * time.Hour, func(a *arrivals) {
			a.homes(100, midnight, 24, midnight.Add(10*time.Minute))
			a.said()
			a.homes(100, midnight, 24, noon.Add(24*time.Hour))
		}},
		"one correction by hand after a start": {25 * time.Hour, func(a *arrivals) { a.homes(1, midnight, 1, midnight.Add(40*time.Hour)) }},
	} {
		t.Run(name, func(t *testing.T) {
			a := newArrivals(t, c.usual)
			if c.send(a); a.said() != "" {
				t.Error(a.log.String())
			}
		})
	}
}

func TestASenderThatFillsInItsPastIsToldOfOnceAtMost(t *testing.T) {
	a := newArrivals(t, 30*time.Minute)
	for hour := range 5 {
		now := noon.Add(time.Duration(hour) * time.Hour)
		for back := 90; back > 0; back-- { // ten homes, their last four days again
			a.homes(10, now.Add(-time.Duration(back)*time.Hour), 1, now)
		}
		for half := range 2 { // everybody, in time
			end := now.Add(time.Duration(half) * 30 * time.Minute)
			a.homes(100, end, 1, end.Add(10*time.Minute))
		}
		said := a.said()
		if hour == 0 && !strings.Contains(said, "or history is being filled in") {
			t.Errorf("before anything else of them was heard: %q", said)
		}
		if hour > 0 && said != "" {
			t.Errorf("hour %d: %s", hour, said)
		}
	}
}

// Meters that share a place do not make each other early or late: one of them
// stands for both, until it falls silent.
func TestOfManyMetersASampleIsJudged(t *testing.T) {
	a := newArrivals(t, 30*time.Minute)
	const meters = 200_000 // three a place
	for n := range 4 {
		end := noon.Add(time.Duration(n) * time.Hour)
		a.homes(meters, end, 1, end.Add(time.Duration(n)*30*time.Minute)) // first in time, then not
		all, late := a.hour.All, a.hour.Late
		if places := len(a.newest); all < places*9/10 || all > places {
			t.Errorf("%d meters are judged by %d", meters, all)
		}
		if n == 0 && late != 0 || n > 0 && late != all {
			t.Errorf("hour %d: %d of %d are late", n, late, all)
		}
		a.said()
	}
	// Other meters in their places, after two days.
	later := noon.Add(72 * time.Hour)
	b := a.batch()
	for h := range 1000 {
		b.block(&ingest.Block{MeterID: fmt.Sprintf("new%d", h), Start: later, Interval: time.Hour, KWh: []float64{1}}, later.Add(2*time.Hour))
	}
	if b.counts.All < 950 {
		t.Errorf("%d of 1000 new meters are judged", b.counts.All)
	}
}

func TestItIsToldOnceAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newArrivals(t, 30*time.Minute)
		ctx, stop := context.WithCancel(t.Context())
		go a.run(ctx, slog.New(slog.NewTextHandler(&a.log, nil)))
		for range 6 { // three hours
			now := time.Now()
			a.homes(100, now.Truncate(time.Hour/2).Add(-2*time.Hour), 1, now)
			time.Sleep(30 * time.Minute)
		}
		time.Sleep(time.Minute)
		stop()
		synctest.Wait()
		if n := strings.Count(a.log.String(), "level=WARN"); n != 3 {
			t.Errorf("%d lines in three hours:\n%s", n, a.log.String())
		}
	})
}

func TestAServiceTellsOfALateFeed(t *testing.T) {
	w := newWorld(t)
	said := make(chan string, 1)
	s := w.service(Open{}, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(toldOf(said), nil)) })
	s.lateness.every = 20 * time.Millisecond
	var recs []stream.Record
	for n := range 200 { // in one batch, which one look has to see most of
		recs = append(recs, reading(fmt.Sprintf("m%d", n), 3*time.Hour, 0.1))
	}
	w.send(ingest.TopicReadings, recs...)
	w.run(s.Run)
	select {
	case line := <-said:
		if !strings.Contains(line, "feed.usual_delay: 3h") {
			t.Error(line)
		}
	case <-time.After(within):
		t.Error("nothing is said")
	}
}

// toldOf passes on the first that is said of a late feed.
type toldOf chan string

func (to toldOf) Write(line []byte) (int, error) {
	if strings.Contains(string(line), "usual_delay") {
		select {
		case to <- string(line):
		default:
		}
	}
	return len(line), nil
}

func TestADayInABlockIsADayLateHoweverPromptItComes(t *testing.T) {
	w := newWorld(t)
	s := w.service(village())
	w.run(s.Run)
	day := ingest.Block{MeterID: "m1", Start: noon.Add(-24*time.Hour - 30*time.Minute), Interval: 30 * time.Minute, KWh: make([]float64, 48)}
	w.send(ingest.TopicReadings,
		stream.Record{Key: []byte("m1"), Value: contract.EncodeJSON(&day)},
		stream.Record{Key: []byte("m1"), Value: contract.EncodeJSON(&day)}, // a repeat brings nothing
		reading("m1", 0, 0.1))
	w.caught(s)
	if late := w.metric("weimang_ingest_late_blocks_total"); late != 1 {
		t.Errorf("%v late blocks", late)
	}
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "weimang_ingest_reading_delay_seconds" {
			continue
		}
		if h := f.GetMetric()[0].GetHistogram(); h.GetSampleCount() != 2 || h.GetSampleSum() != (24*time.Hour).Seconds() {
			t.Errorf("%d delays of %v s together", h.GetSampleCount(), h.GetSampleSum())
		}
	}
}
