package deadletters

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/segmentio/kafka-go"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

const (
	// MaxValue is how much of a refused record's value a letter keeps. The
	// broker normally refuses larger records before we see them.
	MaxValue = 2 << 20
	// maxHead bounds its key and headers, names included.
	maxHead = 64 << 10
	// maxContentType is how much of the header it keeps: a sender may put
	// anything there, and a letter must always fit.
	maxContentType = 200
)

// New is the letter of a record that is refused at the run's clock. It shares
// memory with r.
func New(r *stream.Record, rej *ingest.Rejection, at time.Time) contract.DeadLetter {
	contentType, _ := r.Header(contract.ContentTypeHeader)
	d := contract.DeadLetter{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: r.Time.UTC(),
		Reason: rej.Reason, Field: rej.Field, Text: rej.Text,
		ContentType: contentType[:min(len(contentType), maxContentType)], At: at, Key: r.Key, Value: r.Value,
	}
	head, exact := len(r.Key), true
	for _, h := range r.Headers {
		head += len(h.Key) + len(h.Value)
		exact = exact && utf8.ValidString(h.Key) // JSON has no other names
		d.Headers = append(d.Headers, contract.Header{Name: h.Key, Value: h.Value})
	}
	if head > maxHead || !exact {
		d.Key, d.Headers, d.Cut = nil, nil, true
		d.Text += " (its key and headers are not kept here)"
	}
	return d
}

// Bury writes letters and returns when they are acknowledged.
func Bury(ctx context.Context, p *stream.Producer, letters []contract.DeadLetter) error {
	recs := make([]stream.Record, len(letters))
	for i := range letters {
		var err error
		if recs[i], err = record(letters[i], MaxValue); err != nil {
			return err
		}
	}
	err := p.Produce(ctx, ingest.TopicDeadLetters, recs)
	if !stream.TooLarge(err) {
		return err
	}
	// A topic that was made with a smaller limit than ours: where a record
	// does not fit, at least say why it was refused. One bad record must not
	// stop the good ones behind it.
	for i := range letters {
		err := p.Produce(ctx, ingest.TopicDeadLetters, recs[i:i+1])
		if stream.TooLarge(err) {
			if recs[i], err = record(bare(letters[i]), 0); err == nil {
				err = p.Produce(ctx, ingest.TopicDeadLetters, recs[i:i+1])
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bare is a letter without what a sender may have made long.
func bare(d contract.DeadLetter) contract.DeadLetter {
	if len(d.Key) > 0 || len(d.Headers) > 0 {
		d.Key, d.Headers, d.Cut = nil, nil, true
	}
	return d
}

// record encodes a letter that keeps at most that many bytes of the refused
// value, and says so where it had more.
func record(d contract.DeadLetter, keep int) (stream.Record, error) {
	if n := len(d.Value); n > keep {
		d.Value, d.Cut = d.Value[:keep], true
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

// receiptHeader holds, on a receipt, the place of the letter that was
// replayed.
const receiptHeader = "replayed"

func receipt(of Place) stream.Record {
	return stream.Record{Headers: []kafka.Header{{Key: receiptHeader, Value: []byte(of.String())}}}
}

// receiptOf tells which letter a record is a receipt of.
func receiptOf(r *stream.Record) (Place, bool) {
	text, ok := r.Header(receiptHeader)
	if !ok || len(r.Value) > 0 {
		return Place{}, false
	}
	p, err := ParsePlace(strings.TrimSpace(text))
	return p, err == nil
}
