package deliver

import (
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
	published       prometheus.Counter
	publishFailures prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, channels []string) *metrics {
	f := promauto.With(reg)
	m := &metrics{
		messages: f.NewCounterVec(prometheus.CounterOpts{
			Name: "weimang_messages_total", Help: "Attempts to deliver a message, by channel and result: sent, retry or dead",
		}, []string{"channel", "result"}),
		depth: f.NewGaugeVec(prometheus.GaugeOpts{
			Name: "weimang_outbox_depth", Help: "Rows of the outbox that wait, by lane: message (to people) or topic",
		}, []string{"lane"}),
		delay: f.NewHistogram(prometheus.HistogramOpts{
			Name: "weimang_message_first_attempt_delay_seconds", Help: "Wall time from the writing of a message to the first attempt to deliver it",
			Buckets:                     []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800},
			NativeHistogramBucketFactor: 1.1,
		}),
		published: f.NewCounter(prometheus.CounterOpts{
			Name: "weimang_transitions_published_total", Help: "Transitions written to the topic of alerts",
		}),
		publishFailures: f.NewCounter(prometheus.CounterOpts{
			Name: "weimang_transition_publish_failures_total", Help: "Failed writes to the topic of alerts",
		}),
	}
	for _, name := range append([]string{unknownChannel}, channels...) {
		for _, s := range []Status{Sent, Waiting, Dead} {
			m.messages.WithLabelValues(name, result(s))
		}
	}
	return m
}

func (m *metrics) count(channel string, s Status) {
	m.messages.WithLabelValues(channel, result(s)).Inc()
}

func result(s Status) string {
	if s == Waiting {
		return "retry"
	}
	return string(s)
}
