package message

import (
	"strings"
	"testing"
	"time"

	"weimang/alerts"
	"weimang/alerts/roster"
	"weimang/detectors"
)

// A kind or cause that is added to the detectors and not to the texts fails
// here, in each language.
func TestEveryKindAndCauseHasText(t *testing.T) {
	c := catalogue(t)
	for _, lang := range roster.Langs {
		l := c.langs[lang]
		for _, kind := range detectors.Kinds {
			if l.Names.Kinds[kind] == "" {
				t.Errorf("%s: kind %s has no name", lang, kind)
			}
			if p := l.Kinds[kind].Open[fallbackCause]; p.What.Template == nil || p.Why.Template == nil || p.Do.Template == nil {
				t.Errorf("%s: kind %s lacks what, why or do", lang, kind)
			}
		}
		for _, cause := range detectors.Causes {
			_, begins := l.Causes[cause]
			_, ends := l.Resolved[cause]
			if begins == ends {
				t.Errorf("%s: cause %s must stand in causes or in resolved, and in one of them only", lang, cause)
			}
		}
		for sev := detectors.Blue; sev <= detectors.Red; sev++ {
			if l.Call[sev.String()] == "" || l.Names.Urgency[sev.String()] == "" || l.Names.Severities[sev.String()] == "" {
				t.Errorf("%s: severity %s lacks a name, an urgency or a first step", lang, sev)
			}
		}
	}
}

// Whatever the detectors combine, a message comes out whole: with every fact
// there is, and with none but those that a finding always has.
func TestNoMessageHasAHole(t *testing.T) {
	c := catalogue(t)
	for _, lang := range roster.Langs {
		for _, kind := range detectors.Kinds {
			for _, cause := range detectors.Causes {
				for _, state := range []detectors.State{detectors.Open, detectors.Update, detectors.Resolved} {
					for sev := detectors.Blue; sev <= detectors.Red; sev++ {
						full := example(t, kind, cause, sev, state)
						full.Fallback = true
						full.Finding.DataUntil = full.Finding.DecidedAt.Add(-30 * time.Hour)
						whole(t, c, lang, full)
						whole(t, c, lang, bare(full))
					}
				}
			}
		}
	}
}

// bare is the notice with only the facts a finding always has.
func bare(n alerts.Notice) alerts.Notice {
	f := *n.Finding
	f.Reason = detectors.Reason{Cause: f.Reason.Cause}
	f.Value, f.Usual, f.DataUntil = 0, 0, time.Time{}
	return alerts.Notice{Finding: &f, Fallback: true}
}

func whole(t *testing.T, c *Catalogue, lang roster.Lang, n alerts.Notice) {
	t.Helper()
	f := n.Finding
	text, err := c.Text(lang, n)
	if err != nil {
		t.Errorf("%s %s %s %s: %v", lang, f.Kind, f.Reason.Cause, f.State, err)
		return
	}
	sentence, err := c.Sentence(lang, n)
	if err != nil {
		t.Errorf("%s %s %s %s: sentence: %v", lang, f.Kind, f.Reason.Cause, f.State, err)
	}
	if text.Title == "" || text.Body == "" || sentence == "" {
		t.Errorf("%s %s %s %s: empty title, body or sentence", lang, f.Kind, f.Reason.Cause, f.State)
	}
	for _, hole := range []string{"<no value>", "{{", "%!", "！", "!", "，，", "。。", "  ", "0001", "1年1月", "（）", " ,", "，。"} {
		if s := text.Title + "\n" + text.Body + "\n" + sentence; strings.Contains(s, hole) {
			t.Errorf("%s %s %s %s: %q in:\n%s", lang, f.Kind, f.Reason.Cause, f.State, hole, s)
		}
	}
}

// A template that asks for what is not known fails instead of leaving a gap.
func TestUnknownFactIsAnError(t *testing.T) {
	n := bare(example(t, detectors.Announced, detectors.CauseAnnounced, detectors.Blue, detectors.Open))
	x := &facts{n: n, f: n.Finding, l: catalogue(t).langs[roster.Chinese]}
	for name, ask := range map[string]func() (string, error){
		"from": x.From, "until": x.Until, "age": x.DataUntil, "span": x.Span, "neighbours": x.Neighbours, "around": x.Around, "rate": x.Every, "village": x.Village,
	} {
		if s, err := ask(); err == nil {
			t.Errorf("%s: got %q, want an error", name, s)
		}
	}
}

