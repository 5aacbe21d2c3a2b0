package vendortest

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Hook is a receiver of signed JSON: a webhook, or a gateway of the site's own.
// It takes a message once, by its Idempotency-Key.
type Hook struct {
	vendor
	secret string
	dead   map[string]bool // numbers that do not exist
}

// NewHook makes a receiver; secret "" asks for no signature.
func NewHook(secret string, dead []string, now func() time.Time) *Hook {
	h := &Hook{vendor: newVendor(now), secret: secret, dead: make(map[string]bool)}
	for _, n := range dead {
		h.dead[n] = true
	}
	h.judge = h.receive
	return h
}

func (h *Hook) receive(r *http.Request, body []byte) (int, string) {
	id := r.Header.Get("Idempotency-Key")
	if r.Method != http.MethodPost || id == "" {
		return http.StatusBadRequest, `{}`
	}
	if h.secret != "" {
		stamp := r.Header.Get("Weimang-Timestamp")
		seconds, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil || h.now().Sub(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
			return http.StatusUnauthorized, `{"error":"auth"}`
		}
		if r.Header.Get("Weimang-Signature") != "v1="+hex.EncodeToString(mac([]byte(h.secret), stamp+"."+string(body))) {
			return http.StatusUnauthorized, `{"error":"auth"}`
		}
	}
	var m struct{ To, Text, Template, Channel json.RawMessage }
	if err := json.Unmarshal(body, &m); err != nil {
		return http.StatusBadRequest, `{"error":"format"}`
	}
	to, text := strings.Trim(string(m.To), `"`), ""
	if err := json.Unmarshal(m.Text, &text); err != nil {
		return http.StatusBadRequest, `{"error":"format"}`
	}
	if h.dead[to] {
		return http.StatusUnprocessableEntity, `{"error":"bad-address"}`
	}
	g := h.sentWith(id)
	if g == nil {
		taken := h.take(Got{To: to, ID: id, Text: text})
		g = &taken
	}
	return http.StatusOK, fmt.Sprintf(`{"id":%q}`, g.VendorID)
}

// Alertmanager is Prometheus' Alertmanager, API v2. Alerts of the same labels
// are one.
type Alertmanager struct{ vendor }

// NewAlertmanager makes a server; now is its clock, nil for time.Now.
func NewAlertmanager(now func() time.Time) *Alertmanager {
	a := &Alertmanager{newVendor(now)}
	a.judge = a.post
	return a
}

func (a *Alertmanager) post(r *http.Request, body []byte) (int, string) {
	if r.Method != http.MethodPost || r.URL.Path != "/api/v2/alerts" {
		return http.StatusNotFound, ""
	}
	var alerts []struct {
		Labels       map[string]string `json:"labels"`
		StartsAt     time.Time         `json:"startsAt"`
		EndsAt       time.Time         `json:"endsAt"`
		GeneratorURL string            `json:"generatorURL"`
	}
	if err := json.Unmarshal(body, &alerts); err != nil || len(alerts) == 0 {
		return http.StatusBadRequest, `"not alerts"`
	}
	for _, al := range alerts {
		if al.Labels["alertname"] == "" || al.EndsAt.Before(al.StartsAt) {
			return http.StatusBadRequest, `"invalid alert"`
		}
		labels, err := json.Marshal(al.Labels) // in order of names
		if err != nil {
			return http.StatusBadRequest, `"invalid labels"`
		}
		if a.sentWith(string(labels)) == nil {
			a.take(Got{To: "alertmanager", ID: string(labels), Text: string(body)})
		}
	}
	return http.StatusOK, ""
}
