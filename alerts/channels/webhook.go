package channels

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"weimang/alerts"
	"weimang/alerts/deliver"
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
	call   *caller
	url    string
	secret []byte
}

// NewWebhook makes a webhook channel on an address, which may have a query.
// secret may be empty: requests are then not signed.
func NewWebhook(address string, secret []byte, h HTTP) (*Webhook, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("webhook needs an http or https address with a host")
	}
	h.Base = u.Scheme + "://" + u.Host
	call, err := h.caller("webhook", "")
	if err != nil {
		return nil, err
	}
	return &Webhook{call: call, url: address, secret: secret}, nil
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

// Send implements deliver.Channel.
func (w *Webhook) Send(ctx context.Context, m alerts.Message) (deliver.Receipt, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return deliver.Receipt{}, deliver.Fail(deliver.Format, "encode the message: %w", err)
	}
	req, err := w.call.newPost(ctx, w.url, body)
	if err != nil {
		return deliver.Receipt{}, err
	}
	w.call.identify(req, m, w.secret, body)
	a, err := w.call.do(req)
	if err != nil {
		return deliver.Receipt{}, err
	}
	return deliver.Receipt{}, w.call.judge(a)
}

// identify adds the headers by which a receiver knows message and sender.
func (c *caller) identify(req *http.Request, m alerts.Message, secret, body []byte) {
	req.Header.Set(HeaderIdempotency, m.ID)
	if len(secret) > 0 {
		ts := strconv.FormatInt(c.now().Unix(), 10)
		req.Header.Set(HeaderTimestamp, ts)
		req.Header.Set(HeaderSignature, Sign(secret, ts, body))
	}
}
