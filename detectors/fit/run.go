package fit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"weimang/detectors"
	"weimang/detectors/evaluate"
)

// RunOptions configures Run. Start from DefaultRunOptions.
type RunOptions struct {
	Params  detectors.Params // with the model to begin with
	Collect CollectOptions
	Life    Options // of the model of life
	Day     Options // of the model of the day
	Stuck   Options // of the model of strong use
	Folds   int     // of homes
	Seed    uint64  // by which homes are dealt into folds
	// Rounds is how often everything is fitted: what the models see depends on
	// what they have said, since a home does not learn from what is alarming.
	Rounds int
	Rates  []float64 // false alarms per home-day of the day model's figures
	// Often is how many excursions per home-day the tails begin with, by
	// detector.
	Often []float64
	// Tell is told what is being done.
	Tell func(what string)
}

// DefaultRunOptions fit what is shipped.
func DefaultRunOptions() RunOptions {
	o := RunOptions{
		Params: detectors.DefaultParams(), Collect: DefaultCollectOptions(), Life: DefaultOptions(), Day: DefaultOptions(), Stuck: DefaultOptions(),
		Folds: 5, Seed: 1, Rounds: 3, Rates: []float64{0.0005, 0.001, 0.002},
		// A little more than what each detector may push at an eager budget of
		// 0.09 per home-day.
		Often: []float64{0.06, 0.02, 0.02, 0.06, 0.02, 0.02, 0.02},
		Tell:  func(string) {},
	}
	o.Day.Balance = true
	return o
}

// Validate explains what is wrong with o.
func (o *RunOptions) Validate() error {
	switch {
	case o.Folds < 2:
		return errors.New("folds must be at least 2")
	case o.Rounds < 1:
		return errors.New("rounds must be at least 1")
	case len(o.Often) != len(detectors.Features{}.Scores):
		return fmt.Errorf("%d tails of %d detectors", len(o.Often), len(detectors.Features{}.Scores))
	}
	for _, rate := range slices.Concat(o.Rates, o.Often) {
		if !(rate > 0) {
			return fmt.Errorf("a rate of %g", rate)
		}
	}
	return errors.Join(o.Life.Validate(), o.Day.Validate(), o.Stuck.Validate())
}

// classOf is what the model of the day, or that of strong use, calls the
// recipes that it learns from.
var classOf = map[string]string{
	"shortfall/scaled": "shortfall", "shortfall/largest-gone": "shortfall",
	"still/any-time": "still", "still/in-bed": "still", "still/by-day": "still", "still/in-use": "still",
	"frozen/as-it-was": "frozen", "frozen/lamp": "lamp", "frozen/heater": "heater",
	"thermostat/cycling": "thermostat", "thermostat/fast": "thermostat", "thermostat/slow": "thermostat",
	"stuck-on/1.2-kw": "stuck", "stuck-on/0.8-kw": "stuck", "stuck-on/2.0-kw": "stuck",
	"reversed/shifted": "reversed", "reversed/restless": "restless",
}

// Result is a fitted model and how it does on homes that it has not seen.
type Result struct {
	Model     detectors.Model // as it is written, not prepared for use
	Life, Day Stats
	LifeRows  int
	DayRows   int
	StuckRows int
	StuckKept bool    // too little strong use to learn from: the model that was given is kept
	LifeLoss  float64 // cross-validated, per half-hour
	LifeGuess float64 // of the levels' shares alone
	// The same of strong use.
	StuckLoss, StuckGuess float64
	Figures               *Figures
}

// Run fits everything on a stage.
func Run(ctx context.Context, stage *evaluate.Stage, opt RunOptions) (*Result, error) {
	if err := opt.Validate(); err != nil {
		return nil, fmt.Errorf("fit: %w", err)
	}
	if opt.Folds > len(stage.Homes()) {
		return nil, fmt.Errorf("fit: %d folds of %d homes", opt.Folds, len(stage.Homes()))
	}
	r := &runner{opt: opt, stage: stage, params: opt.Params}
	r.result.Model.Tails = opt.Params.Model.Tails
	for round := 1; round <= opt.Rounds; round++ {
		if err := r.round(ctx, round); err != nil {
			return nil, fmt.Errorf("fit: round %d: %w", round, err)
		}
	}
	if err := r.judge(ctx); err != nil {
		return nil, fmt.Errorf("fit: %w", err)
	}
	return &r.result, nil
}

