package channels

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"weimang/alerts"
	"weimang/alerts/deliver"
)

// aliyunCodes are those of dysmsapi and dyvmsapi, and of the gateway before them.
// https://help.aliyun.com/document_detail/101346.html (SMS),
// https://help.aliyun.com/document_detail/178344.html (voice)
var aliyunCodes = codes{
	"InternalError":                   {deliver.Vendor, true, 0, "the vendor failed"},
	"InvalidAccessKeyId.":             {deliver.Auth, false, 0, "the key id is not known, or switched off"},
	"InvalidTimeStamp.":               {deliver.Auth, false, 0, "our clock is more than 15 minutes off"},
	"MissingParameter":                {deliver.Format, false, 0, "a parameter is missing"},
	"ServiceUnavailable":              {deliver.Vendor, true, 0, "the vendor is not there"},
	"SignatureDoesNotMatch":           {deliver.Auth, false, 0, "the signature does not fit the key"},
	"SignatureNonceUsed":              {deliver.Vendor, true, 0, "the request came twice"},
	"Throttling":                      {deliver.Throttled, true, 0, "too many requests"},
	"Throttling.":                     {deliver.Throttled, true, 0, "too many requests"},
	"isp.":                            {deliver.Vendor, true, 0, "the vendor failed"},
	"isp.RAM_PERMISSION_DENY":         {deliver.Auth, false, 0, "the key may not do this"},
	"isp.USER_NOT_EXIST":              {deliver.Auth, false, 0, "the key is nobody's"},
	"isv.":                            {deliver.Format, false, 0, "the request is refused"},
	"isv.ACCOUNT_ABNORMAL":            {deliver.Account, false, 0, "the account is locked or in debt"},
	"isv.ACCOUNT_NOT_EXISTS":          {deliver.Account, false, 0, "no such account"},
	"isv.AMOUNT_NOT_ENOUGH":           {deliver.Account, false, 0, "the account is out of money"},
	"isv.BLACK_KEY_CONTROL_LIMIT":     {deliver.Refused, false, 0, "a word is not allowed"},
	"isv.BUSINESS_LIMIT_CONTROL":      {deliver.Throttled, true, minute, "too many messages to this number"},
	"isv.COMPLAINT_REJECT":            {deliver.Refused, false, 0, "blocked after complaints"},
	"isv.DAY_LIMIT_CONTROL":           {deliver.Throttled, false, 0, "the account's limit of a day is reached"},
	"isv.DENY_IP_RANGE":               {deliver.Auth, false, 0, "our network address is outside the mainland"},
	"isv.INVALID_PARAMETERS":          {deliver.Format, false, 0, "a parameter is not valid"},
	"isv.MOBILE_NUMBER_ILLEGAL":       {deliver.BadAddress, false, 0, "not a number that can be reached"},
	"isv.MONTH_LIMIT_CONTROL":         {deliver.Throttled, false, 0, "the account's limit of a month is reached"},
	"isv.OUT_OF_SERVICE":              {deliver.Account, false, 0, "the service is stopped for want of money"},
	"isv.PARAM_LENGTH_LIMIT":          {deliver.Format, false, 0, "a variable is too long"},
	"isv.PRODUCT_UNSUBSCRIBE":         {deliver.Account, false, 0, "the service is not ordered"},
	"isv.PRODUCT_UN_SUBSCRIPT":        {deliver.Account, false, 0, "the service is not ordered"},
	"isv.SECURITY_FROZEN_ACCOUNT":     {deliver.Account, false, 0, "the account is frozen"},
	"isv.SMS_CONTENT_ILLEGAL":         {deliver.Refused, false, 0, "the words are not allowed"},
	"isv.SMS_SIGNATURE_ILLEGAL":       {deliver.Format, false, 0, "the signature (签名) is not approved"},
	"isv.SMS_TEMPLATE_ILLEGAL":        {deliver.Format, false, 0, "the template is not approved"},
	"isv.SMS_SIGN_ILLEGAL":            {deliver.Refused, false, 0, "the signature (签名) is not allowed"},
	"isv.TTS_TEMPLATE_ILLEGAL":        {deliver.Format, false, 0, "the template is not approved"},
	"isv.VOICE_CALL_FAIL":             {deliver.Vendor, true, 0, "the call could not be begun"},
	"isv.TEMPLATE_PARAMS_ILLEGAL":     {deliver.Refused, false, 0, "a variable holds what is not allowed"},
	"isv.DISPLAY_NUMBER_ILLEGAL":      {deliver.Auth, false, 0, "the number to be shown is not ours"},
	"isv.TEMPLATE_MISSING_PARAMETERS": {deliver.Format, false, 0, "a variable is missing"},
}

// Aliyun is SMS or voice of Alibaba Cloud (阿里云短信服务, 语音服务). A person's
// address is her phone number. It takes no idempotency key: an attempt whose
// answer was lost may be heard twice.
type Aliyun struct {
	opts  PhoneOptions
	call  *caller
	voice bool
}

// NewAliyunSMS makes a channel of SMS.
// https://help.aliyun.com/zh/sms/developer-reference/api-dysmsapi-2017-05-25-sendsms
func NewAliyunSMS(o PhoneOptions) (*Aliyun, error) {
	if o.SignName == "" {
		return nil, errors.New("aliyun needs the approved signature (签名) of its SMS")
	}
	return newAliyun(o, "aliyun sms", "https://dysmsapi.aliyuncs.com", false)
}

