package channels

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"weimang/alerts/deliver"
)

// beijing is the zone of both clouds' times.
var beijing = time.FixedZone("UTC+8", 8*3600)

// vendorTime reads a time of theirs; one that is missing or broken is now.
func vendorTime(s string, now time.Time) time.Time {
	if t, err := time.ParseInLocation(time.DateTime, s, beijing); err == nil {
		return t
	}
	return now
}

// loose is a string, or a number where vendors are not of one mind.
type loose string

// UnmarshalJSON implements json.Unmarshaler.
func (l *loose) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var s string
		err := json.Unmarshal(b, &s)
		*l = loose(s)
		return err
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	*l = loose(n)
	return nil
}

// list reads an array, or one object as an array of one.
func list[T any](body []byte) (out []T, err error) {
	body = bytes.TrimSpace(body)
	if len(body) > 0 && body[0] == '{' {
		body = slices.Concat([]byte{'['}, body, []byte{']'})
	}
	return out, json.Unmarshal(body, &out)
}

// aliyunReceipts are what carriers say of an SMS, MOBLLE as the vendor has it.
// https://help.aliyun.com/document_detail/101347.html
var aliyunReceipts = map[string]deliver.Reason{
	"CONTENT_ERROR": deliver.Refused, "CONTENT_KEYWORD": deliver.Refused, "INVALID_NUMBER": deliver.BadAddress,
	"MOBILE_ACCOUNT_ABNORMAL": deliver.BadAddress, "MOBILE_IN_BLACK": deliver.Refused, "MOBILE_NOT_ON_SERVICE": deliver.Unanswered,
	"MOBILE_SEND_LIMIT": deliver.Throttled, "MOBLLE_TERMINAL_ERROR": deliver.Unanswered, "PARAMS_ILLEGAL": deliver.Format,
	"REQUEST_SUCCESS": deliver.Unanswered, "SIGNATURE_BLACKLIST": deliver.Refused, "USER_REJECT": deliver.Refused,
}

// parseAliyunSMS reads SmsReport and SmsUp.
// https://help.aliyun.com/zh/sms/developer-reference/smsreport-2 and smsup-http
func parseAliyunSMS(body []byte, now time.Time) (p pushed, err error) {
	all, err := list[struct {
		Phone      string `json:"phone_number"`
		SendTime   string `json:"send_time"`
		ReportTime string `json:"report_time"`
		Success    *bool  `json:"success"`
		ErrCode    string `json:"err_code"`
		BizID      string `json:"biz_id"`
		Content    string `json:"content"`
	}](body)
	if err != nil {
		return p, err
	}
	for _, e := range all {
		switch {
		case e.Success != nil && e.BizID != "":
			r := deliver.Report{VendorID: e.BizID, Delivered: *e.Success, At: vendorTime(e.ReportTime, now)}
			if !r.Delivered {
				r.Reason = reasonOr(aliyunReceipts, e.ErrCode)
			}
			p.reports = append(p.reports, r)
		case e.Content != "" && e.Phone != "":
			p.replies = append(p.replies, deliver.Reply{From: from("", loose(e.Phone)), Text: e.Content, At: vendorTime(e.SendTime, now)})
		default:
			return pushed{}, errors.New("neither a report nor an SMS")
		}
	}
	return p, nil
}

func reasonOr(known map[string]deliver.Reason, code string) deliver.Reason {
	if r, ok := known[code]; ok {
		return r
	}
	return deliver.Vendor
}

// aliyunCalls are what became of a call; "" is that somebody listened.
// https://help.aliyun.com/document_detail/55085.html and 112804.html
var aliyunCalls = map[string]deliver.Reason{
	"200000": "", "200001": "", "200008": "", // heard, hung up early, pressed no key
	"200002": deliver.Unanswered, "200003": deliver.Unanswered, "200005": deliver.Unanswered, "200007": deliver.Unanswered,
	"200010": deliver.Unanswered, "200004": deliver.BadAddress, "200011": deliver.BadAddress, "482": deliver.BadAddress, "476": deliver.Auth,
	"200012": deliver.Refused, "200104": deliver.Auth, "200105": deliver.Refused, "200117": deliver.Auth, "200118": deliver.Refused,
	"200119": deliver.Throttled, "200121": deliver.Throttled, "200006": deliver.Format,
}