type runner struct {
	opt    RunOptions
	stage  *evaluate.Stage
	params detectors.Params
	life   *Set
	days   *Days
	stuck  *Set
	result Result
}

// round collects with the model there is, and fits the next one.
func (r *runner) round(ctx context.Context, round int) error {
	tell := func(what string) { r.opt.Tell(fmt.Sprintf("round %d of %d: %s", round, r.opt.Rounds, what)) }
	tell("watching homes")
	r.life, r.days = nil, nil // they are large
	c := NewCollector(r.opt.Collect)
	if err := r.watch(ctx, r.params, c, func(string) bool { return true }, true); err != nil {
		return err
	}
	m := &r.result.Model
	if round > 1 { // the first model's scores are those of the next one's tails
		copy(m.Tails[:], c.Tails(r.opt.Often))
	}
	r.life, r.days, r.stuck, m.Still = c.Life(), c.Days(), c.Stuck(), c.Still(still)
	tell(fmt.Sprintf("model of life, %d half-hours", r.life.Len()))
	life, st, err := Train(ctx, r.life, levelNames(), r.opt.Life)
	if err != nil {
		return fmt.Errorf("life: %w", err)
	}
	r.opt.Life.Start = life
	m.Life, r.result.Life, r.result.LifeRows = *life, st, r.life.Len()
	tell(fmt.Sprintf("%d iterations, converged %t; model of the day, %d hours", st.Iterations, st.Converged, r.days.Len()))
	day, st, err := Train(ctx, &r.days.Set, r.days.Classes, r.opt.Day)
	if err != nil {
		return fmt.Errorf("day: %w", err)
	}
	r.opt.Day.Start = day
	m.Day, r.result.Day, r.result.DayRows = *day, st, r.days.Len()
	tell(fmt.Sprintf("model of strong use, %d half-hours", r.stuck.Len()))
	m.Stuck, r.result.StuckRows = r.opt.Params.Model.Stuck, r.stuck.Len()
	if r.enoughStuck() {
		stuck, _, err := Train(ctx, r.stuck, detectors.StuckClasses, r.opt.Stuck)
		if err != nil {
			return fmt.Errorf("strong use: %w", err)
		}
		r.opt.Stuck.Start, m.Stuck = stuck, *stuck
	}
	r.params.Model, err = usable(m)
	return err
}

// enoughStuck reports whether there is strong use of every class and every
// fold, and enough of it, to learn from. It hardly comes in some villages.
func (r *runner) enoughStuck() bool {
	const least = 100 // half-hours of a class, in twice as many homes as there are folds
	var rows [2]int
	var homes [2]map[int]bool
	for i, y := range r.stuck.Y {
		if homes[y] == nil {
			homes[y] = make(map[int]bool)
		}
		rows[y]++
		homes[y][r.stuck.Group[i]] = true
	}
	for y := range rows {
		if rows[y] < least || len(homes[y]) < 2*r.opt.Folds {
			return false
		}
	}
	return true
}

