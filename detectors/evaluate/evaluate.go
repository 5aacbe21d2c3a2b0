package evaluate

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"weimang/detectors"
	"weimang/ingest"
	"weimang/ingest/feedfile"
	"weimang/ingest/intake"
)

// Options configures Run. Start from DefaultOptions.
type Options struct {
	Params detectors.Params
	// Roster places meters in households and areas. Nil: each meter is a
	// household without area.
	Roster  intake.Roster
	Reports []ingest.Report
	// Homes are the meters or households to judge. Nil: those that are
	// regular by a rule on their raw values.
	Homes []string

	Warmup    time.Duration // that every home learns before anything counts
	Cases     int           // per home and recipe
	Seed      uint64
	AreaSize  int           // about so many homes without area are dealt into one
	Kinds     []string      // of events, see EventKinds; nil: all
	Headlines bool          // of each kind only the recipe that stands for it
	Coarsen   time.Duration // interval to sum up to, 0: as it is
	Bootstrap int           // samples of homes; 0: no intervals
	Peers     bool

	// Budgets are false alarms pushed per home-day of the operating curve, of
	// which a quarter may be red or orange; CurveCases cases per home and
	// headline recipe are run at each.
	Budgets    []float64
	CurveCases int

	Workers int // 0 is one a core
	// Progress is called now and then, by several goroutines, with the cases
	// handled so far in this step and the readings given to detectors.
	Progress func(step string, done, total int, readings int64)
}

// VisitShare is the part of a budget of the operating curve that may be red
// or orange, as in the default budgets.
const VisitShare = 0.25

// DefaultOptions judge the default parameters.
func DefaultOptions() Options {
	return Options{
		Params: detectors.DefaultParams(), Warmup: 42 * 24 * time.Hour, Cases: 3, Seed: 1, AreaSize: 30, Bootstrap: 500, Peers: true,
		Budgets: []float64{0.0025, 0.005, 0.01, 0.02, 0.04, 0.09}, CurveCases: 1,
	}
}

// Validate explains what is wrong with o.
func (o *Options) Validate() error {
	if err := o.Params.Validate(); err != nil {
		return err
	}
	switch {
	case o.Warmup < 24*time.Hour:
		return errors.New("warm-up must be at least a day")
	case o.Cases < 1:
		return errors.New("cases must be at least 1")
	case o.AreaSize < 1:
		return errors.New("area size must be at least 1")
	case o.Bootstrap < 0:
		return errors.New("bootstrap must not be negative")
	case len(o.Budgets) > 0 && o.CurveCases < 1:
		return errors.New("curve cases must be at least 1")
	}
	for _, b := range o.Budgets {
		if !(b > 0 && b < 10) {
			return fmt.Errorf("budget %g must be more than 0 and less than 10 per home-day", b)
		}
	}
	for _, k := range o.Kinds {
		if !slices.Contains(EventKinds(), k) {
			return fmt.Errorf("no event is of kind %q; there are %v", k, EventKinds())
		}
	}
	return nil
}

func (o *Options) recipes(headlines bool) []Recipe {
	return slices.DeleteFunc(Recipes(), func(r Recipe) bool {
		return headlines && !r.Headline || len(o.Kinds) > 0 && !slices.Contains(o.Kinds, r.Kind)
	})
}

// ErrNoHomes is the error of a feed in which there is no home to judge.
var ErrNoHomes = errors.New("no home can be judged")

// Run judges the detectors on a feed. The same feed, options and seed give the
// same report, whatever the number of workers.
func Run(ctx context.Context, feed *feedfile.Feed, opt Options) (*Report, error) {
	if err := opt.Validate(); err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	report, err := run(ctx, feed, &opt)
	if err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	return report, nil
}

