package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"

	"weimang/alerts"
	"weimang/alerts/channels"
	"weimang/alerts/deliver"
	"weimang/alerts/roster"
	"weimang/alerts/store"
)

// opener makes one channel that a configuration may want.
type opener struct {
	name   string // of the channel
	key    string // of the setting that opens it
	wanted bool
	person bool // it needs the person's address
	open   func() (deliver.Channel, error)
}

// openers are all channels but those that write to this process's own output.
func (a *AlertsConfig) openers() []opener {
	at := func(base string) channels.HTTP { return channels.HTTP{Base: base} }
	return []opener{
		{channels.NameWebhook, "alerts.webhook.url", a.Webhook.URL != "", false, func() (deliver.Channel, error) {
			return channels.NewWebhook(a.Webhook.URL.Reveal(), []byte(a.Webhook.Secret.Reveal()), channels.HTTP{})
		}},
		{channels.NameWeCom, "alerts.wecom.enabled", a.WeCom.Enabled, true, func() (deliver.Channel, error) {
			return channels.NewWeComRobot(at(a.WeCom.URL))
		}},
		{channels.NameWeComApp, "alerts.wecom_app.corp_id", a.WeComApp.CorpID != "", true, a.WeComApp.open},
		{channels.NameDingTalk, "alerts.dingtalk.enabled", a.DingTalk.Enabled, true, func() (deliver.Channel, error) {
			return channels.NewDingTalkRobot(at(a.DingTalk.URL))
		}},
		{channels.NameFeishu, "alerts.feishu.enabled", a.Feishu.Enabled, true, func() (deliver.Channel, error) {
			return channels.NewFeishuRobot(at(a.Feishu.URL))
		}},
		{channels.NameSMS, "alerts.sms.gateway", a.SMS.Gateway != "", true, a.SMS.open},
		{channels.NameVoice, "alerts.voice.gateway", a.Voice.Gateway != "", true, a.Voice.open},
		{channels.NameMail, "alerts.mail.server", a.Mail.Server != "", true, func() (deliver.Channel, error) {
			m := a.Mail
			return channels.NewMail(channels.MailOptions{Server: m.Server, Security: m.Security, User: m.User, Password: m.Password.Reveal(), From: m.From})
		}},
		{channels.NameAlertmanager, "alerts.alertmanager.url", a.Alertmanager.URL != "", false, func() (deliver.Channel, error) {
			return channels.NewAlertmanager(at(a.Alertmanager.URL.Reveal()))
		}},
	}
}

func (w *WeComAppConfig) open() (deliver.Channel, error) {
	if _, err := w.callback(); err != nil {
		return nil, err
	}
	return channels.NewWeComApp(channels.WeComAppOptions{
		CorpID: w.CorpID, AgentID: w.AgentID, Secret: w.Secret.Reveal(), CallsBack: w.Token != "", HTTP: channels.HTTP{Base: w.URL},
	})
}

// callback reads what the application is sent; nil where none is configured.
func (w *WeComAppConfig) callback() (*channels.WeComCallback, error) {
	if w.Token == "" {
		return nil, nil
	}
	return channels.NewWeComCallback(w.CorpID, w.Token.Reveal(), w.AESKey.Reveal())
}

func (s *SMSConfig) open() (deliver.Channel, error) {
	o, err := s.settings().options()
	if err != nil {
		return nil, err
	}
	o.SignName = s.SignName
	switch s.Gateway {
	case channels.GatewayAliyun:
		return channels.NewAliyunSMS(o)
	case channels.GatewayTencent:
		return channels.NewTencentSMS(o)
	default:
		return channels.NewGateway(channels.NameSMS, o)
	}
}

func (v *VoiceConfig) open() (deliver.Channel, error) {
	o, err := v.settings().options()
	if err != nil {
		return nil, err
	}
	o.From, o.PlayTimes = v.From, v.PlayTimes
	switch v.Gateway {
	case channels.GatewayAliyun:
		return channels.NewAliyunVoice(o)
	case channels.GatewayTencent:
		return channels.NewTencentVoice(o)
	default:
		return channels.NewGateway(channels.NameVoice, o)
	}
}

// openChannels opens the channels the configuration names.
func openChannels(cfg *Config, stdout io.Writer) (map[string]deliver.Channel, func() error, error) {
	open := make(map[string]deliver.Channel)
	closeAll := func() error { return nil }
	if cfg.Alerts.Console {
		open[channels.NameConsole] = channels.NewConsole(stdout)
	}
	switch path := cfg.Alerts.JSON; path {
	case "":
	case "-":
		open[channels.NameJSON] = channels.NewJSONLines(stdout)
	default:
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, closeAll, fmt.Errorf("alerts.json: %w", err)
		}
		closeAll = f.Close
		open[channels.NameJSON] = channels.NewJSONLines(f)
	}
	for _, o := range cfg.Alerts.openers() {
		if !o.wanted {
			continue
		}
		c, err := o.open()
		if err != nil {
			return nil, closeAll, errors.Join(fmt.Errorf("%s: %w", o.key, err), closeAll())
		}
		open[o.name] = c
	}
	return open, closeAll, nil
}

// withCallbacks puts what vendors send back beside the page, where the
// configuration lets them.
func (s *system) withCallbacks(page http.Handler) (http.Handler, error) {
	a := &s.cfg.Alerts
	wecom, err := a.WeComApp.callback()
	if err != nil {
		return nil, fmt.Errorf("alerts.wecom_app.aes_key: %w", err)
	}
	if wecom == nil && a.Callbacks.Token == "" {
		return page, nil
	}
	mux := http.NewServeMux()
	mux.Handle("/", page)
	mux.Handle("/callbacks/", channels.NewCallbacks(channels.CallbackOptions{
		Inbox: inbox{s.store, s.cases, s.log}, Token: a.Callbacks.Token.Reveal(), SMS: a.SMS.Gateway, Voice: a.Voice.Gateway, WeCom: wecom,
		Log: s.log, Registerer: s.reg,
	}))
	return mux, nil
}

// inbox takes what comes back: reports into the store, answers to the cases.
type inbox struct {
	store *store.DB
	cases interface {
		RespondByKey(ctx context.Context, k alerts.Keyed) (*alerts.Alert, error)
	}
	log *slog.Logger
}

// Report implements deliver.Inbox.
func (i inbox) Report(ctx context.Context, channel string, r deliver.Report) error {
	return i.store.Reported(ctx, channel, r)
}

// Reply implements deliver.Inbox. What answers nothing is no failure: the vendor
// would only send it again.
func (i inbox) Reply(ctx context.Context, channel string, r deliver.Reply) error {
	k := alerts.Keyed{Said: cmp.Or(r.Key, r.Text), Via: channel}
	message, person, err := i.store.MessageOf(ctx, channel, r.VendorID)
	if err != nil {
		return err
	}
	if k.MessageID = message; message != "" {
		k.People = []string{person}
	} else if k.People, err = i.store.PeopleAt(ctx, roster.By{Actor: channel, For: roster.ForAnswer}, channel, r.From); err != nil {
		return err
	}
	_, err = i.cases.RespondByKey(ctx, k)
	for _, no := range []error{alerts.ErrNoCode, alerts.ErrExpired, alerts.ErrAnswered, alerts.ErrNotOpen, alerts.ErrNotYours, alerts.ErrIncomplete} {
		if errors.Is(err, no) {
			i.log.Info("an answer that says nothing to what was asked", "channel", channel, "why", no)
			return nil
		}
	}
	return err
}
