package deadletters

import (
	"context"
	"fmt"

	"github.com/segmentio/kafka-go"

	"weimang/ingest"
	"weimang/ingest/stream"
)

// Verdict says whether a letter may be replayed, and if not, why.
type Verdict string

// Verdicts.
const (
	// Go: it is written back.
	Go Verdict = "replay"
	// Already: it was replayed before; a force replays it once more.
	Already Verdict = "replayed-before"
	// Superseded: it was replayed and refused again, and the letter of that
	// refusal is the one to replay. No force changes that: with both each
	// round would double them.
	Superseded Verdict = "refused-again"
	// TooOften: the record was replayed as often as is allowed; a force
	// replays it once more.
	TooOften Verdict = "too-often"
	// NotWhole: the letter does not hold all of the record.
	NotWhole Verdict = "not-whole"
	// NoWay: it came from no topic of ours that takes records, or lacks the
	// key that the topic needs.
	NoWay Verdict = "no-way-back"
)

// Verdicts lists the closed set, for summaries.
var Verdicts = []Verdict{Go, Already, Superseded, TooOften, NotWhole, NoWay}

// Rules of a replay.
type Rules struct {
	Most  int  // how often one record may be replayed
	Force bool // also what was replayed before, or too often
}

// sources are the topics that something may be written back to, and whether a
// record needs its key there: the partition of an area's log follows from it.
var sources = map[string]bool{
	ingest.TopicReadings: false, ingest.TopicIncidents: false, ingest.TopicDirectives: false,
	ingest.TopicInputs: true, ingest.TopicFindings: true, ingest.TopicHistory: true,
}

// Judge decides about one letter.
func (r Rules) Judge(l *Letter) Verdict {
	needsKey, known := sources[l.Topic]
	switch {
	case !known, needsKey && len(l.Key) == 0:
		return NoWay
	case l.Cut:
		return NotWhole
	case l.Fate == RefusedAgain:
		return Superseded
	case r.Force:
		return Go
	case l.Fate == Replayed:
		return Already
	case l.Replays() >= r.Most:
		return TooOften
	}
	return Go
}

// Record is the refused record as it was, with one more header that says from
// where it was replayed. A feed's clock (ingest.FeedClockHeader) is among its
// headers and stays as it was, so a feed that is judged by its own clock
// judges the record as of then.
func Record(l *Letter) stream.Record {
	rec := stream.Record{Key: l.Key, Value: l.Value}
	for _, h := range l.Headers {
		rec.Headers = append(rec.Headers, kafka.Header{Key: h.Name, Value: h.Value})
	}
	rec.Headers = append(rec.Headers, kafka.Header{Key: ingest.ReplayedFromHeader, Value: []byte(l.Place.String())})
	return rec
}

// A batch of a Replayer is written when it holds so much.
const (
	batchLetters = 500
	batchBytes   = 4 << 20
)

// Replayer writes letters back to where they came from, batch by batch: the
// records first, and once these are acknowledged their receipts. One that is
// killed between the two repeats a batch at its next run, which is harmless:
// readers go by identity.
type Replayer struct {
	client   *stream.Client
	producer *stream.Producer
	// Written counts records by topic.
	Written map[string]int

	known    map[string]bool // topics that exist
	order    []string        // of the batch's topics
	batch    map[string][]stream.Record
	receipts []stream.Record
	bytes    int
}

// NewReplayer returns a Replayer; Flush ends its work.
func NewReplayer(c *stream.Client) *Replayer {
	return &Replayer{
		client: c, producer: stream.NewProducer(c), Written: make(map[string]int),
		known: make(map[string]bool), batch: make(map[string][]stream.Record),
	}
}

// Add takes a letter that was judged Go.
func (r *Replayer) Add(ctx context.Context, l *Letter) error {
	if !r.known[l.Topic] {
		// A producer would wait for a topic that is not there.
		if _, err := r.client.Partitions(ctx, l.Topic); err != nil {
			return fmt.Errorf("replay %s: %w", l.Place, err)
		}
		r.known[l.Topic] = true
	}
	if len(r.batch[l.Topic]) == 0 {
		r.order = append(r.order, l.Topic)
	}
	r.batch[l.Topic] = append(r.batch[l.Topic], Record(l))
	r.receipts = append(r.receipts, receipt(l.Place))
	r.bytes += len(l.Key) + len(l.Value)
	if len(r.receipts) < batchLetters && r.bytes < batchBytes {
		return nil
	}
	return r.Flush(ctx)
}

// Flush writes what waits and returns when it is acknowledged.
func (r *Replayer) Flush(ctx context.Context) error {
	for _, topic := range r.order {
		recs := r.batch[topic]
		if err := r.producer.Produce(ctx, topic, recs); err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		r.Written[topic] += len(recs)
		delete(r.batch, topic)
	}
	if err := r.producer.Produce(ctx, ingest.TopicDeadLetters, r.receipts); err != nil {
		return fmt.Errorf("replay: %d records were written back, but not the receipts: %w", len(r.receipts), err)
	}
	r.order, r.receipts, r.bytes = nil, nil, 0
	return nil
}
