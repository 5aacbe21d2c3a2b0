package feedfile

import (
	"iter"
	"slices"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
)

// Feed is a file of readings in memory, 16 bytes a reading. It does not
// change once read and may be used from several goroutines.
type Feed struct {
	// Rejected are the rows left out with Options.SkipBad, by line; at most
	// 10,000 of them are kept, RejectedTotal counts them all.
	Rejected      []BadRow
	RejectedTotal int

	meters []meter // by id
	index  map[string]int
	rows   int
}

type meter struct {
	id       string
	interval time.Duration
	rows     []row // by start, equal ones as in the file
}

// row is one reading, packed.
type row struct {
	start    uint32 // seconds since 1970, good until 2106
	wh       uint32
	line     uint32
	quality  ingest.Quality
	register bool
}

// Row is one reading of a feed.
type Row struct {
	MeterID  string
	Meter    int // position of MeterID in Meters
	Start    time.Time
	Interval time.Duration
	Wh       uint32 // energy, or register with Register; ingest.NoValue where missing
	Register bool
	Quality  ingest.Quality
}

// End is the end of the interval.
func (r Row) End() time.Time { return r.Start.Add(r.Interval) }

// Block is the row as a sender would put it on the wire.
func (r Row) Block() ingest.Block {
	return ingest.Block{
		MeterID:  r.MeterID,
		Start:    r.Start,
		Interval: r.Interval,
		KWh:      []float64{contract.KWh(r.Wh)},
		Register: r.Register,
		Quality:  r.Quality,
	}
}

// Len is the number of readings, missing ones included.
func (f *Feed) Len() int { return f.rows }

// Meters returns the ids of all meters, sorted. The caller may keep it.
func (f *Feed) Meters() []string {
	ids := make([]string, len(f.meters))
	for i := range f.meters {
		ids[i] = f.meters[i].id
	}
	return ids
}

// Interval is the interval of a meter, 0 if the feed does not know it.
func (f *Feed) Interval(meterID string) time.Duration {
	if i, known := f.index[meterID]; known {
		return f.meters[i].interval
	}
	return 0
}

// Rows yields the readings of one meter in order of start, equal starts in
// order of the file; nothing if the feed does not know the meter.
func (f *Feed) Rows(meterID string) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		i, known := f.index[meterID]
		if !known {
			return
		}
		for n := range f.meters[i].rows {
			if !yield(f.row(i, n)) {
				return
			}
		}
	}
}

// Span is the time from the start of the first interval to the end of the
// last one; zero for an empty feed.
func (f *Feed) Span() (from, until time.Time) {
	for i := range f.meters {
		m := &f.meters[i]
		first, last := f.row(i, 0), f.row(i, len(m.rows)-1)
		if from.IsZero() || first.Start.Before(from) {
			from = first.Start
		}
		if last.End().After(until) {
			until = last.End()
		}
	}
	return from, until
}

// InOrder yields all readings in the order in which they became known: by end
// of interval, then by meter id, then as in the file. It is the same for
// every order of meters and times in the file.
func (f *Feed) InOrder() iter.Seq[Row] {
	return func(yield func(Row) bool) {
		queue := make(cursors, len(f.meters))
		for i := range f.meters {
			queue[i] = cursor{meter: i, end: f.meters[i].end(0)}
		}
		// By end, then id: a sorted slice is a heap.
		slices.SortFunc(queue, cursor.compare)
		for len(queue) > 0 {
			c := &queue[0]
			if !yield(f.row(c.meter, c.next)) {
				return
			}
			m := &f.meters[c.meter]
			if c.next++; c.next < len(m.rows) {
				c.end = m.end(c.next)
			} else {
				queue[0] = queue[len(queue)-1]
				queue = queue[:len(queue)-1]
			}
			queue.sink()
		}
	}
}

func (m *meter) end(n int) int64 { return int64(m.rows[n].start) + int64(m.interval/time.Second) }

func (f *Feed) row(meter, n int) Row {
	m := &f.meters[meter]
	r := m.rows[n]
	return Row{
		MeterID:  m.id,
		Meter:    meter,
		Start:    time.Unix(int64(r.start), 0).UTC(),
		Interval: m.interval,
		Wh:       r.wh,
		Register: r.register,
		Quality:  r.quality,
	}
}

// cursors is a heap of the meters' next readings, the earliest first. By
// hand, since container/heap would take most of the time of a backtest.
type cursors []cursor

type cursor struct {
	end         int64
	meter, next int
}

// compare orders by end, then by meter, which stand in order of their ids.
func (c cursor) compare(d cursor) int {
	switch {
	case c.end < d.end || c.end == d.end && c.meter < d.meter:
		return -1
	case c == d:
		return 0
	default:
		return 1
	}
}

// sink restores the heap after its first element has grown.
func (q cursors) sink() {
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(q); child++ {
			if q[child].compare(q[least]) < 0 {
				least = child
			}
		}
		if least == i {
			return
		}
		q[i], q[least] = q[least], q[i]
		i = least
	}
}
