package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"weimang/detectors/detect"
	"weimang/ingest"
	"weimang/ingest/stream"
)

const (
	// beatEvery is the time between two beats of a partition: what a pause
	// comes to when nothing happens.
	beatEvery = 50 * time.Millisecond
	// feedBefore is the share of the feed that is there before the first
	// event, so that there are states to hand over.
	feedBefore = 0.8
	// feedFor is how long the rest of the feed lasts.
	feedFor = 2 * time.Minute
	// quiet is how long nothing must change any more for an event to be over:
	// a group may divide its partitions twice.
	quiet = 2 * time.Second
)

// BalanceResult is what an event led to.
type BalanceResult struct {
	Event  Event `json:"event"`
	Before int   `json:"workers_before"`
	After  int   `json:"workers_after"`
	// Moved is how many partitions have another owner afterwards; Least is how
	// few it could have been.
	Moved int `json:"partitions_moved"`
	Least int `json:"partitions_that_had_to_move"`
	// SettledS is from the event until all partitions have an owner that has
	// restored them, in seconds.
	SettledS float64 `json:"settled_s"`
	// Pause is the longest time in which nothing of a partition came out,
	// over all partitions; of those that moved, and of those that did not.
	Pause       Pauses `json:"pause_ms"`
	PauseMoved  Pauses `json:"pause_moved_ms"`
	PauseStayed Pauses `json:"pause_stayed_ms"`
}

// Pauses is a distribution over partitions, in ms; zero where there are none.
type Pauses struct {
	P50 float64 `json:"p50"`
	Max float64 `json:"max"`
}

// rebalances lets the events happen, with a feed going on.
func (t *team) rebalances(ctx context.Context, s *site) (err error) {
	t.opts.Stage("with workers that come and go: the states first")
	if err := t.start(ctx, s, t.opts.workersAtFirst()); err != nil {
		return err
	}
	pulse, err := newPulse(ctx, s, t.opts)
	if err != nil {
		return err
	}
	defer pulse.stop()
	rest := make([][]stream.Record, t.opts.Partitions)
	if err := perPartition(t.opts.Partitions, func(p int) (err error) {
		rest[p], err = t.copy(ctx, s, p, feedBefore)
		return err
	}); err != nil {
		return err
	}
	if err := pulse.through(ctx); err != nil {
		return err
	}

	beating, stop := context.WithCancel(ctx)
	going := begin(beating, func(ctx context.Context) error {
		return perPartition(t.opts.Partitions, func(p int) error { return t.goOn(ctx, pulse, p, rest[p]) })
	})
	defer func() {
		stop()
		err = errors.Join(err, going.end())
	}()
	for _, e := range t.opts.Events {
		t.opts.Stage("with workers that come and go: " + string(e))
		if err := t.event(ctx, s, pulse, e); err != nil {
			return fmt.Errorf("%s: %w", e, err)
		}
	}
	return nil
}

// goOn writes the rest of a partition's feed at an even pace, with a beat each
// time, until ctx ends.
func (t *team) goOn(ctx context.Context, p *pulse, partition int, rest []stream.Record) error {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	share := max(1, int(float64(len(rest))*beatEvery.Seconds()/feedFor.Seconds()))
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		rec, err := p.beat(partition)
		if err != nil {
			return err
		}
		n := min(share, len(rest))
		batch := append(slices.Clone(rest[:n]), rec)
		rest = rest[n:]
		if err := p.site.producer.Produce(ctx, ingest.TopicInputs, batch); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
}

// event lets one happen and waits until it is over.
func (t *team) event(ctx context.Context, s *site, p *pulse, e Event) error {
	before, err := t.settled(ctx, s)
	if err != nil {
		return err
	}
	if err := p.caught(ctx); err != nil {
		return err
	}
	r := BalanceResult{Event: e, Before: len(before)}
	// Whoever has the most is the one to go; the first of them, so that runs
	// are alike.
	ids := slices.Sorted(maps.Keys(before))
	victim := slices.MaxFunc(ids, func(a, b string) int { return len(before[a]) - len(before[b]) })
	p.reset()
	begun := time.Now()
	switch e {
	case Add:
		r.Least = t.opts.Partitions / (len(before) + 1)
		err = t.start(ctx, s, 1)
	case Stop:
		r.Least = len(before[victim])
		err = s.end(victim, Worker.Stop)
	case Kill:
		r.Least = len(before[victim])
		err = s.end(victim, Worker.Kill)
	}
	if err != nil {
		return err
	}
	after, settled, err := t.quiet(ctx, s, p)
	if err != nil {
		return err
	}
	r.After, r.SettledS = len(after), round(settled.Sub(begun).Seconds())
	was, is := ownerOf(before), ownerOf(after)
	var all, moved, stayed []time.Duration
	for i, pause := range p.pauses() {
		all = append(all, pause)
		if was[i] == is[i] {
			stayed = append(stayed, pause)
		} else {
			moved = append(moved, pause)
		}
	}
	r.Moved, r.Pause, r.PauseMoved, r.PauseStayed = len(moved), pausesOf(all), pausesOf(moved), pausesOf(stayed)
	t.res.Rebalances = append(t.res.Rebalances, r)
	return nil
}

// quiet waits until the workers have divided the partitions and nothing of it
// has changed for a while, and everything sent has come out. It returns since
// when it was so.
func (t *team) quiet(ctx context.Context, s *site, p *pulse) (owners map[string][]int, since time.Time, err error) {
	for {
		if owners, err = t.settled(ctx, s); err != nil {
			return nil, since, err
		}
		since = time.Now()
		if err := p.caught(ctx); err != nil {
			return nil, since, err
		}
		pause := time.NewTimer(quiet)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil, since, context.Cause(ctx)
		case <-pause.C:
		}
		again, stable, err := s.client.Owners(ctx, detect.DefaultGroup, ingest.TopicInputs)
		if err != nil {
			return nil, since, err
		}
		if stable && maps.Equal(ownerOf(owners), ownerOf(again)) {
			return owners, since, nil
		}
	}
}

// ownerOf is who has each partition.
func ownerOf(owners map[string][]int) map[int]string {
	by := make(map[int]string)
	for id, parts := range owners {
		for _, p := range parts {
			by[p] = id
		}
	}
	return by
}

func pausesOf(list []time.Duration) Pauses {
	if len(list) == 0 {
		return Pauses{}
	}
	slices.Sort(list)
	return Pauses{P50: millis(list[(len(list)-1)/2]), Max: millis(list[len(list)-1])}
}

func millis(d time.Duration) float64 { return math.Round(float64(d) / float64(time.Millisecond)) }

// round is a number to the thousandth.
func round(x float64) float64 { return math.Round(x*1000) / 1000 }
