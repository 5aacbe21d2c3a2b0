package detect

import (
	"context"
	"fmt"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// An area's clock moves with the entries of its log, so of an area of which
// nothing comes nobody would ever be told that it is silent. Whoever owns its
// log then writes an entry that carries the clock alone: into the log, since
// everything detection says is a function of it. Two owners for a moment write
// two, which say the same.
const (
	// clockAfter is how long nothing has come when an entry is written. It is
	// counted from the claim at the earliest: after a stop ingest has so long
	// to bring what has been sent meanwhile.
	clockAfter = time.Hour
	// clockLook is how often the areas are looked at.
	clockLook = time.Minute
	// clockFor is how long after its last reading an area is still waited for.
	// A silence has long been told then, and what ends it brings its own clock.
	clockFor = 14 * 24 * time.Hour
)

// tell writes the clock to the areas of which nothing has come for clockAfter.
// It is called with the log read to its end: before, what has come is not known.
func (p *partition) tell(ctx context.Context, now time.Time) error {
	if now.Sub(p.looked) < clockLook {
		return nil
	}
	p.looked = now
	var recs []stream.Record
	var told []*area
	for id, a := range p.areas {
		if a.broken || now.Sub(a.heard) < clockAfter || now.Sub(a.watermark) > clockFor {
			continue
		}
		value, err := contract.EncodeInputs(id, []ingest.Input{{Clock: now}})
		if err != nil {
			return fmt.Errorf("clock of area %s: %w", id, err)
		}
		recs, told = append(recs, stream.Record{Key: []byte(id), Value: value}), append(told, a)
	}
	if len(recs) == 0 {
		return nil
	}
	if err := p.s.opts.Producer.Produce(ctx, ingest.TopicInputs, recs); err != nil {
		return fmt.Errorf("clock of %d areas: %w", len(recs), err)
	}
	for _, a := range told {
		a.heard = now
	}
	p.s.metrics.clocks.Add(float64(len(recs)))
	return nil
}
