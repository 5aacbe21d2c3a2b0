package channels

import (
	"context"
	"net/url"

	"weimang/alerts"
	"weimang/alerts/deliver"
)

// Public addresses of the vendors.
const (
	wecomPublic    = "https://qyapi.weixin.qq.com"
	dingtalkPublic = "https://oapi.dingtalk.com"
	feishuPublic   = "https://open.feishu.cn"
)

// Limits of WeCom's texts, in bytes of UTF-8.
// https://developer.work.weixin.qq.com/document/path/91770 and /90236
const (
	wecomText     = 2048
	wecomMarkdown = 4096
)

// wecomCodes are those that a sender of messages meets.
// https://developer.work.weixin.qq.com/document/path/90313
var wecomCodes = codes{
	"-1":    {deliver.Vendor, true, 0, "the vendor is busy"},
	"40001": {deliver.Auth, false, 0, "the secret is not valid"},
	"40003": {deliver.BadAddress, false, 0, "no such user"},
	"40008": {deliver.Format, false, 0, "the kind of message is not valid"},
	"40013": {deliver.Auth, false, 0, "the corp id is not valid"},
	"40014": {deliver.Auth, true, 0, "the access token is not valid"},
	"40031": {deliver.BadAddress, false, 0, "no such user"},
	"40056": {deliver.Auth, false, 0, "the agent id is not valid"},
	"40058": {deliver.Format, false, 0, "a parameter is not valid, or the text is too long"},
	"41001": {deliver.Auth, true, 0, "the access token is missing"},
	"41004": {deliver.Auth, false, 0, "the secret is missing"},
	"42001": {deliver.Auth, true, 0, "the access token has expired"},
	"44004": {deliver.Format, false, 0, "the text is empty"},
	"45002": {deliver.Format, false, 0, "the text is too long"},
	"45009": {deliver.Throttled, true, minute, "too many messages"},
	"45033": {deliver.Throttled, true, 0, "too many requests at once"},
	"48002": {deliver.Auth, false, 0, "the application may not use this interface"},
	"60011": {deliver.Auth, false, 0, "the application may not write to this user"},
	"60020": {deliver.Auth, false, 0, "our network address is not among the trusted ones"},
	"60111": {deliver.BadAddress, false, 0, "no such user"},
	"81013": {deliver.BadAddress, false, 0, "no such user, or the application is not visible to her"},
	"82001": {deliver.BadAddress, false, 0, "nobody is named"},
	"93000": {deliver.BadAddress, false, 0, "no such robot, or it was removed from the group"},
	"93004": {deliver.BadAddress, false, 0, "the robot is switched off"},
	"93008": {deliver.BadAddress, false, 0, "not in the group"},
	// Not in the table, and needed: the agent does not belong to the token.
	"301002": {deliver.Auth, false, 0, "the secret is that of another agent"},
}

// WeComRobot writes into a group of WeCom (企业微信群机器人). A person's address
// is the key of the robot.
// https://developer.work.weixin.qq.com/document/path/91770
type WeComRobot struct{ call *caller }

// NewWeComRobot makes the channel.
func NewWeComRobot(h HTTP) (*WeComRobot, error) {
	call, err := h.caller("wecom", wecomPublic)
	return &WeComRobot{call}, err
}

// wecomAnswer is the form of all of WeCom's answers.
type wecomAnswer struct {
	Code *int `json:"errcode"`
}

// Send implements deliver.Channel. A robot's cards cannot call back: answers
// are links.
func (w *WeComRobot) Send(ctx context.Context, m alerts.Message) (deliver.Receipt, error) {
	if !isToken(m.Address) {
		return deliver.Receipt{}, deliver.Fail(deliver.BadAddress, "wecom: the address must be the key of a robot")
	}
	var body any
	if len(m.Answers) > 0 {
		f := form{limit: wecomMarkdown, clean: noMarkup, newline: "\n", link: markdownLink}
		body = map[string]any{"msgtype": "markdown", "markdown": map[string]string{"content": f.write(m, true, m.Answers)}}
	} else {
		body = map[string]any{"msgtype": "text", "text": map[string]string{"content": plainForm(wecomText).write(m, true, nil)}}
	}
	a, err := w.call.postJSON(ctx, w.call.url("/cgi-bin/webhook/send", url.Values{"key": {m.Address}}), body)
	if err != nil {
		return deliver.Receipt{}, err
	}
	var got wecomAnswer
	if err := w.call.decode(a, &got); err != nil {
		return deliver.Receipt{}, err
	}
	return deliver.Receipt{}, w.call.verdict(a, got.Code, wecomCodes)
}

func markdownLink(label, link string) string { return "[" + label + "](" + link + ")" }

// isToken reports whether s may stand in an address as a key: letters, digits,
// hyphens and underscores.
func isToken(s string) bool {
	for _, r := range s {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		if !letter && r != '-' && r != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 256
}
