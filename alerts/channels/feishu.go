package channels

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"weimang/alerts"
	"weimang/alerts/deliver"
	"weimang/detectors"
)

// feishuText is how much text we send, in bytes: a request may have 20 KB, and
// JSON may double what it quotes.
const feishuText = 8000

// feishuCodes are those of a custom robot.
// https://open.feishu.cn/document/ukTMukTMukTM/ucTM5YjL3ETO24yNxkjN
var feishuCodes = codes{
	"9499":  {deliver.Format, false, 0, "the request is not as it must be, or too large"},
	"11232": {deliver.Throttled, true, 5 * time.Second, "too many messages, or the vendor is crowded"},
	"19001": {deliver.BadAddress, false, 0, "no such robot"},
	"19002": {deliver.Format, false, 0, "a parameter is not valid"},
	"19021": {deliver.Auth, false, 0, "the signature does not fit; is the clock right?"},
	"19022": {deliver.Auth, false, 0, "our network address is not among those of the robot's settings"},
	"19024": {deliver.Format, false, 0, "the robot wants a keyword; let it want a signature instead"},
	"19036": {deliver.Format, false, 0, "the request is too large"},
}

// FeishuRobot writes into a group of Feishu (飞书自定义机器人). A person's address
// is the id of the hook or, where the robot wants signatures, "hook-id:secret".
// https://open.feishu.cn/document/ukTMukTMukTM/ucTM5YjL3ETO24yNxkjN
type FeishuRobot struct{ call *caller }

// NewFeishuRobot makes the channel.
func NewFeishuRobot(h HTTP) (*FeishuRobot, error) {
	call, err := h.caller("feishu", feishuPublic)
	return &FeishuRobot{call}, err
}

// Send implements deliver.Channel.
func (f *FeishuRobot) Send(ctx context.Context, m alerts.Message) (deliver.Receipt, error) {
	hook, secret, _ := strings.Cut(m.Address, ":")
	if !isToken(hook) {
		return deliver.Receipt{}, deliver.Fail(deliver.BadAddress, "feishu: the address must be hook-id or hook-id:secret of a robot")
	}
	body := map[string]any{"msg_type": "interactive", "card": feishuCard(m)}
	if secret != "" {
		seconds := strconv.FormatInt(f.call.now().Unix(), 10)
		body["timestamp"], body["sign"] = seconds, feishuSign(seconds, secret)
	}
	a, err := f.call.postJSON(ctx, f.call.url("/open-apis/bot/v2/hook/"+hook, nil), body)
	if err != nil {
		return deliver.Receipt{}, err
	}
	var got struct {
		Code *int `json:"code"`
	}
	if err := f.call.decode(a, &got); err != nil {
		return deliver.Receipt{}, err
	}
	return deliver.Receipt{}, f.call.verdict(a, got.Code, feishuCodes)
}

// feishuCard is a card of plain text, in which nothing is read as markup, with
// a button for each answer.
func feishuCard(m alerts.Message) any {
	plain := func(s string) any { return map[string]string{"tag": "plain_text", "content": s} }
	button := func(label, link, kind string) any {
		return map[string]any{"tag": "button", "text": plain(label), "url": link, "type": kind}
	}
	body := m
	body.URL = "" // a button of its own, below
	elements := []any{map[string]any{"tag": "div", "text": plain(plainForm(feishuText).write(body, false, nil))}}
	var buttons []any
	for _, a := range m.Answers {
		if link := webLink(a.URL); link != "" {
			buttons = append(buttons, button(tidy(a.Label), link, "primary"))
		}
	}
	if link := webLink(m.URL); link != "" {
		buttons = append(buttons, button(words(m.Lang).more, link, "default"))
	}
	if len(buttons) > 0 {
		elements = append(elements, map[string]any{"tag": "action", "actions": buttons})
	}
	colour := map[detectors.Severity]string{detectors.Red: "red", detectors.Orange: "orange", detectors.Yellow: "yellow"}[m.Severity]
	if colour == "" {
		colour = "blue"
	}
	return map[string]any{
		"header":   map[string]any{"title": plain(cutRunes(tidy(m.Title), 100)), "template": colour},
		"elements": elements,
	}
}

// feishuSign is the signature of a time in seconds: here the key is what others
// sign, and nothing is signed.
func feishuSign(seconds, secret string) string {
	mac := hmac.New(sha256.New, []byte(seconds+"\n"+secret))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
