package stream

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// lag is how far a claim is behind the end of its log, as of the last answer to
// a fetch, which costs no request of its own. It is unknown, and told as none,
// until the first answer.
type lag struct {
	records atomic.Int64
	oldest  atomic.Int64 // unix nano of the first of them, or a little before; 0: none

	// Of the batch that is being handled; used by Fetch alone.
	end  int64     // of the log
	last time.Time // of its last record
}

// handled notes that everything before next has been handled.
func (l *lag) handled(next int64) {
	l.set(l.end-next, l.last)
}

// fetched notes a batch that is now to be handled.
func (l *lag) fetched(b *Batch) {
	l.end = b.HighWatermark
	if len(b.Records) == 0 {
		l.handled(b.Next)
		return
	}
	l.last = b.Records[len(b.Records)-1].Time
	l.set(l.end-b.Records[0].Offset, b.Records[0].Time)
}

func (l *lag) set(records int64, oldest time.Time) {
	if records <= 0 || oldest.IsZero() {
		l.records.Store(max(records, 0))
		l.oldest.Store(0)
		return
	}
	l.records.Store(records)
	l.oldest.Store(oldest.UnixNano())
}

// lags are the claims of a client, and the collector of what they are behind.
// Its labels are configured names: groups of the process, and their topics.
type lags struct {
	records, seconds *prometheus.Desc
	now              func() time.Time

	mu     sync.Mutex
	claims map[readerOf]map[*lag]struct{}
}

// readerOf is a group and one of its topics.
type readerOf struct{ group, topic string }

func newLags(reg prometheus.Registerer) *lags {
	labels := []string{"group", "topic"}
	l := &lags{
		records: prometheus.NewDesc("weimang_stream_lag_records",
			"Records not handled yet, of the partitions this member has, as of the last fetch", labels, nil),
		seconds: prometheus.NewDesc("weimang_stream_lag_seconds",
			"How long ago the oldest record that is not handled yet was written, of the partitions this member has", labels, nil),
		now:    time.Now,
		claims: make(map[readerOf]map[*lag]struct{}),
	}
	if reg != nil {
		reg.MustRegister(l)
	}
	return l
}

// add shows a claim until the returned function is called. That its group reads
// the topic stays to be seen.
func (l *lags) add(of readerOf, claim *lag) (remove func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.claims[of] == nil {
		l.claims[of] = make(map[*lag]struct{})
	}
	l.claims[of][claim] = struct{}{}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.claims[of], claim)
	}
}

// Describe is a prometheus.Collector's.
func (l *lags) Describe(ch chan<- *prometheus.Desc) {
	ch <- l.records
	ch <- l.seconds
}

// Collect is a prometheus.Collector's: records are added up, and the oldest
// counts.
func (l *lags) Collect(ch chan<- prometheus.Metric) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	for of, claims := range l.claims {
		var records int64
		var age time.Duration
		for c := range claims {
			records += c.records.Load()
			if oldest := c.oldest.Load(); oldest != 0 {
				age = max(age, now.Sub(time.Unix(0, oldest)))
			}
		}
		ch <- prometheus.MustNewConstMetric(l.records, prometheus.GaugeValue, float64(records), of.group, of.topic)
		ch <- prometheus.MustNewConstMetric(l.seconds, prometheus.GaugeValue, age.Seconds(), of.group, of.topic)
	}
}
