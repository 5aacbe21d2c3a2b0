package deliver_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"weimang/alerts"
	"weimang/alerts/deliver"
	catalogue "weimang/alerts/message"
	"weimang/alerts/roster"
	"weimang/alerts/store/storetest"
	"weimang/detectors"
)

func TestConsoleShowsWhatAPersonReceives(t *testing.T) {
	var b strings.Builder
	if _, err := deliver.NewConsole(&b).Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	want := "── 2026-07-12 04:00 → chair p1\n   请今天去看看：3组12号\n   第一行\n   第二行\n   http://x/household/h1\n"
	if b.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
	}
}

func TestJSONLinesCarryIDsAndNoAddress(t *testing.T) {
	var b strings.Builder
	c := deliver.NewJSONLines(&b)
	for range 2 {
		if _, err := c.Send(t.Context(), message()); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 2 || strings.Contains(b.String(), "13800000000") {
		t.Fatalf("lines: %s", b.String())
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"message_id": "h1/42#1:p1:console", "alert_id": "h1/42", "channel": "console", "lang": "zh-CN", "kind": "shortfall",
		"severity": "orange", "state": "open", "household_id": "h1", "label": "3组12号", "area_id": "a1",
		"onset": "2026-07-12T04:00:00Z", "decided_at": "2026-07-12T04:00:00Z", "text": "第一行\n第二行",
	} {
		if got[key] != want {
			t.Errorf("%s is %v, want %v", key, got[key], want)
		}
	}
	if to, ok := got["to"].(map[string]any); !ok || to["person_id"] != "p1" || to["role"] != "chair" || len(to) != 2 {
		t.Errorf("to is %v", got["to"])
	}
}

// failing is a writer on a full disk.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errBusy }

func TestWritersThatFailAreTriedAgain(t *testing.T) {
	for name, c := range map[string]deliver.Channel{"console": deliver.NewConsole(failing{}), "json lines": deliver.NewJSONLines(failing{})} {
		if retry, err := c.Send(t.Context(), message()); !retry || !errors.Is(err, errBusy) {
			t.Errorf("%s: retry %v, error %v", name, retry, err)
		}
	}
}

func webhook(t *testing.T, secret string, h http.HandlerFunc) *deliver.Webhook {
	t.Helper()
	srv := httptest.NewServer(h)
	client := srv.Client()
	t.Cleanup(func() {
		client.CloseIdleConnections()
		srv.Close()
	})
	w, err := deliver.NewWebhook(srv.URL+"/hook?key=secret-key", []byte(secret), client)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWebhookSendsASignedMessageWithItsIdentity(t *testing.T) {
	w := webhook(t, "s3cret", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			t.Errorf("%s with %s", r.Method, r.Header.Get("Content-Type"))
		}
		if got := r.Header.Get(deliver.HeaderIdempotency); got != message().ID {
			t.Errorf("idempotency key %q", got)
		}
		if got := r.Header.Get(deliver.HeaderSignature); got != deliver.Sign([]byte("s3cret"), r.Header.Get(deliver.HeaderTimestamp), body) {
			t.Errorf("signature %q does not fit", got)
		}
		if got := r.Header.Get(deliver.HeaderSignature); got == deliver.Sign([]byte("other"), r.Header.Get(deliver.HeaderTimestamp), body) {
			t.Error("the signature does not depend on the secret")
		}
		var m alerts.Message
		if err := json.Unmarshal(body, &m); err != nil || m.Label != "3组12号" {
			t.Errorf("body %s (%v)", body, err)
		}
		w.WriteHeader(http.StatusAccepted)
	})
	if _, err := w.Send(t.Context(), message()); err != nil {
		t.Error(err)
	}
}

