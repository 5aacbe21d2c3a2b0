package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"weimang/ingest"
)

// fields are the members of a JSON record, taken out one by one. Names count
// as written, case included. The first refusal stays; what is asked for after
// it comes back zero.
type fields struct {
	raw    map[string]json.RawMessage
	hasNaN bool // bare NaN or Infinity somewhere, made strings so that their place can be named
	rej    *ingest.Rejection
}

func parseFields(value []byte) *fields {
	f := new(fields)
	if len(bytes.TrimSpace(value)) == 0 {
		return f.reject(ingest.NotJSON, "", "the record is empty")
	}
	if !utf8.Valid(value) {
		return f.reject(ingest.NotJSON, "", "the record is not UTF-8; convert other encodings, such as GBK, before sending")
	}
	err := json.Unmarshal(value, &f.raw)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		if quoted, found := quoteNaN(value); found && json.Unmarshal(quoted, &f.raw) == nil && f.raw != nil {
			f.hasNaN = true
			return f
		}
		return f.reject(ingest.NotJSON, "", "not one JSON object, broken at byte %d; send one object a record, without anything after it", syntax.Offset)
	}
	if err != nil || f.raw == nil {
		return f.reject(ingest.BadField, "", "the record must be a JSON object; send each reading or report as a record of its own")
	}
	return f
}

func (f *fields) reject(reason ingest.Reason, field, format string, args ...any) *fields {
	if f.rej == nil {
		f.rej = ingest.Reject(reason, field, format, args...)
	}
	return f
}

// done is the refusal so far. A bare NaN in a field nobody asked for is
// refused here: the record is not JSON and other readers would choke on it.
func (f *fields) done() *ingest.Rejection {
	if f.rej == nil && f.hasNaN {
		f.reject(ingest.NotANumber, "", "NaN and Infinity are not JSON; write null for a missing value")
	}
	return f.rej
}

// has tells whether a member is there and not null.
func (f *fields) has(name string) bool {
	raw := f.raw[name]
	return len(raw) > 0 && raw[0] != 'n'
}

// text returns a string member, "" when it is absent or null.
func (f *fields) text(name string) string {
	if f.rej != nil || !f.has(name) {
		return ""
	}
	s, ok := unquote(f.raw[name])
	if !ok {
		f.reject(ingest.BadField, name, "must be a string, in quotes")
	}
	return s
}

// time returns a time member in UTC, zero when it is absent or null.
func (f *fields) time(name string) time.Time {
	if f.rej != nil || !f.has(name) {
		return time.Time{}
	}
	const how = "must be RFC 3339 with offset, such as 2026-07-12T14:00:00+08:00 or 2026-07-12T06:00:00Z"
	s, ok := unquote(f.raw[name])
	if !ok {
		f.reject(ingest.BadTime, name, how+", in quotes")
		return time.Time{}
	}
	var t time.Time
	if err := t.UnmarshalText([]byte(s)); err != nil || !strictRFC3339(s) {
		if _, err := time.Parse("2006-01-02T15:04:05", s); err == nil {
			f.reject(ingest.BadTime, name, "has no offset, so it could mean any zone; "+how)
		} else {
			f.reject(ingest.BadTime, name, how)
		}
		return time.Time{}
	}
	f.rej = checkTime(name, t)
	return t.UTC()
}

// strictRFC3339 reports whether a time that package time has read is written
// as RFC 3339 wants it. The package also takes an hour of one digit, a comma
// before the fraction and offsets such as +08:60 and +24:00 (go.dev/issue/54580).
func strictRFC3339(s string) bool {
	const second = len("2006-01-02T15:04:05")
	if len(s) <= second || s[len("2006-01-02T15")] != ':' || s[second] == ',' {
		return false
	}
	if s[len(s)-1] == 'Z' {
		return true
	}
	offset := s[len(s)-len("+08:00"):]
	return offset[1:3] < "24" && offset[4:] < "60"
}

