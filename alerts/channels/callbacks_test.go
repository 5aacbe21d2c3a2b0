package channels_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"weimang/alerts/channels"
	"weimang/alerts/deliver"
)

// inbox remembers what it is given, and knows the ids it is told.
type inbox struct {
	known   []string
	reports []deliver.Report
	replies []deliver.Reply
	err     error
}

func (i *inbox) Report(_ context.Context, _ string, r deliver.Report) error {
	if i.err != nil {
		return i.err
	}
	if i.known != nil && !slices.Contains(i.known, r.VendorID) {
		return deliver.ErrUnknownMessage
	}
	i.reports = append(i.reports, r)
	return nil
}

func (i *inbox) Reply(_ context.Context, _ string, r deliver.Reply) error {
	if i.err != nil {
		return i.err
	}
	i.replies = append(i.replies, r)
	return nil
}

const pushToken = "push-token-0123456789"

// callbacks are the handlers of one gateway, with their log and metrics.
func callbacks(t *testing.T, in *inbox, gateway string) (h http.Handler, log *bytes.Buffer, reg *prometheus.Registry) {
	t.Helper()
	log, reg = new(bytes.Buffer), prometheus.NewPedanticRegistry()
	return channels.NewCallbacks(channels.CallbackOptions{
		Inbox: in, Token: pushToken, SMS: gateway, Voice: gateway, Now: func() time.Time { return noon },
		Log: slog.New(slog.NewTextHandler(log, nil)), Registerer: reg,
	}), log, reg
}

func push(h http.Handler, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
	return w
}

func beijing(s string) time.Time {
	at, err := time.ParseInLocation(time.DateTime, s, time.FixedZone("", 8*3600))
	if err != nil {
		panic(err)
	}
	return at
}

