package evaluate

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"
)

// watched is a peer at one home, and whether its condition held.
type watched struct {
	p    peer
	anew bool
	held bool
}

func (w *watched) clone() watched { return watched{w.p.clone(), w.anew, w.held} }

// watch runs a rule over part of a curve. An alert is when its condition
// begins to hold, or each time it does.
func (w *watched) watch(h *home, from, until tick, value func(t tick) uint32, into []push) []push {
	for t := from; t < until; t += h.step {
		wh := value(t)
		if !measured(wh) {
			continue
		}
		onset, holds := w.p.observe(t, float64(wh))
		if holds && (w.anew || !w.held) {
			into = append(into, push{at: t + h.step, onset: onset})
		}
		w.held = holds
	}
	return into
}

// peerTrial is what one rule said: on untouched homes, and in every case.
type peerTrial struct {
	rule      peerRule
	untouched [][][]push // by area, home
	judged    []outcome  // by job
}

// runPeers gives the rules the same homes and cases as the detectors had.
func (tr *trial) runPeers(ctx context.Context) ([]peerTrial, error) {
	rules := peerRules()
	trials := make([]peerTrial, len(rules))
	for r := range trials {
		trials[r] = peerTrial{rule: rules[r], untouched: make([][][]push, len(tr.areas)), judged: make([]outcome, len(tr.jobs))}
		for i, a := range tr.areas {
			trials[r].untouched[i] = make([][]push, len(a.homes))
		}
	}
	type key struct {
		a    *area
		self int
	}
	jobs := make(map[key][]int)
	for n, j := range tr.jobs {
		jobs[key{j.area, j.self}] = append(jobs[key{j.area, j.self}], n)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(tr.workers)
	for i, a := range tr.areas {
		for _, self := range a.judged {
			group.Go(func() error {
				own := jobs[key{a, self}]
				slices.SortStableFunc(own, func(x, y int) int { return int(tr.jobs[x].scene.from - tr.jobs[y].scene.from) })
				return tr.peersAt(ctx, i, self, own, trials)
			})
		}
	}
	return trials, group.Wait()
}

// peersAt walks all rules along one home, with its cases on the way.
func (tr *trial) peersAt(ctx context.Context, area, self int, jobs []int, trials []peerTrial) error {
	a := tr.areas[area]
	h := a.homes[self]
	now := h.start
	at := make([]watched, len(trials))
	for r := range at {
		at[r] = watched{p: trials[r].rule.make(h), anew: trials[r].rule.anew}
	}
	goOn := func(until tick) {
		until = min(until, h.end())
		for r := range at {
			into := &trials[r].untouched[area][self]
			*into = at[r].watch(h, now, until, h.value, *into)
		}
		now = max(now, until)
	}
	type pair struct{ copied, control []push }
	said := make([][]pair, len(jobs))
	for k, n := range jobs {
		if err := ctx.Err(); err != nil {
			return err
		}
		j := tr.jobs[n]
		s, ok := draw(&tr.recipes[j.recipe], a.homes, self, tr.warmup, tr.seed, j.number)
		if !ok {
			continue
		}
		goOn(s.from)
		said[k] = make([]pair, len(trials))
		for r := range at {
			along := func(curve []uint32) []push {
				w := at[r].clone()
				return w.watch(h, s.from, s.until, func(t tick) uint32 { return curve[(t-s.from)/h.step] }, nil)
			}
			said[k][r].copied = along(s.copy)
			if s.control != nil {
				said[k][r].control = append([]push{}, along(s.control)...)
			}
		}
	}
	goOn(h.end())
	for k, n := range jobs {
		j := tr.jobs[n]
		for r := range trials {
			control := said[k][r].control
			if control == nil {
				control = trials[r].untouched[area][self]
			}
			trials[r].judged[n] = judge(said[k][r].copied, control, j.scene.onset, j.scene.until, nil)
		}
	}
	return nil
}
