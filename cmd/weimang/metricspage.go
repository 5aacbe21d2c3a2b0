package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// newRegistry makes the registry that every component is handed, with what
// the binary knows of itself in it. Process metrics are not among it: the
// page adds them.
func newRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	b := readBuildInfo()
	promauto.With(reg).NewGauge(prometheus.GaugeOpts{
		Name:        "weimang_build_info",
		Help:        "Always 1; the labels say of what the program was built",
		ConstLabels: prometheus.Labels{"version": b.Version, "commit": b.Commit, "goversion": b.Go},
	}).Set(1)
	return reg
}

// newMetricsPage serves reg and the process metrics as one page: text,
// OpenMetrics or Protobuf, as the scraper asks.
func newMetricsPage(reg *prometheus.Registry, log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(prometheus.Gatherers{reg, prometheus.GathererFunc(gatherProcess)}, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(log.Handler(), slog.LevelError),
		ErrorHandling:       promhttp.ContinueOnError, // most of a page is better than none
		MaxRequestsInFlight: 8,
		EnableOpenMetrics:   true,
	})
}

// gatherProcess turns the text of VictoriaMetrics/metrics into families that
// promhttp can serve with others.
func gatherProcess() ([]*dto.MetricFamily, error) {
	var text bytes.Buffer
	// The text has no types, and without its type a histogram falls apart.
	for _, name := range processHistograms {
		fmt.Fprintf(&text, "# TYPE %s histogram\n", name)
	}
	fmt.Fprintf(&text, "# TYPE %s summary\n", processSummary)
	writeProcess(&text)

	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(&text)
	if err != nil {
		return nil, fmt.Errorf("parse the process metrics: %w", err)
	}
	var list []*dto.MetricFamily
	for name, family := range families {
		if name == processTwin || len(family.Metric) == 0 {
			continue
		}
		tidyProcess(family)
		list = append(list, family)
	}
	slices.SortFunc(list, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return list, nil
}

func writeProcess(w io.Writer) {
	metrics.WriteProcessMetrics(w)
	metrics.WriteFDMetrics(w)
}

// tidyProcess gives a family its help, its type and a name that keeps to the
// rules.
func tidyProcess(family *dto.MetricFamily) {
	name := family.GetName()
	if better, ok := processRenamed[name]; ok {
		name = better
		family.Name = &name
	}
	help, ok := processHelp[name]
	if !ok {
		help = "Metric of the process or of the Go runtime, see github.com/VictoriaMetrics/metrics"
	}
	family.Help = &help
	switch family.GetType() {
	case dto.MetricType_UNTYPED:
		counter := strings.HasSuffix(name, "_total")
		for _, m := range family.Metric {
			value := m.GetUntyped().GetValue()
			m.Untyped = nil
			if counter {
				m.Counter = &dto.Counter{Value: &value}
			} else {
				m.Gauge = &dto.Gauge{Value: &value}
			}
		}
		kind := dto.MetricType_GAUGE
		if counter {
			kind = dto.MetricType_COUNTER
		}
		family.Type = &kind
	case dto.MetricType_HISTOGRAM:
		for _, m := range family.Metric {
			completeHistogram(m.Histogram)
		}
	}
}

// completeHistogram adds what the runtime's histograms come without: the
// count, which the last bucket knows, and the sum, which nobody knows.
func completeHistogram(h *dto.Histogram) {
	if h.SampleCount == nil && len(h.Bucket) > 0 {
		count := h.Bucket[len(h.Bucket)-1].GetCumulativeCount()
		h.SampleCount = &count
	}
	if h.SampleSum == nil {
		unknown := math.NaN()
		h.SampleSum = &unknown
	}
}
