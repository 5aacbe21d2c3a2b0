package channels

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"weimang/alerts"
	"weimang/alerts/deliver"
)

// tencentCodes are those of sms and vms, and of the gateway before them.
// https://cloud.tencent.com/document/api/382/38780 and /382/59177 (SMS),
// https://cloud.tencent.com/document/api/1128/51558 (voice)
var tencentCodes = codes{
	"AuthFailure.":                                             {deliver.Auth, false, 0, "the key or the signature is not accepted"},
	"AuthFailure.SignatureExpire":                              {deliver.Auth, false, 0, "our clock is more than 5 minutes off"},
	"FailedOperation":                                          {deliver.Vendor, true, 0, "the vendor failed"},
	"FailedOperation.":                                         {deliver.Format, false, 0, "the request is refused"},
	"FailedOperation.ContainSensitiveWord":                     {deliver.Refused, false, 0, "a word is not allowed"},
	"FailedOperation.InsufficientBalanceInSmsPackage":          {deliver.Account, false, 0, "the package is used up"},
	"FailedOperation.PhoneNumberInBlacklist":                   {deliver.Refused, false, 0, "the number wants no messages"},
	"FailedOperation.SignatureIncorrectOrUnapproved":           {deliver.Format, false, 0, "the signature (签名) is not approved"},
	"FailedOperation.TemplateIncorrectOrUnapproved":            {deliver.Format, false, 0, "the template is not approved"},
	"FailedOperation.TemplateParamSetNotMatchApprovedTemplate": {deliver.Format, false, 0, "the variables do not fit the template"},
	"FailedOperation.TemplateUnapprovedOrNotExist":             {deliver.Format, false, 0, "the template is not approved"},
	"InternalError":                                            {deliver.Vendor, true, 0, "the vendor failed"},
	"InternalError.":                                           {deliver.Vendor, true, 0, "the vendor failed"},
	"InvalidParameter":                                         {deliver.Format, false, 0, "a parameter is not valid"},
	"InvalidParameter.":                                        {deliver.Format, false, 0, "a parameter is not valid"},
	"InvalidParameterValue":                                    {deliver.Format, false, 0, "a parameter is not valid"},
	"InvalidParameterValue.":                                   {deliver.Format, false, 0, "a parameter is not valid"},
	"InvalidParameterValue.CalledNumberVerifyFail":             {deliver.BadAddress, false, 0, "not a number that can be reached"},
	"InvalidParameterValue.IncorrectPhoneNumber":               {deliver.BadAddress, false, 0, "not a number that can be reached"},
	"InvalidParameterValue.TemplateParameterLengthLimit":       {deliver.Format, false, 0, "a variable is too long"},
	"LimitExceeded":                                            {deliver.Throttled, true, minute, "too many messages"},
	"LimitExceeded.":                                           {deliver.Throttled, true, minute, "too many messages"},
	"LimitExceeded.AppDailyLimit":                              {deliver.Throttled, false, 0, "the account's limit of a day is reached"},
	"LimitExceeded.DailyLimit":                                 {deliver.Throttled, false, 0, "the account's limit of a day is reached"},
	"LimitExceeded.PhoneNumberDailyLimit":                      {deliver.Throttled, false, 0, "this number's limit of a day is reached; raise it in the console"},
	"LimitExceeded.PhoneNumberOneHourLimit":                    {deliver.Throttled, true, time.Hour, "this number's limit of an hour is reached"},
	"LimitExceeded.PhoneNumberSameContentDailyLimit":           {deliver.Throttled, false, 0, "the same words too often in a day"},
	"LimitExceeded.PhoneNumberThirtySecondLimit":               {deliver.Throttled, true, 30 * time.Second, "this number's limit of 30 seconds is reached"},
	"MissingParameter":                                         {deliver.Format, false, 0, "a parameter is missing"},
	"RequestLimitExceeded":                                     {deliver.Throttled, true, 0, "too many requests"},
	"RequestLimitExceeded.":                                    {deliver.Throttled, true, 0, "too many requests"},
	"ResourceInsufficient.":                                    {deliver.Account, false, 0, "the package is used up"},
	"UnauthorizedOperation":                                    {deliver.Auth, false, 0, "the key may not do this"},
	"UnauthorizedOperation.":                                   {deliver.Auth, false, 0, "the key may not do this"},
	"UnauthorizedOperation.ServiceSuspendDueToArrears":         {deliver.Account, false, 0, "the service is stopped for want of money"},
	"UnsupportedOperation":                                     {deliver.Refused, false, 0, "the vendor does not do this"},
	"UnsupportedOperation.":                                    {deliver.Refused, false, 0, "the vendor does not do this"},
}

// Tencent is SMS or voice of Tencent Cloud (腾讯云短信, 语音消息). A person's
// address is her phone number. It takes no idempotency key: an attempt whose
// answer was lost may be heard twice.
type Tencent struct {
	opts    PhoneOptions
	call    *caller
	service string // sms or vms, in host and signature
}

// NewTencentSMS makes a channel of SMS.
// https://cloud.tencent.com/document/api/382/55981
func NewTencentSMS(o PhoneOptions) (*Tencent, error) {
	if o.SignName == "" {
		return nil, errors.New("tencent needs the approved signature (签名) of its SMS")
	}
	return newTencent(o, "tencent sms", "sms")
}

