package channels

import (
	"cmp"
	"strings"

	"weimang/alerts"
	"weimang/alerts/deliver"
)

// PhoneOptions are those of SMS and voice through a cloud's gateway.
type PhoneOptions struct {
	KeyID, KeySecret string
	// Templates are the vendor's codes of approved templates, by their name in
	// the catalogue: "alert", or "alert.en" for people of another language than
	// Chinese where there is one.
	Templates map[string]string
	SignName  string // SMS: the approved signature, without brackets
	AppID     string // Tencent: the SDK app id
	Region    string // Tencent; "" is ap-guangzhou
	From      string // Aliyun voice: the number that is shown; "" is the vendor's
	PlayTimes int    // voice: how often the text is read, 1 to 3; 0 is 2
	HTTP      HTTP
}

// playTimes is how often a text is read: old ears may want it twice.
func (o PhoneOptions) playTimes() int {
	if o.PlayTimes == 0 {
		return 2
	}
	return o.PlayTimes
}

// short is what a phone gets of a message: the template's code and the number,
// digits with a plus where the country is named.
func (o PhoneOptions) short(vendor string, m alerts.Message) (code, number string, err error) {
	if m.Short == nil {
		return "", "", deliver.Fail(deliver.Format, "%s: the message has no form for phones", vendor)
	}
	if code = o.code(m); code == "" {
		return "", "", deliver.Fail(deliver.Format, "%s: the configuration names no template for %s", vendor, plainCode(m.Short.Template))
	}
	if number = phoneNumber(m.Address); number == "" {
		return "", "", deliver.Fail(deliver.BadAddress, "%s: the address is not a phone number", vendor)
	}
	return code, number, nil
}

func (o PhoneOptions) code(m alerts.Message) string {
	return cmp.Or(o.Templates[m.Short.Template+"."+string(m.Lang)], o.Templates[m.Short.Template])
}

// phoneNumber is a number without spaces and hyphens, "" when it is none.
func phoneNumber(s string) string {
	s = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", "\u00a0", "").Replace(s)
	digits := strings.TrimPrefix(s, "+")
	if len(digits) < 5 || len(digits) > 20 || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	return s
}

// E164 is a phone number as people and vendors write it in the one form that can
// be compared: +8613800138000. Without a country it is one of mainland China.
// "" is no phone number.
func E164(s string) string {
	number := phoneNumber(s)
	if number == "" || strings.HasPrefix(number, "+") {
		return number
	}
	if rest, ok := strings.CutPrefix(number, "00"); ok {
		return "+" + rest
	}
	return "+86" + strings.TrimPrefix(number, "0")
}

// national is a number as it is dialled on the mainland, one of elsewhere with
// its country's digits.
func national(s string) string {
	whole := E164(s)
	rest, here := strings.CutPrefix(whole, "+86")
	switch {
	case !here:
		return strings.TrimPrefix(whole, "+")
	case len(rest) == 11 && rest[0] == '1':
		return rest // a mobile
	}
	return "0" + rest
}

// texts are the values of a template's variables, in order.
func texts(params []alerts.Param) []string {
	out := make([]string, len(params))
	for i, p := range params {
		out[i] = tidy(p.Value)
	}
	return out
}
