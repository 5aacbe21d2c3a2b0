package stream

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics of one client. Labels: topic and group are configured names, op is
// one of produce, fetch.
type metrics struct {
	produced     *prometheus.CounterVec // topic
	fetched      *prometheus.CounterVec // topic
	holeSteps    *prometheus.CounterVec // topic
	offsetResets *prometheus.CounterVec // topic
	retries      *prometheus.CounterVec // op
	commits      *prometheus.CounterVec // group
	rebalances   *prometheus.CounterVec // group
	failures     *prometheus.CounterVec // group
	state        *prometheus.GaugeVec   // group
	lags         *lags
}

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	counter := func(name, help, label string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Name: "weimang_stream_" + name, Help: help}, []string{label})
	}
	return &metrics{
		lags:         newLags(reg),
		produced:     counter("produced_records_total", "Records acknowledged by the broker", "topic"),
		fetched:      counter("fetched_records_total", "Records read from the broker", "topic"),
		holeSteps:    counter("hole_steps_total", "Offsets stepped over because a compacted log holds no record there", "topic"),
		offsetResets: counter("offset_resets_total", "Times a reader found its offset outside the log and was moved", "topic"),
		retries:      counter("retries_total", "Requests repeated after an error", "op"),
		commits:      counter("commits_total", "Offset commits accepted by the broker", "group"),
		rebalances:   counter("rebalances_total", "Generations of the consumer group this member took part in", "group"),
		failures:     counter("handler_failures_total", "Times the handler of a partition failed and was started again", "group"),
		state: f.NewGaugeVec(prometheus.GaugeOpts{
			Name: "weimang_stream_group_state",
			Help: "Lifecycle of this member of the group: 0 stopped, 1 joining, 2 running, 3 stopping",
		}, []string{"group"}),
	}
}