func run(ctx context.Context, feed *feedfile.Feed, opt *Options) (*Report, error) {
	if opt.Roster == nil {
		opt.Roster = intake.Open{}
	}
	if opt.Workers <= 0 {
		opt.Workers = runtime.GOMAXPROCS(0)
	}
	// Nothing comes late here: a short window changes no finding and makes
	// the snapshots from which cases start small.
	opt.Params.Window = shortWindow

	homes, unknown, err := readHomes(feed, opt.Roster, opt.Coarsen)
	if err != nil {
		return nil, err
	}
	judged, left, err := choose(homes, opt.Homes, ticksIn(opt.Warmup))
	if err != nil {
		return nil, err
	}
	if len(judged) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNoHomes, describeLeft(left))
	}
	areas := deal(homes, func(h *home) bool { return judged[h] }, opt.AreaSize, opt.Seed)
	inform(areas, opt.Roster, opt.Reports)
	if err := learnBases(ctx, areas, opt.Workers); err != nil {
		return nil, err
	}

	tr := opt.trial("cases", areas, opt.Params, opt.recipes(opt.Headlines), opt.Cases)
	if err := tr.run(ctx); err != nil {
		return nil, err
	}
	sc := newScorer(tr, opt.Bootstrap)
	report := &Report{
		Settings: Settings{
			Seed: opt.Seed, WarmupDays: opt.Warmup.Hours() / 24, Cases: opt.Cases, CurveCases: opt.CurveCases, AreaSize: opt.AreaSize,
			Bootstrap: opt.Bootstrap, Minutes: int(opt.Coarsen.Minutes()), Budgets: budgetsOf(opt.Params.Budgets), CurveBudgets: opt.Budgets,
		},
		Homes: Homes{Given: opt.Homes != nil, LeftOut: left, Unknown: unknown},
		Detectors: Rule{
			Name:      "weimang",
			Untouched: sc.untouched(tr.untouched, opt.Params.Budgets),
			Scores:    sc.scores(func(n int) *outcome { return &tr.jobs[n].judged }, true),
		},
		Bound: sc.bounds(), Cases: len(tr.jobs), NoRoom: tr.noRoom, Readings: tr.readings.Load(),
	}
	report.Hindsight = sc.hindsight(&report.Detectors.Untouched)
	for _, h := range sc.homes {
		report.Homes.Judged = append(report.Homes.Judged, h.id)
	}
	for _, a := range areas {
		report.Homes.Areas = append(report.Homes.Areas, AreaOfReport{
			ID: a.id, Homes: len(a.homes), Judged: len(a.judged), IntervalMinutes: int(a.interval().Minutes()),
		})
	}
	if opt.Peers {
		if err := report.addPeers(ctx, tr, sc); err != nil {
			return nil, err
		}
	}
	for _, b := range opt.Budgets {
		if err := report.addPoint(ctx, opt, areas, b); err != nil {
			return nil, err
		}
	}
	for i := range report.Peers {
		p := &report.Peers[i]
		pt := point(p.Name, &p.Untouched, p.Scores)
		pt.Peer = true
		report.Curve = append(report.Curve, pt)
	}
	return report, nil
}

const shortWindow = 24 * time.Hour

func learnBases(ctx context.Context, areas []*area, workers int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, a := range areas {
		for _, h := range a.homes {
			group.Go(func() error {
				h.learnBases()
				return ctx.Err()
			})
		}
	}
	return group.Wait()
}

func (o *Options) trial(step string, areas []*area, params detectors.Params, recipes []Recipe, cases int) *trial {
	tr := &trial{params: params, areas: areas, recipes: recipes, warmup: o.Warmup, seed: o.Seed, cases: cases, workers: o.Workers}
	if o.Progress != nil {
		tr.progress = func(done, total, readings int64) { o.Progress(step, int(done), int(total), readings) }
	}
	return tr
}

func (r *Report) addPeers(ctx context.Context, tr *trial, sc *scorer) error {
	trials, err := tr.runPeers(ctx)
	if err != nil {
		return err
	}
	for i := range trials {
		pt := &trials[i]
		r.Peers = append(r.Peers, Rule{
			Name: pt.rule.Name, Says: pt.rule.Says, Source: pt.rule.Source,
			Untouched: sc.untouched(pt.untouched, tr.params.Budgets),
			Scores:    sc.scores(func(n int) *outcome { return &pt.judged[n] }, false),
		})
	}
	return nil
}

// addPoint runs everything again at another budget.
func (r *Report) addPoint(ctx context.Context, opt *Options, areas []*area, budget float64) error {
	params := opt.Params
	params.Budgets = detectors.Budgets{Pushed: budget, Visit: VisitShare * budget}
	tr := opt.trial(fmt.Sprintf("budget %g", budget), areas, params, opt.recipes(true), opt.CurveCases)
	if err := tr.run(ctx); err != nil {
		return err
	}
	sc := newScorer(tr, opt.Bootstrap)
	u := sc.untouched(tr.untouched, params.Budgets)
	p := point("weimang", &u, sc.scores(func(n int) *outcome { return &tr.jobs[n].judged }, true))
	p.Budgets = budgetsOf(params.Budgets)
	r.Curve = append(r.Curve, p)
	r.Cases += len(tr.jobs)
	r.Readings += tr.readings.Load()
	return nil
}

func describeLeft(left []LeftOut) string {
	text := ""
	for i, l := range left {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%d %s", l.Homes, l.Why)
	}
	return text
}
