package message

import (
	"strings"
	"testing"
	"unicode/utf8"

	"weimang/alerts"
	"weimang/alerts/roster"
	"weimang/detectors"
)

// forbidden is what no message may hold, whatever stands in the roster: markup,
// mentions, links, signatures of SMS and more lines than the catalogue's.
const forbidden = "@<>[]{}*_`~#|\\&$【】\r\t\x00\x1b\u2028\u202e\u200b"

var hostile = []string{
	"3组\n【中国银行】您的账户有异常",
	"@all 3组12号",
	"<@all>", "<at user_id=\"all\">所有人</at>", "<!channel>",
	"[点这里](http://evil.example/x)", "![](https://evil.example/x.png)", "http://evil.example/a", "evil.example",
	"**请转账**", "# 通知", "> 引用", "`x`", "~~x~~", "| a | b |",
	"<script>alert(1)</script>", "&lt;b&gt;", "<img src=x onerror=alert(1)>",
	"{{.Address}}", "${who}", "{1}", "%s%n",
	"3组\u202e号21组3\u200b", "\x1b[31m红\x07", "a\r\nSubject: b", "line\u2028separator\u0085next",
	strings.Repeat("很长的门牌", 200), "\xff\xfe", "★☆🙂",
}

func TestNobodyWritesMessagesThroughTheRoster(t *testing.T) {
	c := catalogue(t)
	for _, lang := range roster.Langs {
		for _, evil := range hostile {
			for _, role := range []roster.Role{roster.Chair, roster.TownDesk, roster.Kin, roster.Resident} {
				for _, why := range alerts.Purposes {
					n := told(t, role, why)
					n.Name, n.Address, n.HandedTo = "王阿婆", "祠堂东边", "李师傅"
					good, err := c.Text(lang, n)
					if err != nil {
						t.Fatal(err)
					}
					n.Label, n.Name, n.Address, n.Village, n.HandedTo = evil, evil, evil, evil, evil
					area := example(t, detectors.AreaDark, detectors.CauseOutage, detectors.Yellow, detectors.Open)
					area.Homes, area.Village, area.Role = []string{evil, evil}, evil, role
					bad, err := c.Text(lang, n)
					if err != nil {
						t.Fatalf("%q: %v", evil, err)
					}
					if evil != "\xff\xfe" && strings.Count(bad.Body, "\n") != strings.Count(good.Body, "\n") {
						t.Errorf("%q makes lines of its own:\n%s", evil, bad.Body)
					}
					for _, s := range everything(t, c, lang, n, area) {
						harmless(t, evil, s)
					}
				}
			}
		}
	}
}

// everything is all that is written about two notices.
func everything(t *testing.T, c *Catalogue, lang roster.Lang, n, area alerts.Notice) []string {
	t.Helper()
	var out []string
	add := func(err error, s ...string) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s...)
	}
	for _, one := range []alerts.Notice{n, area} {
		text, err := c.Text(lang, one)
		add(err, text.Title, text.Body)
		s, err := c.Short(lang, one)
		add(err, s.Text)
		sentence, err := c.Sentence(lang, one)
		add(err, sentence)
	}
	text, err := c.Bundle(lang, []alerts.Notice{n, area}, true)
	add(err, text.Title, text.Body)
	s, err := c.ShortBundle(lang, []alerts.Notice{n, area}, false)
	add(err, s.Text)
	return out
}

func harmless(t *testing.T, evil, s string) {
	t.Helper()
	if strings.ContainsAny(s, forbidden) || strings.Contains(s, "://") || strings.Contains(s, "evil.example") || !utf8.ValidString(s) || len(s) > 2000 {
		t.Errorf("%q gets through:\n%s", evil, s)
	}
}

// What a village writes in good faith stays as it is.
func TestOrdinaryWordsStayAsTheyAre(t *testing.T) {
	for _, s := range []string{"3组12号", "王家（老屋）", "No. 5, Mill Lane", "3-12", "东海路7弄2号·后门", "祠堂东边 第二家", "O'Brien", "12/3", "𠮷祥里"} {
		if got := clean(s, 40); got != s {
			t.Errorf("%q becomes %q", s, got)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, 12)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = 2 + max(limit, -limit)%100
		got := clean(s, limit)
		if units(got) > limit {
			t.Errorf("clean(%q, %d) = %q is too long", s, limit, got)
		}
		harmless(t, s, got)
		if strings.Contains(got, "\n") || clean(got, limit) != got {
			t.Errorf("clean(%q, %d) = %q changes when it is cleaned again", s, limit, got)
		}
	})
}
