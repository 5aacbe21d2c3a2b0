package detect

import (
	"context"
	"math"
	"time"

	"weimang/ingest"
)

// downtime is how long detect may be stopped without a loss: a long weekend. The
// log must keep that, and what is not saved.
const downtime = 72 * time.Hour

// checkRetention says whether weimang.inputs is kept for long enough, once.
func (s *Service) checkRetention(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	kept, err := s.opts.Client.Kept(ctx, ingest.TopicInputs)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Info("cannot see how long the log is kept; what is not saved must be in it", "topic", ingest.TopicInputs, "error", err)
		}
		return
	}
	if kept.For < 0 {
		s.metrics.retention.Set(math.Inf(1))
	} else {
		s.metrics.retention.Set(kept.For.Seconds())
	}
	switch needs := s.opts.CheckpointEvery + downtime; {
	case kept.For >= 0 && kept.For < s.opts.CheckpointEvery*2:
		s.log.Error("the log is deleted before it is saved: readings will be lost; raise retention.ms",
			"topic", ingest.TopicInputs, "kept", kept.For, "needs", needs)
	case kept.For >= 0 && kept.For < needs:
		s.log.Warn("the log is kept for less than a long weekend: what comes while nobody detects may be lost; raise retention.ms",
			"topic", ingest.TopicInputs, "kept", kept.For, "needs", needs)
	}
	if kept.Bytes >= 0 {
		s.log.Warn("the log is deleted by its size, whether it is saved or not; set retention.bytes to -1 or watch the metric of what is not saved",
			"topic", ingest.TopicInputs, "bytes", kept.Bytes)
	}
}

// oldestUnsaved is the Kafka time of the first input that no checkpoint holds, or
// zero.
func (p *partition) oldestUnsaved() time.Time {
	at := p.heldSince
	for _, a := range p.unsaved {
		if stood := a.saved.stood; !stood.IsZero() {
			if at.IsZero() || stood.Before(at) {
				at = stood
			}
			break // the others came later
		}
	}
	return at
}
