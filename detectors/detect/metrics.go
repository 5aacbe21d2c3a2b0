package detect

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	areas, homes, unheard                   prometheus.Gauge
	inputs, duplicates, rollovers, backward prometheus.Counter
	strayed, peaks, stuck, clocks           prometheus.Counter
	handovers                               prometheus.Counter
	findings, refused                       *prometheus.CounterVec
	checkpoints, checkpointBytes            prometheus.Counter
	restore                                 prometheus.Histogram
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
		inputs:          counter("inputs_total", "Entries of area logs applied to a state"),
		strayed:         counter("strayed_records_total", "Records left in a partition that their area does not belong to any more"),
		duplicates:      counter("duplicate_readings_total", "Readings that changed nothing because they were known"),
		rollovers:       counter("register_rollovers_total", "Registers that passed their last digit"),
		backward:        counter("register_steps_back_total", "Registers that stepped back or leapt, by a meter change or a fault"),
		peaks:           counter("impossible_peaks_total", "Readings above what a connection carries, taken for missing"),
		stuck:           counter("stuck_values_total", "Readings of one value for too long, taken for missing"),
		handovers:       counter("handovers_total", "Homes handed over to the area they have moved to, each once or again when late readings have changed it"),
		clocks:          counter("clock_entries_total", "Entries with the clock alone, written to areas of which nothing had come for an hour"),
		findings:        vec("findings_total", "Transitions of episodes by kind, severity and state", "kind", "severity", "state"),
		refused:         vec("refused_total", "Entries sent to the dead letters by reason", "reason"),
		checkpoints:     counter("checkpoints_total", "Area states saved"),
		checkpointBytes: counter("checkpoint_bytes_total", "Bytes of area states saved"),
		restore: f.NewHistogram(prometheus.HistogramOpts{
			Namespace: "weimang", Subsystem: "detect", Name: "restore_seconds", Help: "Time to restore the areas of a partition",
			Buckets: prometheus.ExponentialBuckets(0.01, 4, 8), NativeHistogramBucketFactor: 1.1,
		}),
	}
}
