package roster

import (
	"regexp"
	"slices"
	"strings"
)

// Telephones are the channels whose addresses are telephone numbers.
var Telephones = []string{"sms", "voice"}

// Telephone reports whether a channel's addresses are telephone numbers.
func Telephone(channel string) bool { return slices.Contains(Telephones, channel) }

// CleanNumber takes what people write into a telephone number for the eye out
// of it: spaces, hyphens, brackets, and the country code of China. What has a
// plus and another country's code keeps both.
func CleanNumber(s string) string {
	s = strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '(', ')', '.', '\u00a0', '\u3000', '—', '–', '/':
			return -1
		default:
			return r
		}
	}, s)
	rest, country := strings.CutPrefix(s, "+86")
	if !country {
		rest, country = strings.CutPrefix(s, "0086")
	}
	if !country && len(s) == 13 {
		rest, country = strings.CutPrefix(s, "86")
	}
	if !country {
		return s
	}
	if rest != "" && rest[0] != '0' && rest[0] != '1' {
		rest = "0" + rest // +86 574 … is 0574 … at home
	}
	return rest
}

// Numbers after China's numbering plan (YD/T 1056 and what MIIT has assigned
// since): mobile numbers, area codes with seven or eight digits, services.
// https://www.itu.int/oth/T020200002B/en
var (
	mobile   = regexp.MustCompile(`^1[3-9]\d{9}$`)
	landline = regexp.MustCompile(`^0(10|2\d|[3-9]\d{2})[2-9]\d{6,7}$`)
	service  = regexp.MustCompile(`^(400|800)\d{7}$`)
	foreign  = regexp.MustCompile(`^\+\d{8,15}$`)
	local    = regexp.MustCompile(`^[2-9]\d{6,7}$`)
)

// NumberFault says why a number, as CleanNumber leaves it, reaches nobody. ""
// is a number that can exist; whether it does, only a call shows.
func NumberFault(number string) Rule {
	switch {
	case mobile.MatchString(number), landline.MatchString(number), service.MatchString(number), foreign.MatchString(number):
		return ""
	case local.MatchString(number):
		return NumberWithoutAreaCode
	default:
		return NumberImpossible
	}
}

// idCard is a Chinese citizen's number (GB 11643).
var idCard = regexp.MustCompile(`^\d{17}[\dXx]$`)

// ChannelOf is the channel over which a telephone is reached: a landline takes
// no SMS.
func ChannelOf(number string) string {
	if number = CleanNumber(number); landline.MatchString(number) || service.MatchString(number) || local.MatchString(number) {
		return "voice"
	}
	return "sms"
}

// PersonalID reports whether an id says who somebody is: a telephone number,
// or the number of an identity card. Ids go into the stream and into logs.
func PersonalID(id string) bool { return mobile.MatchString(id) || idCard.MatchString(id) }
