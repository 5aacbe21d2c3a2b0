package main

import (
	"fmt"
	"strings"

	"weimang/alerts/channels"
	"weimang/alerts/deliver"
)

// RobotConfig is a kind of group robot; their keys stand in the roster.
type RobotConfig struct {
	Enabled bool
	URL     string // "" is the vendor's
}

// WeComAppConfig is an application of WeCom; it is off without CorpID.
type WeComAppConfig struct {
	CorpID  string
	AgentID int
	Secret  Secret
	URL     string // "" is the vendor's
	// Token and AESKey are those of the application's callback; without them
	// buttons open links.
	Token, AESKey Secret
}

// SMSConfig is a gateway of SMS; it is off without Gateway.
type SMSConfig struct {
	Gateway         string // of channels.GatewayKinds
	URL             Secret // "" is the vendor's
	KeyID           Secret
	KeySecret       Secret
	SignName, AppID string
	Region          string
	Templates       []string // name=code
}

// VoiceConfig is a gateway of calls; it is off without Gateway.
type VoiceConfig struct {
	Gateway   string // of channels.GatewayKinds
	URL       Secret // "" is the vendor's
	KeyID     Secret
	KeySecret Secret
	AppID     string
	Region    string
	From      string
	PlayTimes int
	Templates []string // name=code
}

// MailConfig is a mail server; it is off without Server.
type MailConfig struct {
	Server   string
	Security string // of channels.MailSecurities
	User     string
	Password Secret
	From     string
}

// AlertmanagerConfig is Prometheus' Alertmanager; it is off without a URL.
type AlertmanagerConfig struct{ URL Secret }

// CallbacksConfig is how vendors may send something back.
type CallbacksConfig struct{ Token Secret }

// LimitsConfig is what each channel may send; empty is the default.
type LimitsConfig struct {
	WeCom, WeComApp, DingTalk, Feishu, SMS, Voice, Mail, Webhook, Alertmanager []string
}

// channelLimit is what a site has set for a channel.
type channelLimit struct {
	channel, key string
	words        []string
}

func (l *LimitsConfig) all() []channelLimit {
	return []channelLimit{
		{channels.NameWeCom, "wecom", l.WeCom},
		{channels.NameWeComApp, "wecom_app", l.WeComApp},
		{channels.NameDingTalk, "dingtalk", l.DingTalk},
		{channels.NameFeishu, "feishu", l.Feishu},
		{channels.NameSMS, "sms", l.SMS},
		{channels.NameVoice, "voice", l.Voice},
		{channels.NameMail, "mail", l.Mail},
		{channels.NameWebhook, "webhook", l.Webhook},
		{channels.NameAlertmanager, "alertmanager", l.Alertmanager},
	}
}

// limits are those of all channels: what is set, and the vendors' elsewhere. a
// must be valid.
func (a *AlertsConfig) limits() map[string][]deliver.Limit {
	gateways := map[string]string{channels.NameSMS: a.SMS.Gateway, channels.NameVoice: a.Voice.Gateway}
	out := make(map[string][]deliver.Limit)
	for _, l := range a.Limits.all() {
		out[l.channel] = channels.DefaultLimits(l.channel, gateways[l.channel])
		if len(l.words) > 0 {
			out[l.channel], _ = deliver.ParseLimits(l.words)
		}
	}
	return out
}

// channelSections are the headings of the channels in the printed file.
var channelSections = map[string]string{
	"alerts.wecom":        "Channel wecom: group robots of WeCom (企业微信群机器人). A person's address is the key of the robot. See deploy/docs/channels.md.",
	"alerts.wecom_app":    "Channel wecom-app: messages of a WeCom application (企业微信自建应用). A person's address is her user id.",
	"alerts.dingtalk":     "Channel dingtalk: group robots of DingTalk (钉钉自定义机器人). An address is token or token:secret.",
	"alerts.feishu":       "Channel feishu: group robots of Feishu (飞书自定义机器人). An address is hook-id or hook-id:secret.",
	"alerts.sms":          "Channel sms: SMS through a gateway. A person's address is her phone number.",
	"alerts.voice":        "Channel voice: calls that read a text. A person's address is her phone number.",
	"alerts.mail":         "Channel mail: letters by SMTP. A person's address is a mail address.",
	"alerts.alertmanager": "Channel alertmanager: Prometheus' Alertmanager, for operators; nothing of a message's words goes there.",
	"alerts.callbacks":    "What vendors send back: POST /callbacks/sms/TOKEN and /callbacks/voice/TOKEN; /callbacks/wecom-app needs none.",
	"alerts.limits":       "Messages a time, such as [20/1m, 1000/1h] for each address, all:5/1s for the whole channel, or none. Empty: what the vendor documents.",
}