// number returns a numeric member, 0 when it is absent or null.
func (f *fields) number(name string) float64 {
	if f.rej != nil || !f.has(name) {
		return 0
	}
	var v float64
	v, f.rej = parseNumber(f.raw[name], name)
	return v
}

// parseNumber reads a value that is known to be valid JSON.
func parseNumber(raw []byte, field string) (float64, *ingest.Rejection) {
	switch c := raw[0]; {
	case c == '-' || '0' <= c && c <= '9':
		v, err := strconv.ParseFloat(string(raw), 64)
		switch {
		case err != nil && v < 0:
			return 0, ingest.Reject(ingest.Negative, field, "is below zero, and beyond any number a meter can show")
		case err != nil:
			return 0, ingest.Reject(ingest.Absurd, field, "is beyond any number a meter can show")
		}
		return v + 0, nil // -0 becomes 0
	case c == '"':
		// Elements of an array come with what follows them, so find the end.
		if end := bytes.IndexByte(raw[1:], '"'); end >= 0 && isNaNWord(string(raw[1:1+end])) {
			return 0, ingest.Reject(ingest.NotANumber, field, "is NaN or Infinity; write null for a missing value")
		}
		return 0, ingest.Reject(ingest.BadField, field, "must be a number, without quotes; write null for a missing value")
	default:
		return 0, ingest.Reject(ingest.BadField, field, "must be a number; write null for a missing value")
	}
}

// parseNumbers reads an array of numbers and nulls (NaN) that is known to be
// valid JSON. Anything else in it ends the walk, so commas only ever part
// numbers.
func parseNumbers(raw []byte, field string) ([]float64, *ingest.Rejection) {
	const space = " \t\r\n"
	rest := bytes.Trim(raw[1:len(raw)-1], space)
	if len(rest) == 0 {
		return nil, nil
	}
	values := make([]float64, 0, min(bytes.Count(rest, []byte{','})+1, mostValues))
	for more := true; more; {
		var elem []byte
		elem, rest, more = bytes.Cut(rest, []byte{','})
		elem = bytes.Trim(elem, space)
		if len(values) == mostValues {
			return nil, tooManyValues(field, mostValues)
		}
		v := math.NaN()
		if elem[0] != 'n' {
			var rej *ingest.Rejection
			if v, rej = parseNumber(elem, field); rej != nil {
				rej.Field = indexed(field, len(values))
				return nil, rej
			}
		}
		values = append(values, v)
	}
	return values, nil
}

// unquote reads a JSON string that is known to be valid.
func unquote(raw []byte) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), true
	}
	var s string
	return s, json.Unmarshal(raw, &s) == nil
}

// quoteNaN puts quotes around the bare words that Python, C and Java write
// for what is not a number, outside of strings.
func quoteNaN(value []byte) (quoted []byte, found bool) {
	quoted = make([]byte, 0, len(value)+16)
	for i := 0; i < len(value); {
		start := i
		switch c := value[i]; {
		case c == '"':
			i = endOfString(value, i)
			quoted = append(quoted, value[start:i]...)
		case isLetter(c) || (c == '-' || c == '+') && i+1 < len(value) && isLetter(value[i+1]):
			i++
			for i < len(value) && isLetter(value[i]) {
				i++
			}
			word := string(value[start:i])
			if isNaNWord(word) {
				word, found = `"`+word+`"`, true
			}
			quoted = append(quoted, word...)
		case c == '-' || c == '+' || '0' <= c && c <= '9':
			// A number whole, so that the e of 1e5 does not begin a word.
			i++
			for i < len(value) && strings.IndexByte("0123456789+-.eE", value[i]) >= 0 {
				i++
			}
			quoted = append(quoted, value[start:i]...)
		default:
			quoted = append(quoted, c)
			i++
		}
	}
	return quoted, found
}

// endOfString is the position after the string that starts at i.
func endOfString(value []byte, i int) int {
	for i++; i < len(value); i++ {
		switch value[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(value)
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isNaNWord(s string) bool {
	s = strings.ToLower(strings.TrimLeft(s, "+-"))
	return s == "nan" || s == "inf" || s == "infinity"
}