// judge cross-validates the last round, and fits the tails to what models say
// of homes that they have not seen.
func (r *runner) judge(ctx context.Context) error {
	homes := r.stage.Homes()
	fold := Deal(len(homes), r.opt.Folds, r.opt.Seed)
	r.opt.Tell("cross-validating life")
	scores, lives, err := CrossValidate(ctx, r.life, levelNames(), fold, r.opt.Life)
	if err != nil {
		return fmt.Errorf("life: %w", err)
	}
	r.result.LifeLoss, r.result.LifeGuess = scores.LogLoss(r.life, false), guess(r.life)
	r.opt.Tell("cross-validating the day")
	scores, days, err := CrossValidate(ctx, &r.days.Set, r.days.Classes, fold, r.opt.Day)
	if err != nil {
		return fmt.Errorf("day: %w", err)
	}
	r.result.Figures = r.days.Judge(scores, r.opt.Rates)
	var stucks []*detectors.Softmax
	if r.result.StuckKept = !r.enoughStuck(); !r.result.StuckKept {
		r.opt.Tell("cross-validating strong use")
		if scores, stucks, err = CrossValidate(ctx, r.stuck, detectors.StuckClasses, fold, r.opt.Stuck); err != nil {
			return fmt.Errorf("strong use: %w", err)
		}
		r.result.StuckLoss, r.result.StuckGuess = scores.LogLoss(r.stuck, false), guess(r.stuck)
	}

	collect := r.opt.Collect
	collect.ScoresOnly = true
	unseen := NewCollector(collect)
	for f := range r.opt.Folds {
		r.opt.Tell(fmt.Sprintf("scores of homes not seen, fold %d of %d", f+1, r.opt.Folds))
		others := r.result.Model
		others.Life, others.Day = *lives[f], *days[f]
		if stucks != nil {
			others.Stuck = *stucks[f]
		}
		params := r.params
		if params.Model, err = usable(&others); err != nil {
			return err
		}
		mine := func(home string) bool {
			i, _ := slices.BinarySearch(homes, home)
			return fold[i] == f
		}
		if err := r.watch(ctx, params, unseen, mine, false); err != nil {
			return err
		}
	}
	copy(r.result.Model.Tails[:], unseen.Tails(r.opt.Often))
	return nil
}

// watch runs detectors on the stage and collects what they see of some homes.
func (r *runner) watch(ctx context.Context, params detectors.Params, c *Collector, mine func(home string) bool, cases bool) error {
	w := evaluate.Watch{
		Reach: r.opt.Collect.Until,
		Untouched: func(judged []string, out *detectors.Output) {
			tracks := make(map[string]*Track, len(judged))
			for _, home := range judged {
				if mine(home) {
					tracks[home] = c.Untouched(home)
				}
			}
			out.Features = func(home string, f *detectors.Features) {
				if t := tracks[home]; t != nil {
					t.Add(f)
				}
			}
		},
		Case: func(wc *evaluate.WatchedCase, out *detectors.Output) {
			t := c.Case(wc.Household, Case{Class: classOf[wc.Recipe], Label: wc.Recipe, Number: wc.Number, Onset: wc.Onset})
			out.Features = func(home string, f *detectors.Features) {
				if home == wc.Household {
					t.Add(f)
				}
			}
		},
	}
	if cases {
		for id := range classOf {
			w.Recipes = append(w.Recipes, id)
		}
	}
	return r.stage.Run(ctx, params, w)
}

// usable is a model prepared for detectors.
func usable(m *detectors.Model) (*detectors.Model, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return detectors.DecodeModel(b)
}

func levelNames() []string {
	names := make([]string, levels)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}

// guess is the log loss of the classes' shares alone.
func guess(set *Set) float64 {
	count := make([]float64, levels)
	for _, y := range set.Y {
		count[y]++
	}
	loss := 0.0
	for _, n := range count {
		if n > 0 {
			share := n / float64(set.Len())
			loss -= share * math.Log(share)
		}
	}
	return loss
}

// WriteTable writes the figures for people.
func (r *Result) WriteTable(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Life: %d half-hours, log loss on homes not seen %.4f, %.4f by the levels' shares alone\n", r.LifeRows, r.LifeLoss, r.LifeGuess)
	fmt.Fprintf(&b, "Day:  %d hours, log loss on homes not seen %.4f, every class weighing the same\n", r.DayRows, r.Figures.Loss)
	if r.StuckKept {
		fmt.Fprintf(&b, "Strong use: %d half-hours are too few to learn from: that part of the model is kept as it was\n\n", r.StuckRows)
	} else {
		fmt.Fprintf(&b, "Strong use: %d half-hours, log loss on homes not seen %.4f, %.4f by the classes' shares alone\n\n", r.StuckRows, r.StuckLoss, r.StuckGuess)
	}
	if err := r.Figures.writeTable(&b); err != nil {
		return err
	}
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\ntail of detector\tfrom score\tper home-day\tmean beyond\t")
	for i, tail := range r.Model.Tails {
		fmt.Fprintf(t, "%d\t%.2f\t%.4f\t%.2f\t\n", i, tail.U, tail.Often, tail.Mean)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteModel writes the model as detectors read it.
func (r *Result) WriteModel(w io.Writer) error {
	b, err := json.Marshal(&r.Model)
	if err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	_, err = w.Write(append(b, '\n'))
	return err
}