func TestWebhookAnswers(t *testing.T) {
	for _, tc := range []struct {
		code  int
		after string
		ok    bool
		retry bool
		wait  time.Duration
	}{
		{code: 200, ok: true},
		{code: 204, ok: true},
		{code: 302},
		{code: 400},
		{code: 401},
		{code: 404},
		{code: 408, retry: true},
		{code: 429, retry: true, after: "7", wait: 7 * time.Second},
		{code: 500, retry: true},
		{code: 503, retry: true, after: "soon"},
	} {
		w := webhook(t, "", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get(deliver.HeaderSignature) != "" {
				t.Error("signed without a secret")
			}
			if tc.after != "" {
				w.Header().Set("Retry-After", tc.after)
			}
			w.WriteHeader(tc.code)
		})
		retry, err := w.Send(t.Context(), message())
		if (err == nil) != tc.ok || retry != tc.retry {
			t.Errorf("%d: retry %v, error %v", tc.code, retry, err)
		}
		var wait time.Duration
		if after, ok := errors.AsType[*deliver.RetryAfterError](err); ok {
			wait = after.After
		}
		if wait != tc.wait {
			t.Errorf("%d: come back after %v, want %v", tc.code, wait, tc.wait)
		}
	}
}

func TestWebhookErrorsDoNotGiveTheAddressAway(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	url := srv.URL
	srv.Close() // nobody listens any more
	w, err := deliver.NewWebhook(url+"/hook?key=secret-key", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	retry, err := w.Send(t.Context(), message())
	if err == nil || !retry || strings.Contains(err.Error(), "secret-key") {
		t.Errorf("retry %v, error %v", retry, err)
	}
}

func TestWebhookNeedsAnAddress(t *testing.T) {
	for _, bad := range []string{"", "example.com/hook", "ftp://example.com", "http://", "://"} {
		if _, err := deliver.NewWebhook(bad, nil, nil); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// The whole way: a finding, the store, a receiver that is down at first. What
// arrives, arrives under one identity, and the history says so.
func TestAFindingReachesAReceiverThatWasDown(t *testing.T) {
	ctx := t.Context()
	db := storetest.Open(t, nil)
	var mu sync.Mutex
	calls, receipts := 0, map[string]int{}
	hook := webhook(t, "", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if calls++; calls <= 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		receipts[r.Header.Get(deliver.HeaderIdempotency)]++
	})
	words, err := catalogue.New()
	if err != nil {
		t.Fatal(err)
	}
	log, reg := slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	topic := &broker{failures: 1}
	d := deliver.New(db, map[string]deliver.Channel{"hook": hook}, topic, deliver.Options{MinBackoff: 2 * time.Millisecond, Tick: 5 * time.Millisecond}, log, reg)
	s, err := alerts.NewService(ctx, db, words, alerts.Options{Fallback: roster.Person{Contacts: []roster.Contact{{Channel: "hook"}}}, Wake: d.Wake}, log, reg)
	if err != nil {
		t.Fatal(err)
	}
	runCtx, cancel := context.WithCancel(ctx)
	done := make(chan error)
	go func() { done <- d.Run(runCtx) }()
	at := time.Date(2026, 7, 12, 4, 0, 0, 0, time.UTC)
	f := &detectors.Finding{
		HouseholdID: "h1", AreaID: "a1", Kind: detectors.Shortfall, Severity: detectors.Red, State: detectors.Open, Episode: 1, Seq: 1, Pushed: true,
		Onset: at, At: at, DecidedAt: at, DataUntil: at, Reason: detectors.Reason{Cause: detectors.CauseBelow},
	}
	if err := s.Apply(ctx, f); err != nil {
		t.Fatal(err)
	}
	for drained := false; !drained; time.Sleep(time.Millisecond) {
		if drained, err = d.Drained(ctx); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run ended with %v", err)
	}
	if len(receipts) != 1 || receipts["h1/1#1:operator:hook"] != 1 || calls != 3 {
		t.Errorf("receipts %v after %d calls", receipts, calls)
	}
	if len(topic.got) != 1 || topic.got[0] != "h1/1#1" {
		t.Errorf("published %v", topic.got)
	}
	es, err := db.Events(ctx, "h1", 10)
	if err != nil || len(es) != 3 || es[0].Kind != alerts.EventTold || es[0].Detail != "operator/hook" {
		t.Errorf("history %+v (%v)", es, err)
	}
}