// channelKeys are the settings of the channels.
func channelKeys(a *AlertsConfig) []configKey {
	limit := func(name, gateway string) string { return deliver.FormatLimits(channels.DefaultLimits(name, gateway)) }
	phone := func(name string) string {
		return fmt.Sprintf("Empty: aliyun %s, tencent %s, json none.", limit(name, channels.GatewayAliyun), limit(name, channels.GatewayTencent))
	}
	const gateway = "aliyun, tencent, or json: post to url, where something of yours sends it on. Empty: off."
	const gatewayURL = "Address of the gateway. Empty: the vendor's; json needs one. file:/path reads it from a file."
	const templates = "The vendor's codes of approved templates by their names here: [alert=SMS_123, remind=SMS_124, alert.en=SMS_125]."
	return []configKey{
		{"alerts.wecom.enabled", "Open the channel.", &a.WeCom.Enabled},
		{"alerts.wecom.url", "Address of the server. Empty: https://qyapi.weixin.qq.com.", &a.WeCom.URL},
		{"alerts.wecom_app.corp_id", "Id of the company (企业ID). Empty: off.", &a.WeComApp.CorpID},
		{"alerts.wecom_app.agent_id", "Id of the application (AgentId).", &a.WeComApp.AgentID},
		{"alerts.wecom_app.secret", "Its Secret. file:/path reads it from a file.", &a.WeComApp.Secret},
		{"alerts.wecom_app.url", "Address of the server. Empty: https://qyapi.weixin.qq.com.", &a.WeComApp.URL},
		{"alerts.wecom_app.token", "Token of its callback (接收消息). Empty: buttons open links instead of answering by themselves. file:/path reads it from a file.", &a.WeComApp.Token},
		{"alerts.wecom_app.aes_key", "EncodingAESKey of its callback. file:/path reads it from a file.", &a.WeComApp.AESKey},
		{"alerts.dingtalk.enabled", "Open the channel.", &a.DingTalk.Enabled},
		{"alerts.dingtalk.url", "Address of the server. Empty: https://oapi.dingtalk.com.", &a.DingTalk.URL},
		{"alerts.feishu.enabled", "Open the channel.", &a.Feishu.Enabled},
		{"alerts.feishu.url", "Address of the server. Empty: https://open.feishu.cn.", &a.Feishu.URL},

		{"alerts.sms.gateway", gateway, &a.SMS.Gateway},
		{"alerts.sms.url", gatewayURL, &a.SMS.URL},
		{"alerts.sms.key_id", "AccessKey ID (Aliyun) or SecretId (Tencent). file:/path reads it from a file.", &a.SMS.KeyID},
		{"alerts.sms.key_secret", "Its secret; for json the key that signs requests, empty: unsigned. file:/path reads it from a file.", &a.SMS.KeySecret},
		{"alerts.sms.sign_name", "The approved signature (签名), without brackets.", &a.SMS.SignName},
		{"alerts.sms.app_id", "Tencent: SmsSdkAppId.", &a.SMS.AppID},
		{"alerts.sms.region", "Tencent: the region. Empty: ap-guangzhou.", &a.SMS.Region},
		{"alerts.sms.templates", templates, &a.SMS.Templates},
		{"alerts.voice.gateway", gateway, &a.Voice.Gateway},
		{"alerts.voice.url", gatewayURL, &a.Voice.URL},
		{"alerts.voice.key_id", "AccessKey ID (Aliyun) or SecretId (Tencent). file:/path reads it from a file.", &a.Voice.KeyID},
		{"alerts.voice.key_secret", "Its secret; for json the key that signs requests, empty: unsigned. file:/path reads it from a file.", &a.Voice.KeySecret},
		{"alerts.voice.app_id", "Tencent: VoiceSdkAppid.", &a.Voice.AppID},
		{"alerts.voice.region", "Tencent: the region. Empty: ap-guangzhou.", &a.Voice.Region},
		{"alerts.voice.from", "Aliyun: the number that is shown (被叫显号). Empty: one of the vendor's.", &a.Voice.From},
		{"alerts.voice.play_times", "How often the text is read, 1 to 3.", &a.Voice.PlayTimes},
		{"alerts.voice.templates", templates, &a.Voice.Templates},
		{"alerts.mail.server", "The mail server, such as smtp.example.org:587. Empty: off.", &a.Mail.Server},
		{"alerts.mail.security", "starttls (port 587), tls (port 465) or none: a server on this machine.", &a.Mail.Security},
		{"alerts.mail.user", "Name to log in with. Empty: no login.", &a.Mail.User},
		{"alerts.mail.password", "Its password. file:/path reads it from a file.", &a.Mail.Password},
		{"alerts.mail.from", "The sender, such as 微芒 <weimang@example.org>.", &a.Mail.From},
		{"alerts.alertmanager.url", "Address of Alertmanager, such as http://127.0.0.1:9093. Empty: off. file:/path reads it from a file.", &a.Alertmanager.URL},

		{"alerts.callbacks.token", "The last part of the paths for SMS and voice: at least 20 letters and digits that nobody guesses. Empty: there are none. file:/path reads it from a file.", &a.Callbacks.Token},

		{"alerts.limits.wecom", "Empty: " + limit(channels.NameWeCom, "") + ".", &a.Limits.WeCom},
		{"alerts.limits.wecom_app", "Empty: " + limit(channels.NameWeComApp, "") + "; the vendor drops what is more without a word.", &a.Limits.WeComApp},
		{"alerts.limits.dingtalk", "Empty: " + limit(channels.NameDingTalk, "") + "; the vendor blocks the robot for 10 minutes after more.", &a.Limits.DingTalk},
		{"alerts.limits.feishu", "Empty: " + limit(channels.NameFeishu, "") + ".", &a.Limits.Feishu},
		{"alerts.limits.sms", phone(channels.NameSMS), &a.Limits.SMS},
		{"alerts.limits.voice", phone(channels.NameVoice), &a.Limits.Voice},
		{"alerts.limits.mail", "Empty: none.", &a.Limits.Mail},
		{"alerts.limits.webhook", "Empty: none.", &a.Limits.Webhook},
		{"alerts.limits.alertmanager", "Empty: none.", &a.Limits.Alertmanager},
	}
}

