package channels_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"weimang/alerts"
	"weimang/alerts/channels"
	"weimang/alerts/channels/vendortest"
	"weimang/alerts/deliver"
	"weimang/alerts/roster"
	"weimang/detectors"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is what the tests need of every vendor's server.
type fake interface {
	http.Handler
	Break(f vendortest.Fault, n int)
	Got() []vendortest.Got
	Requests() int
}

var noon = time.Date(2026, 7, 12, 12, 0, 0, 0, time.FixedZone("UTC+8", 8*3600))

// clock is a time that tests move.
type clock struct{ at time.Time }

func (c *clock) now() time.Time          { return c.at }
func (c *clock) advance(d time.Duration) { c.at = c.at.Add(d) }

// vendor is a channel and the server it speaks with. Each has a clock, so that
// one of them may be wrong.
type vendor struct {
	name    string
	address string // good one
	secrets []string
	dead    string // an address that the server does not know
	channel deliver.Channel
	server  fake
	ours    *clock
	theirs  *clock
}

func (v *vendor) send(t *testing.T, m alerts.Message) (deliver.Receipt, error) {
	t.Helper()
	if m.Address == "" {
		m.Address = v.address
	}
	return v.channel.Send(t.Context(), m)
}

const (
	robotKey  = "693axxx6-7aoc-4bc4-97a0-0ec2sifa5aaa"
	robotSign = "SECrobotsecret"
	keyID     = "LTAIkeyid"
	keySecret = "the-key-secret"
	chair     = "13800138000"
	smsText   = "${who}${what}，自${since}起。回复1我去看"
)

