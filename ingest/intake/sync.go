package intake

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// leftKept is how long the roster says where a meter was.
const leftKept = 90 * 24 * time.Hour

// PublishRoster writes homes to topic weimang.roster, in the place of what stands
// there of their meters.
func PublishRoster(ctx context.Context, p *stream.Producer, homes []ingest.Home) error {
	byMeter := byMeter(homes)
	var recs []stream.Record
	for _, meter := range slices.Sorted(maps.Keys(byMeter)) {
		value, err := contract.EncodeHomes(byMeter[meter])
		if err == nil {
			_, err = contract.DecodeHomes(meter, value) // what followers would leave out is not sent
		}
		if err != nil {
			return fmt.Errorf("publish roster: meter %s: %w", meter, err)
		}
		recs = append(recs, stream.Record{Key: []byte(meter), Value: value})
	}
	if err := p.Produce(ctx, ingest.TopicRoster, recs); err != nil {
		return fmt.Errorf("publish roster: %w", err)
	}
	return nil
}

// byMeter sorts homes by meter and time.
func byMeter(homes []ingest.Home) map[string][]ingest.Home {
	by := make(map[string][]ingest.Home)
	for _, h := range homes {
		by[h.MeterID] = append(by[h.MeterID], h)
	}
	for _, homes := range by {
		slices.SortStableFunc(homes, func(x, y ingest.Home) int { return x.From.Compare(y.From) })
	}
	return by
}

// ReadRoster is what topic weimang.roster holds now, by meter and time.
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
	var homes []ingest.Home
	for _, meter := range slices.Sorted(maps.Keys(f.homes)) {
		homes = append(homes, f.homes[meter]...)
	}
	return homes, nil
}

// Sync says how a list becomes the roster.
type Sync struct {
	// Now dates what the list changes without a date: it counts from now on, and
	// what stood there ends. Zero: it takes the place of what stood there, as for
	// a feed that has a time of its own.
	Now time.Time
	// Whole: the list is all there is, so a meter that it does not name has left.
	// With part of it everybody else would be watched no more.
	Whole bool
}

// SyncRoster brings topic weimang.roster, which holds the homes in was, in line
// with a list; it returns how many meters have left that were there. Only what
// differs is written.
func SyncRoster(ctx context.Context, p *stream.Producer, was, list []ingest.Home, how Sync) (left int, err error) {
	before, listed := byMeter(was), byMeter(list)
	var changed []ingest.Home
	var off []string
	for meter, homes := range listed {
		next := how.merge(before[meter], homes)
		if slices.Equal(next, before[meter]) {
			continue
		}
		if changed = append(changed, next...); len(next) == 0 {
			off = append(off, meter)
		}
	}
	for meter, homes := range before {
		if _, ok := listed[meter]; ok || !how.Whole {
			continue
		}
		next := how.end(homes)
		if len(next) == 0 {
			off = append(off, meter)
		}
		if slices.Equal(next, homes) {
			continue
		}
		changed = append(changed, next...)
		if slices.ContainsFunc(homes, func(h ingest.Home) bool { return h.Until.IsZero() || h.Until.After(how.Now) }) {
			left++
		}
	}
	slices.Sort(off)
	if err := RemoveFromRoster(ctx, p, off); err != nil {
		return 0, err
	}
	return left, PublishRoster(ctx, p, changed)
}

// hour is when a change without a date counts from: no finer time is known.
func (s Sync) hour() time.Time { return s.Now.UTC().Truncate(time.Hour) }

// end is what is left of the homes of a meter that has left.
func (s Sync) end(was []ingest.Home) []ingest.Home {
	if s.Now.IsZero() {
		return nil
	}
	return s.recent(cutHomes(was, s.hour()))
}

// merge is what a meter's homes become by those that a list names, at least one.
func (s Sync) merge(was, listed []ingest.Home) []ingest.Home {
	listed = slices.Clone(listed)
	if s.Now.IsZero() || len(was) == 0 {
		return listed
	}
	first := &listed[0]
	if first.From.IsZero() { // since when, the list does not say
		now := s.hour()
		at := now
		if !first.Until.IsZero() && !first.Until.After(now) {
			at = first.Until.Add(-time.Hour) // the last of its time
		}
		i := 0
		for i+1 < len(was) && !was[i+1].From.After(at) {
			i++
		}
		switch there := &was[i]; {
		case there.From.After(at): // nothing had begun yet
		case sameHome(there, first): // also when it had been left out by mistake
			first.From = there.From
		case at.Before(now): // it ended before it was known
			if listed = listed[1:]; len(listed) == 0 {
				return s.recent(cutHomes(was, first.Until))
			}
		default:
			first.From = now
		}
	}
	return s.recent(append(cutHomes(was, listed[0].From), listed...))
}

// sameHome reports whether two homes are the same for who watches them.
func sameHome(x, y *ingest.Home) bool {
	return x.HouseholdID == y.HouseholdID && x.AreaID == y.AreaID && x.Zone == y.Zone
}

// cutHomes is what lies before a time of homes.
func cutHomes(homes []ingest.Home, at time.Time) (left []ingest.Home) {
	for _, h := range homes {
		if h.Until.IsZero() || h.Until.After(at) {
			h.Until = at
		}
		if h.From.Before(h.Until) {
			left = append(left, h)
		}
	}
	return left
}

// recent leaves out homes that ended long ago.
func (s Sync) recent(homes []ingest.Home) []ingest.Home {
	return slices.DeleteFunc(homes, func(h ingest.Home) bool { return !h.Until.IsZero() && h.Until.Before(s.Now.Add(-leftKept)) })
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
