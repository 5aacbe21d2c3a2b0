package intake

import (
	"context"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

const (
	// maxEntries and maxPacked bound a record of weimang.inputs.
	maxEntries = 500
	maxPacked  = 256 << 10
	// maxLetter is how much of a refused record a dead letter keeps. The
	// broker normally refuses larger records before we see them.
	maxLetter = 2 << 20
	// maxContentType is how much of the header it keeps: a sender may put
	// anything there, and a letter must always fit.
	maxContentType = 200
)

// packer collects entries per area and packs them into records; the order
// within an area is that of add.
type packer struct {
	order []*pack
	areas map[string]*pack
	recs  []stream.Record
}

// pack is the entries of one area for the next record.
type pack struct {
	area    string
	entries []ingest.Input
	bytes   int
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
	p.recs = append(p.recs, stream.Record{Key: []byte(a.area), Value: value})
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
	contentType, _ := r.Header(contract.ContentTypeHeader)
	return letter{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset,
		Reason: rej.Reason, Field: rej.Field, Text: rej.Text,
		ContentType: contentType[:min(len(contentType), maxContentType)], At: s.opts.Clock(r, time.Time{}), Value: r.Value,
	}
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
	if err := s.bury(ctx, dead); err != nil {
		return err
	}
	return s.producer.Produce(ctx, ingest.TopicInputs, recs)
}

// bury writes dead letters.
func (s *Service) bury(ctx context.Context, dead []letter) error {
	recs := make([]stream.Record, len(dead))
	for i := range dead {
		var err error
		if recs[i], err = letterRecord(dead[i], maxLetter); err != nil {
			return err
		}
	}
	err := s.producer.Produce(ctx, ingest.TopicDeadLetters, recs)
	if !stream.TooLarge(err) {
		return err
	}
	// A topic that was made with a smaller limit than ours: where a record
	// does not fit, at least say why it was refused. One bad record must not
	// stop the good ones behind it.
	for i := range dead {
		err := s.producer.Produce(ctx, ingest.TopicDeadLetters, recs[i:i+1])
		if stream.TooLarge(err) {
			if recs[i], err = letterRecord(dead[i], 0); err == nil {
				err = s.producer.Produce(ctx, ingest.TopicDeadLetters, recs[i:i+1])
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// letterRecord encodes a letter that keeps at most that many bytes of the
// refused record, and says so where it had more.
func letterRecord(d letter, keep int) (stream.Record, error) {
	if n := len(d.Value); n > keep {
		d.Value = d.Value[:keep]
		d.Text = fmt.Sprintf("%s (only the first %d of %d bytes are kept here)", d.Text, keep, n)
	}
	value, err := contract.EncodeDeadLetter(&d)
	if err != nil {
		return stream.Record{}, err
	}
	return stream.Record{
		Value:   value,
		Headers: []kafka.Header{{Key: contract.ContentTypeHeader, Value: []byte(contract.JSON)}},
	}, nil
}
