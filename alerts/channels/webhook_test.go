package channels_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"weimang/alerts/channels"
	"weimang/alerts/channels/vendortest"
	"weimang/alerts/deliver"
)

func TestWebhookAnswers(t *testing.T) {
	for _, tc := range []struct {
		code   int
		after  string
		ok     bool
		retry  bool
		wait   time.Duration
		reason deliver.Reason
	}{
		{code: 200, ok: true},
		{code: 204, ok: true},
		{code: 302, reason: deliver.Refused},
		{code: 400, reason: deliver.Format},
		{code: 401, reason: deliver.Auth},
		{code: 402, reason: deliver.Account},
		{code: 404, reason: deliver.BadAddress},
		{code: 408, retry: true, reason: deliver.Vendor},
		{code: 429, retry: true, after: "7", wait: 7 * time.Second, reason: deliver.Throttled},
		{code: 500, retry: true, reason: deliver.Vendor},
		{code: 503, retry: true, after: "soon", reason: deliver.Vendor},
		{code: 503, retry: true, after: noon.Add(time.Minute).UTC().Format(http.TimeFormat), wait: time.Minute, reason: deliver.Vendor},
	} {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get(channels.HeaderSignature) != "" {
				t.Error("signed without a secret")
			}
			if tc.after != "" {
				w.Header().Set("Retry-After", tc.after)
			}
			w.WriteHeader(tc.code)
		})
		hook, err := channels.NewWebhook("http://vendor.test/hook", nil, channels.HTTP{Client: vendortest.Client(h), Now: func() time.Time { return noon }})
		if err != nil {
			t.Fatal(err)
		}
		_, err = hook.Send(t.Context(), message())
		if tc.ok {
			if err != nil {
				t.Errorf("%d: %v", tc.code, err)
			}
			continue
		}
		if f := failed(t, err); f.Retry != tc.retry || f.Reason != tc.reason || f.After != tc.wait {
			t.Errorf("%d: %s, retry %v after %v (%v)", tc.code, f.Reason, f.Retry, f.After, err)
		}
	}
}

// A message must not wander off to another host.
func TestRedirectsAreNotFollowed(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the message went to another host") }))
	defer other.Close()
	srv := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer srv.Close()
	hook, err := channels.NewWebhook(srv.URL, nil, channels.HTTP{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = hook.Send(t.Context(), message())
	if f := failed(t, err); f.Retry {
		t.Errorf("%v", err)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

func TestAddressesOfVendorsMustBeWhole(t *testing.T) {
	for _, bad := range []string{"example.com/hook", "ftp://example.com", "http://", "://", "https://x?y=1"} {
		if _, err := channels.NewWeComRobot(channels.HTTP{Base: bad}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	for _, bad := range []string{"", "example.com/hook", "ftp://example.com", "http://", "://"} {
		if _, err := channels.NewWebhook(bad, nil, channels.HTTP{}); err == nil {
			t.Errorf("webhook: %q was taken", bad)
		}
	}
	if _, err := channels.NewDingTalkRobot(channels.HTTP{Base: "https://gov.example.cn/ding/"}); err != nil {
		t.Error(err)
	}
}
