package sender

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"weimang/ingest"
	"weimang/ingest/stream"
)

// tail is how far a feed has come in a topic: the index of its last row in
// each partition, -1 for none. Rows of one partition are sent in order and
// each request is whole or not there, so what a partition holds of a feed is
// a beginning of what belongs there.
type tail []int64

// has reports whether the row is there already.
func (t tail) has(key string, index int64) bool {
	return len(t) > 0 && index <= t[stream.Partition([]byte(key), len(t))]
}

// sent reads from the ends of the topics how far earlier runs have come.
func (s *Sender) sent(ctx context.Context) (map[string]tail, error) {
	sent := make(map[string]tail)
	topics := []string{ingest.TopicReadings, ingest.TopicIncidents}
	if s.opts.Directives {
		topics = append(topics, ingest.TopicDirectives)
	}
	for _, topic := range topics {
		starts, ends, err := s.opts.Client.Bounds(ctx, topic)
		if err != nil {
			return nil, err
		}
		t := make(tail, len(ends))
		errs := make([]error, len(ends))
		var wg sync.WaitGroup
		for p := range t {
			wg.Go(func() { t[p], errs[p] = s.lastIndex(ctx, topic, p, starts[p], ends[p]) })
		}
		wg.Wait()
		for p, err := range errs {
			if err != nil {
				return nil, err
			}
			if t[p] >= 0 {
				s.opts.Logger.Info("feed goes on behind what was sent before", "feed", s.opts.FeedID, "topic", topic, "partition", p, "row", t[p])
			}
		}
		sent[topic] = t
	}
	return sent, nil
}

// lastIndex is the index of the feed's last row in a partition, or -1. It
// looks at the last few records first: usually nothing else was sent since.
func (s *Sender) lastIndex(ctx context.Context, topic string, partition int, start, end int64) (int64, error) {
	last := int64(-1)
	for window := int64(500); end > start; window *= 8 {
		from := max(start, end-window)
		_, err := stream.ReadFrom(ctx, s.opts.Client, topic, partition, from, func(r stream.Record) error {
			if i, ok := s.indexOf(&r); ok {
				last = max(last, i)
			}
			return nil
		})
		if err != nil || last >= 0 || from == start {
			return last, err
		}
	}
	return last, nil
}

// indexOf is the place of a record in this sender's feed. One that was
// replayed from the dead letters lies behind its place and says nothing of how
// far the feed has come.
func (s *Sender) indexOf(r *stream.Record) (int64, bool) {
	if _, replayed := r.Header(ingest.ReplayedFromHeader); replayed {
		return 0, false
	}
	text, _ := r.Header(ReplayHeader)
	feed, index, ok := strings.Cut(text, " ")
	if !ok || feed != s.opts.FeedID {
		return 0, false
	}
	i, err := strconv.ParseInt(index, 10, 64)
	return i, err == nil
}
