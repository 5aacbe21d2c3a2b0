package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

func getMetrics(t *testing.T, reg *prometheus.Registry, accept string) (contentType, body string) {
	t.Helper()
	req := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	w := httptest.NewRecorder()
	newMetricsPage(reg, slog.New(slog.DiscardHandler)).ServeHTTP(w, req)
	if w.Code != 200 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Header().Get("Content-Type"), w.Body.String()
}

func TestTheWholePageKeepsToTheRules(t *testing.T) {
	gatherers := prometheus.Gatherers{newRegistry(), prometheus.GathererFunc(gatherProcess)}
	problems, err := testutil.GatherAndLint(gatherers)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	families, err := gatherers.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if len(families) < 40 {
		t.Errorf("only %d families", len(families))
	}
	for _, f := range families {
		if strings.HasSuffix(f.GetHelp(), ".") || strings.Contains(f.GetHelp(), "github.com") {
			t.Errorf("%s: help should say what it is, without a full stop: %q", f.GetName(), f.GetHelp())
		}
	}
}

func TestTheTextPageReadsBack(t *testing.T) {
	contentType, body := getMetrics(t, newRegistry(), "")
	if !strings.HasPrefix(contentType, "text/plain") {
		t.Errorf("content type %q", contentType)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"weimang_build_info", "process_resident_memory_bytes", "process_open_fds", "go_goroutines"} {
		if families[name] == nil {
			t.Errorf("%s is not on the page", name)
		}
	}
	if n := len(families["go_gc_pauses_seconds"].GetMetric()[0].GetHistogram().GetBucket()); n < 5 {
		t.Errorf("the histogram of pauses has %d buckets", n)
	}
}

func TestOpenMetricsHasNoNameTwice(t *testing.T) {
	contentType, body := getMetrics(t, newRegistry(), "application/openmetrics-text; version=1.0.0")
	if !strings.HasPrefix(contentType, "application/openmetrics-text") || !strings.HasSuffix(body, "# EOF\n") {
		t.Fatalf("content type %q, end %q", contentType, body[max(0, len(body)-20):])
	}
	var names []string
	for line := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, _, _ := strings.Cut(rest, " ")
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for i := 1; i < len(names); i++ {
		if names[i] == names[i-1] {
			t.Errorf("%s is there twice", names[i])
		}
	}
}

func TestProtobufIsServedToo(t *testing.T) {
	contentType, _ := getMetrics(t, newRegistry(), "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited")
	if !strings.HasPrefix(contentType, "application/vnd.google.protobuf") {
		t.Errorf("content type %q", contentType)
	}
}

func TestComponentsStandOnThePageBesideTheProcess(t *testing.T) {
	reg := newRegistry()
	promauto.With(reg).NewCounter(prometheus.CounterOpts{Name: "weimang_test_knocks_total", Help: "Knocks on doors"}).Inc()
	_, body := getMetrics(t, reg, "")
	wantContains(t, "page", body, "weimang_test_knocks_total 1\n", "\ngo_info{")
}