// all are the vendors that speak HTTP, each with a server of its own.
func all(t *testing.T) []*vendor {
	t.Helper()
	aliyun := vendortest.PhoneOptions{
		KeyID: keyID, KeySecret: keySecret, SignName: "微芒", Templates: map[string]string{"SMS_1": smsText, "TTS_1": smsText},
	}
	tencent := vendortest.PhoneOptions{
		KeyID: keyID, KeySecret: keySecret, SignName: "微芒", AppID: "1400006666", Templates: map[string]string{"1110": "{1}{2}，自{3}起"},
	}
	voice := func(o vendortest.PhoneOptions) vendortest.PhoneOptions { o.Voice = true; return o }
	phone := func(code string) channels.PhoneOptions {
		return channels.PhoneOptions{
			KeyID: keyID, KeySecret: keySecret, SignName: "微芒", AppID: "1400006666", Templates: map[string]string{"alert": code},
		}
	}
	wecom := vendortest.WeComOptions{Robots: []string{robotKey}, CorpID: "ww1", Secret: keySecret, AgentID: 1000002, Users: []string{"wang"}}
	var list []*vendor
	add := func(v vendor, server func(now func() time.Time) fake, channel func(h channels.HTTP) (deliver.Channel, error)) {
		v.ours, v.theirs = &clock{noon}, &clock{noon}
		v.server = server(v.theirs.now)
		var err error
		v.channel, err = channel(channels.HTTP{Base: "https://vendor.test", Client: vendortest.Client(v.server), Now: v.ours.now})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, &v)
	}
	add(
		vendor{name: "wecom", address: robotKey, dead: "no-such-robot", secrets: []string{robotKey}},
		func(now func() time.Time) fake { return vendortest.NewWeCom(wecom, now) },
		func(h channels.HTTP) (deliver.Channel, error) { return channels.NewWeComRobot(h) },
	)
	add(
		vendor{name: "wecom-app", address: "wang", dead: "nobody", secrets: []string{keySecret}},
		func(now func() time.Time) fake { return vendortest.NewWeCom(wecom, now) },
		func(h channels.HTTP) (deliver.Channel, error) {
			return channels.NewWeComApp(channels.WeComAppOptions{CorpID: "ww1", Secret: keySecret, AgentID: 1000002, CallsBack: true, HTTP: h})
		},
	)
	add(
		vendor{name: "dingtalk", address: robotKey + ":" + robotSign, dead: "no-such-robot:" + robotSign, secrets: []string{robotKey, robotSign}},
		func(now func() time.Time) fake {
			return vendortest.NewDingTalk(map[string]string{robotKey: robotSign}, now)
		},
		func(h channels.HTTP) (deliver.Channel, error) { return channels.NewDingTalkRobot(h) },
	)
	add(
		vendor{name: "feishu", address: robotKey + ":" + robotSign, dead: "no-such-robot:" + robotSign, secrets: []string{robotKey, robotSign}},
		func(now func() time.Time) fake {
			return vendortest.NewFeishu(map[string]string{robotKey: robotSign}, now)
		},
		func(h channels.HTTP) (deliver.Channel, error) { return channels.NewFeishuRobot(h) },
	)
	add(
		vendor{name: "aliyun sms", address: chair, dead: "23800138000", secrets: []string{keyID, keySecret, chair}},
		func(now func() time.Time) fake { return vendortest.NewAliyun(aliyun, now) },
		func(h channels.HTTP) (deliver.Channel, error) {
			o := phone("SMS_1")
			o.HTTP = h
			return channels.NewAliyunSMS(o)
		},
	)
	add(
		vendor{name: "aliyun voice", address: chair, dead: "23800138000", secrets: []string{keyID, keySecret, chair}},
		func(now func() time.Time) fake { return vendortest.NewAliyun(voice(aliyun), now) },
		func(h channels.HTTP) (deliver.Channel, error) {
			o := phone("TTS_1")
			o.HTTP = h
			return channels.NewAliyunVoice(o)
		},
	)
	add(
		vendor{name: "tencent sms", address: chair, dead: "23800138000", secrets: []string{keyID, keySecret, chair}},
		func(now func() time.Time) fake { return vendortest.NewTencent(tencent, now) },
		func(h channels.HTTP) (deliver.Channel, error) {
			o := phone("1110")
			o.HTTP = h
			return channels.NewTencentSMS(o)
		},
	)
	add(
		vendor{name: "tencent voice", address: chair, dead: "23800138000", secrets: []string{keyID, keySecret, chair}},
		func(now func() time.Time) fake { return vendortest.NewTencent(voice(tencent), now) },
		func(h channels.HTTP) (deliver.Channel, error) {
			o := phone("1110")
			o.HTTP = h
			return channels.NewTencentVoice(o)
		},
	)
	add(
		vendor{name: "gateway", address: chair, dead: "23800138000", secrets: []string{keySecret, chair}},
		func(now func() time.Time) fake {
			return vendortest.NewHook(keySecret, []string{"23800138000"}, now)
		},
		func(h channels.HTTP) (deliver.Channel, error) {
			return channels.NewGateway("sms", channels.PhoneOptions{KeySecret: keySecret, HTTP: h})
		},
	)
	add(
		vendor{name: "webhook", address: chair, secrets: []string{keySecret, "hook-key"}},
		func(now func() time.Time) fake { return vendortest.NewHook(keySecret, nil, now) },
		func(h channels.HTTP) (deliver.Channel, error) {
			return channels.NewWebhook("https://vendor.test/hook?key=hook-key", []byte(keySecret), h)
		},
	)
	add(
		vendor{name: "alertmanager", address: chair},
		func(now func() time.Time) fake { return vendortest.NewAlertmanager(now) },
		func(h channels.HTTP) (deliver.Channel, error) { return channels.NewAlertmanager(h) },
	)
	return list
}

// one is the vendor of that name.
func one(t *testing.T, name string) *vendor {
	t.Helper()
	for _, v := range all(t) {
		if v.name == name {
			return v
		}
	}
	t.Fatalf("no vendor %q", name)
	return nil
}

func message() alerts.Message {
	at := time.Date(2026, 7, 12, 4, 0, 0, 0, time.UTC)
	return alerts.Message{
		ID: "h1/42#1:p1:console", AlertID: "h1/42", Seq: 1, To: alerts.Recipient{PersonID: "p1", Role: roster.Chair}, Channel: "console",
		Lang: roster.Chinese, Kind: detectors.Shortfall, Severity: detectors.Orange, State: detectors.Open, HouseholdID: "h1", Label: "3组12号",
		AreaID: "a1", Onset: at, DecidedAt: at, Title: "请今天去看看：3组12号", Text: "第一行\n第二行", URL: "http://x/household/h1",
		Short: &alerts.Short{
			Template: "alert", Params: []alerts.Param{{Name: "who", Value: "3组12号"}, {Name: "what", Value: "用电明显偏少"}, {Name: "since", Value: "7月12日9时"}},
			Text: "3组12号用电明显偏少，自7月12日9时起。回复1我去看",
		},
	}
}

// answers are what a message may ask for.
func answers() []alerts.Answer {
	return []alerts.Answer{
		{Key: "1", Label: "我去看", URL: "https://weimang.example/a/1?s=(x)"},
		{Key: "2", Label: "平安", URL: "https://weimang.example/a/2"},
		{Key: "3", Label: "外出了", URL: "https://weimang.example/a/3"},
	}
}

