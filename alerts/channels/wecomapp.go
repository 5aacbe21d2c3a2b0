package channels

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"weimang/alerts"
	"weimang/alerts/deliver"
)

// WeComAppOptions are those of an application of WeCom (企业微信自建应用).
type WeComAppOptions struct {
	CorpID, Secret string
	AgentID        int
	// CallsBack says that the application's callback leads to a WeComCallback:
	// then buttons answer by themselves, and otherwise they open a link.
	CallsBack bool
	HTTP      HTTP
}

// WeComApp writes to members of WeCom in the name of an application. A person's
// address is her user id.
// https://developer.work.weixin.qq.com/document/path/90236
type WeComApp struct {
	opts WeComAppOptions
	call *caller

	mu      sync.Mutex // held while a token is fetched: one fetch serves all that wait
	token   string
	expires time.Time
}

// NewWeComApp makes the channel.
func NewWeComApp(o WeComAppOptions) (*WeComApp, error) {
	if o.CorpID == "" || o.Secret == "" || o.AgentID <= 0 {
		return nil, errors.New("a WeCom application needs corp id, agent id and secret")
	}
	call, err := o.HTTP.caller("wecom-app", wecomPublic)
	return &WeComApp{opts: o, call: call}, err
}

// wecomTaskExists is the answer to a card whose task id was used before. Ours
// is made of the message's identity: an attempt whose answer was lost has
// brought the card.
const wecomTaskExists = 42014

// Send implements deliver.Channel.
func (w *WeComApp) Send(ctx context.Context, m alerts.Message) (deliver.Receipt, error) {
	if !isUserID(m.Address) {
		return deliver.Receipt{}, deliver.Fail(deliver.BadAddress, "wecom-app: the address must be one user id")
	}
	body, task := w.body(m)
	token, err := w.fetchToken(ctx, "")
	if err != nil {
		return deliver.Receipt{}, err
	}
	receipt, err := w.post(ctx, token, task, body)
	if f, ok := errors.AsType[*deliver.Failure](err); !ok || f.Reason != deliver.Auth || !f.Retry {
		return receipt, err
	}
	// The token was taken back before its time; a fresh one is worth a try.
	if token, err = w.fetchToken(ctx, token); err != nil {
		return deliver.Receipt{}, err
	}
	return w.post(ctx, token, task, body)
}

// isUserID reports whether s is the id of one user: a bar would name several,
// @all everybody.
// https://developer.work.weixin.qq.com/document/path/90195
func isUserID(s string) bool {
	return s != "" && len(s) <= 64 && isToken(s[:1]) && s[0] != '-' && s[0] != '_' && isToken(strings.NewReplacer("@", "", ".", "").Replace(s))
}

func (w *WeComApp) post(ctx context.Context, token, task string, body any) (deliver.Receipt, error) {
	a, err := w.call.postJSON(ctx, w.call.url("/cgi-bin/message/send", url.Values{"access_token": {token}}), body)
	if err != nil {
		return deliver.Receipt{}, err
	}
	var got struct {
		wecomAnswer
		MsgID       string `json:"msgid"`
		InvalidUser string `json:"invaliduser"`
		Unlicensed  string `json:"unlicenseduser"`
	}
	if err := w.call.decode(a, &got); err != nil {
		return deliver.Receipt{}, err
	}
	if task != "" && got.Code != nil && *got.Code == wecomTaskExists {
		return deliver.Receipt{VendorID: task}, nil
	}
	if err := w.call.verdict(a, got.Code, wecomCodes); err != nil {
		return deliver.Receipt{}, err
	}
	switch {
	case got.InvalidUser != "":
		return deliver.Receipt{}, deliver.Fail(deliver.BadAddress, "wecom-app: no such user, or the application is not visible to her")
	case got.Unlicensed != "":
		return deliver.Receipt{}, deliver.Fail(deliver.Account, "wecom-app: the user has no interface licence")
	case task != "":
		return deliver.Receipt{VendorID: task}, nil // what a button will name
	}
	return deliver.Receipt{VendorID: got.MsgID}, nil
}

// Limits of a card, in characters and buttons.
const (
	wecomCardTitle   = 36
	wecomCardText    = 160
	wecomCardButton  = 10
	wecomCardButtons = 6
)

// body is a card with buttons where something can be answered, with the id by
// which a button names it, and a text otherwise.
func (w *WeComApp) body(m alerts.Message) (body map[string]any, task string) {
	body = map[string]any{"touser": m.Address, "agentid": w.opts.AgentID}
	buttons := w.buttons(m.Answers)
	link := webLink(m.URL)
	// A card whose text does not fit needs a page that holds the rest.
	fits := utf8.RuneCountInString(m.Text) <= wecomCardText || link != ""
	if len(buttons) == 0 || !fits {
		body["msgtype"] = "text"
		body["text"] = map[string]string{"content": plainForm(wecomText).write(m, true, m.Answers)}
		// An attempt whose answer was lost is not shown twice. No longer than
		// our pauses between attempts: a reminder may have the same words.
		body["enable_duplicate_check"], body["duplicate_check_interval"] = 1, 600
		return body, ""
	}
	task = ref(m)
	text := tidy(m.Text)
	if utf8.RuneCountInString(text) > wecomCardText {
		note := words(m.Lang).cut
		text = string([]rune(text)[:wecomCardText-utf8.RuneCountInString(note)]) + note
	}
	card := map[string]any{
		"card_type":      "button_interaction",
		"main_title":     map[string]string{"title": cutRunes(tidy(m.Title), wecomCardTitle)},
		"sub_title_text": text,
		"task_id":        task,
		"button_list":    buttons,
	}
	if link != "" {
		card["card_action"] = map[string]any{"type": 1, "url": link}
	}
	body["msgtype"], body["template_card"] = "template_card", card
	return body, task
}

func (w *WeComApp) buttons(answers []alerts.Answer) (buttons []any) {
	for _, a := range answers {
		label := cutRunes(tidy(a.Label), wecomCardButton)
		link := webLink(a.URL)
		switch {
		case len(buttons) == wecomCardButtons:
		case w.opts.CallsBack && a.Key != "":
			buttons = append(buttons, map[string]any{"text": label, "style": 1, "type": 0, "key": a.Key})
		case link != "":
			buttons = append(buttons, map[string]any{"text": label, "style": 1, "type": 1, "url": link})
		}
	}
	return buttons
}

// fetchToken is the access token, fetched where there is none or where the one
// at hand is the stale one.
// https://developer.work.weixin.qq.com/document/path/91039
func (w *WeComApp) fetchToken(ctx context.Context, stale string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.token != "" && w.token != stale && w.call.now().Before(w.expires) {
		return w.token, nil
	}
	w.token = ""
	req, err := w.call.newGet(ctx, w.call.url("/cgi-bin/gettoken", url.Values{"corpid": {w.opts.CorpID}, "corpsecret": {w.opts.Secret}}))
	if err != nil {
		return "", err
	}
	a, err := w.call.do(req)
	if err != nil {
		return "", err
	}
	var got struct {
		wecomAnswer
		Token   string `json:"access_token"`
		Expires int    `json:"expires_in"` // seconds
	}
	if err := w.call.decode(a, &got); err != nil {
		return "", err
	}
	if err := w.call.verdict(a, got.Code, wecomCodes); err != nil {
		return "", err
	}
	if got.Token == "" {
		return "", deliver.Later(deliver.Vendor, "wecom-app answered without a token")
	}
	// A little early, so that none expires on the way.
	w.token, w.expires = got.Token, w.call.now().Add(time.Duration(got.Expires)*time.Second*9/10)
	return w.token, nil
}
