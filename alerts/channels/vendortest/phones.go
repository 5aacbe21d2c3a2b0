package vendortest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// PhoneOptions are the account that a server knows.
type PhoneOptions struct {
	KeyID, KeySecret string
	SignName         string
	AppID            string            // Tencent
	Templates        map[string]string // text by code, with ${name} or {1}
	Voice            bool              // calls instead of SMS
	NoMoney          bool
}

// isMobile reports whether a number is a mobile one of the mainland.
func isMobile(n string) bool {
	return len(n) == 11 && n[0] == '1' && strings.Trim(n, "0123456789") == ""
}

// Aliyun is dysmsapi or dyvmsapi.aliyuncs.com.
type Aliyun struct {
	vendor
	opts   PhoneOptions
	nonces map[string]bool
}

// NewAliyun makes a server; now is its clock, nil for time.Now.
func NewAliyun(o PhoneOptions, now func() time.Time) *Aliyun {
	a := &Aliyun{vendor: newVendor(now), opts: o, nonces: make(map[string]bool)}
	a.judge = a.call
	return a
}

func aliyunError(status int, code, msg string) (int, string) {
	return status, fmt.Sprintf(`{"Code":%q,"Message":%q,"RequestId":"R"}`, code, msg)
}

func (a *Aliyun) call(r *http.Request, body []byte) (int, string) {
	if status, answer := a.authorize(r, body); status != 0 {
		return status, answer
	}
	if r.Header.Get("x-acs-version") != "2017-05-25" {
		return aliyunError(http.StatusBadRequest, "InvalidVersion", "Specified parameter Version is not valid.")
	}
	q := r.URL.Query()
	switch action := r.Header.Get("x-acs-action"); {
	case action == "SendSms" && !a.opts.Voice:
		return a.sms(q)
	case action == "SingleCallByTts" && a.opts.Voice:
		return a.voice(q)
	}
	return aliyunError(http.StatusNotFound, "InvalidAction.NotFound", "Specified api is not found.")
}

// authorize checks clock, repeats and the signature ACS3-HMAC-SHA256.
func (a *Aliyun) authorize(r *http.Request, body []byte) (int, string) {
	at, err := time.Parse(time.RFC3339, r.Header.Get("x-acs-date"))
	if err != nil || a.now().Sub(at).Abs() > 15*time.Minute {
		return aliyunError(http.StatusBadRequest, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
	}
	nonce := r.Header.Get("x-acs-signature-nonce")
	if nonce == "" || a.nonces[nonce] {
		return aliyunError(http.StatusBadRequest, "SignatureNonceUsed", "Specified signature nonce was used already.")
	}
	a.nonces[nonce] = true
	parts := map[string]string{}
	algorithm, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	for part := range strings.SplitSeq(rest, ",") {
		k, v, _ := strings.Cut(part, "=")
		parts[k] = v
	}
	if algorithm != "ACS3-HMAC-SHA256" || parts["Credential"] != a.opts.KeyID {
		return aliyunError(http.StatusNotFound, "InvalidAccessKeyId.NotFound", "Specified access key is not found: "+parts["Credential"])
	}
	names := strings.Split(parts["SignedHeaders"], ";")
	lines := []string{r.Method, r.URL.Path, rfc3986(r.URL.Query())}
	for _, name := range names {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		lines = append(lines, name+":"+value)
	}
	lines = append(lines, "", strings.Join(names, ";"), hash(body))
	want := hex.EncodeToString(mac([]byte(a.opts.KeySecret), "ACS3-HMAC-SHA256\n"+hash([]byte(strings.Join(lines, "\n")))))
	if parts["Signature"] != want || r.Header.Get("x-acs-content-sha256") != hash(body) || !sort.StringsAreSorted(names) {
		return aliyunError(http.StatusBadRequest, "SignatureDoesNotMatch", "Specified signature is not matched.")
	}
	return 0, ""
}

// rfc3986 is a query in order of names, encoded.
func rfc3986(q url.Values) string {
	var pairs []string
	for k := range q {
		pairs = append(pairs, strings.ReplaceAll(url.QueryEscape(k), "+", "%20")+"="+strings.ReplaceAll(url.QueryEscape(q.Get(k)), "+", "%20"))
	}
	sort.Strings(pairs)
	return strings.Join(pairs, "&")
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, s string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(s))
	return h.Sum(nil)
}

// fill puts the variables into a template. Notices take up to 35 characters a
// variable.
func (a *Aliyun) fill(template, params string) (text, code string) {
	text, known := a.opts.Templates[template]
	if !known {
		return "", "isv.SMS_TEMPLATE_ILLEGAL"
	}
	var values map[string]string
	if err := json.Unmarshal([]byte(params), &values); err != nil {
		return "", "isv.INVALID_JSON_PARAM"
	}
	for name, value := range values {
		if utf8.RuneCountInString(value) > 35 {
			return "", "isv.PARAM_LENGTH_LIMIT"
		}
		text = strings.ReplaceAll(text, "${"+name+"}", value)
	}
	if strings.Contains(text, "${") {
		return "", "isv.TEMPLATE_MISSING_PARAMETERS"
	}
	return text, ""
}

