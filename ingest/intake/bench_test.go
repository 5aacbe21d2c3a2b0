package intake

import (
	"context"
	"fmt"
	"testing"
	"time"

	"weimang/ingest"
	"weimang/ingest/sender"
	"weimang/ingest/stream"
)

// BenchmarkReplay sends half hours of 1,000 homes in 50 areas through the
// embedded broker and ingest into the areas' logs, acknowledged and committed.
func BenchmarkReplay(b *testing.B) {
	broker, err := stream.StartEmbedded(stream.EmbeddedOptions{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer broker.Close()
	c, err := stream.NewClient(stream.Config{Brokers: []string{broker.Addr()}})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	if err := c.EnsureTopics(b.Context(), stream.Topics(8, stream.Retention{})); err != nil {
		b.Fatal(err)
	}
	s, err := New(Options{Client: c, Roster: Open{}, Sink: &reports{}, Clock: Feed()})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	finished := make(chan error, 1)
	go func() { finished <- s.Run(ctx) }()

	const homes, steps = 1000, 100
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	round := 0
	b.ReportAllocs()
	for b.Loop() {
		feed, err := sender.New(sender.Options{Client: c, FeedID: fmt.Sprintf("f%d", round), AsOfFeed: true})
		if err != nil {
			b.Fatal(err)
		}
		start := day.Add(time.Duration(round*steps) * 30 * time.Minute)
		round++
		_, err = feed.Send(ctx, func(yield func(sender.Item) bool) {
			for i := range steps {
				for h := range homes {
					if !yield(sender.Item{Area: fmt.Sprintf("a%d", h%50), Block: ingest.Block{
						MeterID: fmt.Sprintf("m%d", h), AreaID: fmt.Sprintf("a%d", h%50),
						Start: start.Add(time.Duration(i) * 30 * time.Minute), Interval: 30 * time.Minute, KWh: []float64{0.123},
					}}) {
						return
					}
				}
			}
		})
		if err != nil {
			b.Fatal(err)
		}
		for ok := false; !ok; ok, err = s.Caught(ctx) {
			if err != nil {
				b.Fatal(err)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	b.ReportMetric(float64(round*homes*steps)/b.Elapsed().Seconds(), "readings/s")
	cancel()
	if err := <-finished; err != nil {
		b.Fatal(err)
	}
}
