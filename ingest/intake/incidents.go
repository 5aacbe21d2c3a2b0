package intake

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// incidents handles a batch of weimang.incidents. Each report is saved before
// its stream part is written: an area's log must not refer to what nobody can
// look up.
func (s *Service) incidents(ctx context.Context, recs []stream.Record) error {
	var (
		out  packer
		dead []letter
	)
	for i := range recs {
		r := &recs[i]
		contentType, _ := r.Header(contract.ContentTypeHeader)
		report, err := contract.DecodeIncident(contentType, r.Value)
		if rej := (*ingest.Rejection)(nil); errors.As(err, &rej) {
			dead = append(dead, s.refuse(r, rej))
			continue
		} else if err != nil {
			return err
		}
		if err := s.opts.Sink.SaveReport(ctx, report); err != nil {
			return fmt.Errorf("save incident report %s: %w", report.ID, err)
		}
		report.Place = ingest.Place{Partition: r.Partition, Next: r.Offset + 1}
		for _, in := range s.place(&report, s.opts.Clock(r, time.Time{})) {
			if err := out.add(in, 200+20*len(in.Incident.Scope.Households)); err != nil {
				return err
			}
		}
	}
	return s.produce(ctx, &out, dead)
}

// place makes an entry, without text and reporter, for the log of each area
// the incident concerns.
func (s *Service) place(report *ingest.Report, clock time.Time) []ingest.Input {
	s.metrics.incidents.Inc()
	switch report.Class {
	case ingest.ClassPlannedOutage, ingest.ClassOutage, ingest.ClassRestored:
	default:
		s.metrics.unknownClass.Inc()
	}
	s.metrics.gridCells.Add(float64(len(report.Scope.GridCells)))
	areas := s.opts.Roster.Areas(report.Scope, clock)
	if len(areas) == 0 {
		s.metrics.unplaced.Inc()
	}
	var inputs []ingest.Input
	for _, area := range slices.Sorted(maps.Keys(areas)) {
		in := report.Incident
		// Of the scope only what is this area's business.
		if in.Scope = (ingest.Scope{Households: areas[area]}); areas[area] == nil {
			in.Scope.Areas = []string{area}
		}
		inputs = append(inputs, ingest.Input{AreaID: area, Clock: clock, Incident: &in})
	}
	return inputs
}
