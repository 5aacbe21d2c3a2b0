package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/simulate"
	"weimang/ingest/stream"
)

// batchRecords go to the producer at a time.
const batchRecords = 20_000

// village is the made-up feed's: every reading comes once and in time.
func (o *Options) village() (*simulate.Village, error) {
	v := simulate.DefaultOptions()
	v.Households, v.Areas = o.Households, (o.Households+homesPerArea-1)/homesPerArea
	v.Interval = interval
	v.MissingRate, v.LateRate, v.DuplicateRate = 0, 0, 0
	v.End = v.Start.Add(time.Duration(o.intervals()) * interval)
	village, err := simulate.New(v)
	if err != nil {
		return nil, fmt.Errorf("make up a feed: %w", err)
	}
	return village, nil
}

// sendFeed makes up the feed and sends it; it returns its homes and how many
// records were sent.
func (o *Options) sendFeed(ctx context.Context, producer *stream.Producer) (homes []ingest.Home, records int, err error) {
	village, err := o.village()
	if err != nil {
		return nil, 0, err
	}
	for _, h := range village.Homes() {
		homes = append(homes, h.Home)
	}
	f := feed{format: o.Format, producer: producer, areas: make(map[string][]byte)}
	err = f.send(ctx, village)
	return homes, f.records, err
}

// feed writes readings to weimang.readings. Records are keyed by area, so that
// an area's come in order of time, as they do when the feed is live.
type feed struct {
	format   Format
	producer *stream.Producer
	areas    map[string][]byte // key by area
	batch    []stream.Record
	days     [][]uint16 // Wh of the day so far, by place in the order of meters
	records  int
}

// send writes a village, one interval (or day) of all homes after the other.
func (f *feed) send(ctx context.Context, village *simulate.Village) error {
	homes := len(village.Homes())
	if f.format == Day {
		f.days = make([][]uint16, homes)
		for i := range f.days {
			f.days[i] = make([]uint16, 0, perDay)
		}
	}
	place := 0
	for b := range village.Blocks(time.Time{}, time.Time{}) {
		if f.format == Day && !f.gather(place, &b) {
			place = (place + 1) % homes
			continue
		}
		place = (place + 1) % homes
		if err := f.add(ctx, &b); err != nil {
			return err
		}
	}
	return f.flush(ctx)
}

// gather takes a reading into the day of the home at that place. When the day
// is full it returns true with b made the block of the whole day.
func (f *feed) gather(place int, b *ingest.Block) bool {
	f.days[place] = append(f.days[place], uint16(b.KWh[0]*1000+0.5)) // simulate gives whole Wh below 65 kWh
	day := f.days[place]
	if len(day) < perDay {
		return false
	}
	b.KWh = make([]float64, perDay)
	for i, wh := range day {
		b.KWh[i] = float64(wh) / 1000
	}
	b.Start = b.Start.Add(-time.Duration(perDay-1) * interval)
	f.days[place] = day[:0]
	return true
}

func (f *feed) add(ctx context.Context, b *ingest.Block) error {
	key, ok := f.areas[b.AreaID]
	if !ok {
		key = []byte(b.AreaID)
		f.areas[b.AreaID] = key
	}
	b.AreaID = "" // the roster knows it
	rec := stream.Record{Key: key}
	if f.format == JSON {
		rec.Value = contract.EncodeJSON(b)
	} else {
		rec.Value = contract.EncodeProtobuf(b)
		rec.Headers = protobufHeader
	}
	f.batch = append(f.batch, rec)
	f.records++
	if len(f.batch) < batchRecords {
		return nil
	}
	return f.flush(ctx)
}

var protobufHeader = []kafka.Header{{Key: contract.ContentTypeHeader, Value: []byte(contract.Protobuf)}}

func (f *feed) flush(ctx context.Context) error {
	if err := f.producer.Produce(ctx, ingest.TopicReadings, f.batch); err != nil {
		return fmt.Errorf("send the feed: %w", err)
	}
	f.batch = f.batch[:0]
	return nil
}
