package deliver

import (
	"cmp"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// unknownChannel is the label of messages whose channel does not exist: its
// name comes from the roster and must not become a label.
const unknownChannel = "unknown"

type metrics struct {
	messages        *prometheus.CounterVec
	depth           *prometheus.GaugeVec
	delay           prometheus.Histogram
	limited         *prometheus.HistogramVec
	published       prometheus.Counter
	publishFailures prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, channels []string) *metrics {
	f := promauto.With(reg)
	m := &metrics{
		messages: f.NewCounterVec(prometheus.CounterOpts{
			Name: "weimang_messages_total", Help: "Attempts to deliver a message, by channel, result (sent, retry or dead) and reason (none when sent)",
		}, []string{"channel", "result", "reason"}),
		depth: f.NewGaugeVec(prometheus.GaugeOpts{
			Name: "weimang_outbox_depth", Help: "Rows of the outbox that wait, by lane: message (to people) or topic",
		}, []string{"lane"}),
		delay: f.NewHistogram(prometheus.HistogramOpts{
			Name: "weimang_message_first_attempt_delay_seconds", Help: "Wall time from the writing of a message to the first attempt to deliver it",
			Buckets:                     []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800},
			NativeHistogramBucketFactor: 1.1,
		}),
		limited: f.NewHistogramVec(prometheus.HistogramOpts{
			Name: "weimang_message_limit_wait_seconds", Help: "Time that messages were put off for a limit of the channel or its vendor, each time that one was",
			Buckets:                     []float64{1, 5, 15, 30, 60, 300, 600, 3600, 6 * 3600, 24 * 3600},
			NativeHistogramBucketFactor: 1.1,
		}, []string{"channel"}),
		published: f.NewCounter(prometheus.CounterOpts{
			Name: "weimang_transitions_published_total", Help: "Transitions written to the topic of alerts",
		}),
		publishFailures: f.NewCounter(prometheus.CounterOpts{
			Name: "weimang_transition_publish_failures_total", Help: "Failed writes to the topic of alerts",
		}),
	}
	for _, name := range append([]string{unknownChannel}, channels...) {
		m.messages.WithLabelValues(name, result(Sent), noReason)
		for _, r := range Reasons {
			m.messages.WithLabelValues(name, result(Dead), string(r))
			m.messages.WithLabelValues(name, result(Waiting), string(r))
		}
	}
	for _, name := range channels {
		m.limited.WithLabelValues(name)
	}
	return m
}

// noReason is the label of an attempt that succeeded.
const noReason = "none"

func (m *metrics) count(channel string, out Outcome) {
	m.messages.WithLabelValues(channel, result(out.Status), cmp.Or(string(out.Reason), noReason)).Inc()
}

func result(s Status) string {
	if s == Waiting {
		return "retry"
	}
	return string(s)
}