// sms takes fifty a day for a number, signature and template.
func (a *Aliyun) sms(q url.Values) (int, string) {
	number := strings.TrimPrefix(strings.TrimPrefix(q.Get("PhoneNumbers"), "+86"), "0086")
	if !isMobile(number) {
		return aliyunError(http.StatusOK, "isv.MOBILE_NUMBER_ILLEGAL", number+"invalid mobile number")
	}
	if q.Get("SignName") != a.opts.SignName {
		return aliyunError(http.StatusOK, "isv.SMS_SIGNATURE_ILLEGAL", "the signature is illegal")
	}
	if a.opts.NoMoney {
		return aliyunError(http.StatusOK, "isv.AMOUNT_NOT_ENOUGH", "account balance not enough")
	}
	text, code := a.fill(q.Get("TemplateCode"), q.Get("TemplateParam"))
	if code != "" {
		return aliyunError(http.StatusOK, code, code)
	}
	key := number + "/" + q.Get("TemplateCode")
	if a.within(key, 24*time.Hour) >= 50 {
		return aliyunError(http.StatusOK, "isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:50")
	}
	a.add(key)
	g := a.take(Got{To: number, ID: q.Get("OutId"), Kind: q.Get("TemplateCode"), Text: text})
	return http.StatusOK, fmt.Sprintf(`{"Code":"OK","Message":"OK","RequestId":"R","BizId":%q}`, g.VendorID)
}

// voice takes 1 a minute, 5 an hour and 20 in 24 hours for a number.
func (a *Aliyun) voice(q url.Values) (int, string) {
	number := q.Get("CalledNumber")
	if !isMobile(number) {
		return aliyunError(http.StatusOK, "isv.MOBILE_NUMBER_ILLEGAL", number+"invalid mobile number")
	}
	times, err := strconv.Atoi(q.Get("PlayTimes"))
	if err != nil || times < 1 || times > 3 {
		return aliyunError(http.StatusOK, "isv.INVALID_PARAMETERS", "PlayTimes")
	}
	text, code := a.fill(q.Get("TtsCode"), q.Get("TtsParam"))
	if code != "" {
		return aliyunError(http.StatusOK, strings.Replace(code, "isv.SMS_", "isv.TTS_", 1), code)
	}
	for _, l := range []struct {
		n    int
		per  time.Duration
		text string
	}{{1, time.Minute, "触发分钟级流控Permits:1"}, {5, time.Hour, "触发小时级流控Permits:5"}, {20, 24 * time.Hour, "触发天级流控Permits:20"}} {
		if a.within(number, l.per) >= l.n {
			return aliyunError(http.StatusOK, "isv.BUSINESS_LIMIT_CONTROL", l.text)
		}
	}
	a.add(number)
	g := a.take(Got{To: number, ID: q.Get("OutId"), Kind: q.Get("TtsCode"), Text: text})
	return http.StatusOK, fmt.Sprintf(`{"Code":"OK","Message":"OK","RequestId":"R","CallId":%q}`, g.VendorID)
}

// Tencent is sms or vms.tencentcloudapi.com.
type Tencent struct {
	vendor
	opts PhoneOptions
}

// NewTencent makes a server; now is its clock, nil for time.Now.
func NewTencent(o PhoneOptions, now func() time.Time) *Tencent {
	t := &Tencent{vendor: newVendor(now), opts: o}
	t.judge = t.call
	return t
}

func tencentError(code, msg string) (int, string) {
	return http.StatusOK, fmt.Sprintf(`{"Response":{"Error":{"Code":%q,"Message":%q},"RequestId":"R"}}`, code, msg)
}

