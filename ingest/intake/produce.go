package intake

import (
	"context"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/deadletters"
	"weimang/ingest/stream"
)

const (
	// maxEntries and maxPacked bound a record of weimang.inputs.
	maxEntries = 500
	maxPacked  = 256 << 10
)

// packer collects entries per area and packs them into records; the order
// within an area is that of add.
type packer struct {
	order []*pack
	areas map[string]*pack
	recs  []stream.Record
	// arrived is when what is added next came to its topic; zero: not to be told.
	arrived time.Time
}

// pack is the entries of one area for the next record.
type pack struct {
	area    string
	entries []ingest.Input
	bytes   int
	arrived time.Time // of the first entry
}

// add takes an entry of about that many bytes.
func (p *packer) add(in ingest.Input, bytes int) error {
	a := p.areas[in.AreaID]
	if a == nil {
		a = &pack{area: in.AreaID}
		if p.areas == nil {
			p.areas = make(map[string]*pack)
		}
		p.areas[in.AreaID] = a
		p.order = append(p.order, a)
	}
	if len(a.entries) == maxEntries || (len(a.entries) > 0 && a.bytes+bytes > maxPacked) {
		if err := p.seal(a); err != nil {
			return err
		}
	}
	if len(a.entries) == 0 {
		a.arrived = p.arrived
	}
	a.entries = append(a.entries, in)
	a.bytes += bytes
	return nil
}

// seal packs what an area has collected.
func (p *packer) seal(a *pack) error {
	if len(a.entries) == 0 {
		return nil
	}
	value, err := contract.EncodeInputs(a.area, a.entries)
	if err != nil {
		return err
	}
	rec := stream.Record{Key: []byte(a.area), Value: value}
	if !a.arrived.IsZero() {
		rec.Headers = []kafka.Header{{Key: ingest.ArrivedHeader, Value: strconv.AppendInt(nil, a.arrived.UnixMilli(), 10)}}
	}
	p.recs = append(p.recs, rec)
	a.entries, a.bytes = a.entries[:0], 0
	return nil
}

// records seals everything and returns it.
func (p *packer) records() ([]stream.Record, error) {
	for _, a := range p.order {
		if err := p.seal(a); err != nil {
			return nil, err
		}
	}
	return p.recs, nil
}

// letter is a dead letter on its way.
type letter = contract.DeadLetter

// refuse makes the dead letter of a record and counts it.
func (s *Service) refuse(r *stream.Record, rej *ingest.Rejection) letter {
	s.metrics.rejected[rej.Reason].Inc()
	return deadletters.New(r, rej, s.opts.Clock(r, time.Time{}))
}

// produce writes the dead letters and the entries of a batch, and returns
// when both are acknowledged. The letters go first: where they cannot be
// written the batch is tried again for ever, and the areas' logs must not grow
// by it.
func (s *Service) produce(ctx context.Context, out *packer, dead []letter) error {
	recs, err := out.records()
	if err != nil {
		return err
	}
	if err := deadletters.Bury(ctx, s.producer, dead); err != nil {
		return err
	}
	return s.producer.Produce(ctx, ingest.TopicInputs, recs)
}