func failed(t *testing.T, err error) *deliver.Failure {
	t.Helper()
	f, ok := errors.AsType[*deliver.Failure](err)
	if !ok {
		t.Fatalf("the error is %T (%v), want a failure with a reason", err, err)
	}
	return f
}

func TestAMessageReachesItsPersonOverEachVendor(t *testing.T) {
	for _, v := range all(t) {
		t.Run(v.name, func(t *testing.T) {
			receipt, err := v.send(t, message())
			if err != nil {
				t.Fatal(err)
			}
			got := v.server.Got()
			if len(got) != 1 {
				t.Fatalf("the server has %d messages", len(got))
			}
			if v.name != "alertmanager" && !strings.Contains(got[0].Text, "3组12号") && !strings.Contains(got[0].Text, "第一行") {
				t.Errorf("it reads %q", got[0].Text)
			}
			if receipt.VendorID != "" && receipt.VendorID != got[0].VendorID {
				t.Errorf("the receipt is for %q, the vendor calls it %q", receipt.VendorID, got[0].VendorID)
			}
		})
	}
}

func TestUserIDsMayLookLikeMailAddresses(t *testing.T) {
	server := vendortest.NewWeCom(vendortest.WeComOptions{CorpID: "ww1", Secret: keySecret, AgentID: 1, Users: []string{"li.wang_2@town-1"}}, nil)
	app, err := channels.NewWeComApp(channels.WeComAppOptions{CorpID: "ww1", Secret: keySecret, AgentID: 1, HTTP: channels.HTTP{Client: vendortest.Client(server)}})
	if err != nil {
		t.Fatal(err)
	}
	m := message()
	m.Address = "li.wang_2@town-1"
	if _, err := app.Send(t.Context(), m); err != nil {
		t.Error(err)
	}
}

// What later reports name must be known.
func TestReceiptsNameTheMessageWhereReportsWillCome(t *testing.T) {
	for _, name := range []string{"wecom-app", "aliyun sms", "aliyun voice", "tencent sms", "tencent voice", "gateway"} {
		if receipt, err := one(t, name).send(t, message()); err != nil || receipt.VendorID == "" {
			t.Errorf("%s: receipt %+v, %v", name, receipt, err)
		}
	}
}

func TestServersThatFailAreTriedAgain(t *testing.T) {
	for _, v := range all(t) {
		for fault, want := range map[vendortest.Fault]deliver.Reason{
			vendortest.Unavailable: deliver.Vendor, vendortest.HTML: deliver.Vendor, vendortest.Huge: deliver.Vendor,
			vendortest.Empty: deliver.Vendor, vendortest.LoseAnswer: deliver.Unreachable,
		} {
			t.Run(v.name+" "+string(fault), func(t *testing.T) {
				v.server.Break(fault, -1)
				_, err := v.send(t, message())
				if fault != vendortest.Unavailable && fault != vendortest.LoseAnswer && (v.name == "webhook" || v.name == "alertmanager" || v.name == "gateway" && fault == vendortest.Empty) {
					if err != nil { // their receipt is the status alone
						t.Errorf("%v", err)
					}
					return
				}
				f := failed(t, err)
				if f.Reason != want || !f.Retry {
					t.Errorf("%s, retry %v (%v), want %s and retry", f.Reason, f.Retry, err, want)
				}
			})
		}
	}
}

// A network that wants a login sends everybody to its own page.
func TestALoginPageOfTheNetworkIsWaitedFor(t *testing.T) {
	portal := vendortest.Client(http.RedirectHandler("http://login.example/", http.StatusFound))
	portal.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	robot, err := channels.NewFeishuRobot(channels.HTTP{Client: portal})
	if err != nil {
		t.Fatal(err)
	}
	m := message()
	m.Address = robotKey
	_, err = robot.Send(t.Context(), m)
	if f := failed(t, err); f.Reason != deliver.Vendor || !f.Retry {
		t.Errorf("%v", err)
	}
}

func TestAServerThatHangsIsGivenUpInTime(t *testing.T) {
	for _, v := range all(t) {
		v.server.Break(vendortest.Hang, -1)
		m := message()
		m.Address = v.address
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		_, err := v.channel.Send(ctx, m)
		cancel()
		if f := failed(t, err); f.Reason != deliver.Unreachable || !f.Retry || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", v.name, err)
		}
	}
}

