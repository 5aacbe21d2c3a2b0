package message

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"weimang/alerts"
	"weimang/alerts/roster"
	"weimang/detectors"
)

// What the SMS says of each kind, and for each purpose.
func TestEveryShortMessageReadsAsAgreed(t *testing.T) {
	pages(t, "short", func(t *testing.T, p *page) {
		for _, role := range []roster.Role{roster.Chair, roster.Kin} {
			for _, kind := range detectors.Kinds {
				for i, sev := range severities(kind) {
					if role == roster.Kin && i > 0 {
						continue // kin read the same
					}
					n := example(t, kind, spoken(kind, detectors.Open)[0], sev, detectors.Open)
					n.Role, n.Answers = role, []alerts.Action{alerts.Acknowledge, alerts.SayAway, alerts.Pass, alerts.SayOutcome}
					p.short(fmt.Sprintf("%s %s %s", role, kind, sev), n)
				}
			}
			p.WriteByte('\n')
		}
		for _, kind := range detectors.Kinds {
			for _, cause := range spoken(kind, detectors.Resolved) {
				n := example(t, kind, cause, detectors.Yellow, detectors.Resolved)
				p.short(fmt.Sprintf("end of %s: %s", kind, cause), n)
			}
		}
		p.WriteByte('\n')
		for _, role := range []roster.Role{roster.Chair, roster.TownDesk, roster.Volunteer, roster.Kin, roster.Resident} {
			for _, why := range alerts.Purposes {
				n := told(t, role, why)
				p.short(fmt.Sprintf("%s %s", role, why), n)
				if why == alerts.ToTell {
					n.Helped = true
					p.short(fmt.Sprintf("%s %s, help asked for", role, why), n)
				}
			}
			p.WriteByte('\n')
		}
	})
}

// The templates as an operator hands them in.
func TestTheTemplatesReadAsAgreed(t *testing.T) {
	c := catalogue(t)
	for _, lang := range roster.Langs {
		t.Run(string(lang), func(t *testing.T) {
			var b strings.Builder
			for _, text := range c.Templates(lang) {
				fmt.Fprintf(&b, "## %s\n%s\n%s\n%s\n", text.Name, text.Text, text.Numbered, text.Example)
				for _, v := range text.Variables {
					fmt.Fprintf(&b, "  %s: at most %d, such as %s\n", v.Name, v.Limit, v.Example)
				}
				b.WriteByte('\n')
			}
			compare(t, filepath.Join("testdata", string(lang), "templates.golden"), b.String())
		})
	}
}

// Vendors refuse templates with two variables side by side, with one variable
// twice, with nothing but variables, and with the brackets of a signature. And
// whatever stands in the variables, the text fits: the longest of all, with two
// answers, in 70 characters.
func TestVendorsTakeTheTemplates(t *testing.T) {
	c := catalogue(t)
	for _, lang := range roster.Langs {
		s := &c.langs[lang].short
		pair := map[roster.Lang]int{roster.Chinese: units("1我去，2去不了"), roster.English: units("1call 2no")}[lang]
		for name, text := range s.templates {
			if strings.ContainsAny(text.text, "【】[]★※→<>") || strings.Contains(text.text, "://") {
				t.Errorf("%s %s: vendors refuse %s", lang, name, text.text)
			}
			longest := units(strings.Join(text.fixed, ""))
			for i, v := range text.variables {
				if i > 0 && text.fixed[i] == "" || slices.Contains(text.variables[:i], v) {
					t.Errorf("%s %s: ${%s} stands beside a variable, or twice", lang, name, v)
				}
				if v == answersVariable {
					if i != len(text.variables)-1 {
						t.Errorf("%s %s: the answers do not stand last", lang, name)
					}
					longest += pair
				} else {
					longest += s.Limits[v]
				}
				if units(s.Examples[v]) > s.Limits[v] {
					t.Errorf("%s: the example of ${%s} is too long", lang, v)
				}
			}
			if longest > shortest {
				t.Errorf("%s %s: up to %d characters", lang, name, longest)
			}
		}
	}
}

