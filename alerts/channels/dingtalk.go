package channels

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"time"

	"weimang/alerts"
	"weimang/alerts/deliver"
)

const minute = time.Minute

// dingtalkText is how much text we send, in bytes of UTF-8. The vendor does
// not say what it takes; this is far below what others have found.
const dingtalkText = 6000

// dingtalkBlock is how long a robot is blocked that has sent more than 20
// messages in a minute, and a little.
const dingtalkBlock = 10*time.Minute + 5*time.Second

// dingtalkCodes are those of robot/send.
// https://open.dingtalk.com/document/orgapp/custom-robots-send-group-messages
var dingtalkCodes = codes{
	"-1":     {deliver.Vendor, true, 0, "the vendor is busy"},
	"88":     {deliver.Auth, false, 0, "the token may not do this"},
	"40014":  {deliver.BadAddress, false, 0, "no such robot"},
	"40035":  {deliver.Format, false, 0, "a parameter is missing"},
	"43004":  {deliver.Format, false, 0, "the content type is not valid"},
	"130101": {deliver.Throttled, true, dingtalkBlock, "more than 20 messages in a minute; the robot is blocked for 10"},
	"300001": {deliver.BadAddress, false, 0, "no such robot"},
	"300005": {deliver.BadAddress, false, 0, "no such robot"},
	"310000": {deliver.Auth, false, 0, "the signature, a keyword or our network address does not fit the robot's settings; is the clock right?"},
	"400013": {deliver.BadAddress, false, 0, "the group is dissolved"},
	"400101": {deliver.BadAddress, false, 0, "no such robot"},
	"400102": {deliver.BadAddress, false, 0, "the robot is switched off"},
	"400105": {deliver.Format, false, 0, "the kind of message is not valid"},
	"400106": {deliver.BadAddress, false, 0, "no such robot"},
	"410100": {deliver.Throttled, true, dingtalkBlock, "too many messages; the robot is blocked for 10 minutes"},
	"430101": {deliver.Refused, false, 0, "a link is not allowed"},
	"430102": {deliver.Refused, false, 0, "the words are not allowed"},
	"430103": {deliver.Refused, false, 0, "a picture is not allowed"},
	"430104": {deliver.Refused, false, 0, "the content is not allowed"},
	"660026": {deliver.Throttled, true, dingtalkBlock, "too many messages; the robot is blocked for 10 minutes"},
}

// DingTalkRobot writes into a group of DingTalk (钉钉自定义机器人). A person's
// address is "token" or, where the robot wants signatures, "token:secret".
// https://open.dingtalk.com/document/orgapp/custom-robot-access
type DingTalkRobot struct{ call *caller }

// NewDingTalkRobot makes the channel.
func NewDingTalkRobot(h HTTP) (*DingTalkRobot, error) {
	call, err := h.caller("dingtalk", dingtalkPublic)
	return &DingTalkRobot{call}, err
}

// Send implements deliver.Channel.
func (d *DingTalkRobot) Send(ctx context.Context, m alerts.Message) (deliver.Receipt, error) {
	token, secret, _ := strings.Cut(m.Address, ":")
	if !isToken(token) {
		return deliver.Receipt{}, deliver.Fail(deliver.BadAddress, "dingtalk: the address must be token or token:secret of a robot")
	}
	query := url.Values{"access_token": {token}}
	if secret != "" {
		ms := strconv.FormatInt(d.call.now().UnixMilli(), 10)
		query.Set("timestamp", ms)
		query.Set("sign", dingtalkSign(ms, secret))
	}
	a, err := d.call.postJSON(ctx, d.call.url("/robot/send", query), dingtalkBody(m))
	if err != nil {
		return deliver.Receipt{}, err
	}
	var got struct {
		Code *int `json:"errcode"`
	}
	if err := d.call.decode(a, &got); err != nil {
		return deliver.Receipt{}, err
	}
	return deliver.Receipt{}, d.call.verdict(a, got.Code, dingtalkCodes)
}

// dingtalkBody is an action card where something can be answered, a text
// otherwise.
func dingtalkBody(m alerts.Message) any {
	type button struct {
		Title string `json:"title"`
		URL   string `json:"actionURL"`
	}
	var buttons []button
	for _, a := range m.Answers {
		if link := webLink(a.URL); link != "" {
			buttons = append(buttons, button{tidy(a.Label), link})
		}
	}
	if len(buttons) == 0 {
		return map[string]any{"msgtype": "text", "text": map[string]string{"content": plainForm(dingtalkText).write(m, true, nil)}}
	}
	f := form{limit: dingtalkText, clean: noMarkup, newline: "  \n", link: markdownLink}
	return map[string]any{"msgtype": "actionCard", "actionCard": map[string]any{
		"title": cutRunes(tidy(m.Title), 64), "text": f.write(m, true, nil), "btnOrientation": "0", "btns": buttons,
	}}
}

// dingtalkSign is the signature of a time in milliseconds.
// https://open.dingtalk.com/document/robots/customize-robot-security-settings
func dingtalkSign(ms, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(ms + "\n" + secret))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
