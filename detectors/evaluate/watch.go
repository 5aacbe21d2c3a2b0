package evaluate

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"weimang/detectors"
	"weimang/ingest/feedfile"
	"weimang/ingest/intake"
)

// Stage is homes dealt into areas, ready for detectors to be watched on them
// again and again: what models are fitted from.
type Stage struct {
	opt   Options
	areas []*area
}

// Watch hooks on what detectors put out, before they run: Untouched on an area
// as it was, of which the judged households count, Case on a copy. Each is
// called by several goroutines; an output is used by one.
type Watch struct {
	Untouched func(judged []string, out *detectors.Output)
	Case      func(c *WatchedCase, out *detectors.Output)
	// Recipes are the ids of those whose cases are run; none: no cases.
	Recipes []string
	// Reach is how long after its onset a case is run at most.
	Reach time.Duration
}

// WatchedCase is an event injected into a copy of a home.
type WatchedCase struct {
	Recipe    string // its id
	Household string
	Number    int // among the cases of the home and recipe
	Onset     time.Time
}

// NewStage chooses the homes and deals them as Run does.
func NewStage(ctx context.Context, feed *feedfile.Feed, opt Options) (*Stage, error) {
	if err := opt.Validate(); err != nil {
		return nil, fmt.Errorf("stage: %w", err)
	}
	if opt.Roster == nil {
		opt.Roster = intake.Open{}
	}
	if opt.Workers <= 0 {
		opt.Workers = runtime.GOMAXPROCS(0)
	}
	homes, _, err := readHomes(feed, opt.Roster, opt.Coarsen)
	if err != nil {
		return nil, fmt.Errorf("stage: %w", err)
	}
	judged, left, err := choose(homes, opt.Homes, ticksIn(opt.Warmup))
	if err != nil {
		return nil, fmt.Errorf("stage: %w", err)
	}
	if len(judged) == 0 {
		return nil, fmt.Errorf("stage: %w: %s", ErrNoHomes, describeLeft(left))
	}
	areas := deal(homes, func(h *home) bool { return judged[h] }, opt.AreaSize, opt.Seed)
	inform(areas, opt.Roster, opt.Reports)
	if err := learnBases(ctx, areas, opt.Workers); err != nil {
		return nil, fmt.Errorf("stage: %w", err)
	}
	return &Stage{opt: opt, areas: areas}, nil
}

// Homes lists the judged households, in order.
func (s *Stage) Homes() []string {
	var ids []string
	for _, a := range s.areas {
		ids = append(ids, a.judgedIDs()...)
	}
	slices.Sort(ids)
	return ids
}

func (a *area) judgedIDs() []string {
	ids := make([]string, len(a.judged))
	for i, self := range a.judged {
		ids[i] = a.homes[self].id
	}
	return ids
}

// Run lets detectors of some parameters see every area, and the cases asked
// for, each from the area's state where it begins.
func (s *Stage) Run(ctx context.Context, params detectors.Params, w Watch) error {
	params.Window = shortWindow // as in Run
	tr := s.opt.trial("watching", s.areas, params, nil, s.opt.Cases)
	for _, r := range Recipes() {
		if slices.Contains(w.Recipes, r.ID()) {
			tr.recipes = append(tr.recipes, r)
		}
	}
	if len(tr.recipes) != len(w.Recipes) {
		return fmt.Errorf("watch: %v are not all recipes", w.Recipes)
	}
	if err := tr.plan(ctx); err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	byArea := make(map[*area][]*job)
	for _, j := range tr.jobs {
		byArea[j.area] = append(byArea[j.area], j)
	}
	for _, jobs := range byArea {
		slices.SortStableFunc(jobs, func(x, y *job) int { return int(x.scene.from - y.scene.from) })
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(tr.workers)
	var next atomic.Int64
	for range tr.workers {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(s.areas) {
					return nil
				}
				if err := tr.watch(ctx, s.areas[i], byArea[s.areas[i]], &w); err != nil {
					return err
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	return nil
}

// watch runs one area and, as they come, its cases.
func (tr *trial) watch(ctx context.Context, a *area, jobs []*job, w *Watch) error {
	state := detectors.NewArea(&tr.params, a.id)
	var out detectors.Output
	w.Untouched(a.judgedIDs(), &out)
	now := a.from - 1
	var snapshot []byte
	for {
		until := a.until
		if len(jobs) > 0 {
			until = jobs[0].scene.from
		}
		for now < until { // in parts, so that an interrupt is heard
			if err := ctx.Err(); err != nil {
				return err
			}
			to := min(until, now+7*dayTicks)
			n, err := a.feed(state, now, to, nil, &out)
			if err != nil {
				return err
			}
			tr.tell(n, 0)
			out.Findings, now, snapshot = out.Findings[:0], to, nil
		}
		if len(jobs) == 0 {
			return nil
		}
		if snapshot == nil {
			var err error
			if snapshot, err = state.Encode(); err != nil {
				return fmt.Errorf("area %s: %w", a.id, err)
			}
		}
		if err := tr.watchCase(ctx, jobs[0], snapshot, w); err != nil {
			return err
		}
		jobs = jobs[1:]
	}
}

// watchCase runs the copy of one case; its control teaches nothing.
func (tr *trial) watchCase(ctx context.Context, j *job, snapshot []byte, w *Watch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r, h := &tr.recipes[j.recipe], j.area.homes[j.self]
	s, ok := draw(r, j.area.homes, j.self, tr.warmup, tr.seed, j.number)
	if !ok {
		return fmt.Errorf("household %s has no room for %s after all", h.id, r.ID())
	}
	if s.shared != nil {
		var before detectors.Output
		var n int
		var err error
		if snapshot, n, err = tr.advance(j.area, snapshot, s, s.copy, s.from, s.onset, &before); err != nil {
			return err
		}
		tr.tell(n, 0)
	}
	var out detectors.Output
	w.Case(&WatchedCase{Recipe: r.ID(), Household: h.id, Number: j.number, Onset: s.onset.time()}, &out)
	_, n, err := tr.advance(j.area, snapshot, s, s.copy, s.onset, min(s.until, s.onset+ticksIn(w.Reach)), &out)
	tr.tell(n, 1)
	return err
}
