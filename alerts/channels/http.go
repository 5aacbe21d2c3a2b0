package channels

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"weimang/alerts/deliver"
)

// HTTP is how a channel reaches its vendor.
type HTTP struct {
	Base   string           // scheme, host and path before the vendor's own; "" is the vendor's public one
	Client *http.Client     // nil: one with sane time-outs that follows no redirects
	Now    func() time.Time // for timestamps in signatures; nil is time.Now
}

// caller is HTTP with its defaults filled in.
type caller struct {
	vendor string // in errors
	base   *url.URL
	client *http.Client
	now    func() time.Time
}

func (h HTTP) caller(vendor, public string) (*caller, error) {
	base := h.Base
	if base == "" {
		base = public
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New(vendor + " needs an http or https address with a host and without a query")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	c := &caller{vendor: vendor, base: u, client: h.Client, now: h.Now}
	if c.client == nil {
		c.client = newClient()
	}
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// newClient makes a client that follows no redirects, since a message must not
// wander off to another host.
func newClient() *http.Client {
	return &http.Client{
		Timeout:       15 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// url is an address of the vendor's.
func (c *caller) url(path string, query url.Values) string {
	u := *c.base
	u.Path += path
	u.RawQuery = query.Encode()
	return u.String()
}

// maxAnswer is how much of an answer is read, in bytes: a receipt has some
// hundreds.
const maxAnswer = 64 << 10

// answer is what came back, the first maxAnswer bytes of it.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do makes a request. Its failures name no address.
func (c *caller) do(req *http.Request) (*answer, error) {
	req.Header.Set("User-Agent", "weimang")
	resp, err := c.client.Do(req)
	if err != nil {
		// The address may hold a key: what went wrong without where.
		if ue, ok := errors.AsType[*url.Error](err); ok {
			err = ue.Err
		}
		return nil, deliver.Later(deliver.Unreachable, "%s: %w", c.vendor, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, deliver.Later(deliver.Unreachable, "%s: read the answer: %w", c.vendor, err)
	}
	return &answer{resp.StatusCode, resp.Header, body}, nil
}

// postJSON posts v as JSON.
func (c *caller) postJSON(ctx context.Context, address string, v any) (*answer, error) {
	body, err := encodeJSON(v)
	if err != nil {
		return nil, deliver.Fail(deliver.Format, "encode the message: %w", err)
	}
	req, err := c.newPost(ctx, address, body)
	if err != nil {
		return nil, err
	}
	return c.do(req)
}

func (c *caller) newPost(ctx context.Context, address string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, deliver.Fail(deliver.BadAddress, "%s: the address makes no request", c.vendor)
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	return req, nil
}

func (c *caller) newGet(ctx context.Context, address string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, deliver.Fail(deliver.BadAddress, "%s: the address makes no request", c.vendor)
	}
	return req, nil
}

// encodeJSON leaves < > and & as they are: vendors count bytes.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// decode reads an answer that is to be JSON, whatever its status. What is not
// (a proxy's page, an answer cut short) fails by its status, and as the
// vendor's fault where the status says that all is well.
func (c *caller) decode(a *answer, v any) error {
	if err := json.Unmarshal(a.body, v); err == nil {
		return nil
	}
	if a.status >= 300 && a.status < 400 {
		// Vendors do not redirect; a network that wants a login does.
		return deliver.Later(deliver.Vendor, "%s answered %d", c.vendor, a.status)
	}
	if err := c.judge(a); err != nil {
		return err
	}
	return deliver.Later(deliver.Vendor, "%s answered %d with what is not its JSON", c.vendor, a.status)
}

// judge says what a status means: 2xx is a receipt; 408, 429 and 5xx may be
// better later; any other answer will be the same next time.
func (c *caller) judge(a *answer) error {
	if a.status >= 200 && a.status < 300 {
		return nil
	}
	f := deliver.Fail(statusReason(a.status), "%s answered %d", c.vendor, a.status)
	f.Retry = a.status == http.StatusRequestTimeout || a.status == http.StatusTooManyRequests || a.status >= 500
	f.After = retryAfter(a.header.Get("Retry-After"), c.now())
	return f
}

func statusReason(status int) deliver.Reason {
	switch status {
	case http.StatusTooManyRequests:
		return deliver.Throttled
	case http.StatusUnauthorized, http.StatusForbidden:
		return deliver.Auth
	case http.StatusPaymentRequired:
		return deliver.Account
	case http.StatusNotFound, http.StatusGone:
		return deliver.BadAddress
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return deliver.Format
	}
	if status >= 500 || status == http.StatusRequestTimeout {
		return deliver.Vendor
	}
	return deliver.Refused
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
