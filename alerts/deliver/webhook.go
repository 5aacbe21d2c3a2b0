package deliver

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"weimang/alerts"
)

// Headers of a webhook request.
const (
	HeaderIdempotency = "Idempotency-Key"   // the message's identity, the same at every attempt
	HeaderTimestamp   = "Weimang-Timestamp" // unix seconds, with a secret only
	HeaderSignature   = "Weimang-Signature" // see Sign, with a secret only
)

// Webhook posts each message as JSON to one address. Any 2xx is a receipt.
// A receiver that has a message's Idempotency-Key already answers 2xx too.
type Webhook struct {
	url    string
	secret []byte
	client *http.Client
}

// NewWebhook makes a webhook channel. secret may be empty: requests are then
// not signed. A nil client means one with sane time-outs that follows no
// redirects, since a message must not wander off to another host.
func NewWebhook(rawURL string, secret []byte, client *http.Client) (*Webhook, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("webhook needs an http or https address with a host")
	}
	if client == nil {
		client = &http.Client{
			Timeout:       15 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return &Webhook{url: rawURL, secret: secret, client: client}, nil
}

// Sign is the signature of a request: "v1=" and the hex HMAC-SHA256 of
// timestamp, a full stop and the body. Receivers compare it in constant time
// and refuse timestamps that are minutes off.
func Sign(secret []byte, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(timestamp))
	mac.Write([]byte{'.'})
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// Send implements Channel.
func (w *Webhook) Send(ctx context.Context, m alerts.Message) (bool, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return false, fmt.Errorf("encode message: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return false, fmt.Errorf("webhook request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "weimang")
	req.Header.Set(HeaderIdempotency, m.ID)
	if len(w.secret) > 0 {
		ts := strconv.FormatInt(time.Now().Unix(), 10)
		req.Header.Set(HeaderTimestamp, ts)
		req.Header.Set(HeaderSignature, Sign(w.secret, ts, body))
	}
	resp, err := w.client.Do(req)
	if err != nil {
		// The address may hold a key: what went wrong without where.
		if ue, ok := errors.AsType[*url.Error](err); ok {
			err = ue.Err
		}
		return true, fmt.Errorf("webhook: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	// Read a little, so that the connection can be used again.
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	return judge(resp)
}

// judge says what an answer means: 2xx is a receipt; 408, 429 and 5xx may be
// better later; any other answer will be the same next time.
func judge(resp *http.Response) (retry bool, err error) {
	code := resp.StatusCode
	if code >= 200 && code < 300 {
		return false, nil
	}
	err = fmt.Errorf("webhook answered %d", code)
	if code != http.StatusRequestTimeout && code != http.StatusTooManyRequests && code < 500 {
		return false, err
	}
	if after := retryAfter(resp.Header.Get("Retry-After"), time.Now()); after > 0 {
		return true, &RetryAfterError{After: after, Err: err}
	}
	return true, err
}

// retryAfter reads both forms of the header; 0 is none.
func retryAfter(h string, now time.Time) time.Duration {
	if s, err := strconv.Atoi(h); err == nil {
		return max(0, time.Duration(s)*time.Second)
	}
	if t, err := http.ParseTime(h); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}