// aliyunUnderWay are states of a call that has not ended.
var aliyunUnderWay = map[string]bool{"200100": true, "200101": true, "200102": true, "200103": true, "200201": true}

// aliyunKey is the state that brings a pressed key.
const aliyunKey = "300000"

// parseAliyunVoice reads VoiceReport and VoiceCallReport.
// https://help.aliyun.com/zh/vms/voicereport-7
func parseAliyunVoice(body []byte, now time.Time) (p pushed, err error) {
	all, err := list[struct {
		CallID     string `json:"call_id"`
		Callee     string `json:"callee"`
		StatusCode loose  `json:"status_code"`
		StatusTime string `json:"status_time"`
		EndTime    string `json:"end_time"`
		DTMF       loose  `json:"dtmf"`
	}](body)
	if err != nil {
		return p, err
	}
	for _, e := range all {
		if e.CallID == "" || e.StatusCode == "" {
			return pushed{}, errors.New("not a report of a call")
		}
		code := string(e.StatusCode)
		if key := firstKey(string(e.DTMF)); key != "" {
			p.replies = append(p.replies, deliver.Reply{From: from("", loose(e.Callee)), VendorID: e.CallID, Key: key, At: vendorTime(e.StatusTime+e.EndTime, now)})
		}
		if aliyunUnderWay[code] || code == aliyunKey {
			continue
		}
		reason := reasonOr(aliyunCalls, code)
		p.reports = append(p.reports, deliver.Report{VendorID: e.CallID, Delivered: reason == "", Reason: reason, At: vendorTime(e.EndTime, now)})
	}
	return p, nil
}

// firstKey is the first of the keys that were pressed; who corrects herself is
// asked again by what follows from it.
func firstKey(keys string) string {
	keys = strings.Trim(keys, "#* ")
	if keys == "" {
		return ""
	}
	return keys[:1]
}

// tencentReceipts are what carriers say of an SMS, as far as the carriers agree.
// https://cloud.tencent.com/document/product/382/59177
var tencentReceipts = map[string]deliver.Reason{
	"-106": deliver.Refused, "002": deliver.Unanswered,
	"EXPIRED": deliver.Unanswered, "REJECTD": deliver.Refused, "UNDELIV": deliver.Unanswered,
}

// parseTencentSMS reads delivery states and replies.
// https://cloud.tencent.com/document/product/382/5807 and /api/382/5809
func parseTencentSMS(body []byte, now time.Time) (p pushed, err error) {
	all, err := list[struct {
		Received string `json:"user_receive_time"`
		Nation   loose  `json:"nationcode"`
		Mobile   loose  `json:"mobile"`
		Status   string `json:"report_status"`
		ErrMsg   string `json:"errmsg"`
		SID      string `json:"sid"`
		Text     string `json:"text"`
		Time     loose  `json:"time"`
	}](body)
	if err != nil {
		return p, err
	}
	for _, e := range all {
		switch {
		case e.SID != "" && (e.Status == "SUCCESS" || e.Status == "FAIL"):
			r := deliver.Report{VendorID: e.SID, Delivered: e.Status == "SUCCESS", At: vendorTime(e.Received, now)}
			if !r.Delivered {
				r.Reason = reasonOr(tencentReceipts, e.ErrMsg)
			}
			p.reports = append(p.reports, r)
		case e.Text != "" && e.Mobile != "":
			p.replies = append(p.replies, deliver.Reply{From: from(e.Nation, e.Mobile), Text: e.Text, At: unixTime(e.Time, now)})
		default:
			return pushed{}, errors.New("neither a state nor a reply")
		}
	}
	return p, nil
}

// from is a number in the one form; what is none stays as it is.
func from(nation, mobile loose) string {
	number := string(mobile)
	if nation != "" {
		number = "+" + string(nation) + number
	}
	return cmp.Or(E164(number), number)
}

func unixTime(s loose, now time.Time) time.Time {
	if n, err := strconv.ParseInt(string(s), 10, 64); err == nil && n > 0 {
		return time.Unix(n, 0)
	}
	return now
}

// tencentCalls are why nobody was reached.
// https://cloud.tencent.com/document/api/1128/37531
var tencentCalls = map[string]deliver.Reason{
	"1": deliver.Unanswered, "2": deliver.Unanswered, "3": deliver.Unanswered, "4": deliver.BadAddress, "5": deliver.Unanswered,
	"6": deliver.Unanswered, "7": deliver.BadAddress, "8": deliver.BadAddress, "9": deliver.Vendor, "10": deliver.Unanswered,
	"12": deliver.Refused, "13": deliver.BadAddress, "15": deliver.BadAddress, "16": deliver.Unanswered, "17": deliver.BadAddress,
	"18": deliver.Unanswered, "19": deliver.Refused, "20": deliver.Unanswered,
}

