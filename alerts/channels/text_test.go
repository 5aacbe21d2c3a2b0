package channels_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"weimang/alerts"
	"weimang/alerts/roster"
)

// A text that is too long is cut inside, between two characters; it says so and
// keeps the link behind which the rest stands.
func TestTextIsCutWithoutBreakingACharacterAndKeepsTheLink(t *testing.T) {
	for _, tc := range []struct {
		name  string
		most  int
		reply bool
	}{{"wecom", 2048, false}, {"wecom", 4096, true}, {"wecom-app", 2048, false}, {"dingtalk", 6000, false}, {"dingtalk", 6000, true}, {"feishu", 8200, true}} {
		for lead := range 4 { // another place in a character to cut at
			v, m := one(t, tc.name), message()
			m.Text = strings.Repeat("a", lead) + strings.Repeat("电", 5000)
			if tc.reply {
				m.Answers = answers()
			}
			if _, err := v.send(t, m); err != nil {
				t.Fatalf("%s: %v", tc.name, err)
			}
			got := v.server.Got()[0]
			all := got.Text + strings.Join(got.Buttons, " ")
			switch {
			case !utf8.ValidString(got.Text):
				t.Errorf("%s: a character is broken", tc.name)
			case len(got.Text) > tc.most || len(got.Text) < tc.most*8/10:
				t.Errorf("%s: %d bytes of %d", tc.name, len(got.Text), tc.most)
			case !strings.Contains(all, m.URL) || !strings.Contains(got.Text, "已截断"):
				t.Errorf("%s: link or note is missing: …%s", tc.name, got.Text[len(got.Text)-200:])
			}
		}
	}
}

