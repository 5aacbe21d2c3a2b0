package chaos

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"weimang/alerts"
	"weimang/alerts/deliver"
	"weimang/detectors"
)

// Site is what is disturbed.
type Site interface {
	// Start starts a process that turns findings into messages and posts them
	// to an address.
	Start(ctx context.Context, name, address string) (Worker, error)
	// Send writes findings to their topic.
	Send(ctx context.Context, fs []*detectors.Finding) error
	// Notes is how the messages to people stand in the store, Alerts the alerts
	// by id, Waiting what waits to be sent or applied.
	Notes(ctx context.Context) (map[string]Note, error)
	Alerts(ctx context.Context) (map[string]*alerts.Alert, error)
	Transitions(ctx context.Context) (int, error)
	// Revive restarts the broker over what it has kept.
	Revive(ctx context.Context) error
}

// Worker is a process.
type Worker interface {
	Kill() error // as a machine that fails
	Stop() error
}

// Options are what to disturb and how.
type Options struct {
	Rounds  int
	Seed    uint64
	Homes   int
	Workers int // at a time; one for a store that only one process may have
	// Settle is how long a round may take to come to rest.
	Settle time.Duration
	Stage  func(string)
}

// Result is what came of it.
type Result struct {
	Seed       uint64
	Rounds     int
	Kills      map[string]int // by moment
	Findings   int
	Messages   int
	Deliveries int
	Answers    map[string]int // of the vendor, other than receipts
	Twice      Twice
	Revived    int      // broker restarts, since it held the group up
	Wrong      []string // what must not be, the first round that showed any
}

// struck is a process that was killed.
type struck struct {
	name, moment string
	at           time.Time
}

// Moments at which a process is killed.
const (
	atRandom      = "at random"
	beforeReceipt = "before the receipt"
	afterReceipt  = "after the receipt"
)

// storm is a run under way.
type storm struct {
	Options
	site    Site
	vendor  *vendor
	rng     *rand.Rand
	started int

	mu      sync.Mutex // the vendor's arm kills, too
	workers map[string]Worker

	res *Result

	open   []*detectors.Finding // whose end was not sent yet
	sent   []string             // alerts
	count  int                  // findings sent
	struck chan struck          // what the vendor's arm has killed
	now    time.Time            // event time of the next finding
}

// Run disturbs a site round by round. It ends with the first round in which
// something is wrong.
func Run(ctx context.Context, site Site, opt Options) (res Result, err error) {
	res = Result{Seed: opt.Seed, Kills: map[string]int{}}
	st := &storm{
		Options: opt, site: site, vendor: newVendor(opt.Seed), rng: rand.New(rand.NewPCG(opt.Seed, 1)), workers: map[string]Worker{}, res: &res,
		struck: make(chan struck, 16), now: time.Now().Add(-time.Hour).Truncate(time.Second),
	}
	defer st.vendor.server.Close()
	defer func() {
		for _, w := range st.workers {
			err = errors.Join(err, w.Stop())
		}
	}()
	for len(st.workers) < opt.Workers {
		if err := st.start(ctx); err != nil {
			return res, err
		}
	}
	for res.Rounds < opt.Rounds && len(res.Wrong) == 0 {
		st.Stage(fmt.Sprintf("round %d of %d", res.Rounds+1, opt.Rounds))
		if err := st.round(ctx); err != nil {
			return res, fmt.Errorf("round %d: %w", res.Rounds+1, err)
		}
		res.Rounds++
	}
	if len(res.Wrong) == 0 {
		st.Stage("quiet after the last round")
		st.vendor.behave()
		if err := st.settle(ctx); err != nil {
			return res, fmt.Errorf("after the last round: %w", err)
		}
	}
	taken := st.vendor.taken()
	res.Findings, res.Deliveries, res.Answers = st.count, len(taken), st.vendor.said
	return res, nil
}

func (st *storm) start(ctx context.Context) error {
	st.started++
	name := fmt.Sprintf("w%d", st.started)
	w, err := st.site.Start(ctx, name, st.vendor.server.URL+"/"+name)
	if err != nil {
		return err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.workers[name] = w
	return nil
}

// hit kills a process now, from wherever it is called. It reports false where
// that is dead already.
func (st *storm) hit(name, moment string) bool {
	st.mu.Lock()
	w := st.workers[name]
	delete(st.workers, name)
	st.mu.Unlock()
	if w == nil {
		return false
	}
	at := time.Now()
	if err := w.Kill(); err != nil {
		return false
	}
	st.struck <- struck{name, moment, at}
	return true
}

// after looks what a killed process has left, and starts another.
func (st *storm) after(ctx context.Context, k struck) error {
	st.res.Kills[k.moment]++
	notes, err := st.site.Notes(ctx)
	if err != nil {
		return err
	}
	taken := st.vendor.taken()
	st.res.Wrong = append(st.res.Wrong, unknown(taken, k.name, notes)...)
	st.vendor.cut(k.name, func(d Delivery) bool {
		return notes[d.ID].Status == deliver.Waiting && k.at.Sub(d.At) < latest
	})
	return st.start(ctx)
}

// round sends findings, kills while they are on their way, and waits until
// everybody has heard what she should.
func (st *storm) round(ctx context.Context) error {
	for range 2 + st.rng.IntN(3) {
		st.strike()
		fs := st.findings(1 + st.rng.IntN(8))
		if err := st.site.Send(ctx, fs); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case k := <-st.struck:
			if err := st.after(ctx, k); err != nil {
				return err
			}
		case <-time.After(time.Duration(st.rng.IntN(600)) * time.Millisecond):
		}
	}
	return st.settle(ctx)
}