// parseTencentVoice reads the three kinds of pushes of a call.
// https://cloud.tencent.com/document/product/1128/51534, 51535 and 51536
func parseTencentVoice(body []byte, now time.Time) (p pushed, err error) {
	type call struct {
		CallID  string `json:"callid"`
		Mobile  loose  `json:"mobile"`
		Nation  loose  `json:"nationcode"`
		Result  loose  `json:"result"`
		End     loose  `json:"end_calltime"`
		Failure loose  `json:"failure_code"`
		Key     loose  `json:"keypress"`
	}
	var push struct {
		Prompt  *call `json:"voiceprompt_callback"`
		Key     *call `json:"voicekey_callback"`
		Failure *call `json:"voice_failure_callback"`
	}
	if err := json.Unmarshal(body, &push); err != nil {
		return p, err
	}
	if c := push.Prompt; c != nil && c.CallID != "" {
		reason, ok := map[loose]deliver.Reason{"0": "", "1": deliver.Unanswered, "2": deliver.Vendor}[c.Result]
		if !ok {
			return pushed{}, fmt.Errorf("a call with an unknown result")
		}
		p.reports = append(p.reports, deliver.Report{VendorID: c.CallID, Delivered: reason == "", Reason: reason, At: unixTime(c.End, now)})
	}
	if c := push.Failure; c != nil && c.CallID != "" {
		p.reports = append(p.reports, deliver.Report{VendorID: c.CallID, Reason: reasonOr(tencentCalls, string(c.Failure)), At: now})
	}
	if c := push.Key; c != nil && c.CallID != "" {
		if key := firstKey(string(c.Key)); key != "" {
			p.replies = append(p.replies, deliver.Reply{From: from(c.Nation, c.Mobile), VendorID: c.CallID, Key: key, At: now})
		}
	}
	if push.Prompt == nil && push.Failure == nil && push.Key == nil {
		return pushed{}, errors.New("not a push of a call")
	}
	return p, nil
}

// parseGateway reads what a gateway of the site's own pushes:
//
//	{"reports": [{"id": "...", "status": "delivered"}, {"id": "...", "status": "failed", "reason": "bad-address"}],
//	 "replies": [{"from": "...", "id": "...", "text": "1", "key": "1", "at": "2026-07-12T08:00:00+08:00"}]}
func parseGateway(body []byte, now time.Time) (p pushed, err error) {
	var push struct {
		Reports []struct {
			ID     string         `json:"id"`
			Status string         `json:"status"`
			Reason deliver.Reason `json:"reason"`
			At     time.Time      `json:"at"`
		} `json:"reports"`
		Replies []struct {
			From string    `json:"from"`
			ID   string    `json:"id"`
			Text string    `json:"text"`
			Key  string    `json:"key"`
			At   time.Time `json:"at"`
		} `json:"replies"`
	}
	if err := json.Unmarshal(body, &push); err != nil {
		return p, err
	}
	or := func(at time.Time) time.Time {
		if at.IsZero() {
			return now
		}
		return at
	}
	for _, r := range push.Reports {
		if r.ID == "" || (r.Status != "delivered" && r.Status != "failed") {
			return pushed{}, errors.New("a report without id, or with an unknown status")
		}
		report := deliver.Report{VendorID: r.ID, Delivered: r.Status == "delivered", At: or(r.At)}
		if !report.Delivered {
			report.Reason = deliver.Vendor
			if slices.Contains(deliver.Reasons, r.Reason) {
				report.Reason = r.Reason
			}
		}
		p.reports = append(p.reports, report)
	}
	for _, r := range push.Replies {
		if r.From == "" || r.Text == "" && r.Key == "" {
			return pushed{}, errors.New("a reply without sender or words")
		}
		p.replies = append(p.replies, deliver.Reply{From: from("", loose(r.From)), VendorID: r.ID, Text: r.Text, Key: r.Key, At: or(r.At)})
	}
	if len(p.reports)+len(p.replies) == 0 {
		return pushed{}, errors.New("says nothing")
	}
	return p, nil
}
