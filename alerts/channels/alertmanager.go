package channels

import (
	"context"
	"time"

	"weimang/alerts"
	"weimang/alerts/deliver"
	"weimang/detectors"
)

// Alertmanager hands messages to Prometheus' Alertmanager, for operators who
// live with it. Its labels come from closed sets, and nothing of a message's
// words goes there: Alertmanager sends on to wherever it was told. So homes
// with the same trouble are one alert there; the link leads to the page.
// https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
type Alertmanager struct{ call *caller }

// NewAlertmanager makes the channel; h.Base is Alertmanager's address.
func NewAlertmanager(h HTTP) (*Alertmanager, error) {
	call, err := h.caller("alertmanager", "")
	return &Alertmanager{call}, err
}

// alertmanagerKeeps is how long an alert stands there after its last message.
const alertmanagerKeeps = 30 * time.Minute

// alertmanagerAlert is a postableAlert.
type alertmanagerAlert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Generator   string            `json:"generatorURL,omitempty"`
}

// Send implements deliver.Channel. An all-clear is not sent on: it would end
// the alert of other homes, too.
func (c *Alertmanager) Send(ctx context.Context, m alerts.Message) (deliver.Receipt, error) {
	if m.State == detectors.Resolved {
		return deliver.Receipt{}, nil
	}
	now := c.call.now()
	alert := alertmanagerAlert{
		Labels: map[string]string{
			"alertname": "WeimangMessage", "kind": string(m.Kind), "severity": m.Severity.String(), "role": string(m.To.Role),
		},
		Annotations: map[string]string{"summary": "Weimang has a message for the " + string(m.To.Role) + ": " + m.Severity.String() + ", " + string(m.Kind)},
		StartsAt:    now, EndsAt: now.Add(alertmanagerKeeps), Generator: webLink(m.URL),
	}
	a, err := c.call.postJSON(ctx, c.call.url("/api/v2/alerts", nil), []alertmanagerAlert{alert})
	if err != nil {
		return deliver.Receipt{}, err
	}
	return deliver.Receipt{}, c.call.judge(a)
}
