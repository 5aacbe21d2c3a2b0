package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"weimang/alerts"
)

// audits answers with what it is set to.
type audits struct {
	forgotten []alerts.Forgotten
	err       error
}

func (a *audits) Audit(context.Context) ([]alerts.Forgotten, error) { return a.forgotten, a.err }

func TestTheHeartBeatsOnlyWhileNobodyIsForgotten(t *testing.T) {
	calls, status := 0, http.StatusOK
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls++
		w.WriteHeader(status)
	}))
	defer outside.Close()
	a := &audits{}
	h := newHeart(HeartbeatConfig{URL: Secret(outside.URL + "/secret-key"), Every: time.Minute}, a, slog.New(slog.DiscardHandler), prometheus.NewPedanticRegistry())
	if err := h.beat(t.Context()); err != nil || calls != 1 {
		t.Fatalf("all is well: %d calls (%v)", calls, err)
	}
	a.forgotten = []alerts.Forgotten{{AlertID: "h1/42", Stage: alerts.Calling}}
	if err := h.beat(t.Context()); err == nil || !strings.Contains(err.Error(), "h1/42") || calls != 1 {
		t.Errorf("somebody is forgotten: %d calls (%v)", calls, err)
	}
	a.forgotten, a.err = nil, errors.New("the store is away")
	if err := h.beat(t.Context()); err == nil || calls != 1 {
		t.Errorf("the store is away: %d calls (%v)", calls, err)
	}
	a.err, status = nil, http.StatusBadGateway
	if err := h.beat(t.Context()); err == nil || strings.Contains(err.Error(), "secret-key") {
		t.Errorf("the watcher fails: %v", err)
	}
	outside.Close()
	if err := h.beat(t.Context()); err == nil || strings.Contains(err.Error(), "secret-key") {
		t.Errorf("the watcher is away: %v", err)
	}
	for result, want := range map[string]float64{"sent": 1, "withheld": 2, "failed": 2} {
		if got := testutil.ToFloat64(h.beats.WithLabelValues(result)); got != want {
			t.Errorf("%s: %v, want %v", result, got, want)
		}
	}
}

func TestWithoutAnAddressTheAuditIsStillMade(t *testing.T) {
	h := newHeart(HeartbeatConfig{Every: time.Minute}, &audits{err: errors.New("no")}, slog.New(slog.DiscardHandler), prometheus.NewPedanticRegistry())
	if err := h.beat(t.Context()); err == nil {
		t.Error("a failed audit passes in silence")
	}
}