// NewTencentVoice makes a channel of calls that read a text.
// https://cloud.tencent.com/document/api/1128/51558
func NewTencentVoice(o PhoneOptions) (*Tencent, error) {
	return newTencent(o, "tencent voice", "vms")
}

func newTencent(o PhoneOptions, vendor, service string) (*Tencent, error) {
	if o.KeyID == "" || o.KeySecret == "" || o.AppID == "" {
		return nil, errors.New("tencent needs a key id, its secret and the app id")
	}
	if o.Region == "" {
		o.Region = "ap-guangzhou"
	}
	call, err := o.HTTP.caller(vendor, "https://"+service+".tencentcloudapi.com")
	return &Tencent{opts: o, call: call, service: service}, err
}

// Send implements deliver.Channel.
func (s *Tencent) Send(ctx context.Context, m alerts.Message) (deliver.Receipt, error) {
	code, number, err := s.opts.short(s.call.vendor, m)
	if err != nil {
		return deliver.Receipt{}, err
	}
	action, version, body := "SendSms", "2021-01-11", map[string]any{
		"PhoneNumberSet": []string{E164(number)}, "SmsSdkAppId": s.opts.AppID, "SignName": s.opts.SignName,
		"TemplateId": code, "TemplateParamSet": texts(m.Short.Params), "SessionContext": ref(m),
	}
	if s.service == "vms" {
		action, version, body = "SendTtsVoice", "2020-09-02", map[string]any{
			"CalledNumber": E164(number), "VoiceSdkAppid": s.opts.AppID, "TemplateId": code,
			"TemplateParamSet": texts(m.Short.Params), "PlayTimes": s.opts.playTimes(), "SessionContext": ref(m),
		}
	}
	req, err := s.request(ctx, action, version, body)
	if err != nil {
		return deliver.Receipt{}, err
	}
	a, err := s.call.do(req)
	if err != nil {
		return deliver.Receipt{}, err
	}
	return s.receipt(a)
}

// receipt reads an answer: an error of the whole request, or the state of the
// one number that was asked for.
func (s *Tencent) receipt(a *answer) (deliver.Receipt, error) {
	var got struct {
		Response struct {
			Error         *struct{ Code string }
			SendStatusSet []struct{ SerialNo, Code string }
			SendStatus    *struct{ CallID string }
		}
	}
	if err := s.call.decode(a, &got); err != nil {
		return deliver.Receipt{}, err
	}
	r := got.Response
	switch {
	case r.Error != nil:
		return deliver.Receipt{}, tencentCodes.failure(s.call.vendor, r.Error.Code)
	case r.SendStatus != nil && r.SendStatus.CallID != "":
		return deliver.Receipt{VendorID: r.SendStatus.CallID}, nil
	case len(r.SendStatusSet) == 1 && r.SendStatusSet[0].Code == "Ok":
		return deliver.Receipt{VendorID: r.SendStatusSet[0].SerialNo}, nil
	case len(r.SendStatusSet) == 1 && r.SendStatusSet[0].Code != "":
		return deliver.Receipt{}, tencentCodes.failure(s.call.vendor, r.SendStatusSet[0].Code)
	}
	if err := s.call.judge(a); err != nil {
		return deliver.Receipt{}, err
	}
	return deliver.Receipt{}, deliver.Later(deliver.Vendor, "%s answered without a state", s.call.vendor)
}

func (s *Tencent) request(ctx context.Context, action, version string, v any) (*http.Request, error) {
	body, err := encodeJSON(v)
	if err != nil {
		return nil, deliver.Fail(deliver.Format, "encode the message: %w", err)
	}
	req, err := s.call.newPost(ctx, s.call.url("/", nil), body)
	if err != nil {
		return nil, err
	}
	now := s.call.now().Unix()
	req.Header.Set("X-TC-Action", action)
	req.Header.Set("X-TC-Version", version)
	req.Header.Set("X-TC-Region", s.opts.Region)
	req.Header.Set("X-TC-Timestamp", strconv.FormatInt(now, 10))
	req.Header.Set("Authorization", tc3{s.opts.KeyID, s.opts.KeySecret, s.service, req.URL.Host, action}.authorization(now, body))
	return req, nil
}

// tc3 is the signature TC3-HMAC-SHA256 of a request of JSON.
// https://cloud.tencent.com/document/api/382/52072
type tc3 struct{ keyID, keySecret, service, host, action string }

func (t tc3) authorization(unix int64, body []byte) string {
	const signed = "content-type;host;x-tc-action"
	date := time.Unix(unix, 0).UTC().Format(time.DateOnly)
	scope := date + "/" + t.service + "/tc3_request"
	sum := sha256.Sum256(body)
	canonical := "POST\n/\n\ncontent-type:application/json; charset=utf-8\nhost:" + t.host +
		"\nx-tc-action:" + strings.ToLower(t.action) + "\n\n" + signed + "\n" + hex.EncodeToString(sum[:])
	sum = sha256.Sum256([]byte(canonical))
	toSign := "TC3-HMAC-SHA256\n" + strconv.FormatInt(unix, 10) + "\n" + scope + "\n" + hex.EncodeToString(sum[:])
	key := []byte("TC3" + t.keySecret)
	for _, part := range []string{date, t.service, "tc3_request", toSign} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return "TC3-HMAC-SHA256 Credential=" + t.keyID + "/" + scope + ", SignedHeaders=" + signed + ", Signature=" + hex.EncodeToString(key)
}
