package channels

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"weimang/alerts"
	"weimang/alerts/deliver"
)

// Gateway posts phone messages as JSON to a gateway of the site's own: what the
// clouds' forms do not fit. The request is signed like a webhook's.
//
// It answers 2xx, and {"id": "..."} where reports will name the message. A
// failure is another status, with {"error": "..."} where it is one of
// deliver.Reasons. What has an Idempotency-Key that it knows it does not send
// again.
type Gateway struct {
	kind   string // sms or voice
	opts   PhoneOptions
	call   *caller
	secret []byte
}

// NewGateway makes a channel of a kind, sms or voice. PhoneOptions.KeySecret
// signs; no template needs a code, since the gateway gets its name.
func NewGateway(kind string, o PhoneOptions) (*Gateway, error) {
	call, err := o.HTTP.caller(kind+" gateway", "")
	return &Gateway{kind: kind, opts: o, call: call, secret: []byte(o.KeySecret)}, err
}

// gatewayMessage is what a gateway is sent.
type gatewayMessage struct {
	ID           string         `json:"id"`
	Kind         string         `json:"kind"`
	To           string         `json:"to"`
	Lang         string         `json:"lang"`
	Template     string         `json:"template"`
	TemplateCode string         `json:"template_code,omitempty"`
	Params       []alerts.Param `json:"params"`
	Text         string         `json:"text"`
	PlayTimes    int            `json:"play_times,omitempty"`
}

// Send implements deliver.Channel.
func (g *Gateway) Send(ctx context.Context, m alerts.Message) (deliver.Receipt, error) {
	number := phoneNumber(m.Address)
	switch {
	case m.Short == nil:
		return deliver.Receipt{}, deliver.Fail(deliver.Format, "%s: the message has no form for phones", g.call.vendor)
	case number == "":
		return deliver.Receipt{}, deliver.Fail(deliver.BadAddress, "%s: the address is not a phone number", g.call.vendor)
	}
	out := gatewayMessage{
		ID: m.ID, Kind: g.kind, To: number, Lang: string(m.Lang), Template: m.Short.Template,
		TemplateCode: g.opts.code(m), Params: m.Short.Params, Text: m.Short.Text,
	}
	if g.kind == "voice" {
		out.PlayTimes = g.opts.playTimes()
	}
	body, err := encodeJSON(out)
	if err != nil {
		return deliver.Receipt{}, deliver.Fail(deliver.Format, "encode the message: %w", err)
	}
	req, err := g.call.newPost(ctx, g.call.url("", nil), body)
	if err != nil {
		return deliver.Receipt{}, err
	}
	g.call.identify(req, m, g.secret, body)
	a, err := g.call.do(req)
	if err != nil {
		return deliver.Receipt{}, err
	}
	return g.receipt(a)
}

func (g *Gateway) receipt(a *answer) (deliver.Receipt, error) {
	var got struct {
		ID    string         `json:"id"`
		Error deliver.Reason `json:"error"`
	}
	if a.status == http.StatusNoContent || len(a.body) == 0 {
		return deliver.Receipt{}, g.call.judge(a)
	}
	if err := json.Unmarshal(a.body, &got); err != nil {
		return deliver.Receipt{}, g.call.decode(a, &got)
	}
	err := g.call.judge(a)
	if got.Error == "" && err == nil {
		return deliver.Receipt{VendorID: got.ID}, nil
	}
	f, ok := err.(*deliver.Failure) //nolint:errorlint // judge returns nothing else
	if !ok {
		f = deliver.Fail(deliver.Vendor, "%s answered with an error", g.call.vendor)
	}
	if slices.Contains(deliver.Reasons, got.Error) {
		f.Reason = got.Error
	}
	return deliver.Receipt{}, f
}
