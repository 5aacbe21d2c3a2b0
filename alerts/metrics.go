package alerts

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"weimang/alerts/escalate"
	"weimang/detectors"
)

type metrics struct {
	opened, resolved *prometheus.CounterVec
	open             prometheus.Gauge
	unrouted         *prometheus.CounterVec
	repeats          prometheus.Counter
	bad              prometheus.Counter
	unworded         prometheus.Counter
	steps            *prometheus.CounterVec
	silenced         *prometheus.CounterVec
	answers          *prometheus.CounterVec
	closed           *prometheus.CounterVec
	looked           prometheus.Gauge
	forgotten        prometheus.Gauge
	audited          prometheus.Gauge
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
	m.steps = f.NewCounterVec(prometheus.CounterOpts{
		Name: "weimang_escalation_steps_total", Help: "Steps of escalation chains that began, by the reason",
	}, []string{"reason"})
	m.silenced = f.NewCounterVec(prometheus.CounterOpts{
		Name: "weimang_alerts_silenced_total", Help: "Alerts of which nobody was told for a time, by the reason",
	}, []string{"reason"})
	m.answers = f.NewCounterVec(prometheus.CounterOpts{
		Name: "weimang_answers_total", Help: "Answers that people gave to alerts, by what they said",
	}, []string{"action"})
	m.closed = f.NewCounterVec(prometheus.CounterOpts{
		Name: "weimang_cases_closed_total", Help: "Cases of households closed, by the kind of alert and its outcome",
	}, []string{"kind", "outcome"})
	m.looked = f.NewGauge(prometheus.GaugeOpts{
		Name: "weimang_alerts_last_look_timestamp_seconds", Help: "When it was last seen to what is due for alerts",
	})
	m.forgotten = f.NewGauge(prometheus.GaugeOpts{
		Name: "weimang_alerts_forgotten", Help: "Open cases without a next step, or with one that is long overdue, at the last audit",
	})
	m.audited = f.NewGauge(prometheus.GaugeOpts{
		Name: "weimang_alerts_last_audit_timestamp_seconds", Help: "When it was last proved that no case is forgotten",
	})
	for _, r := range unroutedReasons {
		m.unrouted.WithLabelValues(string(r))
	}
	for _, r := range escalate.Reasons {
		m.steps.WithLabelValues(string(r))
	}
	for _, s := range Silences {
		m.silenced.WithLabelValues(string(s))
	}
	for _, a := range Actions {
		m.answers.WithLabelValues(string(a))
	}
	for _, o := range slices.Concat(Outcomes, []Outcome{Unasked, Unanswered, Superseded, Erased}) {
		for _, k := range detectors.Kinds {
			m.closed.WithLabelValues(string(k), string(o))
		}
	}
	return m
}

// count tells the metrics of a committed transaction.
func (m *metrics) count(w *work) {
	for _, f := range w.counted {
		f(m)
	}
	m.repeats.Add(float64(w.repeats))
}

func (m *metrics) opens(f *detectors.Finding) {
	m.opened.WithLabelValues(string(f.Kind), f.Severity.String()).Inc()
	m.open.Inc()
}

func (m *metrics) resolves(a *Alert) {
	m.resolved.WithLabelValues(string(a.Kind), a.Severity.String()).Inc()
	m.open.Dec()
}
