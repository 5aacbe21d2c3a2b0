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
		ContentType: contentType, At: s.opts.Clock(r, time.Time{}), Value: r.Value,
	}
}

// produce writes the entries and the dead letters of a batch, and returns
// when both are acknowledged.
func (s *Service) produce(ctx context.Context, out *packer, dead []letter) error {
	recs, err := out.records()
	if err != nil {
		return err
	}
	if err := s.producer.Produce(ctx, ingest.TopicInputs, recs); err != nil {
		return err
	}
	return s.bury(ctx, dead)
}

// bury writes dead letters.
func (s *Service) bury(ctx context.Context, dead []letter) error {
	recs := make([]stream.Record, len(dead))
	for i := range dead {
		if d := &dead[i]; len(d.Value) > maxLetter {
			cut(d, maxLetter)
		}
		var err error
		if recs[i], err = letterRecord(&dead[i]); err != nil {
			return err
		}
	}
	err := s.producer.Produce(ctx, ingest.TopicDeadLetters, recs)
	if !stream.TooLarge(err) {
		return err
	}
	// A topic that was made with a smaller limit than ours: say why a record
	// was refused, if the record itself does not fit. One bad record must not
	// stop the good ones behind it.
	for i := range dead {
		err := s.producer.Produce(ctx, ingest.TopicDeadLetters, recs[i:i+1])
		if stream.TooLarge(err) {
			cut(&dead[i], 0)
			if recs[i], err = letterRecord(&dead[i]); err == nil {
				err = s.producer.Produce(ctx, ingest.TopicDeadLetters, recs[i:i+1])
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// cut keeps only the first n bytes of a refused record and says so.
func cut(d *letter, n int) {
	d.Text = fmt.Sprintf("%s (only the first %d of %d bytes are kept here)", d.Text, n, len(d.Value))
	d.Value = d.Value[:n]
}

func letterRecord(d *letter) (stream.Record, error) {
	value, err := contract.EncodeDeadLetter(d)
	if err != nil {
		return stream.Record{}, err
	}
	return stream.Record{
		Value:   value,
		Headers: []kafka.Header{{Key: contract.ContentTypeHeader, Value: []byte(contract.JSON)}},
	}, nil
}
