package intake

import (
	"context"
	"errors"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// readings handles a batch of weimang.readings.
func (s *Service) readings(ctx context.Context, recs []stream.Record) error {
	var (
		out  packer
		dead []letter
	)
	for i := range recs {
		r := &recs[i]
		in, err := s.reading(r)
		if rej := (*ingest.Rejection)(nil); errors.As(err, &rej) {
			dead = append(dead, s.refuse(r, rej))
			continue
		} else if err != nil {
			return err
		}
		if in == nil {
			continue // not in the roster
		}
		out.arrived = r.Time
		if err := out.add(*in, 40+4*len(in.Readings.Wh)); err != nil {
			return err
		}
	}
	return s.produce(ctx, &out, dead)
}

// reading turns one record into an entry of its area's log. It is nil when
// the meter is not in the roster, unless such records are kept: a utility may
// send the whole town. A record that cannot be used is an *ingest.Rejection.
func (s *Service) reading(r *stream.Record) (*ingest.Input, error) {
	contentType, _ := r.Header(contract.ContentTypeHeader)
	b, err := s.opts.Limits.Decode(contentType, r.Value)
	if err != nil {
		return nil, err
	}
	clock := s.opts.Clock(r, b.End())
	if err := contract.CheckClock(&b, clock, s.opts.Limits); err != nil {
		return nil, err
	}
	home, ok := s.opts.Roster.Lookup(b.MeterID)
	if !ok {
		s.metrics.unknownMeters.Inc()
		s.unknown.add(b.MeterID)
		if s.opts.KeepUnknown {
			return nil, ingest.Reject(ingest.UnknownMeter, "meter_id", "the meter is not in the roster; it counts from when it is, and this record once it is replayed")
		}
		return nil, nil //nolint:nilnil // documented: nothing to write, nothing wrong
	}
	area := AreaOf(home)
	if b.AreaID != "" {
		if home.AreaID != "" && home.AreaID != b.AreaID {
			s.metrics.conflicts.Inc()
		}
		area = b.AreaID
	}
	s.metrics.accepted(&b, clock)
	return &ingest.Input{AreaID: area, Clock: clock, Readings: contract.ToReadings(&b, home)}, nil
}