func (t *Tencent) call(r *http.Request, body []byte) (int, string) {
	service, action, version := "sms", "SendSms", "2021-01-11"
	if t.opts.Voice {
		service, action, version = "vms", "SendTtsVoice", "2020-09-02"
	}
	if code := t.authorize(r, body, service); code != "" {
		return tencentError(code, code)
	}
	if r.Header.Get("X-TC-Action") != action || r.Header.Get("X-TC-Version") != version || r.Header.Get("X-TC-Region") == "" {
		return tencentError("InvalidAction", "no such action, version or region")
	}
	var m struct {
		PhoneNumberSet, TemplateParamSet                                               []string
		CalledNumber, SmsSdkAppID, VoiceSdkAppid, SignName, TemplateID, SessionContext string
		PlayTimes                                                                      int
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return tencentError("InvalidParameter", "not json")
	}
	if t.opts.Voice {
		m.PhoneNumberSet, m.SmsSdkAppID, m.SignName = []string{m.CalledNumber}, m.VoiceSdkAppid, t.opts.SignName
	}
	if len(m.PhoneNumberSet) != 1 || m.SmsSdkAppID != t.opts.AppID {
		return tencentError("InvalidParameterValue.SdkAppIdNotExist", "no such app")
	}
	number, code := m.PhoneNumberSet[0], ""
	text, known := t.opts.Templates[m.TemplateID]
	for i, value := range m.TemplateParamSet {
		if utf8.RuneCountInString(value) > 12 && !t.opts.Voice {
			code = "InvalidParameterValue.TemplateParameterLengthLimit"
		}
		text = strings.ReplaceAll(text, fmt.Sprintf("{%d}", i+1), value)
	}
	switch {
	case !strings.HasPrefix(number, "+86") || !isMobile(number[3:]):
		code = "InvalidParameterValue.IncorrectPhoneNumber"
	case !known:
		code = "FailedOperation.TemplateIncorrectOrUnapproved"
	case m.SignName != t.opts.SignName:
		code = "FailedOperation.SignatureIncorrectOrUnapproved"
	case t.opts.NoMoney:
		code = "FailedOperation.InsufficientBalanceInSmsPackage"
	case strings.Contains(text, "{"):
		code = "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"
	case code == "":
		code = t.limit(number, text)
	}
	if code != "" {
		return t.state(number, Got{}, code)
	}
	t.add(number)
	t.add(number + text)
	return t.state(number, t.take(Got{To: number, ID: m.SessionContext, Kind: m.TemplateID, Text: text}), "Ok")
}

// limit is the code of the limit that is reached: by default two SMS a day for a
// number and the same words once in 30 s; calls once in 30 s, twice in 10 min
// and five times a day.
func (t *Tencent) limit(number, text string) string {
	day := 24 * time.Hour
	if t.opts.Voice {
		if t.within(number, 30*time.Second) >= 1 || t.within(number, 10*time.Minute) >= 2 || t.within(number, day) >= 5 {
			return "LimitExceeded.DeliveryFrequencyLimit"
		}
		return ""
	}
	switch {
	case t.within(number+text, 30*time.Second) >= 1:
		return "LimitExceeded.PhoneNumberThirtySecondLimit"
	case t.within(number, day) >= 2:
		return "LimitExceeded.PhoneNumberDailyLimit"
	}
	return ""
}

// state answers for one number: in the set for SMS, as an error for a call.
func (t *Tencent) state(number string, g Got, code string) (int, string) {
	if t.opts.Voice {
		if code != "Ok" {
			return tencentError(code, number)
		}
		return http.StatusOK, fmt.Sprintf(`{"Response":{"SendStatus":{"CallId":%q,"SessionContext":%q},"RequestId":"R"}}`, g.VendorID, g.ID)
	}
	return http.StatusOK, fmt.Sprintf(`{"Response":{"SendStatusSet":[{"SerialNo":%q,"PhoneNumber":%q,"Fee":1,"SessionContext":%q,"Code":%q,"Message":%q,"IsoCode":"CN"}],"RequestId":"R"}}`,
		g.VendorID, number, g.ID, code, number+" "+code)
}

// authorize checks the clock and the signature TC3-HMAC-SHA256.
func (t *Tencent) authorize(r *http.Request, body []byte, service string) string {
	stamp := r.Header.Get("X-TC-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || t.now().Sub(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return "AuthFailure.SignatureExpire"
	}
	date := time.Unix(seconds, 0).UTC().Format("2006-01-02")
	scope := date + "/" + service + "/tc3_request"
	canonical := strings.Join([]string{
		"POST", "/", "", "content-type:" + r.Header.Get("Content-Type"), "host:" + r.Host,
		"x-tc-action:" + strings.ToLower(r.Header.Get("X-TC-Action")), "", "content-type;host;x-tc-action", hash(body),
	}, "\n")
	key := mac(mac(mac([]byte("TC3"+t.opts.KeySecret), date), service), "tc3_request")
	want := fmt.Sprintf("TC3-HMAC-SHA256 Credential=%s/%s, SignedHeaders=content-type;host;x-tc-action, Signature=%x",
		t.opts.KeyID, scope, mac(key, "TC3-HMAC-SHA256\n"+stamp+"\n"+scope+"\n"+hash([]byte(canonical))))
	got := r.Header.Get("Authorization")
	switch {
	case !strings.HasPrefix(got, "TC3-HMAC-SHA256 Credential="+t.opts.KeyID+"/"):
		return "AuthFailure.SecretIdNotFound"
	case got != want:
		return "AuthFailure.SignatureFailure"
	}
	return ""
}
