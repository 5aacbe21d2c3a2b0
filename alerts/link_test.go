package alerts

import (
	"encoding/base64"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

var aKey = []byte("a key of thirty-two bytes, or so.")

func TestALinkSaysWhatWasSigned(t *testing.T) {
	for _, n := range []int64{0, 1, 127, 128, 1 << 40, math.MaxInt64} {
		for _, answer := range []int{0, 3, 255} {
			gotN, gotAnswer, err := openLink(aKey, signLink(aKey, n, answer))
			if err != nil || gotN != n || gotAnswer != answer {
				t.Errorf("question %d, answer %d came back as %d, %d, %v", n, answer, gotN, gotAnswer, err)
			}
		}
	}
	until := time.Date(2026, 7, 19, 10, 20, 0, 0, time.UTC)
	person, end, err := openView(aKey, signView(aKey, "v1/chair/1", until))
	if err != nil || person != "v1/chair/1" || end.Before(until) || end.After(until.Add(time.Hour)) {
		t.Errorf("a link to look came back as %q, %s, %v", person, end, err)
	}
}

// Every token that differs from a signed one in a single bit, is shorter or longer,
// is of another key or of another purpose, opens nothing.
func TestNoOtherTokenOpensAnything(t *testing.T) {
	until := time.Date(2026, 7, 19, 0, 0, 0, 0, time.UTC)
	answer, view := signLink(aKey, 77, 1), signView(aKey, "chair", until)
	bad := map[string]string{
		"nothing": "", "no token": "login", "padding": answer + "=", "standard alphabet": "+/+/", "of another key": signLink([]byte("another"), 77, 1),
		"to look, of another key": signView([]byte("another"), "chair", until), "endless": strings.Repeat("A", 1<<20),
	}
	for i := range answer {
		bad["cut "+answer[:i]] = answer[:i]
		bad["behind "+answer[i+1:]] = answer[i+1:]
	}
	for name, token := range map[string]string{"answer": answer, "view": view} {
		raw, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			t.Fatal(err)
		}
		for i := range len(raw) * 8 {
			raw[i/8] ^= 1 << (i % 8)
			bad[name+" with another bit "+string(rune('0'+i))] = base64.RawURLEncoding.EncodeToString(raw)
			raw[i/8] ^= 1 << (i % 8)
		}
		bad[name+" with more behind"] = base64.RawURLEncoding.EncodeToString(append(raw, 0))
	}
	for name, token := range bad {
		if _, _, err := openLink(aKey, token); !errors.Is(err, ErrForged) {
			t.Errorf("%s: a link to answer opens: %v", name, err)
		}
		if _, _, err := openView(aKey, token); !errors.Is(err, ErrForged) {
			t.Errorf("%s: a link to look opens: %v", name, err)
		}
	}
	if _, _, err := openLink(aKey, view); !errors.Is(err, ErrForged) {
		t.Errorf("a link to look answers: %v", err)
	}
	if _, _, err := openView(aKey, answer); !errors.Is(err, ErrForged) {
		t.Errorf("a link to answer looks: %v", err)
	}
	for _, none := range [][]byte{nil, {}} {
		if _, _, err := openLink(none, signLink(none, 77, 1)); !errors.Is(err, ErrForged) {
			t.Errorf("without a key a link answers: %v", err)
		}
	}
}

func FuzzOpenLink(f *testing.F) {
	f.Add(signLink(aKey, 1, 0))
	f.Add(signLink(aKey, math.MaxInt64, 255))
	f.Add(signView(aKey, "chair", time.Unix(1784400000, 0)))
	f.Add(signView(aKey, "", time.Unix(0, 0)))
	f.Add(seal(aKey, answerLinks, []byte{0}, macSize))                                                                 // no question
	f.Add(seal(aKey, answerLinks, []byte{0, 0x80}, macSize))                                                           // half a number
	f.Add(seal(aKey, answerLinks, []byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, macSize))     // too large
	f.Add(seal(aKey, viewLinks, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 'c'}, viewMACSize)) // too late
	f.Add(base64.RawURLEncoding.EncodeToString(make([]byte, macSize)))
	f.Add("\x00\xff%2e%2e/")
	f.Fuzz(func(t *testing.T, token string) {
		if n, answer, err := openLink(aKey, token); err == nil {
			if n < 0 || signLink(aKey, n, answer) != token {
				t.Errorf("%q opens question %d, answer %d, which nobody signed so", token, n, answer)
			}
		}
		if person, until, err := openView(aKey, token); err == nil {
			if signView(aKey, person, until) != token {
				t.Errorf("%q opens for %q until %s, which nobody signed so", token, person, until)
			}
		}
	})
}
