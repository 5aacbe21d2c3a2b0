// Package sender replays a feed into Kafka in event-time order: readings to
// weimang.readings, incident reports to weimang.incidents, directives to
// weimang.directives, as fast as the broker takes them or in step with event
// time, and goes on after a crash where it was.
//
// It does not read files (ingest/feedfile), does not sort, and does not judge
// what it sends: ingest does.
package sender

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// ReplayHeader marks each record with the feed it comes from and its place
// there, "<feed id> <index>", so that a sender that starts again sees what has
// been sent.
const ReplayHeader = "weimang-replay"

// A batch is sent when it holds that much, or has to go for the sake of order
// or time.
const (
	batchRecords = 8000
	batchBytes   = 2 << 20
)

// Item is one row of a feed: a block of readings, an incident report, or a
// directive.
type Item struct {
	Block     ingest.Block
	Area      string            // keys readings; "": the block's area, else its meter
	Report    *ingest.Report    // set: an incident; Block is ignored
	Directive *ingest.Directive // set: a directive; Block is ignored
}

// Options of a Sender.
type Options struct {
	Client *stream.Client
	// FeedID names the feed and stays the same when it is sent again after a
	// crash; other content needs another name. No spaces.
	FeedID string
	// AsOfFeed adds the feed's clock to each record (ingest.FeedClockHeader):
	// the largest interval end sent so far, the record's own included. A
	// report before the first row carries when it became known.
	AsOfFeed bool
	// Directives: the feed holds some, so an earlier run is looked for in
	// weimang.directives, too.
	Directives bool
	// Speed is how many seconds of event time pass in a second; 0 is as fast
	// as possible. A sender that goes on after a crash does not wait for what
	// was sent before.
	Speed float64
	// Barrier, when set, is called between readings, incidents and directives,
	// and before the first row behind those of an earlier run, once everything
	// before is acknowledged. Topics have no common order; a barrier that returns
	// when ingest has caught up makes one.
	Barrier func(context.Context) error
	// Progress, when set, is called after each batch.
	Progress func(Progress)
	Logger   *slog.Logger // nil: silent
}

// Progress of a run.
type Progress struct {
	Items   int64     // rows of the feed passed
	Skipped int64     // of these, sent by an earlier run
	Clock   time.Time // the feed's clock: largest interval end passed
}

// Sender sends one feed.
type Sender struct {
	opts     Options
	producer producer
}

// producer is stream.Producer as used here.
type producer interface {
	Produce(ctx context.Context, topic string, recs []stream.Record) error
}