// The vendors' own examples, and what they mean.
func TestWhatVendorsSendBackIsRead(t *testing.T) {
	for _, tc := range []struct {
		name, gateway, path, body, thanks string
		reports                           []deliver.Report
		replies                           []deliver.Reply
	}{
		{
			"Aliyun SmsReport", "aliyun", "sms",
			`[{"phone_number":"1381111****","send_time":"2017-01-01 00:00:00","report_time":"2017-01-01 00:00:05","success":true,"err_code":"DELIVERED","err_msg":"用户接收成功","sms_size":"1","biz_id":"12345","out_id":"67890"},
			  {"phone_number":"1381111****","report_time":"2017-01-01 00:00:05","success":false,"err_code":"INVALID_NUMBER","biz_id":"12346"},
			  {"phone_number":"1381111****","report_time":"","success":false,"err_code":"SOMETHING_NEW","biz_id":"12347"}]`,
			`{"code":0,"msg":"OK"}`,
			[]deliver.Report{
				{VendorID: "12345", Delivered: true, At: beijing("2017-01-01 00:00:05")},
				{VendorID: "12346", Reason: deliver.BadAddress, At: beijing("2017-01-01 00:00:05")},
				{VendorID: "12347", Reason: deliver.Vendor, At: noon},
			},
			nil,
		},
		{
			"Aliyun SmsUp", "aliyun", "sms",
			`[{"phone_number":"13811111111","content":"1","send_time":"2017-09-01 00:00:00","dest_code":"1234","sequence_id":1234567890}]`,
			`{"code":0,"msg":"OK"}`, nil,
			[]deliver.Reply{{From: "+8613811111111", Text: "1", At: beijing("2017-09-01 00:00:00")}},
		},
		{
			"Aliyun VoiceReport: listened, and pressed a key", "aliyun", "voice",
			`[{"call_id":"100001616500^100001871490","callee":"13900000000","end_time":"2017-06-01 10:00:10","status_code":"200000","dtmf":"2","duration":"10","voice_type":"voice"}]`,
			`{"code":0,"msg":"OK"}`,
			[]deliver.Report{{VendorID: "100001616500^100001871490", Delivered: true, At: beijing("2017-06-01 10:00:10")}},
			[]deliver.Reply{{From: "+8613900000000", VendorID: "100001616500^100001871490", Key: "2", At: beijing("2017-06-01 10:00:10")}},
		},
		{
			"Aliyun VoiceReport: wrong number, nobody there; and a call under way", "aliyun", "voice",
			`[{"call_id":"a","status_code":"200004","end_time":"2017-06-01 10:00:10"},{"call_id":"b","status_code":200003,"end_time":"2017-06-01 10:00:10"},
			  {"call_id":"c","status_code":"200101","status_time":"2017-06-01 10:00:10"}]`,
			`{"code":0,"msg":"OK"}`,
			[]deliver.Report{
				{VendorID: "a", Reason: deliver.BadAddress, At: beijing("2017-06-01 10:00:10")},
				{VendorID: "b", Reason: deliver.Unanswered, At: beijing("2017-06-01 10:00:10")},
			},
			nil,
		},
		{
			"Tencent SMS state", "tencent", "sms",
			`[{"user_receive_time":"2015-10-17 08:03:04","nationcode":"86","mobile":"13xxxxxxxxx","report_status":"SUCCESS","errmsg":"DELIVRD","description":"用户短信送达成功","sid":"s1"},
			  {"user_receive_time":"2015-10-17 08:03:04","nationcode":"86","mobile":"13xxxxxxxxx","report_status":"FAIL","errmsg":"-106","sid":"s2"}]`,
			`{"result":0,"errmsg":"OK"}`,
			[]deliver.Report{
				{VendorID: "s1", Delivered: true, At: beijing("2015-10-17 08:03:04")},
				{VendorID: "s2", Reason: deliver.Refused, At: beijing("2015-10-17 08:03:04")},
			},
			nil,
		},
		{
			"Tencent SMS reply", "tencent", "sms",
			`{"extend":"扩展码","mobile":"13800138000","nationcode":"86","sign":"短信签名","text":"2 她在女儿家","time":1457336869}`,
			`{"result":0,"errmsg":"OK"}`, nil,
			[]deliver.Reply{{From: "+8613800138000", Text: "2 她在女儿家", At: time.Unix(1457336869, 0)}},
		},
		{
			"Tencent call: listened", "tencent", "voice",
			`{"voiceprompt_callback":{"result":"0","accept_time":"1470197211","call_from":"","callid":"c1","end_calltime":"1470197221","fee":"1","mobile":"13xxxxxxxxx","nationcode":"86","start_calltime":"1470197196"}}`,
			`{"result":0,"errmsg":"OK"}`,
			[]deliver.Report{{VendorID: "c1", Delivered: true, At: time.Unix(1470197221, 0)}},
			nil,
		},
		{
			"Tencent call: no such number", "tencent", "voice",
			`{"voice_failure_callback":{"call_from":"075583763333","callid":"c2","failure_code":8,"failure_reason":"空号","mobile":"13xxxxxxxxx","nationcode":"86"}}`,
			`{"result":0,"errmsg":"OK"}`,
			[]deliver.Report{{VendorID: "c2", Reason: deliver.BadAddress, At: noon}},
			nil,
		},
		{
			"Tencent call: a key", "tencent", "voice",
			`{"voicekey_callback":{"callid":"c3","keypress":"1#","mobile":"13800138000","nationcode":"86"}}`,
			`{"result":0,"errmsg":"OK"}`, nil,
			[]deliver.Reply{{From: "+8613800138000", VendorID: "c3", Key: "1", At: noon}},
		},
		{
			"a gateway of the site's own", "json", "sms",
			`{"reports":[{"id":"1","status":"delivered"},{"id":"2","status":"failed","reason":"bad-address"},{"id":"3","status":"failed","reason":"pigeons"}],
			  "replies":[{"from":"13800138000","id":"1","text":"1","at":"2026-07-12T08:00:00+08:00"}]}`,
			`{}`,
			[]deliver.Report{
				{VendorID: "1", Delivered: true, At: noon}, {VendorID: "2", Reason: deliver.BadAddress, At: noon}, {VendorID: "3", Reason: deliver.Vendor, At: noon},
			},
			[]deliver.Reply{{From: "+8613800138000", VendorID: "1", Text: "1", At: time.Date(2026, 7, 12, 0, 0, 0, 0, time.UTC)}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := &inbox{}
			h, log, _ := callbacks(t, in, tc.gateway)
			w := push(h, "/callbacks/"+tc.path+"/"+pushToken, tc.body)
			if w.Code != http.StatusOK || w.Body.String() != tc.thanks {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
			if !slices.EqualFunc(in.reports, tc.reports, func(a, b deliver.Report) bool {
				return a.VendorID == b.VendorID && a.Delivered == b.Delivered && a.Reason == b.Reason && a.At.Equal(b.At)
			}) {
				t.Errorf("reports %+v\nwant    %+v", in.reports, tc.reports)
			}
			if !slices.EqualFunc(in.replies, tc.replies, func(a, b deliver.Reply) bool {
				return a.From == b.From && a.VendorID == b.VendorID && a.Text == b.Text && a.Key == b.Key && a.At.Equal(b.At)
			}) {
				t.Errorf("replies %+v\nwant    %+v", in.replies, tc.replies)
			}
			if log.Len() > 0 {
				t.Errorf("logged: %s", log)
			}
		})
	}
}

const oneReport = `{"reports":[{"id":"1","status":"delivered"}]}`

func TestWhoDoesNotKnowTheTokenIsNotThere(t *testing.T) {
	in := &inbox{}
	h, _, _ := callbacks(t, in, "json")
	for _, path := range []string{"/callbacks/sms/", "/callbacks/sms/wrong", "/callbacks/sms/" + pushToken + "x", "/callbacks/sms", "/callbacks/pigeon/" + pushToken} {
		if w := push(h, path, oneReport); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/callbacks/sms/"+pushToken, nil))
	if w.Code == http.StatusOK || len(in.reports) > 0 {
		t.Errorf("GET: %d, reports %v", w.Code, in.reports)
	}
	// Without a token there are no such paths, not even with an empty one.
	none := channels.NewCallbacks(channels.CallbackOptions{Inbox: in, SMS: "json", Log: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry()})
	if w := push(none, "/callbacks/sms/", oneReport); w.Code != http.StatusNotFound {
		t.Errorf("without a token: %d", w.Code)
	}
}

func TestWhatIsNotOfTheVendorsFormIsRefusedAndNotLogged(t *testing.T) {
	for _, gateway := range channels.GatewayKinds {
		for _, path := range []string{"sms", "voice"} {
			in := &inbox{}
			h, log, _ := callbacks(t, in, gateway)
			for _, body := range []string{"", "13800138000", `{"phone":"13800138000"}`, `[{"phone_number":"13800138000"}]`, `[null`, strings.Repeat("[", 1000)} {
				if w := push(h, "/callbacks/"+path+"/"+pushToken, body); w.Code != http.StatusBadRequest {
					t.Errorf("%s %s %.30q: %d", gateway, path, body, w.Code)
				}
			}
			if strings.Contains(log.String(), "13800138000") || strings.Contains(log.String(), pushToken) {
				t.Errorf("logged: %s", log)
			}
			if w := push(h, "/callbacks/"+path+"/"+pushToken, strings.Repeat("x", 2<<20)); w.Code != http.StatusRequestEntityTooLarge {
				t.Errorf("%s %s: two megabytes: %d", gateway, path, w.Code)
			}
			if len(in.reports)+len(in.replies) > 0 {
				t.Errorf("%s %s: taken: %+v %+v", gateway, path, in.reports, in.replies)
			}
		}
	}
}

// A store that is away makes the vendor push again; a message of somebody else
// does not.
func TestWhatCannotBeStoredIsAskedForAgain(t *testing.T) {
	in := &inbox{err: errors.New("store is away")}
	h, _, _ := callbacks(t, in, "json")
	if w := push(h, "/callbacks/sms/"+pushToken, oneReport); w.Code != http.StatusServiceUnavailable {
		t.Errorf("answered %d", w.Code)
	}
	in = &inbox{known: []string{"7"}}
	h, _, reg := callbacks(t, in, "json")
	if w := push(h, "/callbacks/sms/"+pushToken, `{"reports":[{"id":"not-ours","status":"failed"},{"id":"7","status":"delivered"}]}`); w.Code != http.StatusOK || len(in.reports) != 1 {
		t.Errorf("answered %d, reports %v", w.Code, in.reports)
	}
	want := `
# HELP weimang_vendor_callbacks_total What vendors have sent back, by channel and what: delivered, failed, reply, unknown (not our message) or refused (wrong token, signature or form)
# TYPE weimang_vendor_callbacks_total counter
weimang_vendor_callbacks_total{channel="sms",what="delivered"} 1
weimang_vendor_callbacks_total{channel="sms",what="failed"} 0
weimang_vendor_callbacks_total{channel="sms",what="refused"} 0
weimang_vendor_callbacks_total{channel="sms",what="reply"} 0
weimang_vendor_callbacks_total{channel="sms",what="unknown"} 1
weimang_vendor_callbacks_total{channel="voice",what="delivered"} 0
weimang_vendor_callbacks_total{channel="voice",what="failed"} 0
weimang_vendor_callbacks_total{channel="voice",what="refused"} 0
weimang_vendor_callbacks_total{channel="voice",what="reply"} 0
weimang_vendor_callbacks_total{channel="voice",what="unknown"} 0
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}

const (
	corp     = "ww1"
	wxToken  = "wecom-token"
	wxAESKey = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
)

// sealed is a text as WeCom posts it, and the query that goes with it.
func sealed(t *testing.T, text string, at time.Time) (query, encrypted string) {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(wxAESKey + "=")
	if err != nil {
		t.Fatal(err)
	}
	plain := binary.BigEndian.AppendUint32([]byte("0123456789abcdef"), uint32(len(text)))
	plain = append(append(plain, text...), corp...)
	pad := 32 - len(plain)%32
	plain = append(plain, bytes.Repeat([]byte{byte(pad)}, pad)...)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	cipher.NewCBCEncrypter(block, key[:16]).CryptBlocks(plain, plain)
	encrypted = base64.StdEncoding.EncodeToString(plain)
	parts := []string{wxToken, fmt.Sprint(at.Unix()), "n1", encrypted}
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	q := url.Values{"msg_signature": {hex.EncodeToString(sum[:])}, "timestamp": {fmt.Sprint(at.Unix())}, "nonce": {"n1"}}
	return q.Encode(), encrypted
}

func TestAButtonOfWeComAnswers(t *testing.T) {
	c, err := channels.NewWeComCallback(corp, wxToken, wxAESKey)
	if err != nil {
		t.Fatal(err)
	}
	in := &inbox{}
	h := channels.NewCallbacks(channels.CallbackOptions{
		Inbox: in, WeCom: c, Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	send := func(event string, at time.Time) int {
		query, encrypted := sealed(t, event, at)
		return push(h, "/callbacks/wecom-app?"+query, "<xml><ToUserName><![CDATA[ww1]]></ToUserName><Encrypt><![CDATA["+encrypted+"]]></Encrypt></xml>").Code
	}
	button := `<xml><ToUserName><![CDATA[ww1]]></ToUserName><FromUserName><![CDATA[wang]]></FromUserName><CreateTime>1783828800</CreateTime><MsgType><![CDATA[event]]></MsgType>` +
		`<Event><![CDATA[template_card_event]]></Event><EventKey><![CDATA[2]]></EventKey><TaskId><![CDATA[task-1]]></TaskId><CardType><![CDATA[button_interaction]]></CardType><ResponseCode><![CDATA[r]]></ResponseCode><AgentID>1000002</AgentID></xml>`
	if code := send(button, noon); code != http.StatusOK {
		t.Errorf("button: %d", code)
	}
	if code := send(`<xml><FromUserName>wang</FromUserName><CreateTime>1783828800</CreateTime><MsgType>text</MsgType><Content>她在家</Content></xml>`, noon); code != http.StatusOK {
		t.Errorf("text: %d", code)
	}
	if code := send(`<xml><FromUserName>wang</FromUserName><MsgType>event</MsgType><Event>enter_agent</Event></xml>`, noon); code != http.StatusOK {
		t.Errorf("something else: %d", code)
	}
	at := time.Unix(1783828800, 0)
	want := []deliver.Reply{{From: "wang", VendorID: "task-1", Key: "2", At: at}, {From: "wang", Text: "她在家", At: at}}
	if !slices.Equal(in.replies, want) {
		t.Errorf("replies %+v", in.replies)
	}
	// Played again later, it answers nothing.
	if code := send(button, noon.Add(-11*time.Minute)); code != http.StatusBadRequest || len(in.replies) != 2 {
		t.Errorf("old: %d, %d replies", code, len(in.replies))
	}
	// When the address is saved, the vendor wants an echo.
	query, encrypted := sealed(t, "4711", noon)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/callbacks/wecom-app?"+query+"&echostr="+url.QueryEscape(encrypted), nil))
	if w.Code != http.StatusOK || w.Body.String() != "4711" {
		t.Errorf("echo: %d %q", w.Code, w.Body)
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/callbacks/wecom-app?echostr="+url.QueryEscape(encrypted), nil))
	if w.Code != http.StatusBadRequest {
		t.Errorf("echo without a signature: %d", w.Code)
	}
}
