package main

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf16"

	"weimang/alerts/message"
)

func TestTemplatesAreAsTheVendorsWantThem(t *testing.T) {
	for _, lang := range []string{"zh-CN", "en"} {
		r := weimang(t, "", "templates", "--json", "--language", lang)
		r.want(t, exitOK)
		n := 0
		for line := range strings.Lines(r.stdout) {
			var got message.TemplateText
			if err := json.Unmarshal([]byte(line), &got); err != nil {
				t.Fatal(err)
			}
			if n++; got.Name == "" || len(got.Variables) > 0 && (!strings.Contains(got.Text, "${"+got.Variables[0].Name+"}") || !strings.Contains(got.Numbered, "{1}")) {
				t.Errorf("%+v", got)
			}
			if lang == "zh-CN" && len(utf16.Encode([]rune(got.Example))) > 70 {
				t.Errorf("%s: the example is longer than one SMS: %s", got.Name, got.Example)
			}
		}
		if n < 19 {
			t.Errorf("%s: %d templates", lang, n)
		}
	}
	text := weimang(t, "", "templates")
	text.want(t, exitOK)
	if !strings.Contains(text.stdout, "${who}") || !strings.Contains(text.stdout, "at most 12 characters") {
		t.Errorf("%s", text.stdout)
	}
	weimang(t, "", "templates", "--language", "fr").want(t, exitUsage)
}
