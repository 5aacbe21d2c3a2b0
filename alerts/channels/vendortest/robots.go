package vendortest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func errcode(code int, msg string) (int, string) {
	return http.StatusOK, fmt.Sprintf(`{"errcode":%d,"errmsg":%q}`, code, msg)
}

// DingTalk is oapi.dingtalk.com's robot/send.
type DingTalk struct {
	vendor
	robots  map[string]string // secret by token
	blocked map[string]time.Time
}

// NewDingTalk makes a server with robots, secrets by token; "" is a robot
// without signatures. now is the server's clock, nil for time.Now.
func NewDingTalk(robots map[string]string, now func() time.Time) *DingTalk {
	d := &DingTalk{vendor: newVendor(now), robots: robots, blocked: make(map[string]time.Time)}
	d.judge = d.send
	return d
}

func (d *DingTalk) send(r *http.Request, body []byte) (int, string) {
	q := r.URL.Query()
	token := q.Get("access_token")
	secret, known := d.robots[token]
	switch {
	case r.Method != http.MethodPost || r.URL.Path != "/robot/send":
		return errcode(404, "no such path")
	case !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"):
		return errcode(43004, "invalid content type")
	case !known:
		return errcode(300005, "token is not exist: "+token)
	}
	now := d.now()
	if now.Before(d.blocked[token]) {
		d.blocked[token] = now.Add(10 * time.Minute) // who does not wait waits longer
		return errcode(130101, "send too fast, exceed 20 times per minute")
	}
	if secret != "" {
		ms, err := strconv.ParseInt(q.Get("timestamp"), 10, 64)
		if err != nil || now.Sub(time.UnixMilli(ms)).Abs() > time.Hour {
			return errcode(310000, "description:invalid timestamp")
		}
		mac := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(mac, "%d\n%s", ms, secret)
		if q.Get("sign") != base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
			return errcode(310000, "description:sign not match")
		}
	}
	if d.within(token, time.Minute) >= 20 {
		d.blocked[token] = now.Add(10 * time.Minute)
		return errcode(130101, "send too fast, exceed 20 times per minute")
	}
	if len(body) > 20_000 {
		return errcode(40035, "message too large")
	}
	var m struct {
		Type string `json:"msgtype"`
		Text struct {
			Content string `json:"content"`
		} `json:"text"`
		Card struct {
			Title   string `json:"title"`
			Text    string `json:"text"`
			Buttons []struct {
				Title string `json:"title"`
				URL   string `json:"actionURL"`
			} `json:"btns"`
		} `json:"actionCard"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return errcode(40035, "not json")
	}
	g := Got{To: token, Kind: m.Type}
	switch {
	case m.Type == "text" && m.Text.Content != "":
		g.Text = m.Text.Content
	case m.Type == "actionCard" && m.Card.Title != "" && m.Card.Text != "" && len(m.Card.Buttons) > 0:
		g.Text = m.Card.Text
		for _, b := range m.Card.Buttons {
			g.Buttons = append(g.Buttons, b.Title+" "+b.URL)
		}
	default:
		return errcode(400105, "unsupported msgtype")
	}
	d.add(token)
	d.take(g)
	return errcode(0, "ok")
}

// Feishu is open.feishu.cn's bot/v2/hook.
type Feishu struct {
	vendor
	robots map[string]string // secret by hook
}

// NewFeishu makes a server with robots, secrets by hook id.
func NewFeishu(robots map[string]string, now func() time.Time) *Feishu {
	f := &Feishu{vendor: newVendor(now), robots: robots}
	f.judge = f.send
	return f
}

func feishuCode(code int, msg string) (int, string) {
	return http.StatusOK, fmt.Sprintf(`{"code":%d,"msg":%q,"data":{}}`, code, msg)
}

func (f *Feishu) send(r *http.Request, body []byte) (int, string) {
	hook, ok := strings.CutPrefix(r.URL.Path, "/open-apis/bot/v2/hook/")
	secret, known := f.robots[hook]
	if !ok || !known || r.Method != http.MethodPost {
		return feishuCode(19001, "param invalid: incoming webhook access token invalid: "+hook)
	}
	type plain struct{ Tag, Content string }
	var m struct {
		Timestamp string `json:"timestamp"`
		Sign      string `json:"sign"`
		Type      string `json:"msg_type"`
		Card      struct {
			Header struct {
				Title plain `json:"title"`
			} `json:"header"`
			Elements []struct {
				Tag     string `json:"tag"`
				Text    plain  `json:"text"`
				Actions []struct {
					Tag  string `json:"tag"`
					Text plain  `json:"text"`
					URL  string `json:"url"`
				} `json:"actions"`
			} `json:"elements"`
		} `json:"card"`
	}
	if err := json.Unmarshal(body, &m); err != nil || len(body) > 20<<10 || m.Type != "interactive" {
		return feishuCode(9499, "Bad Request")
	}
	if secret != "" {
		seconds, err := strconv.ParseInt(m.Timestamp, 10, 64)
		mac := hmac.New(sha256.New, []byte(m.Timestamp+"\n"+secret))
		if err != nil || f.now().Sub(time.Unix(seconds, 0)).Abs() > time.Hour || m.Sign != base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
			return feishuCode(19021, "sign match fail or timestamp is not within one hour from current time")
		}
	}
	if f.within(hook, time.Second) >= 5 || f.within(hook, time.Minute) >= 100 {
		return feishuCode(11232, "frequency limited")
	}
	g := Got{To: hook, Kind: m.Type, Text: m.Card.Header.Title.Content}
	for _, e := range m.Card.Elements {
		switch {
		case e.Tag == "div" && e.Text.Tag == "plain_text":
			g.Text += "\n" + e.Text.Content
		case e.Tag == "action":
			for _, a := range e.Actions {
				g.Buttons = append(g.Buttons, a.Text.Content+" "+a.URL)
			}
		default:
			return feishuCode(9499, "Bad Request")
		}
	}
	f.add(hook)
	f.take(g)
	return feishuCode(0, "success")
}
