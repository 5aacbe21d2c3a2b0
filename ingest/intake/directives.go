package intake

import (
	"context"
	"errors"
	"maps"
	"slices"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// directives handles a batch of weimang.directives.
func (s *Service) directives(ctx context.Context, recs []stream.Record) error {
	var (
		out  packer
		dead []letter
	)
	for i := range recs {
		r := &recs[i]
		inputs, err := s.directive(r)
		if rej := (*ingest.Rejection)(nil); errors.As(err, &rej) {
			dead = append(dead, s.refuse(r, rej))
			continue
		} else if err != nil {
			return err
		}
		s.metrics.directives.Inc()
		for _, in := range inputs {
			if err := out.add(in, 200); err != nil {
				return err
			}
		}
	}
	return s.produce(ctx, &out, dead)
}

// directive makes an entry for the log of each area in which the household has
// a meter, almost always one. A record that cannot be used is an
// *ingest.Rejection.
func (s *Service) directive(r *stream.Record) ([]ingest.Input, error) {
	contentType, _ := r.Header(contract.ContentTypeHeader)
	d, err := contract.DecodeDirective(contentType, r.Value)
	if err != nil {
		return nil, err
	}
	clock := s.opts.Clock(r, noEnd)
	if !s.opts.Replayed {
		if err := contract.CheckIssued(&d, clock, s.opts.Limits); err != nil {
			return nil, err
		}
	}
	areas := s.opts.Roster.Areas(ingest.Scope{Households: []string{d.HouseholdID}}, clock)
	if len(areas) == 0 {
		return nil, ingest.Reject(ingest.UnknownHousehold, "household_id",
			"the household is not in the roster, so nobody watches it; give the id that the list of households gives, not a meter's, or say it again once the list has it")
	}
	// Nobody is to be watched against their will where they were or will be, either.
	if all, ok := s.opts.Roster.(residences); ok && (d.Kind == ingest.ConsentWithdrawn || d.Kind == ingest.ConsentGiven) {
		for _, area := range all.EverIn(d.HouseholdID) {
			areas[area] = nil
		}
	}
	var inputs []ingest.Input
	for _, area := range slices.Sorted(maps.Keys(areas)) {
		inputs = append(inputs, ingest.Input{AreaID: area, Clock: clock, Directive: &d})
	}
	return inputs, nil
}
