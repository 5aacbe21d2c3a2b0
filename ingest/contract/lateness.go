package contract

import (
	"time"

	"weimang/ingest"
)

// FirstNew is the end of the first interval of a block that ends after newest,
// the end of what is there of its meter already. It is the one that a usual
// delay has to wait for: of a day in one block the first half-hour is a day
// late, however promptly the block comes. False: a repeat, a correction or
// old history, which brings nothing that was waited for.
func FirstNew(b *ingest.Block, newest time.Time) (end time.Time, ok bool) {
	end = b.End()
	if !end.After(newest) {
		return time.Time{}, false
	}
	if len(b.KWh) == 1 {
		return end, true
	}
	known := max(0, newest.Sub(b.Start)/b.Interval)
	return b.Start.Add((known + 1) * b.Interval), true
}

// Lateness counts how late blocks come and says which usual delay fits them.
type Lateness struct {
	Usual time.Duration // the site's usual delay
	All   int           // blocks that a usual delay could have waited for
	Late  int           // of these, later than Usual
	// Older came later than LongestUsualDelay: old history being filled in, for
	// all that can be known. They are in neither of the others.
	Older int

	hours [LongestUsualDelay/time.Hour + 1]int // late ones, by delay in hours, rounded up
}

// Add counts a block by its delay, from the end that FirstNew returns, and reports
// whether it is late.
func (l *Lateness) Add(delay time.Duration) (late bool) {
	switch {
	case delay > LongestUsualDelay:
		l.Older++
		return false
	case delay <= l.Usual:
		l.All++
		return false
	}
	l.All++
	l.Late++
	l.hours[(delay+time.Hour-1)/time.Hour]++
	return true
}

// Merge adds what another has counted against the same usual delay.
func (l *Lateness) Merge(o *Lateness) {
	l.All, l.Late, l.Older = l.All+o.All, l.Late+o.Late, l.Older+o.Older
	for h, n := range o.hours {
		l.hours[h] += n
	}
}

// Most reports whether most blocks were late.
func (l *Lateness) Most() bool { return 2*l.Late > l.All }

// Within is the least number of whole hours in which a share (0 to 1) of the
// late blocks have come; 0 if there are none.
func (l *Lateness) Within(share float64) time.Duration {
	want, n := share*float64(l.Late), 0
	for h := range l.hours {
		if n += l.hours[h]; n > 0 && float64(n) >= want {
			return time.Duration(h) * time.Hour
		}
	}
	return 0
}

// Fit is the usual delay that fits the late blocks, in whole hours: nearly all of them have
// come by then, and the few that are always later do not hold up everybody else.
func (l *Lateness) Fit() time.Duration { return l.Within(0.95) }