// strike kills now, or has the vendor say when.
func (st *storm) strike() {
	switch st.rng.IntN(4) {
	case 0:
		st.mu.Lock()
		names := slices.Sorted(maps.Keys(st.workers))
		st.mu.Unlock()
		if len(names) > 0 {
			st.hit(names[st.rng.IntN(len(names))], atRandom)
		}
	case 1:
		st.vendor.arm(true, func(worker string) { st.hit(worker, beforeReceipt) })
	case 2:
		st.vendor.arm(false, func(worker string) { st.hit(worker, afterReceipt) })
	}
}

// findings are new alerts, graver ones and ends.
func (st *storm) findings(n int) (out []*detectors.Finding) {
	for range n {
		st.now = st.now.Add(time.Second)
		if len(st.open) > st.Homes/2 || len(st.open) > 0 && st.rng.IntN(3) == 0 {
			i := st.rng.IntN(len(st.open))
			f := *st.open[i]
			f.Seq, f.At, f.DecidedAt, f.DataUntil = f.Seq+1, st.now, st.now, st.now
			if f.Severity < detectors.Red && st.rng.IntN(2) == 0 {
				f.State, f.Severity = detectors.Update, f.Severity+1
				st.open[i] = &f
			} else {
				f.State, f.Reason = detectors.Resolved, detectors.Reason{Cause: detectors.CauseLifeBack}
				st.open = slices.Delete(st.open, i, i+1)
			}
			out = append(out, &f)
			continue
		}
		home := 1 + st.rng.IntN(st.Homes)
		id := fmt.Sprintf("h%d", home)
		if slices.ContainsFunc(st.open, func(f *detectors.Finding) bool { return f.HouseholdID == id }) {
			continue
		}
		f := &detectors.Finding{
			HouseholdID: id, MeterID: fmt.Sprintf("m%d", home), AreaID: "a1", Kind: detectors.NoSignOfLife, Severity: detectors.Orange,
			State: detectors.Open, Seq: 1, Pushed: true, Onset: st.now.Add(-time.Minute), At: st.now, DecidedAt: st.now, DataUntil: st.now,
			Value: 0.2, Usual: 1.5, Reason: detectors.Reason{Cause: detectors.CauseQuiet, Hours: 6}, Episode: int64(st.count + len(out) + 1),
		}
		st.open = append(st.open, f)
		st.sent = append(st.sent, f.AlertID())
		out = append(out, f)
	}
	st.count += len(out)
	return out
}

// heldUp is how long nothing may move before the broker is restarted. Members that
// are killed while they join leave the embedded one waiting for them for ever;
// whoever reads on after the restart has lost nothing by it.
const heldUp = 20 * time.Second

// settle waits until every finding is applied and every message sent, and
// judges.
func (st *storm) settle(ctx context.Context) error {
	deadline := time.Now().Add(st.Settle)
	applied, moved := -1, time.Now()
	for {
		select {
		case k := <-st.struck:
			if err := st.after(ctx, k); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
		if len(st.res.Wrong) > 0 {
			return nil // it is wrong already: what else becomes of it says no more
		}
		n, err := st.site.Transitions(ctx)
		if err != nil {
			return err
		}
		notes, err := st.site.Notes(ctx)
		if err != nil {
			return err
		}
		if n != applied {
			applied, moved = n, time.Now()
		}
		if n < st.count && time.Since(moved) > heldUp {
			st.res.Revived++
			if err := st.site.Revive(ctx); err != nil {
				return err
			}
			moved = time.Now()
		}
		wrong := missing(st.vendor.taken(), notes)
		if n == st.count && len(wrong) == 0 {
			break
		}
		if time.Now().After(deadline) {
			if n != st.count {
				wrong = append(wrong, fmt.Sprintf("%d findings were sent and %d applied", st.count, n))
			}
			st.res.Wrong = append(st.res.Wrong, wrong...)
			break
		}
	}
	return st.judge(ctx)
}

func (st *storm) judge(ctx context.Context) error {
	all, err := st.site.Alerts(ctx)
	if err != nil {
		return err
	}
	notes, err := st.site.Notes(ctx)
	if err != nil {
		return err
	}
	st.res.Messages = len(notes)
	twice, wrong := repeats(st.vendor.taken())
	st.res.Twice = twice
	st.res.Wrong = append(st.res.Wrong, append(wrong, untold(st.sent, all)...)...)
	return nil
}
