package intake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// Follower is the roster as topic weimang.roster says: one record per meter,
// its homes as contract.DecodeHomes reads them; a tombstone takes the meter off.
type Follower struct {
	log   *slog.Logger
	ready chan struct{}

	mu      sync.RWMutex
	homes   map[string][]ingest.Home // by meter, each by time
	meters  map[string][]string      // by household
	left    map[string][]place       // by meter: where it was until its record became another
	index   *rosterIndex             // nil: to be built
	follows int                      // partitions of the topic
	reached map[int]int64            // by partition: everything before is taken in
	moved   chan struct{}            // closed when reached has changed
}

// place is a household in an area.
type place struct{ household, area string }

// rosterIndex finds areas by what a scope may name.
type rosterIndex struct {
	areas     map[string]bool
	byVillage map[string][]string // village: areas
	// unplaced: some homes have no area here, so their readings bring their
	// own, which the roster cannot know.
	unplaced bool
}

// NewFollower returns an empty roster; see Follow.
func NewFollower(log *slog.Logger) *Follower {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Follower{
		log: log, ready: make(chan struct{}), moved: make(chan struct{}),
		homes: make(map[string][]ingest.Home), meters: make(map[string][]string), left: make(map[string][]place), reached: make(map[int]int64),
	}
}

// Wait returns when the roster has caught up with what the topic held when
// Follow began, or with ctx's error.
func (f *Follower) Wait(ctx context.Context) error {
	select {
	case <-f.ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Len is the number of meters known.
func (f *Follower) Len() int {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return len(f.homes)
}

// Follow reads the topic from its begin and goes on with every change until
// ctx ends; then it returns nil. It is called once.
func (f *Follower) Follow(ctx context.Context, c *stream.Client) error {
	starts, ends, err := c.Bounds(ctx, ingest.TopicRoster)
	for ; err != nil; starts, ends, err = c.Bounds(ctx, ingest.TopicRoster) {
		f.log.Warn("cannot read the roster yet, trying again every second", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
	f.mu.Lock()
	f.follows = len(ends)
	f.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		running, behind sync.WaitGroup
		errs            = make([]error, len(ends))
	)
	for p := range ends {
		behind.Add(1)
		running.Go(func() {
			if errs[p] = f.followPartition(ctx, c, p, starts[p], ends[p], behind.Done); errs[p] != nil {
				cancel()
			}
		})
	}
	running.Go(func() {
		behind.Wait()
		if ctx.Err() == nil {
			f.log.Info("roster is read", "meters", f.Len())
			close(f.ready)
		}
	})
	running.Wait()
	return done(ctx, errors.Join(errs...))
}

// done drops the error of a context that ended as it should.
func done(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

func (f *Follower) followPartition(ctx context.Context, c *stream.Client, partition int, start, end int64, caughtUp func()) error {
	cur := c.Cursor(ingest.TopicRoster, partition, start)
	caughtUp = sync.OnceFunc(caughtUp)
	defer caughtUp()
	for {
		if cur.Position() >= end {
			caughtUp()
		}
		b, err := cur.Fetch(ctx)
		if err != nil {
			return done(ctx, fmt.Errorf("follow roster: %w", err))
		}
		f.apply(b.Records)
		f.reach(partition, b.Next)
	}
}

// reach notes how far a partition is taken in.
func (f *Follower) reach(partition int, next int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if next > f.reached[partition] {
		f.reached[partition] = next
		close(f.moved)
		f.moved = make(chan struct{})
	}
}

// Reached returns when everything before an offset of a partition of the topic
// is taken in, or with ctx's error.
func (f *Follower) Reached(ctx context.Context, partition int, next int64) error {
	for {
		f.mu.RLock()
		reached, moved := f.reached[partition], f.moved
		f.mu.RUnlock()
		if reached >= next {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Current returns when everything is taken in that the topic holds now, or with
// the error of asking, or ctx's.
func (f *Follower) Current(ctx context.Context, c *stream.Client) error {
	ends, err := c.EndOffsets(ctx, ingest.TopicRoster)
	if err != nil {
		return fmt.Errorf("ask where the roster ends: %w", err)
	}
	f.mu.RLock()
	follows := f.follows
	f.mu.RUnlock()
	for p, end := range ends[:min(follows, len(ends))] {
		if err := f.Reached(ctx, p, end); err != nil {
			return fmt.Errorf("wait for the roster: %w", err)
		}
	}
	return nil
}

// apply takes changes in. A record that cannot be read is left out and logged
// without its content: somebody may have written a name into it.
func (f *Follower) apply(recs []stream.Record) {
	if len(recs) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.index = nil
	for i := range recs {
		meter := string(recs[i].Key)
		if recs[i].Value == nil {
			f.set(meter, nil)
			continue
		}
		homes, err := contract.DecodeHomes(meter, recs[i].Value)
		if err != nil {
			f.log.Error("record of the roster cannot be used", "partition", recs[i].Partition, "offset", recs[i].Offset, "error", err)
			continue
		}
		f.set(meter, homes)
	}
}

// set makes homes all that a meter has; none: it is not in the roster.
func (f *Follower) set(meter string, homes []ingest.Home) {
	was := f.homes[meter]
	if len(homes) == 0 {
		delete(f.homes, meter)
	} else {
		f.homes[meter] = homes
	}
	for i := range was {
		p := place{was[i].HouseholdID, AreaOf(was[i])}
		if !slices.ContainsFunc(homes, func(h ingest.Home) bool { return p == place{h.HouseholdID, AreaOf(h)} }) && !slices.Contains(f.left[meter], p) {
			f.left[meter] = append(f.left[meter], p)
		}
		if slices.ContainsFunc(homes, func(h ingest.Home) bool { return h.HouseholdID == p.household }) {
			continue
		}
		rest := slices.DeleteFunc(f.meters[p.household], func(id string) bool { return id == meter })
		if f.meters[p.household] = rest; len(rest) == 0 {
			delete(f.meters, p.household)
		}
	}
	for i := range homes {
		if household := homes[i].HouseholdID; !slices.Contains(f.meters[household], meter) {
			f.meters[household] = append(f.meters[household], meter)
		}
	}
}

// Meters are all that are or were in the roster, in order.
func (f *Follower) Meters() []string {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return slices.Sorted(maps.Keys(f.homes))
}

// Lookup implements Roster.
func (f *Follower) Lookup(meterID string, at time.Time) (ingest.Home, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	homes := f.homes[meterID]
	for i := range homes {
		if homes[i].Holds(at) {
			return homes[i], true
		}
		if at.Before(homes[i].From) {
			return ingest.Home{From: homes[i].From}, false
		}
	}
	return ingest.Home{}, false
}

// Areas implements Roster. An area that no home is in concerns nobody here
// and is left out, unless some homes have no area in the roster: theirs comes
// with their readings, so any area may be meant.
func (f *Follower) Areas(scope ingest.Scope, at time.Time) map[string][]string {
	ix := f.indexed()
	areas := make(map[string][]string)
	f.mu.RLock()
	for _, h := range scope.Households {
		for _, a := range f.areasOf(h, at) {
			if !slices.Contains(areas[a], h) {
				areas[a] = append(areas[a], h)
			}
		}
	}
	f.mu.RUnlock()
	for _, v := range scope.Villages {
		for _, a := range ix.byVillage[v] {
			areas[a] = nil
		}
	}
	for _, a := range scope.Areas {
		if ix.areas[a] || ix.unplaced {
			areas[a] = nil
		}
	}
	return areas
}

// areasOf are the areas in which a household is at a time, almost always one. Of
// one that is nowhere then it is the last it was in, or else the first it comes
// to.
func (f *Follower) areasOf(household string, at time.Time) (areas []string) {
	var last, next *ingest.Home
	for _, meter := range f.meters[household] {
		for i := range f.homes[meter] {
			switch h := &f.homes[meter][i]; {
			case h.HouseholdID != household:
			case h.Holds(at):
				if area := AreaOf(*h); !slices.Contains(areas, area) {
					areas = append(areas, area)
				}
			case at.Before(h.From) && (next == nil || h.From.Before(next.From)):
				next = h
			case !at.Before(h.From) && (last == nil || h.Until.After(last.Until)):
				last = h
			}
		}
	}
	switch {
	case len(areas) > 0:
	case last != nil:
		areas = []string{AreaOf(*last)}
	case next != nil:
		areas = []string{AreaOf(*next)}
	}
	return areas
}

// EverIn are the areas in which a household is, was or will be.
func (f *Follower) EverIn(household string) (areas []string) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, meter := range f.meters[household] {
		for _, h := range f.homes[meter] {
			if h.HouseholdID == household {
				areas = append(areas, AreaOf(h))
			}
		}
	}
	return areas
}

// indexed returns the index, built anew after a change.
func (f *Follower) indexed() *rosterIndex {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.index != nil {
		return f.index
	}
	ix := &rosterIndex{areas: map[string]bool{}, byVillage: map[string][]string{}}
	seen := make(map[[2]string]bool) // village, area
	for _, homes := range f.homes {
		for _, h := range homes {
			area := AreaOf(h)
			ix.areas[area] = true
			ix.unplaced = ix.unplaced || h.AreaID == ""
			if pair := [2]string{h.VillageID, area}; h.VillageID != "" && !seen[pair] {
				seen[pair] = true
				ix.byVillage[h.VillageID] = append(ix.byVillage[h.VillageID], area)
			}
		}
	}
	f.index = ix
	return ix
}

// Residences are the entries that areas' logs need of the households at which
// some meters are, will be, or have been: one for each household and area.
func (f *Follower) Residences(meters []string) []ingest.Input {
	f.mu.RLock()
	defer f.mu.RUnlock()
	touched := make(map[string][]string) // household: areas that a meter of it was taken from
	for _, meter := range meters {
		for _, h := range f.homes[meter] {
			touched[h.HouseholdID] = append(touched[h.HouseholdID], AreaOf(h))
		}
		for _, p := range f.left[meter] {
			touched[p.household] = append(touched[p.household], p.area)
		}
	}
	var entries []ingest.Input
	for _, household := range slices.Sorted(maps.Keys(touched)) {
		entries = append(entries, f.residences(household, touched[household])...)
	}
	return entries
}

// residences are the entries of one household: for each area that it is ever in,
// and those in more.
func (f *Follower) residences(household string, more []string) (entries []ingest.Input) {
	var homes []ingest.Home
	for _, meter := range f.meters[household] {
		for _, h := range f.homes[meter] {
			if h.HouseholdID == household {
				homes = append(homes, h)
			}
		}
	}
	slices.SortFunc(homes, func(x, y ingest.Home) int {
		return cmp.Or(x.From.Compare(y.From), cmp.Compare(x.MeterID, y.MeterID))
	})
	stays := make(map[string][]ingest.Stay)
	for _, area := range more {
		stays[area] = nil
	}
	for _, h := range homes {
		stays[AreaOf(h)] = append(stays[AreaOf(h)], ingest.Stay{
			MeterID: h.MeterID, Zone: h.Zone, From: h.From, Until: h.Until, To: onward(homes, &h),
		})
	}
	for _, area := range slices.Sorted(maps.Keys(stays)) {
		entries = append(entries, ingest.Input{AreaID: area, Residence: &ingest.Residence{HouseholdID: household, Stays: stays[area]}})
	}
	return entries
}

// onward is the area in which a household goes on once it leaves a home, "": it
// stays, or goes nowhere. homes are all of the household, by time.
func onward(homes []ingest.Home, h *ingest.Home) string {
	if h.Until.IsZero() {
		return ""
	}
	for i := range homes {
		if next := &homes[i]; !next.From.IsZero() && !next.From.Before(h.Until) {
			if AreaOf(*next) == AreaOf(*h) {
				return ""
			}
			return AreaOf(*next)
		}
	}
	return ""
}
