package evaluate

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"weimang/detectors"
)

// job is one case of one home: what is to be done, and where its result goes.
type job struct {
	recipe int // in the run's recipes
	area   *area
	self   int // in the area's homes
	number int
	scene  *scene // without curves, which are drawn again when it runs

	copied, control []push // control: nil until the untouched run is known
	judged          outcome
}

// trial is one run of the detectors: every area untouched, and every case.
type trial struct {
	params  detectors.Params
	areas   []*area
	recipes []Recipe
	warmup  time.Duration
	seed    uint64
	cases   int
	workers int

	jobs      []*job     // by area, home, recipe, number
	untouched [][][]push // by area, home
	noRoom    int        // cases that no home had room for
	readings  atomic.Int64
	done      atomic.Int64
	progress  func(done, total int64, readings int64)
}

// plan draws when each case begins.
func (tr *trial) plan(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(tr.workers)
	planned := make([][]*job, len(tr.areas))
	for i, a := range tr.areas {
		group.Go(func() error {
			for _, self := range a.judged {
				for r := range tr.recipes {
					for n := range tr.cases {
						if err := ctx.Err(); err != nil {
							return err
						}
						j := &job{recipe: r, area: a, self: self, number: n}
						if from, onset, until, ok := place(&tr.recipes[r], a.homes[self], tr.warmup, tr.seed, n); ok {
							j.scene = &scene{from: from, onset: onset, until: until}
						}
						planned[i] = append(planned[i], j)
					}
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, js := range planned {
		for _, j := range js {
			if j.scene == nil {
				tr.noRoom++
				continue
			}
			tr.jobs = append(tr.jobs, j)
		}
	}
	return nil
}

// run plans and carries out everything; the result is the same for any number
// of workers.
func (tr *trial) run(ctx context.Context) error {
	if err := tr.plan(ctx); err != nil {
		return err
	}
	byArea := make(map[*area][]*job)
	for _, j := range tr.jobs {
		byArea[j.area] = append(byArea[j.area], j)
	}
	tr.untouched = make([][][]push, len(tr.areas))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(tr.workers)
	for i, a := range tr.areas {
		group.Go(func() error {
			// A case goes to a free worker, or is run here when there is none,
			// so that no more snapshots are held than there are workers.
			hand := func(j *job, state []byte) error {
				run := func() error { return tr.runCase(ctx, j, state) }
				if !group.TryGo(run) {
					return run()
				}
				return nil
			}
			found, err := tr.walk(ctx, a, byArea[a], hand)
			tr.untouched[i] = a.pushes(found)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	index := make(map[*area]int, len(tr.areas))
	for i, a := range tr.areas {
		index[a] = i
	}
	for _, j := range tr.jobs {
		if j.control == nil {
			j.control = tr.untouched[index[j.area]][j.self]
		}
		j.judged = judge(j.copied, j.control, j.scene.onset, j.scene.until, tr.recipes[j.recipe].Own)
	}
	return nil
}

// walk runs an area as it was, and hands out its state where cases begin.
func (tr *trial) walk(ctx context.Context, a *area, jobs []*job, hand func(*job, []byte) error) ([]detectors.Finding, error) {
	jobs = slices.Clone(jobs)
	slices.SortStableFunc(jobs, func(x, y *job) int { return int(x.scene.from - y.scene.from) })
	state := detectors.NewArea(&tr.params, a.id)
	var out detectors.Output
	now := a.from - 1
	goOn := func(until tick) error {
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
			now = to
		}
		return nil
	}
	for len(jobs) > 0 {
		from := jobs[0].scene.from
		if err := goOn(from); err != nil {
			return nil, err
		}
		snapshot, err := state.Encode()
		if err != nil {
			return nil, fmt.Errorf("area %s: %w", a.id, err)
		}
		for len(jobs) > 0 && jobs[0].scene.from == from {
			if err := hand(jobs[0], snapshot); err != nil {
				return nil, err
			}
			jobs = jobs[1:]
		}
	}
	return out.Findings, goOn(a.until)
}

// case1 runs one case from the area's state where it begins.
func (tr *trial) runCase(ctx context.Context, j *job, snapshot []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s, ok := draw(&tr.recipes[j.recipe], j.area.homes, j.self, tr.warmup, tr.seed, j.number)
	if !ok {
		return fmt.Errorf("household %s has no room for %s after all", j.area.homes[j.self].id, tr.recipes[j.recipe].ID())
	}
	if s.shared != nil {
		var out detectors.Output
		fork, n, err := tr.advance(j.area, snapshot, s, s.copy, s.from, s.onset, &out)
		if err != nil {
			return err
		}
		tr.tell(n, 0)
		snapshot = fork
		var control detectors.Output
		if _, n, err = tr.advance(j.area, snapshot, s, s.control, s.onset, s.until, &control); err != nil {
			return err
		}
		tr.tell(n, 0)
		if j.control = j.area.pushes(control.Findings)[j.self]; j.control == nil {
			j.control = []push{}
		}
	}
	var out detectors.Output
	_, n, err := tr.advance(j.area, snapshot, s, s.copy, s.onset, s.until, &out)
	if err != nil {
		return err
	}
	j.copied = j.area.pushes(out.Findings)[j.self]
	tr.tell(n, 1)
	return nil
}

// advance restores an area and runs it on with a scene's curves.
func (tr *trial) advance(a *area, snapshot []byte, s *scene, self []uint32, from, until tick, out *detectors.Output) ([]byte, int, error) {
	state, err := detectors.DecodeArea(&tr.params, snapshot)
	if err != nil {
		return nil, 0, fmt.Errorf("area %s: %w", a.id, err)
	}
	instead := &curves{from: s.from, byHome: make([][]uint32, len(a.homes))}
	copy(instead.byHome, s.shared)
	instead.byHome[s.self] = self
	n, err := a.feed(state, from, until, instead, out)
	if err != nil {
		return nil, n, err
	}
	if s.shared == nil || until == s.until {
		return nil, n, nil
	}
	snapshot, err = state.Encode()
	if err != nil {
		return nil, n, fmt.Errorf("area %s: %w", a.id, err)
	}
	return snapshot, n, nil
}

func (tr *trial) tell(readings, cases int) {
	all, done := tr.readings.Add(int64(readings)), tr.done.Add(int64(cases))
	if tr.progress != nil {
		tr.progress(done, int64(len(tr.jobs)), all)
	}
}
