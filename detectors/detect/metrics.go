package detect

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	areas, homes, unheard, broken           prometheus.Gauge
	inputs, duplicates, rollovers, backward prometheus.Counter
	strayed, peaks, stuck, clocks, unwanted prometheus.Counter
	handovers                               prometheus.Counter
	findings, refused                       *prometheus.CounterVec
	checkpoints, checkpointBytes, late      prometheus.Counter
	gaps, regained                          prometheus.Counter
	oldest, retention                       prometheus.Gauge
	restore, passage                        prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	counter := func(name, help string) prometheus.Counter {
		return f.NewCounter(prometheus.CounterOpts{Namespace: "weimang", Subsystem: "detect", Name: name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return f.NewGauge(prometheus.GaugeOpts{Namespace: "weimang", Subsystem: "detect", Name: name, Help: help})
	}
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Namespace: "weimang", Subsystem: "detect", Name: name, Help: help}, labels)
	}
	return &metrics{
		areas:           gauge("areas", "Areas this process watches"),
		homes:           gauge("households", "Households this process watches"),
		unheard:         gauge("silent_households", "Households whose readings have stopped while their neighbours' go on"),
		broken:          gauge("unreadable_areas", "Areas that nobody watches since their state cannot be read"),
		inputs:          counter("inputs_total", "Entries of area logs applied to a state"),
		strayed:         counter("strayed_records_total", "Records found in a partition that their area has left, and written to where it is now"),
		duplicates:      counter("duplicate_readings_total", "Readings that changed nothing because they were known"),
		rollovers:       counter("register_rollovers_total", "Registers that passed their last digit"),
		backward:        counter("register_steps_back_total", "Registers that stepped back or leapt, by a meter change or a fault"),
		peaks:           counter("impossible_peaks_total", "Readings above what a connection carries, taken for missing"),
		stuck:           counter("stuck_values_total", "Readings of one value for too long, taken for missing"),
		handovers:       counter("handovers_total", "Homes handed over to the area they have moved to, each once or again when late readings have changed it"),
		clocks:          counter("clock_entries_total", "Entries with the clock alone, written to areas of which nothing had come for an hour"),
		unwanted:        counter("unwanted_readings_total", "Entries of readings passed over since the household has withdrawn its consent"),
		findings:        vec("findings_total", "Transitions of episodes by kind, severity and state", "kind", "severity", "state"),
		refused:         vec("refused_total", "Entries sent to the dead letters by reason", "reason"),
		checkpoints:     counter("checkpoints_total", "Area states saved"),
		checkpointBytes: counter("checkpoint_bytes_total", "Bytes of area states saved"),
		late:            counter("late_checkpoints_total", "Area states saved by a member that had lost them, and so saved once more by their owner"),
		gaps:            counter("gap_areas_total", "Areas that missed inputs, which were deleted before they were seen"),
		regained:        counter("partitions_regained_total", "Partitions that came back in the next generation and were not restored, since nothing had changed"),
		oldest:          gauge("oldest_unsaved_input_timestamp_seconds", "When the oldest input that no checkpoint holds was written, 0 when all are saved"),
		retention:       gauge("inputs_retention_seconds", "How long weimang.inputs is kept, as of the start; 0 when the broker does not say"),
		passage: f.NewHistogram(prometheus.HistogramOpts{
			Namespace: "weimang", Subsystem: "detect", Name: "passage_seconds",
			Help:    "From the arrival of the oldest reading of a record on weimang.readings until what detection says of it is acknowledged",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 60, 600, 3600, 6 * 3600, 24 * 3600}, NativeHistogramBucketFactor: 1.1,
		}),
		restore: f.NewHistogram(prometheus.HistogramOpts{
			Namespace: "weimang", Subsystem: "detect", Name: "restore_seconds", Help: "Time to restore the areas of a partition",
			Buckets: prometheus.ExponentialBuckets(0.01, 4, 8), NativeHistogramBucketFactor: 1.1,
		}),
	}
}