// Whatever is combined, an SMS is one SMS: it fits, its variables are short and
// not empty, it offers at least two of the answers, and it tells neither name
// nor address nor what the village wrote.
func TestEveryShortMessageFits(t *testing.T) {
	c := catalogue(t)
	labels := []string{"3组12号", "湾底村第三村民小组东边祠堂后面一百一十二号院子", "Group 3, house No. 112, behind the ancestral hall", "𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷", "330212198001011234"}
	answers := [][]alerts.Action{nil, {alerts.SayOutcome}, {alerts.Acknowledge, alerts.SayAway, alerts.Pass, alerts.SayOutcome}, {alerts.SayVisited, alerts.SayOutcome, alerts.Pass}, {alerts.SayOutcome, alerts.SayAway, alerts.SayMute}}
	times := []time.Time{time.Date(2026, 7, 12, 2, 5, 0, 0, time.UTC), time.Date(2026, 7, 10, 14, 59, 0, 0, time.UTC), time.Date(2025, 12, 31, 3, 0, 0, 0, time.UTC)}
	waited := []time.Duration{0, 10 * time.Minute, 11*time.Hour + 30*time.Minute, 47 * time.Hour}
	i := 0
	each(func(is combination) {
		i++
		n := example(t, is.kind, is.cause, is.sev, is.state)
		n.Finding.Onset = times[i%len(times)]
		n.Role, n.Purpose, n.Answers = is.role, is.why, answers[i%len(answers)]
		if is.role == roster.Resident {
			n.Answers = []alerts.Action{alerts.IAmWell, alerts.INeedHelp, alerts.SayAway}
		}
		n.Waited, n.Holder, n.Helped = waited[i%len(waited)], roster.Roles[i%len(roster.Roles)], i%5 == 0
		n.Outcome = alerts.Outcomes[i%len(alerts.Outcomes)]
		n.Name, n.Address, n.HandedTo = "王秀珍", "甬江路七弄", "老李电器铺"
		for j := range 2 { // all labels in turn
			label := labels[(i+j)%len(labels)]
			n.Label, n.Village = label, []string{"湾底村", "Upper Wandi under the Hill", ""}[(i+j)%3]
			if len(n.Homes) > 0 {
				n.Homes = []string{label, label, label}
			}
			fits(t, c, is.lang, n)
		}
	})
}

func fits(t *testing.T, c *Catalogue, lang roster.Lang, n alerts.Notice) {
	t.Helper()
	s, err := c.Short(lang, n)
	if err != nil {
		t.Fatalf("%s %s %s %s: %v", lang, n.Role, n.Purpose, n.Finding.Kind, err)
	}
	if units(s.Text) > shortest || strings.ContainsAny(s.Text, "{}$<>【】\n") {
		t.Errorf("%d characters: %s", units(s.Text), s.Text)
	}
	for _, secret := range []string{n.Name, n.Address, n.HandedTo} {
		if strings.Contains(s.Text, secret) {
			t.Errorf("an SMS tells %s: %s", secret, s.Text)
		}
	}
	for _, p := range s.Params {
		if p.Value == "" || units(p.Value) > c.langs[lang].short.Limits[p.Name] {
			t.Errorf("%s %s is %q", s.Template, p.Name, p.Value)
		}
		if p.Name != answersVariable {
			continue
		}
		// In Chinese all that a digit can answer, in English at least two.
		told := 0
		for i, a := range n.Answers {
			if c.langs[lang].short.reply(audienceOf(n.Role), a) == "" {
				continue
			}
			if !strings.Contains(p.Value, strconv.Itoa(i+1)) && (lang == roster.Chinese || told < 2) {
				t.Errorf("answer %d of %v does not fit: %s", i+1, n.Answers, s.Text)
			}
			told++
		}
	}
	if _, ok := c.langs[lang].short.Templates[s.Template+plain]; ok {
		t.Errorf("template %s is none of the catalogue", s.Template)
	}
}

// What tells homes apart is kept, and no number and no character in part.
func TestALabelIsCutWhereItTellsTheLeast(t *testing.T) {
	for _, tc := range []struct {
		label string
		limit int
		want  string
	}{
		{"3组12号", 12, "3组12号"},
		{"第三村民小组12号", 6, "…小组12号"},
		{"第三村民小组112号", 4, "…号"},
		{"330212198001011234", 6, "…11234"},
		{"Group 3 No. 12", 8, "…No. 12"},
		{"𠮷𠮷𠮷", 4, "…𠮷"},
		{"cafe\u0301 12", 4, "…12"},
	} {
		if got := cut(tc.label, tc.limit); got != tc.want || units(got) > tc.limit {
			t.Errorf("cut(%q, %d) = %q, want %q", tc.label, tc.limit, got, tc.want)
		}
	}
}
