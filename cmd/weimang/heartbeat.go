package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"weimang/alerts"
)

// auditor proves that no case is forgotten.
type auditor interface {
	Audit(ctx context.Context) ([]alerts.Forgotten, error)
}

// heart audits the open cases, and while all have a next step it calls an
// address outside. Whoever is there tells somebody when it stays silent: a
// machine that is off cannot say so itself.
type heart struct {
	url     string
	every   time.Duration
	auditor auditor
	client  *http.Client
	log     *slog.Logger
	beats   *prometheus.CounterVec
	failing bool // as last logged
}

func newHeart(cfg HeartbeatConfig, a auditor, log *slog.Logger, reg prometheus.Registerer) *heart {
	h := &heart{
		url: cfg.URL.Reveal(), every: cfg.Every, auditor: a, log: log, client: &http.Client{Timeout: 10 * time.Second},
		beats: promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
			Name: "weimang_heartbeats_total", Help: "Heartbeats to the outside address, by result: sent, failed, or withheld because a case is forgotten",
		}, []string{"result"}),
	}
	for _, r := range []string{"sent", "failed", "withheld"} {
		h.beats.WithLabelValues(r)
	}
	return h
}

// run beats until ctx ends.
func (h *heart) run(ctx context.Context) error {
	tick := time.NewTicker(h.every)
	defer tick.Stop()
	for {
		h.tell(h.beat(ctx))
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// beat audits once, and calls outside if all is well.
func (h *heart) beat(ctx context.Context) error {
	forgotten, err := h.auditor.Audit(ctx)
	if err == nil && len(forgotten) > 0 {
		err = fmt.Errorf("%d open cases have no next step or are long overdue, the first is %s (%s)", len(forgotten), forgotten[0].AlertID, forgotten[0].Stage)
	}
	if err != nil {
		h.beats.WithLabelValues("withheld").Inc()
		return fmt.Errorf("the audit of open cases: %w", err)
	}
	if h.url == "" {
		return nil
	}
	if err := h.call(ctx); err != nil {
		h.beats.WithLabelValues("failed").Inc()
		return fmt.Errorf("the heartbeat: %w", err)
	}
	h.beats.WithLabelValues("sent").Inc()
	return nil
}

func (h *heart) call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "weimang")
	resp, err := h.client.Do(req)
	if err != nil {
		// The address may hold a key: what went wrong without where.
		if ue, ok := errors.AsType[*url.Error](err); ok {
			err = ue.Err
		}
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("answered %d", resp.StatusCode)
	}
	return nil
}

// tell logs when it begins to fail and when it is mended.
func (h *heart) tell(err error) {
	switch {
	case err != nil && !errors.Is(err, context.Canceled) && !h.failing:
		h.failing = true
		h.log.Error("no heartbeat", "err", err)
	case err == nil && h.failing:
		h.failing = false
		h.log.Info("the heart beats again")
	}
}
