package intake

import (
	"context"
	"errors"
	"sync"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// readings handles a batch of weimang.readings.
func (s *Service) readings(ctx context.Context, recs []stream.Record) error {
	var (
		out  packer
		dead []letter
		same = shared{late: s.lateness.batch(), current: sync.OnceValue(func() error { return s.currentRoster(ctx) })}
	)
	for i := range recs {
		r := &recs[i]
		inputs, err := s.reading(r, &same)
		if rej := (*ingest.Rejection)(nil); errors.As(err, &rej) {
			dead = append(dead, s.refuse(r, rej))
		} else if err != nil {
			return err
		}
		out.arrived = r.Time
		for _, in := range inputs {
			if err := out.add(in, 40+4*len(in.Readings.Wh)); err != nil {
				return err
			}
		}
	}
	same.late.end()
	return s.produce(ctx, &out, dead)
}

// shared is what the readings of a batch share.
type shared struct {
	one  [1]ingest.Input // room for the entries of a record
	late *batch
	// current returns when the roster is what it was when the batch had come.
	current func() error
}

// currentRoster waits until the roster is what its topic says now, if it follows
// one: who writes a meter down and then sends its readings must not lose them to
// a follower that is behind.
func (s *Service) currentRoster(ctx context.Context) error {
	if f, ok := s.opts.Roster.(interface {
		Current(context.Context, *stream.Client) error
	}); ok {
		return f.Current(ctx, s.opts.Client)
	}
	return nil
}

// reading turns one record into entries of its area's log: one, or one for each
// home that the meter had in its time, until the next call. Of times in which the
// meter is not in the roster there is none, unless such records are kept: a
// utility may send the whole town. The error of a record that cannot be used, or
// not all of it, is an *ingest.Rejection.
func (s *Service) reading(r *stream.Record, same *shared) ([]ingest.Input, error) {
	contentType, _ := r.Header(contract.ContentTypeHeader)
	b, err := s.opts.Limits.Decode(contentType, r.Value)
	if err != nil {
		return nil, err
	}
	clock := s.opts.Clock(r, b.End())
	if err := contract.CheckClock(&b, clock, s.opts.Limits); err != nil {
		return nil, err
	}
	inputs, unknown := same.one[:0], false
	for begin := 0; begin < len(b.KWh); {
		part, home, ok := s.part(&b, begin)
		if !ok {
			if err := same.current(); err != nil {
				return nil, err
			}
			part, home, ok = s.part(&b, begin)
		}
		begin += len(part.KWh)
		if !ok {
			unknown = true
			continue
		}
		area := home.AreaID
		switch {
		case area == "" && b.AreaID != "":
			area = b.AreaID // the roster does not place the home, so the sender does
		case area == "":
			area = OwnArea(b.MeterID)
		case b.AreaID != "" && b.AreaID != area:
			s.metrics.conflicts.Inc()
		}
		s.metrics.accepted(&part)
		same.late.block(&part, clock)
		inputs = append(inputs, ingest.Input{AreaID: area, Clock: clock, Readings: contract.ToReadings(&part, home)})
	}
	if !unknown {
		return inputs, nil
	}
	s.metrics.unknownMeters.Inc()
	s.unknown.add(b.MeterID)
	if s.opts.KeepUnknown {
		return inputs, ingest.Reject(ingest.UnknownMeter, "meter_id", "the meter is not in the roster at that time; it counts when it is, and this record once it is replayed")
	}
	return inputs, nil
}

// part is what of a block, from an interval on, has one home, or no home.
func (s *Service) part(b *ingest.Block, begin int) (part ingest.Block, home ingest.Home, ok bool) {
	start := b.Start.Add(time.Duration(begin) * b.Interval)
	home, ok = s.opts.Roster.Lookup(b.MeterID, start)
	until := home.Until
	if !ok {
		until = home.From
	}
	end := len(b.KWh)
	if !until.IsZero() {
		end = min(end, begin+int((until.Sub(start)+b.Interval-1)/b.Interval))
	}
	part = *b
	part.Start, part.KWh = start, b.KWh[begin:end]
	return part, home, ok
}