// The body gives way first, then answers, then the title; the link to the page
// last of all.
func TestTheLinkToThePageIsTheLastToGo(t *testing.T) {
	many := make([]alerts.Answer, 30)
	for i := range many {
		many[i] = alerts.Answer{Key: "1", Label: fmt.Sprint("回复", i), URL: "https://weimang.example/" + strings.Repeat("x", 200)}
	}
	for name, change := range map[string]func(*alerts.Message){
		"many answers":                         func(m *alerts.Message) { m.Answers = many },
		"a title without end":                  func(m *alerts.Message) { m.Title = strings.Repeat("题", 2000) },
		"a title without end and many answers": func(m *alerts.Message) { m.Title, m.Answers = strings.Repeat("题", 2000), many },
		"a title that just fits": func(m *alerts.Message) {
			m.Title = strings.Repeat("a", 2048-len("\n第一行\n第二行\n详情: ")-len(m.URL))
		},
	} {
		v, m := one(t, "wecom"), message()
		change(&m)
		if _, err := v.send(t, m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := v.server.Got()[0].Text
		if !strings.Contains(got, m.URL) {
			t.Errorf("%s: the link is gone", name)
		}
		if long := strings.Contains(name, "without end"); strings.Contains(got, "已截断") != long {
			t.Errorf("%s: said to be cut: %v", name, !long)
		}
		if name == "many answers" && !strings.Contains(got, "回复0") {
			t.Errorf("%s: the first answer is gone", name)
		}
	}
	v, m := one(t, "wecom"), message()
	m.URL = "https://weimang.example/" + strings.Repeat("x", 3000)
	if _, err := v.send(t, m); err != nil || !strings.Contains(v.server.Got()[0].Text, "第二行") {
		t.Errorf("a link that does not fit at all: %v", err)
	}
}

func TestEnglishIsCutInEnglish(t *testing.T) {
	v, m := one(t, "wecom"), message()
	m.Lang, m.Text = roster.English, strings.Repeat("electricity ", 400)
	if _, err := v.send(t, m); err != nil {
		t.Fatal(err)
	}
	if got := v.server.Got()[0].Text; !strings.Contains(got, "(cut here)\nMore: http://x/household/h1") {
		t.Errorf("…%s", got[len(got)-100:])
	}
}

func TestAnswersBecomeButtonsAndLinks(t *testing.T) {
	for name, want := range map[string][]string{
		"wecom-app": {"我去看 1", "平安 2", "外出了 3"},
		"dingtalk":  {"我去看 https://weimang.example/a/1?s=%28x%29", "平安 https://weimang.example/a/2", "外出了 https://weimang.example/a/3"},
		"feishu":    {"我去看 https://weimang.example/a/1?s=%28x%29", "平安 https://weimang.example/a/2", "外出了 https://weimang.example/a/3", "详情 http://x/household/h1"},
	} {
		v, m := one(t, name), message()
		m.Answers = answers()
		if _, err := v.send(t, m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := v.server.Got()[0].Buttons; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	v, m := one(t, "wecom"), message()
	m.Answers = answers()
	if _, err := v.send(t, m); err != nil {
		t.Fatal(err)
	}
	if got := v.server.Got()[0].Text; !strings.Contains(got, "[我去看](https://weimang.example/a/1?s=%28x%29)\n[平安](https://weimang.example/a/2)") {
		t.Errorf("%s", got)
	}
}

// A button or link that is none (javascript:, no address at all) is left out.
func TestLinksThatAreNoneAreLeftOut(t *testing.T) {
	for _, name := range []string{"wecom", "dingtalk", "feishu"} {
		v, m := one(t, name), message()
		m.URL = "javascript:alert(1)"
		m.Answers = []alerts.Answer{{Key: "1", Label: "好", URL: "javascript:alert(1)"}, {Key: "2", Label: "不"}}
		if _, err := v.send(t, m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := v.server.Got()[0]; strings.Contains(got.Text, "javascript") || len(got.Buttons) > 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Labels and free text come from lists and people. None of them rings everybody,
// opens a link of its own or paints a picture.
func TestWhatPeopleWroteIsNotReadAsMarkup(t *testing.T) {
	evil := "<@all> <at user_id=\"all\">x</at> [点我](http://evil.example) ![x](http://evil.example/x.png) **粗** # 大\x00\x1b[31m"
	for _, name := range []string{"wecom", "wecom-app", "dingtalk", "feishu"} {
		for _, reply := range []bool{false, true} {
			v, m := one(t, name), message()
			m.Title, m.Text, m.Label = evil, evil, evil
			if reply {
				m.Answers = []alerts.Answer{{Key: "1", Label: evil, URL: "https://weimang.example/a/1"}}
			}
			if _, err := v.send(t, m); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got := v.server.Got()[0]
			marks := []string{"<@", "<at", "\x00", "\x1b"}
			if got.Kind == "markdown" || got.Kind == "actionCard" {
				marks = append(marks, "[点我]", "![", "**", "# ")
			}
			for _, mark := range marks {
				if strings.Contains(got.Text, mark) {
					t.Errorf("%s, answers %v: %q in %q", name, reply, mark, got.Text)
				}
			}
		}
	}
}

// A card has room for little. Where no page holds the rest, the text goes out
// whole, with links instead of buttons.
func TestACardThatCannotHoldTheTextIsATextWithLinks(t *testing.T) {
	v, m := one(t, "wecom-app"), message()
	m.Answers, m.URL, m.Text = answers(), "", strings.Repeat("电", 161)
	if _, err := v.send(t, m); err != nil {
		t.Fatal(err)
	}
	got := v.server.Got()[0]
	if got.Kind != "text" || !strings.Contains(got.Text, m.Text) || !strings.Contains(got.Text, "平安: https://weimang.example/a/2") {
		t.Errorf("%+v", got)
	}
}

func TestATokenThatWasTakenBackIsFetchedAnew(t *testing.T) {
	v := one(t, "wecom-app")
	for range 2 {
		if _, err := v.send(t, message()); err != nil {
			t.Fatal(err)
		}
	}
	if n := v.server.Requests(); n != 3 {
		t.Errorf("%d requests for two messages, want one token and two messages", n)
	}
	v.server.(interface{ ExpireTokens() }).ExpireTokens()
	m := message()
	m.Text = "another"
	if _, err := v.send(t, m); err != nil {
		t.Error(err)
	}
	if n := v.server.Requests(); n != 6 {
		t.Errorf("%d requests, want three more: refused, a token, the message", n)
	}
	v.ours.advance(7201e9)
	v.theirs.advance(7201e9)
	m.Text = "a third"
	if _, err := v.send(t, m); err != nil || v.server.Requests() != 8 {
		t.Errorf("an expired token was tried: %d requests, %v", v.server.Requests(), err)
	}
}

func TestAlertmanagerHearsNoWordOfTheMessage(t *testing.T) {
	v := one(t, "alertmanager")
	if _, err := v.send(t, message()); err != nil {
		t.Fatal(err)
	}
	got := v.server.Got()[0]
	for _, private := range []string{"3组12号", "h1/42", "p1", "第一行", chair} {
		if strings.Contains(got.Text, private) {
			t.Errorf("%q went to Alertmanager: %s", private, got.Text)
		}
	}
	if !strings.Contains(got.ID, `"severity":"orange"`) || !strings.Contains(got.ID, `"kind":"shortfall"`) {
		t.Errorf("labels %s", got.ID)
	}
	over := message()
	over.State = "resolved"
	if _, err := v.send(t, over); err != nil || v.server.Requests() != 1 {
		t.Errorf("an all-clear was sent, and would end the alerts of others: %v", err)
	}
}
