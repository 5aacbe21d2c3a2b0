package deadletters

import (
	"context"
	"errors"
	"fmt"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// Letter is a dead letter where it lies.
type Letter struct {
	Place Place // in topic weimang.deadletters; the record's own is in DeadLetter
	// Refused is when the letter was written, by its broker's clock; its At is
	// the run's clock, which may be a replayed feed's.
	Refused time.Time
	Fate    Fate
	*contract.DeadLetter
}

// Replays is how often the refused record had been replayed before it was
// refused this time; 0 is a first failure.
func (l *Letter) Replays() (n int) {
	for _, h := range l.Headers {
		if h.Name == ingest.ReplayedFromHeader {
			n++
		}
	}
	return n
}

// Fate is what became of a letter.
type Fate string

// Fates.
const (
	Waiting      Fate = "waiting"       // nobody has replayed it
	Replayed     Fate = "replayed"      // replayed, and not refused again as far as is known
	RefusedAgain Fate = "refused-again" // replayed and refused: a later letter takes its place
)

// Reader reads the topic as it was when Open looked.
type Reader struct {
	client *stream.Client
	ends   []int64 // of the partitions
	fates  map[Place]Fate
	// Unreadable counts records that are neither letters nor receipts.
	Unreadable int
}

// Open reads the topic once, for what became of each letter. It keeps one
// entry for each letter that was replayed.
func Open(ctx context.Context, c *stream.Client) (*Reader, error) {
	ends, err := c.EndOffsets(ctx, ingest.TopicDeadLetters)
	if err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	r := &Reader{client: c, ends: ends, fates: make(map[Place]Fate)}
	err = r.scan(ctx, func(rec stream.Record) error {
		if p, ok := receiptOf(&rec); ok {
			if r.fates[p] == "" {
				r.fates[p] = Replayed
			}
			return nil
		}
		d, err := contract.DecodeDeadLetter(rec.Value)
		if err != nil || d.Topic == "" {
			r.Unreadable++
			return nil
		}
		// A receipt may be missing, when its writer was killed: a refusal
		// after a replay says the same.
		if p, ok := replayedFrom(d); ok {
			r.fates[p] = RefusedAgain
		}
		return nil
	})
	return r, err
}

// Each calls fn with the letters of one partition after the other, oldest
// first. Errors of fn end it.
func (r *Reader) Each(ctx context.Context, fn func(*Letter) error) error {
	return r.scan(ctx, func(rec stream.Record) error {
		if _, ok := receiptOf(&rec); ok {
			return nil
		}
		d, err := contract.DecodeDeadLetter(rec.Value)
		if err != nil || d.Topic == "" {
			return nil // counted by Open
		}
		l := &Letter{Place: Place{rec.Partition, rec.Offset}, Refused: rec.Time.UTC(), Fate: Waiting, DeadLetter: d}
		if fate, ok := r.fates[l.Place]; ok {
			l.Fate = fate
		}
		return fn(l)
	})
}

// ErrNoLetter says that nothing readable lies at a place, any more or yet.
var ErrNoLetter = errors.New("no dead letter lies there")

// Get returns the letter at a place.
func (r *Reader) Get(ctx context.Context, at Place) (*Letter, error) {
	var found *Letter
	err := r.Each(ctx, func(l *Letter) error {
		if l.Place != at {
			return nil
		}
		found = l
		return errEnough
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	if found == nil {
		return nil, fmt.Errorf("%s: %w", at, ErrNoLetter)
	}
	return found, nil
}

// errEnough ends a scan.
var errEnough = errors.New("enough")

// scan reads up to the ends as of Open.
func (r *Reader) scan(ctx context.Context, fn func(stream.Record) error) error {
	for p, end := range r.ends {
		if end == 0 {
			continue
		}
		_, err := stream.ReadAll(ctx, r.client, ingest.TopicDeadLetters, p, func(rec stream.Record) error {
			if rec.Offset >= end {
				return errPast
			}
			return fn(rec)
		})
		if err != nil && !errors.Is(err, errPast) {
			return fmt.Errorf("read dead letters: %w", err)
		}
	}
	return nil
}

// errPast ends a partition.
var errPast = errors.New("past the end")

// replayedFrom is the letter that a refused record was replayed from last.
func replayedFrom(d *contract.DeadLetter) (Place, bool) {
	for i := len(d.Headers) - 1; i >= 0; i-- {
		if d.Headers[i].Name == ingest.ReplayedFromHeader {
			p, err := ParsePlace(string(d.Headers[i].Value))
			return p, err == nil
		}
	}
	return Place{}, false
}