func TestAnAddressThatDoesNotExistIsTriedOnce(t *testing.T) {
	for _, v := range all(t) {
		if v.dead == "" {
			continue
		}
		m := message()
		m.Address = v.dead
		_, err := v.send(t, m)
		if f := failed(t, err); f.Reason != deliver.BadAddress || f.Retry {
			t.Errorf("%s: %s, retry %v (%v)", v.name, f.Reason, f.Retry, err)
		}
	}
}

// An address that is none at all must not even reach the network: it may be
// somebody's name.
func TestAnAddressThatIsNoneIsNotSentAnywhere(t *testing.T) {
	for name, bad := range map[string][]string{
		"wecom": {"a b", "王", "https://qyapi.weixin.qq.com/x", "a&b=c"}, "wecom-app": {"a|b", "@all", "a b", "_x", "王"},
		"dingtalk": {":x", "a/b", "王:x"}, "feishu": {"../x", "王"}, "aliyun sms": {"王", "12", "+86x"}, "tencent voice": {"王", "1380013800a"}, "gateway": {"王"},
	} {
		v := one(t, name)
		for _, address := range bad {
			m := message()
			m.Address = address
			_, err := v.send(t, m)
			if f := failed(t, err); f.Reason != deliver.BadAddress || f.Retry || strings.Contains(err.Error(), address) {
				t.Errorf("%s, %q: %v", name, address, err)
			}
		}
		if v.server.Requests() != 0 {
			t.Errorf("%s: %d requests were made", name, v.server.Requests())
		}
	}
}

// Everything that can go wrong goes wrong, and no error names an address or a
// key, though the servers do.
func TestNoErrorNamesAnAddressOrAKey(t *testing.T) {
	check := func(v *vendor, err error, secrets ...string) {
		for _, secret := range append(secrets, v.secrets...) {
			if err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("%s: %v", v.name, err)
			}
		}
	}
	for _, v := range all(t) {
		for _, fault := range []vendortest.Fault{vendortest.Unavailable, vendortest.LoseAnswer} {
			v.server.Break(fault, 1)
			_, err := v.send(t, message())
			check(v, err)
		}
		v.server.Break("", 0)
		if v.dead != "" {
			m := message()
			m.Address = v.dead
			_, err := v.send(t, m)
			check(v, err, v.dead)
		}
	}
}

// The vendor repeats the secret that it does not know; we do not.
func TestAWrongSecretOfAnApplicationIsToldOfWithoutIt(t *testing.T) {
	server := vendortest.NewWeCom(vendortest.WeComOptions{CorpID: "ww1", Secret: keySecret, AgentID: 1, Users: []string{"wang"}}, nil)
	app, err := channels.NewWeComApp(channels.WeComAppOptions{
		CorpID: "ww1", Secret: "mistyped-secret", AgentID: 1, HTTP: channels.HTTP{Client: vendortest.Client(server)},
	})
	if err != nil {
		t.Fatal(err)
	}
	m := message()
	m.Address = "wang"
	_, err = app.Send(t.Context(), m)
	if f := failed(t, err); f.Reason != deliver.Auth || f.Retry || strings.Contains(err.Error(), "mistyped") {
		t.Errorf("%v", err)
	}
}

