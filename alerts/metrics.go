package alerts

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	opened, resolved *prometheus.CounterVec
	open             prometheus.Gauge
	unrouted         *prometheus.CounterVec
	repeats          prometheus.Counter
	bad              prometheus.Counter
	unworded         prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	m := &metrics{
		opened: f.NewCounterVec(prometheus.CounterOpts{
			Name: "weimang_alerts_opened_total", Help: "Alerts opened, by the kind and severity they opened with",
		}, []string{"kind", "severity"}),
		resolved: f.NewCounterVec(prometheus.CounterOpts{
			Name: "weimang_alerts_resolved_total", Help: "Alerts resolved, by the kind and severity they last had",
		}, []string{"kind", "severity"}),
		open: f.NewGauge(prometheus.GaugeOpts{
			Name: "weimang_alerts_open", Help: "Alerts that are open now",
		}),
		unrouted: f.NewCounterVec(prometheus.CounterOpts{
			Name: "weimang_alerts_unrouted_total", Help: "Transitions of a village that went to the operator because the roster named nobody",
		}, []string{"reason"}),
		repeats: f.NewCounter(prometheus.CounterOpts{
			Name: "weimang_alerts_repeated_findings_total", Help: "Findings that had been applied before and changed nothing",
		}),
		bad: f.NewCounter(prometheus.CounterOpts{
			Name: "weimang_alerts_bad_findings_total", Help: "Findings that could not be used and were handed back for the dead letters",
		}),
		unworded: f.NewCounter(prometheus.CounterOpts{
			Name: "weimang_alerts_unworded_messages_total", Help: "Messages written in bare words because the catalogue failed",
		}),
	}
	for _, r := range unroutedReasons {
		m.unrouted.WithLabelValues(string(r))
	}
	return m
}

// count tells the metrics of a committed transaction.
func (m *metrics) count(w *work) {
	for _, a := range w.opened {
		m.opened.WithLabelValues(string(a.Finding.Kind), a.Finding.Severity.String()).Inc()
	}
	for _, a := range w.resolved {
		m.resolved.WithLabelValues(string(a.Kind), a.Severity.String()).Inc()
	}
	m.open.Add(float64(len(w.opened) - len(w.resolved)))
	for _, r := range w.unrouted {
		m.unrouted.WithLabelValues(string(r)).Inc()
	}
	m.repeats.Add(float64(w.repeats))
}