// channelProblems says what is wrong with the channels, key by key, and at last
// what the channels themselves do not take.
func (a *AlertsConfig) channelProblems(ps *problems) {
	before := len(*ps)
	for _, u := range []struct{ key, value, shown string }{
		{"alerts.wecom.url", a.WeCom.URL, a.WeCom.URL},
		{"alerts.wecom_app.url", a.WeComApp.URL, a.WeComApp.URL},
		{"alerts.dingtalk.url", a.DingTalk.URL, a.DingTalk.URL},
		{"alerts.feishu.url", a.Feishu.URL, a.Feishu.URL},
		{"alerts.sms.url", a.SMS.URL.Reveal(), a.SMS.URL.String()},
		{"alerts.voice.url", a.Voice.URL.Reveal(), a.Voice.URL.String()},
		{"alerts.alertmanager.url", a.Alertmanager.URL.Reveal(), a.Alertmanager.URL.String()},
	} {
		if u.value != "" {
			ps.url(u.key, u.value, u.shown)
		}
	}
	a.WeComApp.problems(ps)
	a.SMS.problems(ps)
	a.Voice.problems(ps)
	a.Mail.problems(ps)
	if token := a.Callbacks.Token.Reveal(); token != "" {
		ps.check(len(token) >= 20 && strings.IndexFunc(token, notInTopic) < 0, "alerts.callbacks.token",
			"must be at least 20 letters and digits; it is all that keeps a stranger from saying that a message has arrived")
		ps.check(a.SMS.Gateway != "" || a.Voice.Gateway != "", "alerts.callbacks.token", "has no effect without alerts.sms.gateway or alerts.voice.gateway")
	}
	for _, l := range a.Limits.all() {
		if _, err := deliver.ParseLimits(l.words); err != nil {
			ps.add("alerts.limits."+l.key, "%v", err)
		}
	}
	if len(*ps) > before {
		return
	}
	for _, o := range a.openers() {
		if !o.wanted {
			continue
		}
		if _, err := o.open(); err != nil {
			ps.add(o.key, "%v", err)
		}
	}
}

func (w *WeComAppConfig) problems(ps *problems) {
	if w.CorpID == "" {
		ps.check(w.AgentID == 0 && w.Secret == "" && w.Token == "" && w.AESKey == "", "alerts.wecom_app.corp_id", "is empty, and the rest of the section has no effect without it")
		return
	}
	ps.check(w.AgentID > 0, "alerts.wecom_app.agent_id", "is missing; the application's page shows it as AgentId")
	ps.check(w.Secret != "", "alerts.wecom_app.secret", "is missing; the application's page shows it as Secret")
	ps.check((w.Token == "") == (w.AESKey == ""), "alerts.wecom_app.token", "and alerts.wecom_app.aes_key go together; set both or none")
}