func TestNothingListensAndNoAddressIsNamed(t *testing.T) {
	srv := vendortest.Serve(http.NotFoundHandler())
	base := srv.URL
	srv.Close()
	hook, err := channels.NewWebhook(base+"/hook?key=hook-key", nil, channels.HTTP{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = hook.Send(t.Context(), message())
	if f := failed(t, err); f.Reason != deliver.Unreachable || !f.Retry || strings.Contains(err.Error(), "hook-key") {
		t.Errorf("%v", err)
	}
}

func TestAClockThatIsOffIsToldOf(t *testing.T) {
	for _, v := range all(t) {
		window := map[string]time.Duration{
			"dingtalk": time.Hour, "feishu": time.Hour, "aliyun sms": 15 * time.Minute, "aliyun voice": 15 * time.Minute,
			"tencent sms": 5 * time.Minute, "tencent voice": 5 * time.Minute, "gateway": 5 * time.Minute, "webhook": 5 * time.Minute,
		}[v.name]
		if window == 0 {
			continue
		}
		v.ours.advance(window - time.Second)
		if _, err := v.send(t, message()); err != nil {
			t.Errorf("%s: inside the window: %v", v.name, err)
		}
		v.ours.advance(2 * time.Second)
		_, err := v.send(t, message())
		if f := failed(t, err); f.Reason != deliver.Auth || f.Retry {
			t.Errorf("%s: %s, retry %v (%v)", v.name, f.Reason, f.Retry, err)
		}
	}
}

func TestAWrongKeyIsToldOf(t *testing.T) {
	for _, name := range []string{"dingtalk", "feishu"} {
		m := message()
		m.Address = robotKey + ":another-secret"
		_, err := one(t, name).send(t, m)
		if f := failed(t, err); f.Reason != deliver.Auth || f.Retry {
			t.Errorf("%s: %v", name, err)
		}
	}
	o := vendortest.PhoneOptions{KeyID: keyID, KeySecret: keySecret, SignName: "微芒", AppID: "1", Templates: map[string]string{"T": "x"}}
	h := channels.HTTP{Base: "https://vendor.test", Client: vendortest.Client(vendortest.NewHook(keySecret, nil, nil))}
	hook, err := channels.NewWebhook("https://vendor.test/", []byte("wrong"), h)
	if err != nil {
		t.Fatal(err)
	}
	gateway, err := channels.NewGateway("voice", channels.PhoneOptions{KeySecret: "wrong", HTTP: h})
	if err != nil {
		t.Fatal(err)
	}
	mine := channels.PhoneOptions{KeyID: keyID, KeySecret: "wrong", SignName: "微芒", AppID: "1", Templates: map[string]string{"alert": "T"}}
	mine.HTTP = channels.HTTP{Base: "https://vendor.test", Client: vendortest.Client(vendortest.NewAliyun(o, nil))}
	ali, err := channels.NewAliyunSMS(mine)
	if err != nil {
		t.Fatal(err)
	}
	mine.HTTP.Client = vendortest.Client(vendortest.NewTencent(o, nil))
	ten, err := channels.NewTencentSMS(mine)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]deliver.Channel{"aliyun": ali, "tencent": ten, "webhook": hook, "gateway": gateway} {
		m := message()
		m.Address = chair
		_, err := c.Send(t.Context(), m)
		if f := failed(t, err); f.Reason != deliver.Auth || f.Retry {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Too many at once: what the vendor says of when to come back is heeded.
func TestThrottlesSayWhenToComeBack(t *testing.T) {
	for _, tc := range []struct {
		name  string
		sends int // before the one that is too many
		apart time.Duration
		after time.Duration // -1: not the same day
	}{
		{"wecom", 20, 0, time.Minute},
		{"dingtalk", 20, 0, 10*time.Minute + 5*time.Second},
		{"feishu", 5, 0, 5 * time.Second},
		{"aliyun sms", 50, time.Minute, -1},
		{"aliyun voice", 1, 0, time.Minute},
		{"aliyun voice", 5, 2 * time.Minute, time.Hour},
		{"aliyun voice", 20, 13 * time.Minute, -1},
		{"tencent sms", 1, 0, 30 * time.Second},
		{"tencent sms", 2, time.Minute, -1},
		{"tencent voice", 1, 0, time.Minute},
	} {
		v := one(t, tc.name)
		for i := range tc.sends {
			if _, err := v.send(t, message()); err != nil {
				t.Fatalf("%s: message %d: %v", tc.name, i+1, err)
			}
			v.ours.advance(tc.apart)
			v.theirs.advance(tc.apart)
		}
		_, err := v.send(t, message())
		f := failed(t, err)
		if f.Reason != deliver.Throttled || f.Retry != (tc.after > 0) || f.After != max(tc.after, 0) {
			t.Errorf("%s: %s, retry %v after %v, want %v", tc.name, f.Reason, f.Retry, f.After, tc.after)
		}
	}
}

func TestAMessageWithoutAFormForPhonesIsToldOf(t *testing.T) {
	for _, name := range []string{"aliyun sms", "aliyun voice", "tencent sms", "tencent voice", "gateway"} {
		m := message()
		m.Short = nil
		_, err := one(t, name).send(t, m)
		if f := failed(t, err); f.Reason != deliver.Format || f.Retry {
			t.Errorf("%s: %v", name, err)
		}
	}
	m := message()
	m.Short.Template = "remind"
	_, err := one(t, "aliyun sms").send(t, m)
	if f := failed(t, err); f.Reason != deliver.Format || !strings.Contains(err.Error(), "remind") {
		t.Errorf("a template that the configuration does not name: %v", err)
	}
}

func TestPhonesGetTheTemplateFilledIn(t *testing.T) {
	v := one(t, "aliyun sms")
	if _, err := v.send(t, message()); err != nil {
		t.Fatal(err)
	}
	if got := v.server.Got()[0]; got.Text != message().Short.Text || got.Kind != "SMS_1" {
		t.Errorf("%+v", got)
	}
	m := message()
	m.Short.Params[1].Value = strings.Repeat("长", 36)
	_, err := v.send(t, m)
	if f := failed(t, err); f.Reason != deliver.Format {
		t.Errorf("a variable that is too long: %v", err)
	}
}

func TestATemplateMayHaveATwinInAnotherLanguage(t *testing.T) {
	server := vendortest.NewAliyun(vendortest.PhoneOptions{
		KeyID: keyID, KeySecret: keySecret, SignName: "微芒", Templates: map[string]string{"SMS_1": "中文", "SMS_2": "English"},
	}, nil)
	sms, err := channels.NewAliyunSMS(channels.PhoneOptions{
		KeyID: keyID, KeySecret: keySecret, SignName: "微芒", Templates: map[string]string{"alert": "SMS_1", "alert.en": "SMS_2", "remind": "SMS_1"},
		HTTP: channels.HTTP{Client: vendortest.Client(server)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		lang     roster.Lang
		template string
	}{{roster.Chinese, "alert"}, {roster.English, "alert"}, {roster.English, "remind"}} {
		m := message()
		m.Address, m.Lang, m.Short.Template = chair, tc.lang, tc.template
		if _, err := sms.Send(t.Context(), m); err != nil {
			t.Error(err)
		}
	}
	got := server.Got()
	if len(got) != 3 || got[0].Text != "中文" || got[1].Text != "English" || got[2].Text != "中文" {
		t.Errorf("%+v", got)
	}
}

func TestNumbersAreReadAsPeopleWriteThem(t *testing.T) {
	for _, number := range []string{"138 0013 8000", "+86 138-0013-8000", "0086 13800138000"} {
		for _, name := range []string{"aliyun sms", "tencent sms"} {
			v, m := one(t, name), message()
			m.Address = number
			if _, err := v.send(t, m); err != nil {
				t.Errorf("%s, %s: %v", name, number, err)
			} else if got := v.server.Got()[0].To; !strings.HasSuffix(got, chair) {
				t.Errorf("%s, %s: sent to %s", name, number, got)
			}
		}
	}
}

func TestAnAccountWithoutMoneyIsToldOf(t *testing.T) {
	o := vendortest.PhoneOptions{KeyID: keyID, KeySecret: keySecret, SignName: "微芒", AppID: "1", Templates: map[string]string{"T": "x"}, NoMoney: true}
	mine := channels.PhoneOptions{KeyID: keyID, KeySecret: keySecret, SignName: "微芒", AppID: "1", Templates: map[string]string{"alert": "T"}}
	mine.HTTP = channels.HTTP{Base: "https://vendor.test", Client: vendortest.Client(vendortest.NewAliyun(o, nil))}
	c, err := channels.NewAliyunSMS(mine)
	if err != nil {
		t.Fatal(err)
	}
	m := message()
	m.Address = chair
	_, err = c.Send(t.Context(), m)
	if f := failed(t, err); f.Reason != deliver.Account || f.Retry {
		t.Errorf("%v", err)
	}
}

// An attempt whose answer is lost is made again: who takes an identity shows
// the message once.
func TestAnAttemptWhoseAnswerIsLostIsShownOnceWhereTheVendorKnowsIt(t *testing.T) {
	for _, name := range []string{"wecom-app", "gateway", "webhook", "alertmanager"} {
		for _, m := range []alerts.Message{message(), func() alerts.Message { m := message(); m.Answers = answers(); return m }()} {
			v := one(t, name)
			if name == "wecom-app" { // the token is not what is to be lost
				warm := message()
				warm.Text = "another"
				if _, err := v.send(t, warm); err != nil {
					t.Fatal(err)
				}
			}
			before := len(v.server.Got())
			v.server.Break(vendortest.LoseAnswer, 1)
			if _, err := v.send(t, m); err == nil {
				t.Fatalf("%s: the answer was not lost", name)
			}
			if _, err := v.send(t, m); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if n := len(v.server.Got()) - before; n != 1 {
				t.Errorf("%s: shown %d times", name, n)
			}
		}
	}
}
