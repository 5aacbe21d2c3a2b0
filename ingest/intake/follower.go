package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"weimang/ingest"
	"weimang/ingest/stream"
)

// Follower is the roster as topic weimang.roster says: one record per meter,
// an ingest.Home as JSON; a tombstone takes the meter off.
type Follower struct {
	log   *slog.Logger
	ready chan struct{}

	mu    sync.RWMutex
	homes map[string]ingest.Home // by meter
	index *rosterIndex           // nil: to be built
}

// rosterIndex finds areas by what a scope may name.
type rosterIndex struct {
	areas      map[string]bool
	byVillage  map[string][]string // village: areas
	households map[string][]string // household: areas, almost always one
	// unplaced: some homes have no area here, so their readings bring their
	// own, which the roster cannot know.
	unplaced bool
}

// NewFollower returns an empty roster; see Follow.
func NewFollower(log *slog.Logger) *Follower {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Follower{log: log, ready: make(chan struct{}), homes: make(map[string]ingest.Home)}
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
	}
}

// apply takes changes in. A record that is no home is left out and logged
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
			delete(f.homes, meter)
			continue
		}
		var h ingest.Home
		if err := json.Unmarshal(recs[i].Value, &h); err != nil || h.MeterID != meter || h.HouseholdID == "" {
			f.log.Error("record of the roster cannot be used: it must be a home under the key of its meter",
				"partition", recs[i].Partition, "offset", recs[i].Offset)
			continue
		}
		f.homes[meter] = h
	}
}

// Lookup implements Roster.
func (f *Follower) Lookup(meterID string) (ingest.Home, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	h, ok := f.homes[meterID]
	return h, ok
}

// Areas implements Roster. An area that no home is in concerns nobody here
// and is left out, unless some homes have no area in the roster: theirs comes
// with their readings, so any area may be meant.
func (f *Follower) Areas(scope ingest.Scope) map[string][]string {
	ix := f.indexed()
	areas := make(map[string][]string)
	for _, h := range scope.Households {
		for _, a := range ix.households[h] {
			if !slices.Contains(areas[a], h) {
				areas[a] = append(areas[a], h)
			}
		}
	}
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

// indexed returns the index, built anew after a change.
func (f *Follower) indexed() *rosterIndex {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.index != nil {
		return f.index
	}
	ix := &rosterIndex{areas: map[string]bool{}, byVillage: map[string][]string{}, households: map[string][]string{}}
	seen := make(map[[2]string]bool) // village, area
	for _, h := range f.homes {
		area := AreaOf(h)
		ix.areas[area] = true
		ix.unplaced = ix.unplaced || h.AreaID == ""
		if !slices.Contains(ix.households[h.HouseholdID], area) {
			ix.households[h.HouseholdID] = append(ix.households[h.HouseholdID], area)
		}
		if pair := [2]string{h.VillageID, area}; h.VillageID != "" && !seen[pair] {
			seen[pair] = true
			ix.byVillage[h.VillageID] = append(ix.byVillage[h.VillageID], area)
		}
	}
	f.index = ix
	return ix
}

// PublishRoster writes homes to topic weimang.roster, adding to or changing
// what stands there.
func PublishRoster(ctx context.Context, p *stream.Producer, homes []ingest.Home) error {
	recs := make([]stream.Record, len(homes))
	for i, h := range homes {
		if h.MeterID == "" || h.HouseholdID == "" {
			return fmt.Errorf("publish roster: home %d has no meter or no household", i)
		}
		value, err := json.Marshal(h)
		if err != nil {
			return fmt.Errorf("publish roster: %w", err)
		}
		recs[i] = stream.Record{Key: []byte(h.MeterID), Value: value}
	}
	if err := p.Produce(ctx, ingest.TopicRoster, recs); err != nil {
		return fmt.Errorf("publish roster: %w", err)
	}
	return nil
}

// ReadRoster is what topic weimang.roster holds now, by meter.
func ReadRoster(ctx context.Context, c *stream.Client) ([]ingest.Home, error) {
	partitions, err := c.Partitions(ctx, ingest.TopicRoster)
	if err != nil {
		return nil, fmt.Errorf("read roster: %w", err)
	}
	f := NewFollower(nil)
	for n := range partitions {
		if _, err := stream.ReadAll(ctx, c, ingest.TopicRoster, n, func(r stream.Record) error {
			f.apply([]stream.Record{r})
			return nil
		}); err != nil {
			return nil, fmt.Errorf("read roster: %w", err)
		}
	}
	homes := make([]ingest.Home, 0, len(f.homes))
	for _, meter := range slices.Sorted(maps.Keys(f.homes)) {
		homes = append(homes, f.homes[meter])
	}
	return homes, nil
}

// SyncRoster makes topic weimang.roster, which holds the homes in was, hold
// those in homes and no others; it returns how many meters it took off. Only
// what differs is written. It is for whoever owns the whole list: with part of
// it everybody else would be watched no more.
func SyncRoster(ctx context.Context, p *stream.Producer, was, homes []ingest.Home) (removed int, err error) {
	there := make(map[string]ingest.Home, len(was))
	for _, h := range was {
		there[h.MeterID] = h
	}
	var changed []ingest.Home
	for _, h := range homes {
		if old, ok := there[h.MeterID]; !ok || old != h {
			changed = append(changed, h)
		}
		delete(there, h.MeterID)
	}
	if err := RemoveFromRoster(ctx, p, slices.Sorted(maps.Keys(there))); err != nil {
		return 0, err
	}
	return len(there), PublishRoster(ctx, p, changed)
}

// RemoveFromRoster writes a tombstone for each meter.
func RemoveFromRoster(ctx context.Context, p *stream.Producer, meterIDs []string) error {
	recs := make([]stream.Record, len(meterIDs))
	for i, id := range meterIDs {
		recs[i].Key = []byte(id)
	}
	if err := p.Produce(ctx, ingest.TopicRoster, recs); err != nil {
		return fmt.Errorf("remove from roster: %w", err)
	}
	return nil
}