func TestTimesAreToldAsPeopleDo(t *testing.T) {
	zone := time.FixedZone("UTC+8", 8*3600)
	now := time.Date(2026, 7, 12, 14, 15, 0, 0, zone)
	at := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 0, 0, zone)
	}
	c := catalogue(t)
	for _, tc := range []struct {
		t      time.Time
		zh, en string
	}{
		{at(7, 12, 9, 30), "今天上午9点半", "9:30 am today"},
		{at(7, 12, 6, 15), "今天早上6点一刻", "6:15 am today"},
		{at(7, 12, 12, 0), "今天中午12点", "noon today"},
		{at(7, 12, 13, 45), "今天下午1点三刻", "1:45 pm today"},
		{at(7, 11, 20, 5), "昨天晚上8点05分", "8:05 pm yesterday"},
		{at(7, 12, 0, 0), "昨天夜里12点", "midnight last night"},
		{at(7, 13, 0, 0), "今天夜里12点", "midnight tonight"},
		{at(7, 12, 0, 30), "今天凌晨12点半", "12:30 am today"},
		{at(7, 12, 0, 0).AddDate(0, 0, -1), "前天夜里12点", "midnight on 10 July"},
		{at(7, 10, 18, 0), "前天晚上6点", "6 pm on 10 July"},
		{at(7, 13, 8, 0), "明天上午8点", "8 am tomorrow"},
		{at(7, 1, 8, 0), "7月1日上午8点", "8 am on 1 July"},
		{time.Date(2025, 12, 31, 8, 0, 0, 0, zone), "2025年12月31日上午8点", "8 am on 31 December 2025"},
	} {
		if got := c.When(roster.Chinese, tc.t.UTC(), now, zone); got != tc.zh {
			t.Errorf("%s: %s, want %s", tc.t, got, tc.zh)
		}
		if got := c.When(roster.English, tc.t.UTC(), now, zone); got != tc.en {
			t.Errorf("%s: %s, want %s", tc.t, got, tc.en)
		}
	}
}

func TestHowOftenItHappensByChanceIsTold(t *testing.T) {
	c := catalogue(t)
	for rate, want := range map[float64][2]string{
		0.2:    {"这样的情况常有：没事的人家，大约一个星期也会有一次。", "This is common: a home where all is well looks like this about once in a week."},
		0.02:   {"这样的情况有时会有：没事的人家，大约两三个月有一次。", "This happens: a home where all is well looks like this about once in two or three months."},
		0.005:  {"这样的情况不多见：没事的人家，大约半年才会有一次。", "This is rare: a home where all is well looks like this about once in half a year."},
		0.0001: {"这样的情况不多见：没事的人家，大约好几年才会有一次。", "This is rare: a home where all is well looks like this about once in several years."},
	} {
		for i, lang := range []roster.Lang{roster.Chinese, roster.English} {
			n := example(t, detectors.Frozen, detectors.CauseFlat, detectors.Yellow, detectors.Open)
			n.Finding.Reason.Rate = rate
			text, err := c.Text(lang, n)
			if err != nil || !strings.Contains(text.Body, want[i]) {
				t.Errorf("%g: %v in\n%s\nwant %s", rate, err, text.Body, want[i])
			}
			if s, err := c.Sentence(lang, n); err != nil || !strings.HasSuffix(s, want[i]) {
				t.Errorf("%g: the page says %q (%v)", rate, s, err)
			}
			n.Finding.State = detectors.Resolved
			if text, err = c.Text(lang, n); err != nil || strings.Contains(text.Body, want[i]) {
				t.Errorf("%g: said of an end (%v):\n%s", rate, err, text.Body)
			}
		}
	}
}

func TestWhatTheNeighboursDidIsTold(t *testing.T) {
	c := catalogue(t)
	for ratio, want := range map[float64][2]string{
		1:    {"旁边人家和平常差不多。", "The neighbours use about as much as usual."},
		1.21: {"旁边人家比平常多用了两成。", "The neighbours use about 20 percent more than usual."},
		0.69: {"旁边人家比平常少用了三成。", "The neighbours use about 30 percent less than usual."},
		0.01: {"旁边人家比平常少用了九成。", "The neighbours use about 90 percent less than usual."},
	} {
		for i, lang := range []roster.Lang{roster.Chinese, roster.English} {
			n := example(t, detectors.NightLife, detectors.CauseReversed, detectors.Yellow, detectors.Open)
			n.Finding.Reason.Neighbours = ratio
			text, err := c.Text(lang, n)
			if err != nil || !strings.Contains(text.Body, want[i]) {
				t.Errorf("%g: %v in\n%s\nwant %s", ratio, err, text.Body, want[i])
			}
		}
	}
}

func TestEnergyIsToldAsPeopleDo(t *testing.T) {
	c := catalogue(t)
	for v, want := range map[float64]string{0: "0 度", 0.01: "不到 0.1 度", 0.4: "0.4 度", 3: "3 度", 3.24: "3.2 度", 12.6: "13 度"} {
		if got := c.KWh(roster.Chinese, v); got != want {
			t.Errorf("%g: %s, want %s", v, got, want)
		}
	}
}
