package latency

import (
	"fmt"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/simulate"
	"weimang/ingest/stream"
)

// simulated is how many homes are really made up; the others repeat them.
const simulated = 500

// Zone of the made-up homes.
const Zone = "Asia/Shanghai"

// Roster is the homes of the feed, in the order in which they report: area by
// area.
func (o *Options) Roster() []ingest.Home {
	homes := make([]ingest.Home, o.Households)
	for i := range homes {
		area := i / homesPerArea
		homes[i] = ingest.Home{
			MeterID: fmt.Sprintf("m-%07d", i), HouseholdID: household(i), AreaID: areaID(area),
			VillageID: fmt.Sprintf("v-%04d", area/areasPerVillage), Zone: Zone,
		}
	}
	return homes
}

func household(home int) string { return fmt.Sprintf("h-%07d", home) }
func areaID(area int) string    { return fmt.Sprintf("a-%06d", area) }

// feed is the readings of all homes, one interval after the other.
type feed struct {
	homes     []ingest.Home
	keys      [][]byte // by area
	intervals int
	start     time.Time
	kWh       []float64 // intervals times columns
	columns   int
	next      int // position: interval times homes, and home
}

// newFeed makes up a feed whose last interval is the last that is over at now:
// none of its readings is of the future, and all are as old as they say. The first
// is overdue, so that it is decided: afterwards the areas know their homes, and an
// interval is decided when the last of them has reported it.
func newFeed(o *Options, now time.Time) (*feed, error) {
	f := &feed{homes: o.Roster(), intervals: o.intervals(), columns: min(simulated, o.Households)}
	f.start = now.Truncate(interval).Add(-time.Duration(f.intervals) * interval).UTC()
	v := simulate.DefaultOptions()
	v.Households, v.Areas, v.Interval = f.columns, 1, interval
	v.Start, v.End = f.start, f.start.Add(time.Duration(f.intervals)*interval)
	v.MissingRate = 0
	village, err := simulate.New(v)
	if err != nil {
		return nil, fmt.Errorf("make up a feed: %w", err)
	}
	f.kWh = make([]float64, 0, f.intervals*f.columns)
	for b := range village.Blocks(time.Time{}, time.Time{}) {
		f.kWh = append(f.kWh, b.KWh[0])
	}
	if len(f.kWh) != f.intervals*f.columns {
		return nil, fmt.Errorf("make up a feed: %d readings for %d intervals of %d homes", len(f.kWh), f.intervals, f.columns)
	}
	for area := range o.areas() {
		f.keys = append(f.keys, []byte(areaID(area)))
	}
	return f, nil
}

// left is how many readings are still to be sent.
func (f *feed) left() int { return f.intervals*len(f.homes) - f.next }

// home is whose reading comes next, by its place in the roster.
func (f *feed) home() int { return f.next % len(f.homes) }

// lastOfArea reports whether the reading that comes next completes its area's
// interval.
func (f *feed) lastOfArea() bool {
	h := f.home()
	return h%homesPerArea == homesPerArea-1 || h == len(f.homes)-1
}

// peakKWh of a quarter of an hour are 59.6 kW: what a connection may carry and
// no home of the feed comes near, so it is taken for a fault of the meter and
// told as such once the interval is decided. No history is needed for that.
const peakKWh = 14.9

// take makes the record of the next reading; of a probe the value is a peak.
func (f *feed) take(probe bool) stream.Record {
	row, home := f.next/len(f.homes), f.home()
	start := f.start.Add(time.Duration(row) * interval)
	if row == 0 {
		start = start.Add(-(spare + 2) * interval)
	}
	f.next++
	kWh := f.kWh[row*f.columns+home%f.columns]
	if probe {
		kWh = peakKWh
	}
	value := [1]float64{kWh}
	return stream.Record{Key: f.keys[home/homesPerArea], Value: contract.EncodeJSON(&ingest.Block{
		MeterID: f.homes[home].MeterID, Start: start, Interval: interval, KWh: value[:],
	})}
}
