package main

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"weimang/alerts"
	"weimang/alerts/channels"
	"weimang/alerts/message"
	"weimang/alerts/roster"
	"weimang/alerts/store"
)

// What vendors send back is taken beside the page, and only where the
// configuration lets them.
func TestCallbacksAreThereWhereTheyAreConfigured(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "weimang.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "page") })
	var log bytes.Buffer
	words, err := message.New()
	if err != nil {
		t.Fatal(err)
	}
	cases, err := alerts.NewService(t.Context(), db, words, alerts.Options{
		Fallback: roster.Person{Contacts: []roster.Contact{{Channel: channels.NameConsole}}},
	}, slog.New(slog.DiscardHandler), newRegistry())
	if err != nil {
		t.Fatal(err)
	}
	serve := func(cfg *Config) func(path, body string) (int, string) {
		s := &system{cfg: cfg, store: db, cases: cases, log: slog.New(slog.NewTextHandler(&log, nil)), reg: newRegistry()}
		h, err := s.withCallbacks(page)
		if err != nil {
			t.Fatal(err)
		}
		return func(path, body string) (int, string) {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
			return w.Code, w.Body.String()
		}
	}
	if code, body := serve(DefaultConfig())("/callbacks/sms/x", "{}"); code != http.StatusOK || body != "page" {
		t.Errorf("without configuration: %d %s", code, body)
	}
	cfg := DefaultConfig()
	cfg.Alerts.SMS.Gateway, cfg.Alerts.Callbacks.Token = channels.GatewayJSON, "0123456789abcdefghij"
	post := serve(cfg)
	for _, tc := range []struct {
		path, body string
		code       int
	}{
		{"/callbacks/sms/0123456789abcdefghij", `{"reports":[{"id":"1","status":"delivered"}]}`, http.StatusOK},
		{"/callbacks/sms/0123456789abcdefghij", `{"replies":[{"from":"13800138000","text":"1"}]}`, http.StatusOK},
		{"/callbacks/sms/0123456789abcdefghi", `{"reports":[{"id":"1","status":"delivered"}]}`, http.StatusNotFound},
		{"/callbacks/voice/0123456789abcdefghij", `{}`, http.StatusNotFound},
		{"/callbacks/wecom-app", `<xml/>`, http.StatusNotFound},
		{"/", "", http.StatusOK},
	} {
		if code, body := post(tc.path, tc.body); code != tc.code {
			t.Errorf("%s: %d %s", tc.path, code, body)
		}
	}
	if !strings.Contains(log.String(), "an answer that says nothing to what was asked") || strings.Contains(log.String(), "13800138000") {
		t.Errorf("log: %s", &log)
	}
}