// NewAliyunVoice makes a channel of calls that read a text.
// https://help.aliyun.com/zh/vms/developer-reference/api-dyvmsapi-2017-05-25-singlecallbytts
func NewAliyunVoice(o PhoneOptions) (*Aliyun, error) {
	return newAliyun(o, "aliyun voice", "https://dyvmsapi.aliyuncs.com", true)
}

func newAliyun(o PhoneOptions, vendor, public string, voice bool) (*Aliyun, error) {
	if o.KeyID == "" || o.KeySecret == "" {
		return nil, errors.New("aliyun needs a key id and its secret")
	}
	call, err := o.HTTP.caller(vendor, public)
	return &Aliyun{opts: o, call: call, voice: voice}, err
}

// Send implements deliver.Channel.
func (s *Aliyun) Send(ctx context.Context, m alerts.Message) (deliver.Receipt, error) {
	code, number, err := s.opts.short(s.call.vendor, m)
	if err != nil {
		return deliver.Receipt{}, err
	}
	params := make(map[string]string, len(m.Short.Params))
	for _, p := range m.Short.Params {
		params[p.Name] = tidy(p.Value)
	}
	values, err := json.Marshal(params)
	if err != nil {
		return deliver.Receipt{}, deliver.Fail(deliver.Format, "encode the variables: %w", err)
	}
	action, query := "SendSms", url.Values{
		"PhoneNumbers": {national(number)}, "SignName": {s.opts.SignName}, "TemplateCode": {code}, "TemplateParam": {string(values)}, "OutId": {ref(m)},
	}
	if s.voice {
		action, query = "SingleCallByTts", url.Values{
			"CalledNumber": {national(number)}, "TtsCode": {code}, "TtsParam": {string(values)},
			"PlayTimes": {strconv.Itoa(s.opts.playTimes())}, "OutId": {ref(m)},
		}
		if s.opts.From != "" {
			query.Set("CalledShowNumber", s.opts.From)
		}
	}
	req, err := s.request(ctx, action, query)
	if err != nil {
		return deliver.Receipt{}, err
	}
	a, err := s.call.do(req)
	if err != nil {
		return deliver.Receipt{}, err
	}
	var got struct{ Code, Message, BizID, CallID string }
	if err := s.call.decode(a, &got); err != nil {
		return deliver.Receipt{}, err
	}
	switch got.Code {
	case "OK":
		return deliver.Receipt{VendorID: got.BizID + got.CallID}, nil
	case "":
		if err := s.call.judge(a); err != nil {
			return deliver.Receipt{}, err
		}
		return deliver.Receipt{}, deliver.Later(deliver.Vendor, "%s answered without Code", s.call.vendor)
	}
	return deliver.Receipt{}, aliyunFailure(s.call.vendor, got.Code, got.Message)
}

// aliyunFailure tells the three kinds of one code apart: only the text says
// which limit was met. Where a day has to pass, somebody else has to be told.
func aliyunFailure(vendor, code, text string) *deliver.Failure {
	f := aliyunCodes.failure(vendor, code)
	if code == "isv.BUSINESS_LIMIT_CONTROL" {
		switch {
		case strings.Contains(text, "天级"):
			f.Retry, f.After = false, 0
		case strings.Contains(text, "小时级"):
			f.After = time.Hour
		}
	}
	return f
}

// request is a call of an RPC interface, signed.
func (s *Aliyun) request(ctx context.Context, action string, query url.Values) (*http.Request, error) {
	raw := acsQuery(query)
	req, err := s.call.newPost(ctx, s.call.url("/", nil)+"?"+raw, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Del("Content-Type")
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails
	h := map[string]string{
		"host": req.URL.Host, "x-acs-action": action, "x-acs-version": "2017-05-25",
		"x-acs-date":            s.call.now().UTC().Format("2006-01-02T15:04:05Z"),
		"x-acs-signature-nonce": hex.EncodeToString(nonce),
	}
	for k, v := range acsHeaders(h, raw, s.opts.KeyID, s.opts.KeySecret) {
		if k != "host" {
			req.Header.Set(k, v)
		}
	}
	return req, nil
}

// acsHeaders are the headers of a request without a body, with the signature
// ACS3-HMAC-SHA256. h is host, x-acs-action, x-acs-version, x-acs-date and
// x-acs-signature-nonce.
// https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature
func acsHeaders(h map[string]string, query, keyID, keySecret string) map[string]string {
	const signed = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
	sum := sha256.Sum256(nil)
	h["x-acs-content-sha256"] = hex.EncodeToString(sum[:])
	var canonical strings.Builder
	canonical.WriteString("POST\n/\n" + query + "\n")
	for name := range strings.SplitSeq(signed, ";") {
		canonical.WriteString(name + ":" + h[name] + "\n")
	}
	canonical.WriteString("\n" + signed + "\n" + h["x-acs-content-sha256"])
	sum = sha256.Sum256([]byte(canonical.String()))
	mac := hmac.New(sha256.New, []byte(keySecret))
	mac.Write([]byte("ACS3-HMAC-SHA256\n" + hex.EncodeToString(sum[:])))
	h["Authorization"] = "ACS3-HMAC-SHA256 Credential=" + keyID + ",SignedHeaders=" + signed + ",Signature=" + hex.EncodeToString(mac.Sum(nil))
	return h
}

// acsQuery is a query in order, encoded as RFC 3986 has it.
func acsQuery(q url.Values) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(q.Encode())
}