// New checks the options.
func New(opts Options) (*Sender, error) {
	switch {
	case opts.Client == nil:
		return nil, errors.New("sender: no client given")
	case opts.FeedID == "" || strings.ContainsAny(opts.FeedID, " \t\n"):
		return nil, fmt.Errorf("sender: feed id %q must be a word", opts.FeedID)
	case opts.Speed < 0:
		return nil, fmt.Errorf("sender: speed %v is below zero", opts.Speed)
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return &Sender{opts: opts, producer: stream.NewProducer(opts.Client)}, nil
}

// Send sends the items, which must come in order of interval end and, for the
// same feed id, always be the same. What an earlier run has sent is skipped: a
// row is sent once, however often the sender is killed. (Only a request whose
// acknowledgement was lost is written twice; ingest's readers ignore it.) The
// topics must keep their number of partitions meanwhile.
//
// Readings of one area keep their order, and so do reports and directives. Between
// readings, incidents and directives all that went before is acknowledged, see
// also Options.Barrier.
func (s *Sender) Send(ctx context.Context, items iter.Seq[Item]) (Progress, error) {
	sent, err := s.sent(ctx)
	if err != nil {
		return Progress{}, fmt.Errorf("find out what of feed %s was sent before: %w", s.opts.FeedID, err)
	}
	r := run{Sender: s, sent: sent}
	for item := range items {
		if err := r.item(ctx, item); err != nil {
			return r.progress, err
		}
	}
	return r.progress, r.flush(ctx)
}

// run is one call of Send.
type run struct {
	*Sender
	sent     map[string]tail // by topic
	progress Progress

	topic string // of the batch
	batch []stream.Record
	bytes int

	began      time.Time // when the first item that had to be sent was
	beganClock time.Time // the feed's clock at that item
}

// item sends one row, or puts it into the batch.
func (r *run) item(ctx context.Context, item Item) error {
	topic := ingest.TopicReadings
	if item.Report != nil {
		topic = ingest.TopicIncidents
	} else if item.Directive != nil {
		topic = ingest.TopicDirectives
	} else if end := item.Block.End(); end.After(r.progress.Clock) {
		r.progress.Clock = end
	}
	index := r.progress.Items
	r.progress.Items++
	key := r.keyOf(&item)
	if r.sent[topic].has(key, index) {
		r.progress.Skipped++
		return nil
	}
	if topic != r.topic {
		if err := r.change(ctx, topic); err != nil {
			return err
		}
	}
	if err := r.pace(ctx); err != nil {
		return err
	}
	clock := r.progress.Clock
	switch { // no row yet: as feedfile.Timeline has it
	case !clock.IsZero():
	case item.Directive != nil:
		clock = item.Directive.IssuedAt
	default:
		clock = item.Report.KnownAt()
	}
	rec := r.record(&item, key, index, clock)
	r.batch = append(r.batch, rec)
	if r.bytes += len(rec.Value); r.bytes >= batchBytes || len(r.batch) >= batchRecords {
		return r.flush(ctx)
	}
	return nil
}

// change switches to another topic.
func (r *run) change(ctx context.Context, topic string) error {
	if err := r.flush(ctx); err != nil {
		return err
	}
	// What an earlier run has sent may still be waiting for ingest.
	nothing := r.topic == "" && r.progress.Skipped == 0
	r.topic = topic
	if nothing || r.opts.Barrier == nil {
		return nil
	}
	if err := r.opts.Barrier(ctx); err != nil {
		return fmt.Errorf("wait until ingest has caught up: %w", err)
	}
	return nil
}

// pace waits until the feed's clock is due; what is in the batch goes first.
func (r *run) pace(ctx context.Context) error {
	if r.opts.Speed == 0 {
		return ctx.Err()
	}
	if r.began.IsZero() {
		r.began, r.beganClock = time.Now(), r.progress.Clock
	}
	due := r.began.Add(time.Duration(float64(r.progress.Clock.Sub(r.beganClock)) / r.opts.Speed))
	wait := time.Until(due)
	if wait <= 0 {
		return ctx.Err()
	}
	if err := r.flush(ctx); err != nil {
		return err
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// flush sends the batch and reports.
func (r *run) flush(ctx context.Context) error {
	if len(r.batch) > 0 {
		if err := r.producer.Produce(ctx, r.topic, r.batch); err != nil {
			return fmt.Errorf("send feed %s: %w", r.opts.FeedID, err)
		}
		r.batch, r.bytes = r.batch[:0], 0
	}
	if r.opts.Progress != nil {
		r.opts.Progress(r.progress)
	}
	return nil
}

// keyOf keeps an area's readings in one partition, and all reports and directives
// in one each: what concerns an area may come under many of them, and partitions
// have no common order.
func (s *Sender) keyOf(item *Item) string {
	switch {
	case item.Report != nil, item.Directive != nil:
		return s.opts.FeedID
	case item.Area != "":
		return item.Area
	case item.Block.AreaID != "":
		return item.Block.AreaID
	default:
		return item.Block.MeterID
	}
}

func (s *Sender) record(item *Item, key string, index int64, clock time.Time) stream.Record {
	rec := stream.Record{
		Key:     []byte(key),
		Headers: []kafka.Header{{Key: ReplayHeader, Value: strconv.AppendInt([]byte(s.opts.FeedID+" "), index, 10)}},
	}
	if s.opts.AsOfFeed && !clock.IsZero() {
		rec.Headers = append(rec.Headers, kafka.Header{Key: ingest.FeedClockHeader, Value: clock.UTC().AppendFormat(nil, time.RFC3339)})
	}
	switch {
	case item.Report != nil:
		rec.Value = contract.EncodeReport(item.Report)
	case item.Directive != nil:
		rec.Value = contract.EncodeDirective(item.Directive)
	default:
		rec.Value = contract.EncodeJSON(&item.Block)
	}
	return rec
}
