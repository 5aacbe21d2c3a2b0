package vendortest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// WeCom is qyapi.weixin.qq.com: group robots and one application.
type WeCom struct {
	vendor
	opts   WeComOptions
	tokens map[string]time.Time // when they expire
}

// WeComOptions are who is known to the server.
type WeComOptions struct {
	Robots         []string // keys
	CorpID, Secret string
	AgentID        int
	Users          []string
}

// NewWeCom makes a server; now is its clock, nil for time.Now.
func NewWeCom(o WeComOptions, now func() time.Time) *WeCom {
	w := &WeCom{vendor: newVendor(now), opts: o, tokens: make(map[string]time.Time)}
	w.judge = w.route
	return w
}

// ExpireTokens takes all tokens back, as the vendor may at any time.
func (w *WeCom) ExpireTokens() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.tokens)
}

func (w *WeCom) route(r *http.Request, body []byte) (int, string) {
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/cgi-bin/webhook/send":
		return w.robot(r.URL.Query().Get("key"), body)
	case r.Method == http.MethodGet && r.URL.Path == "/cgi-bin/gettoken":
		q := r.URL.Query()
		if q.Get("corpid") != w.opts.CorpID {
			return errcode(40013, "invalid corpid")
		}
		if q.Get("corpsecret") != w.opts.Secret {
			return errcode(40001, "invalid credential, secret "+q.Get("corpsecret"))
		}
		token := fmt.Sprintf("token-%d", w.requests)
		w.tokens[token] = w.now().Add(2 * time.Hour)
		return http.StatusOK, fmt.Sprintf(`{"errcode":0,"errmsg":"ok","access_token":%q,"expires_in":7200}`, token)
	case r.Method == http.MethodPost && r.URL.Path == "/cgi-bin/message/send":
		until, ok := w.tokens[r.URL.Query().Get("access_token")]
		if !ok {
			return errcode(40014, "invalid access_token")
		}
		if !w.now().Before(until) {
			return errcode(42001, "access_token expired")
		}
		return w.app(body)
	}
	return http.StatusNotFound, "not found"
}

// robot takes text to 2,048 bytes and Markdown to 4,096, twenty a minute.
func (w *WeCom) robot(key string, body []byte) (int, string) {
	if !contains(w.opts.Robots, key) {
		return errcode(93000, "invalid webhook url, key "+key)
	}
	if w.within(key, time.Minute) >= 20 {
		return errcode(45009, "api freq out of limit")
	}
	type content struct {
		Content string `json:"content"`
	}
	var m struct {
		Type     string  `json:"msgtype"`
		Text     content `json:"text"`
		Markdown content `json:"markdown"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return errcode(40058, "wrong json format")
	}
	text, most := m.Text.Content, 2048
	switch m.Type {
	case "text":
	case "markdown":
		text, most = m.Markdown.Content, 4096
	default:
		return errcode(40008, "invalid message type")
	}
	if text == "" {
		return errcode(44004, "content is empty")
	}
	if len(text) > most || !utf8.ValidString(text) {
		return errcode(40058, "content exceed max length")
	}
	w.add(key)
	w.take(Got{To: key, Kind: m.Type, Text: text})
	return errcode(0, "ok")
}

// app takes text and cards with buttons. What is more than 30 a minute or 1,000
// an hour for a member it drops without a word, as the vendor does.
func (w *WeCom) app(body []byte) (int, string) {
	var m struct {
		To      string `json:"touser"`
		Agent   int    `json:"agentid"`
		Type    string `json:"msgtype"`
		Dup     int    `json:"enable_duplicate_check"`
		DupSecs int    `json:"duplicate_check_interval"`
		Text    struct {
			Content string `json:"content"`
		} `json:"text"`
		Card struct {
			Type  string `json:"card_type"`
			Title struct {
				Title string `json:"title"`
			} `json:"main_title"`
			Text    string `json:"sub_title_text"`
			Task    string `json:"task_id"`
			Buttons []struct {
				Text string `json:"text"`
				Type int    `json:"type"`
				Key  string `json:"key"`
				URL  string `json:"url"`
			} `json:"button_list"`
		} `json:"template_card"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return errcode(40058, "wrong json format")
	}
	if m.Agent != w.opts.AgentID {
		return errcode(40056, "invalid agentid")
	}
	if !contains(w.opts.Users, m.To) {
		return errcode(81013, "user & party & tag all invalid: "+m.To)
	}
	g := Got{To: m.To, Kind: m.Type, Text: m.Text.Content}
	switch m.Type {
	case "text":
		if g.Text == "" {
			return errcode(44004, "content is empty")
		}
		if len(g.Text) > 2048 {
			return errcode(45002, "content size out of limit")
		}
		if m.Dup == 1 && w.repeats(g, time.Duration(m.DupSecs)*time.Second) {
			return http.StatusOK, `{"errcode":0,"errmsg":"ok","msgid":"repeated"}`
		}
	case "template_card":
		c := m.Card
		if c.Type != "button_interaction" || len(c.Buttons) == 0 || len(c.Buttons) > 6 ||
			utf8.RuneCountInString(c.Title.Title) > 36 || utf8.RuneCountInString(c.Text) > 160 {
			return errcode(40058, "invalid template card")
		}
		if c.Task == "" || len(c.Task) > 128 || strings.Trim(c.Task, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-@") != "" || w.sentWith(c.Task) != nil {
			return errcode(42014, "taskid has existed or empty or exceed max len")
		}
		g.ID, g.Text = c.Task, c.Title.Title+"\n"+c.Text
		for _, b := range c.Buttons {
			if b.Type == 0 && b.Key == "" || b.Type == 1 && b.URL == "" || b.Text == "" {
				return errcode(40058, "invalid button")
			}
			g.Buttons = append(g.Buttons, b.Text+" "+b.Key+b.URL)
		}
	default:
		return errcode(40008, "invalid message type")
	}
	if w.within(m.To, time.Minute) < 30 && w.within(m.To, time.Hour) < 1000 {
		w.add(m.To)
		g = w.take(g)
	}
	return http.StatusOK, fmt.Sprintf(`{"errcode":0,"errmsg":"ok","msgid":%q,"response_code":"code"}`, g.VendorID)
}

// repeats reports whether the same words went to the same user just now.
func (w *WeCom) repeats(g Got, within time.Duration) bool {
	for _, old := range w.got {
		if old.To == g.To && old.Text == g.Text && w.now().Sub(old.At) < within {
			return true
		}
	}
	return false
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
