package intake

import (
	"math"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"weimang/ingest"
)

type metrics struct {
	readings      prometheus.Counter
	incidents     prometheus.Counter
	directives    prometheus.Counter
	residences    prometheus.Counter
	rejected      map[ingest.Reason]prometheus.Counter
	unknownMeters prometheus.Counter
	unknownClass  prometheus.Counter
	unplaced      prometheus.Counter
	gridCells     prometheus.Counter
	conflicts     prometheus.Counter
	lastEnd       prometheus.Gauge
	delay         prometheus.Histogram
	late          prometheus.Counter

	latest atomic.Int64 // unix seconds shown by lastEnd
}

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	counter := func(name, help string) prometheus.Counter {
		return f.NewCounter(prometheus.CounterOpts{Name: "weimang_ingest_" + name, Help: help})
	}
	m := &metrics{
		readings:      counter("readings_accepted_total", "Interval values written to an area's log, missing ones not counted"),
		incidents:     counter("incidents_accepted_total", "Incident reports stored"),
		directives:    counter("directives_accepted_total", "Directives written to the log of their household's area"),
		residences:    counter("residences_total", "Households of the roster written to the log of an area they are, were or will be in"),
		unknownMeters: counter("unknown_meter_records_total", "Records of meters that are not in the roster at their time, left out"),
		unknownClass:  counter("incidents_unknown_class_total", "Incidents of a class the product does not know, kept all the same"),
		unplaced:      counter("incidents_unplaced_total", "Incidents stored whose scope leads to no area of the roster"),
		gridCells:     counter("incident_grid_cells_total", "Grid cells named by incidents, which lead to no area yet"),
		conflicts:     counter("area_conflicts_total", "Records whose sender names another area than the roster; the roster's counts"),
		lastEnd: f.NewGauge(prometheus.GaugeOpts{
			Name: "weimang_ingest_last_interval_end_timestamp_seconds",
			Help: "Latest interval end accepted so far, event time",
		}),
		delay: f.NewHistogram(prometheus.HistogramOpts{
			Name:                        "weimang_ingest_reading_delay_seconds",
			Help:                        "From the end of the first interval that a block is the first to bring to the run's clock on acceptance: what feed.usual_delay has to cover",
			Buckets:                     []float64{60, 300, 900, 1800, 3600, 2 * 3600, 6 * 3600, 12 * 3600, 24 * 3600, 48 * 3600, 96 * 3600},
			NativeHistogramBucketFactor: 1.1,
		}),
		late:     counter("late_blocks_total", "Blocks whose delay was longer than feed.usual_delay"),
		rejected: make(map[ingest.Reason]prometheus.Counter),
	}
	rejected := f.NewCounterVec(prometheus.CounterOpts{
		Name: "weimang_ingest_records_rejected_total",
		Help: "Records sent to the dead letters",
	}, []string{"reason"})
	for _, r := range ingest.Reasons {
		m.rejected[r] = rejected.WithLabelValues(string(r))
	}
	return m
}

// accepted notes a block that went into a log.
func (m *metrics) accepted(b *ingest.Block) {
	n := 0
	for _, v := range b.KWh {
		if !math.IsNaN(v) { // NaN is a missing value
			n++
		}
	}
	m.readings.Add(float64(n))
	if end := b.End().Unix(); raise(&m.latest, end) {
		m.lastEnd.Set(float64(end))
	}
}
