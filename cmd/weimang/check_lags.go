package main

import (
	"fmt"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
)

// onTheWay is what a block that does not say when it was sent is given from its
// end to its arrival.
const onTheWay = time.Hour

// lags finds out how late the records of a file come, as ingest would see it.
type lags struct {
	counts contract.Lateness
	newest map[string]time.Time // end of what is there, by meter
	unsent bool                 // some late block does not say when it was sent
}

// add takes a good record, in order of the file.
func (l *lags) add(b *ingest.Block) {
	first, ok := contract.FirstNew(b, l.newest[b.MeterID])
	if !ok {
		return
	}
	if l.newest == nil {
		l.newest = make(map[string]time.Time)
	}
	l.newest[b.MeterID] = b.End()
	switch {
	case !b.SentAt.IsZero():
		l.counts.Add(b.SentAt.Sub(first))
	case b.End().After(first):
		l.unsent = l.counts.Add(b.End().Add(onTheWay).Sub(first)) || l.unsent
	default: // a single interval, which may come at once
		l.counts.Add(0)
	}
}

// usualDelayAdvice is the feed.usual_delay that fits a file.
type usualDelayAdvice struct {
	Hours float64 `json:"usual_delay_h"` // 0: none is long enough
	text  string
}

// advice is nil where the site's usual delay fits.
func (l *lags) advice() *usualDelayAdvice {
	c := &l.counts
	if c.Older > c.All {
		return &usualDelayAdvice{text: fmt.Sprintf("usual delay: the first new interval of %d of %d records is more than %gh old when they come, longer than any feed.usual_delay; send shorter blocks, and sooner",
			c.Older, c.Older+c.All, contract.LongestUsualDelay.Hours())}
	}
	if !c.Most() {
		return nil
	}
	a := &usualDelayAdvice{Hours: c.Fit().Hours()}
	a.text = fmt.Sprintf("usual delay: the first new interval of %d of %d records is older than the site waits for when they come; the site should set feed.usual_delay: %gh", c.Late, c.All, a.Hours)
	if l.unsent {
		a.text += fmt.Sprintf(" (with %gh for the way: not all say when they were sent)", onTheWay.Hours())
	}
	return a
}
