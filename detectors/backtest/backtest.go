// Package backtest runs the detectors over a file of readings as if it had
// come in live: by the feed's clock, as fast as it can. It is how detectors
// are judged; it sends nothing and stores nothing. A home that moves is handed
// over at once.
package backtest

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"weimang/detectors"
	"weimang/ingest"
	"weimang/ingest/feedfile"
	"weimang/ingest/intake"
)

// Options configures Run.
type Options struct {
	Params detectors.Params
	// Roster places meters in households and areas. Nil: each meter is a
	// household in an area of its own.
	Roster  intake.Roster
	Reports []ingest.Report
	// Directives are what people have said about households of the roster.
	Directives []ingest.Directive
	Workers    int // areas are shared among them; 0 is one a core
	// Progress is called now and then with the readings handled so far.
	Progress func(done int)
}

// Stats is what a run amounts to.
type Stats struct {
	Readings   int // applied, missing values included
	Unknown    int // of meters that are not in the roster
	Households int
	Areas      int
	HomeDays   float64 // of measured readings
	Duplicates uint64
}

// Run returns the transitions of all areas, ordered by the clock, then area,
// then as they were made: the same for any number of workers.
func Run(ctx context.Context, feed *feedfile.Feed, opt Options) ([]detectors.Finding, Stats, error) {
	if err := opt.Params.Validate(); err != nil {
		return nil, Stats{}, fmt.Errorf("backtest: %w", err)
	}
	if opt.Roster == nil {
		opt.Roster = intake.Open{}
	}
	if opt.Workers <= 0 {
		opt.Workers = runtime.GOMAXPROCS(0)
	}
	workers := make([]*worker, opt.Workers)
	group, ctx := errgroup.WithContext(ctx)
	for i := range workers {
		workers[i] = &worker{params: &opt.Params, in: make(chan []entry, 4), areas: make(map[string]*detectors.Area)}
		group.Go(workers[i].run)
	}
	var stats Stats
	group.Go(func() error {
		defer func() {
			for _, w := range workers {
				close(w.in)
			}
		}()
		return deal(ctx, feed, &opt, workers, &stats)
	})
	if err := group.Wait(); err != nil {
		return nil, stats, fmt.Errorf("backtest: %w", err)
	}
	var found []detectors.Finding
	for _, w := range workers {
		found = append(found, w.out.Findings...)
		stats.Duplicates += w.out.Duplicates
	}
	// One area is one worker's, whose order is the area's.
	slices.SortStableFunc(found, func(x, y detectors.Finding) int {
		return cmp.Or(x.DecidedAt.Compare(y.DecidedAt), cmp.Compare(x.AreaID, y.AreaID))
	})
	return found, stats, nil
}

// entry is an input on its way to a worker; readings are values so that a
// batch is one allocation.
type entry struct {
	area      string
	clock     time.Time
	row       feedfile.Row
	home      *ingest.Home
	incident  *ingest.Incident
	directive *ingest.Directive
	residence *ingest.Residence
}

const batchLen = 1024

// deal hands the feed to the workers in the order of its clock.
func deal(ctx context.Context, feed *feedfile.Feed, opt *Options, workers []*worker, stats *Stats) error {
	homes := newLookup(opt.Roster, feed)
	owner := make(map[string]int)
	heard, areas := make(map[string]bool), make(map[string]bool)
	defer func() { stats.Households, stats.Areas = len(heard), len(areas) }()
	batches := make([][]entry, len(workers))
	push := func(w int, e entry) error {
		if batches[w] == nil {
			batches[w] = make([]entry, 0, batchLen)
		}
		if batches[w] = append(batches[w], e); len(batches[w]) < batchLen {
			return nil
		}
		select {
		case workers[w].in <- batches[w]:
			batches[w] = nil
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	of := func(area string) int {
		w, ok := owner[area]
		if !ok {
			h := fnv.New32a()
			h.Write([]byte(homes.together(area)))
			w = int(h.Sum32() % uint32(len(workers)))
			owner[area] = w
		}
		return w
	}
	for _, in := range homes.residences { // before any clock is known, as in a replay
		if err := push(of(in.AreaID), entry{area: in.AreaID, residence: in.Residence}); err != nil {
			return err
		}
	}
	for item := range feedfile.Timeline(feed, opt.Reports, opt.Directives) {
		if d := item.Directive; d != nil {
			if !homes.inFeed[d.HouseholdID] {
				return fmt.Errorf("directive %s: no meter of household %s is in the feed", d.ID, d.HouseholdID)
			}
			for area := range opt.Roster.Areas(ingest.Scope{Households: []string{d.HouseholdID}}, item.Clock) {
				if err := push(of(area), entry{area: area, clock: item.Clock, directive: d}); err != nil {
					return err
				}
			}
			continue
		}
		if item.Report != nil {
			for area, households := range opt.Roster.Areas(item.Report.Scope, item.Clock) {
				in := item.Report.Incident
				in.Scope = ingest.Scope{Households: households}
				if err := push(of(area), entry{area: area, clock: item.Clock, incident: &in}); err != nil {
					return err
				}
			}
			continue
		}
		home := homes.at(item.Row.Meter, item.Row.MeterID, item.Row.Start)
		if home == nil {
			stats.Unknown++
			continue
		}
		heard[home.HouseholdID], areas[home.AreaID] = true, true
		if stats.Readings++; stats.Readings%16384 == 0 && opt.Progress != nil {
			opt.Progress(stats.Readings)
		}
		if item.Row.Wh != ingest.NoValue {
			stats.HomeDays += item.Row.Interval.Hours() / 24
		}
		if err := push(of(home.AreaID), entry{area: home.AreaID, clock: item.Clock, row: item.Row, home: home}); err != nil {
			return err
		}
	}
	for w, batch := range batches {
		select {
		case workers[w].in <- batch:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// worker owns some of the areas.
type worker struct {
	params *detectors.Params
	in     chan []entry
	areas  map[string]*detectors.Area
	out    detectors.Output
}

func (w *worker) run() error {
	readings := ingest.Readings{Wh: make([]uint32, 1)}
	for batch := range w.in {
		for i := range batch {
			e := &batch[i]
			in := ingest.Input{AreaID: e.area, Clock: e.clock, Incident: e.incident, Directive: e.directive, Residence: e.residence}
			if e.home != nil {
				readings.MeterID, readings.HouseholdID, readings.Zone = e.home.MeterID, e.home.HouseholdID, e.home.Zone
				readings.Start, readings.Interval = e.row.Start, e.row.Interval
				readings.Wh[0], readings.Register, readings.Quality = e.row.Wh, e.row.Register, e.row.Quality
				in.Readings = &readings
			}
			if err := w.apply(&in); err != nil {
				if e.directive != nil {
					err = fmt.Errorf("directive %s: %w", e.directive.ID, err)
				}
				return fmt.Errorf("area %s: %w", e.area, err)
			}
		}
	}
	return nil
}

// apply takes an input into its area, and what that hands over into others.
func (w *worker) apply(in *ingest.Input) error {
	a, ok := w.areas[in.AreaID]
	if !ok {
		a = detectors.NewArea(w.params, in.AreaID)
		w.areas[in.AreaID] = a
	}
	if err := a.Apply(in, &w.out); err != nil {
		return err
	}
	for len(w.out.Handovers) > 0 {
		next := w.out.Handovers[0]
		w.out.Handovers = w.out.Handovers[1:]
		if err := w.apply(&next); err != nil {
			return err
		}
	}
	return nil
}
