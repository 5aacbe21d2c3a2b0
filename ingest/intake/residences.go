package intake

import (
	"context"
	"slices"

	"weimang/ingest"
	"weimang/ingest/stream"
)

// residences is a roster that knows when who is where: areas are told of it.
type residences interface {
	// Reached returns when everything before an offset of a partition of
	// weimang.roster is taken in, or with ctx's error.
	Reached(ctx context.Context, partition int, next int64) error
	// Residences are the entries for areas that follow from records of meters.
	Residences(meters []string) []ingest.Input
	// EverIn are the areas in which a household is, was or will be.
	EverIn(household string) []string
}

// roster handles a batch of weimang.roster: what has changed goes into the logs of
// the areas that it concerns. Every process follows the topic by itself; the one
// that owns the partition writes. What was written before is written again when
// the topic is read again, and then changes nothing.
func (s *Service) roster(ctx context.Context, recs []stream.Record) error {
	if len(recs) == 0 {
		return nil
	}
	roster := s.opts.Roster.(residences) //nolint:forcetypeassert // or this topic would not be read
	last := &recs[len(recs)-1]
	if err := roster.Reached(ctx, last.Partition, last.Offset+1); err != nil {
		return err
	}
	meters := make([]string, len(recs))
	for i := range recs {
		meters[i] = string(recs[i].Key)
	}
	slices.Sort(meters)
	clock := s.opts.Clock(last, noEnd)
	var out packer
	for _, in := range roster.Residences(slices.Compact(meters)) {
		in.Clock = clock
		if err := out.add(in, 60+80*len(in.Residence.Stays)); err != nil {
			return err
		}
		s.metrics.residences.Inc()
	}
	return s.produce(ctx, &out, nil)
}
