package channels

import (
	"time"

	"weimang/alerts/deliver"
)

// Names of the channels, in the roster, the configuration and metrics.
const (
	NameConsole      = "console"
	NameJSON         = "json"
	NameWebhook      = "webhook"
	NameWeCom        = "wecom"
	NameWeComApp     = "wecom-app"
	NameDingTalk     = "dingtalk"
	NameFeishu       = "feishu"
	NameSMS          = "sms"
	NameVoice        = "voice"
	NameMail         = "mail"
	NameAlertmanager = "alertmanager"
)

// Names are all of them.
var Names = []string{
	NameConsole, NameJSON, NameWebhook, NameWeCom, NameWeComApp, NameDingTalk, NameFeishu, NameSMS, NameVoice, NameMail, NameAlertmanager,
}

// Gateways of SMS and voice.
const (
	GatewayAliyun  = "aliyun"
	GatewayTencent = "tencent"
	GatewayJSON    = "json"
)

// GatewayKinds are all of them.
var GatewayKinds = []string{GatewayAliyun, GatewayTencent, GatewayJSON}

func each(n int, per time.Duration) deliver.Limit {
	return deliver.Limit{N: n, Per: per, Of: deliver.OfAddress}
}

const day = 24 * time.Hour

// DefaultLimits are what a channel's vendor takes by its documentation; gateway
// is that of SMS and voice. Where a vendor counts by the calendar's day we count
// any 24 hours, which is never more.
func DefaultLimits(channel, gateway string) []deliver.Limit {
	switch channel + "/" + gateway {
	case NameSMS + "/" + GatewayAliyun:
		// https://help.aliyun.com/zh/sms/product-overview/sms-sending-frequency-limits
		return []deliver.Limit{each(50, day)}
	case NameSMS + "/" + GatewayTencent:
		// https://cloud.tencent.com/document/product/382/13296: the same words once in 30 s
		return []deliver.Limit{each(1, 30*time.Second), each(2, day)}
	case NameVoice + "/" + GatewayAliyun:
		// https://help.aliyun.com/document_detail/449961.html
		return []deliver.Limit{each(1, time.Minute), each(5, time.Hour), each(20, day)}
	case NameVoice + "/" + GatewayTencent:
		// https://cloud.tencent.com/document/faq/1128: notices
		return []deliver.Limit{each(1, 30*time.Second), each(2, 10*time.Minute), each(5, day)}
	}
	switch channel {
	case NameWeCom: // https://developer.work.weixin.qq.com/document/path/91770
		return []deliver.Limit{each(20, time.Minute)}
	case NameWeComApp: // https://developer.work.weixin.qq.com/document/path/90312
		return []deliver.Limit{each(30, time.Minute), each(1000, time.Hour)}
	case NameDingTalk: // https://open.dingtalk.com/document/orgapp/custom-robot-access
		return []deliver.Limit{each(20, time.Minute)}
	case NameFeishu: // https://open.feishu.cn/document/ukTMukTMukTM/ucTM5YjL3ETO24yNxkjN
		return []deliver.Limit{each(5, time.Second), each(100, time.Minute)}
	}
	return nil
}

// Groups are the channels that reach a group of people and not one: whoever
// answers there has to say who she is.
var Groups = []string{NameWeCom, NameDingTalk, NameFeishu}

// Brief are the channels that take a message's short form.
var Brief = []string{NameSMS, NameVoice}