func (s *SMSConfig) problems(ps *problems) {
	if s.Gateway == "" {
		ps.check(s.KeyID == "" && s.KeySecret == "" && s.SignName == "" && s.URL == "" && len(s.Templates) == 0, "alerts.sms.gateway", "is empty, and the rest of the section has no effect without it")
		return
	}
	if s.settings().problems(ps) && s.Gateway != channels.GatewayJSON {
		ps.check(s.SignName != "", "alerts.sms.sign_name", "is missing: the signature (签名) that the vendor has approved")
	}
}

func (v *VoiceConfig) problems(ps *problems) {
	ps.check(v.PlayTimes >= 1 && v.PlayTimes <= 3, "alerts.voice.play_times", "%d must lie between 1 and 3", v.PlayTimes)
	if v.Gateway == "" {
		ps.check(v.KeyID == "" && v.KeySecret == "" && v.URL == "" && len(v.Templates) == 0, "alerts.voice.gateway", "is empty, and the rest of the section has no effect without it")
		return
	}
	v.settings().problems(ps)
}

// gatewaySettings are what SMS and voice have in common.
type gatewaySettings struct {
	section, gateway      string
	url, keyID, keySecret Secret
	appID, region         string
	templates             []string
}

func (s *SMSConfig) settings() gatewaySettings {
	return gatewaySettings{"alerts.sms", s.Gateway, s.URL, s.KeyID, s.KeySecret, s.AppID, s.Region, s.Templates}
}

func (v *VoiceConfig) settings() gatewaySettings {
	return gatewaySettings{"alerts.voice", v.Gateway, v.URL, v.KeyID, v.KeySecret, v.AppID, v.Region, v.Templates}
}

func (g gatewaySettings) options() (channels.PhoneOptions, error) {
	templates, err := parseTemplates(g.templates)
	return channels.PhoneOptions{
		KeyID: g.keyID.Reveal(), KeySecret: g.keySecret.Reveal(), Templates: templates,
		AppID: g.appID, Region: g.region, HTTP: channels.HTTP{Base: g.url.Reveal()},
	}, err
}

// problems reports whether the kind of gateway is one that is known.
func (g gatewaySettings) problems(ps *problems) bool {
	if !ps.oneOf(g.section+".gateway", g.gateway, channels.GatewayKinds...) {
		return false
	}
	if _, err := parseTemplates(g.templates); err != nil {
		ps.add(g.section+".templates", "%v", err)
	}
	if g.gateway == channels.GatewayJSON {
		ps.check(g.url != "", g.section+".url", "is missing: where to post to")
		return true
	}
	ps.check(g.keyID != "", g.section+".key_id", "is missing")
	ps.check(g.keySecret != "", g.section+".key_secret", "is missing")
	ps.check(len(g.templates) > 0, g.section+".templates", "is empty, and the vendor sends approved templates only; such as [alert=SMS_123]")
	if g.gateway == channels.GatewayTencent {
		ps.check(g.appID != "", g.section+".app_id", "is missing: the id of the application in Tencent's console")
	}
	return true
}

func (m *MailConfig) problems(ps *problems) {
	ps.oneOf("alerts.mail.security", m.Security, channels.MailSecurities...)
	if m.Server == "" {
		ps.check(m.User == "" && m.Password == "" && m.From == "", "alerts.mail.server", "is empty, and the rest of the section has no effect without it")
		return
	}
	ps.check(m.From != "", "alerts.mail.from", "is missing: the sender, such as weimang@example.org")
	ps.check((m.User == "") == (m.Password == ""), "alerts.mail.user", "and alerts.mail.password go together; set both or none")
}

// parseTemplates reads name=code.
func parseTemplates(words []string) (map[string]string, error) {
	out := make(map[string]string, len(words))
	for _, w := range words {
		name, code, ok := strings.Cut(w, "=")
		name, code = strings.TrimSpace(name), strings.TrimSpace(code)
		switch {
		case !ok || name == "" || code == "":
			return nil, fmt.Errorf("%q must be a name and the vendor's code, such as alert=SMS_123", w)
		case out[name] != "":
			return nil, fmt.Errorf("%s stands there twice", name)
		}
		out[name] = code
	}
	return out, nil
}
