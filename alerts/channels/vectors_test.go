package channels

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// The example with fixed parameters of
// https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature
func TestAliyunsOwnExampleIsSignedAlike(t *testing.T) {
	query := acsQuery(url.Values{"RegionId": {"cn-shanghai"}, "ImageId": {"win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}})
	h := acsHeaders(map[string]string{
		"host": "ecs.cn-shanghai.aliyuncs.com", "x-acs-action": "RunInstances", "x-acs-version": "2014-05-26",
		"x-acs-date": "2023-10-26T10:22:32Z", "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
	}, query, "YourAccessKeyId", "YourAccessKeySecret")
	want := "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version," +
		"Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
	if h["Authorization"] != want {
		t.Errorf("got  %s\nwant %s", h["Authorization"], want)
	}
	if got := acsQuery(url.Values{"a": {"中 +*~/"}}); got != "a=%E4%B8%AD%20%2B%2A~%2F" {
		t.Errorf("encoded %s", got)
	}
}

// The example of https://cloud.tencent.com/document/api/382/52072, whose
// masked keys really are asterisks.
func TestTencentsOwnExampleIsSignedAlike(t *testing.T) {
	body := `{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`
	stars := strings.Repeat("*", 32)
	got := tc3{"AKID" + stars, stars, "cvm", "cvm.tencentcloudapi.com", "DescribeInstances"}.authorization(1551113065, []byte(body))
	want := "TC3-HMAC-SHA256 Credential=AKID" + stars + "/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host;x-tc-action, " +
		"Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// The examples that come with the vendor's own library (WXBizMsgCrypt).
const (
	wecomCorp   = "wx5823bf96d3bd56c7"
	wecomToken  = "QDG6eK"
	wecomAESKey = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
	wecomEcho   = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
	wecomHello  = "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=="
)

func TestWeComsOwnExamplesAreOpened(t *testing.T) {
	c, err := NewWeComCallback(wecomCorp, wecomToken, wecomAESKey)
	if err != nil {
		t.Fatal(err)
	}
	echo := url.Values{"msg_signature": {"5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3"}, "timestamp": {"1409659589"}, "nonce": {"263014780"}}
	if got, err := c.open(echo, wecomEcho, time.Unix(1409659600, 0)); err != nil || string(got) != "1616140317555161061" {
		t.Errorf("echo %q, %v", got, err)
	}
	hello := url.Values{"msg_signature": {"477715d11cdb4164915debcba66cb864d751f3e6"}, "timestamp": {"1409659813"}, "nonce": {"1372623149"}}
	got, err := c.open(hello, wecomHello, time.Unix(1409659813, 0))
	if err != nil || !strings.Contains(string(got), "<Content><![CDATA[hello]]></Content>") {
		t.Errorf("message %q, %v", got, err)
	}
}

func TestWhatIsForgedForWeComIsNotOpened(t *testing.T) {
	good := url.Values{"msg_signature": {"477715d11cdb4164915debcba66cb864d751f3e6"}, "timestamp": {"1409659813"}, "nonce": {"1372623149"}}
	with := func(key, value string) url.Values {
		q := url.Values{}
		for k := range good {
			q.Set(k, good.Get(k))
		}
		q.Set(key, value)
		return q
	}
	c, err := NewWeComCallback(wecomCorp, wecomToken, wecomAESKey)
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewWeComCallback("another-corp", wecomToken, wecomAESKey)
	if err != nil {
		t.Fatal(err)
	}
	sent := time.Unix(1409659813, 0)
	for name, tc := range map[string]struct {
		c    *WeComCallback
		q    url.Values
		text string
		now  time.Time
	}{
		"another signature":    {c, with("msg_signature", strings.Repeat("0", 40)), wecomHello, sent},
		"no signature":         {c, with("msg_signature", ""), wecomHello, sent},
		"another nonce":        {c, with("nonce", "1"), wecomHello, sent},
		"another time":         {c, with("timestamp", "1409659814"), wecomHello, sent},
		"another message":      {c, good, wecomEcho, sent},
		"played again later":   {c, good, wecomHello, sent.Add(11 * time.Minute)},
		"of another company":   {other, good, wecomHello, sent},
		"nothing at all":       {c, url.Values{}, "", sent},
		"signed but no base64": {c, url.Values{"msg_signature": {"da39a3ee5e6b4b0d3255bfef95601890afd80709"}}, "", sent},
	} {
		if got, err := tc.c.open(tc.q, tc.text, tc.now); err == nil {
			t.Errorf("%s: opened as %q", name, got)
		}
	}
	for _, key := range []string{"", "short", strings.Repeat("!", 43)} {
		if _, err := NewWeComCallback(wecomCorp, wecomToken, key); err == nil {
			t.Errorf("key %q was taken", key)
		}
	}
}

// Padding and length come from inside; whoever knows the token may still send
// anything.
func FuzzWeComUnpack(f *testing.F) {
	c, err := NewWeComCallback(wecomCorp, wecomToken, wecomAESKey)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(strings.Repeat("r", 16) + "\x00\x00\x00\x02hi" + wecomCorp + "\x01"))
	f.Add([]byte{32})
	f.Add([]byte(strings.Repeat("\xff", 32)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return // open lets none through
		}
		if got, err := c.unpack(append([]byte(nil), data...)); err == nil && len(got) > len(data) {
			t.Errorf("%d bytes out of %d", len(got), len(data))
		}
	})
}

func TestCodesThatAreNotKnownAreTriedAgainAndNotRepeatedBlindly(t *testing.T) {
	f := tencentCodes.failure("tencent", "LimitExceeded.SomethingNew")
	if f.Reason != "throttled" || !f.Retry {
		t.Errorf("family: %v, retry %v", f, f.Retry)
	}
	f = wecomCodes.failure("wecom", "98765")
	if f.Reason != "vendor" || !f.Retry {
		t.Errorf("unknown: %v, retry %v", f, f.Retry)
	}
	f = aliyunCodes.failure("aliyun", "号码13800138000")
	if strings.Contains(f.Error(), "138") {
		t.Errorf("a code that is none was repeated: %v", f)
	}
}

func TestEachCodeHasAReasonAndWords(t *testing.T) {
	for vendor, table := range map[string]codes{"wecom": wecomCodes, "dingtalk": dingtalkCodes, "feishu": feishuCodes, "aliyun": aliyunCodes, "tencent": tencentCodes} {
		for code, v := range table {
			if v.reason == "" || v.says == "" || v.after > 0 && !v.retry {
				t.Errorf("%s %s: %+v", vendor, code, v)
			}
		}
	}
}

func TestNumbersGetTheirCountry(t *testing.T) {
	for _, tc := range []struct{ written, plain, whole, dialled string }{
		{"138 0013-8000", "13800138000", "+8613800138000", "13800138000"},
		{"+86 13800138000", "+8613800138000", "+8613800138000", "13800138000"},
		{"0086 13800138000", "008613800138000", "+8613800138000", "13800138000"},
		{"(0574) 8765 4321", "057487654321", "+8657487654321", "057487654321"},
		{"010 8765 4321", "01087654321", "+861087654321", "01087654321"},
		{"+852 1234 5678", "+85212345678", "+85212345678", "85212345678"},
		{"00852 1234 5678", "0085212345678", "+85212345678", "85212345678"},
		{"110", "", "", ""},
		{"一三八", "", "", ""},
		{"138001380001380013800013800138000", "", "", ""},
	} {
		plain := phoneNumber(tc.written)
		if whole := E164(tc.written); plain != tc.plain || whole != tc.whole || plain != "" && national(tc.written) != tc.dialled {
			t.Errorf("%s: %q, %q, %q", tc.written, plain, whole, national(tc.written))
		}
	}
}
