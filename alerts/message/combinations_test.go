package message

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"weimang/alerts"
	"weimang/alerts/escalate"
	"weimang/alerts/roster"
	"weimang/detectors"
)

// hole is what a message looks like where a template has gone wrong.
var hole = regexp.MustCompile(`<no value>|\{\{|%!|[！!]|[，。；：、]{2}|[.,;:]{2}| [.,;:]|  |\n\n|\n$|^$|（）|\(\)`)

// combination is one case of what can be told to somebody.
type combination struct {
	lang  roster.Lang
	kind  detectors.Kind
	state detectors.State
	cause detectors.Cause
	sev   detectors.Severity
	role  roster.Role
	why   alerts.Purpose
}

func (c combination) String() string {
	return fmt.Sprint(c.lang, " ", c.role, " ", c.why, " ", c.kind, " ", c.state, " ", c.cause, " ", c.sev)
}

// each visits all combinations. Causes beyond the first are told apart by chair
// and kin only, and by no severity.
func each(visit func(combination)) {
	for _, lang := range roster.Langs {
		for _, kind := range detectors.Kinds {
			for _, state := range []detectors.State{detectors.Open, detectors.Resolved} {
				for i, cause := range spoken(kind, state) {
					for sev := detectors.Blue; sev <= detectors.Red; sev++ {
						for _, role := range roster.Roles {
							if i > 0 && (sev < detectors.Red || role != roster.Chair && role != roster.Kin) {
								continue
							}
							for _, why := range alerts.Purposes {
								visit(combination{lang, kind, state, cause, sev, role, why})
							}
						}
					}
				}
			}
		}
	}
}

// Whoever is told whatever for, a message comes out whole: with every fact that
// may be there, and with none.
func TestNoPurposeLeavesAHole(t *testing.T) {
	c := catalogue(t)
	read := map[string]bool{} // many combinations are told in the same words
	each(func(is combination) {
		if is.sev > detectors.Blue && is.sev < detectors.Red {
			return // see TestNoMessageHasAHole
		}
		full := told(t, is.role, is.why)
		full.Finding = example(t, is.kind, is.cause, is.sev, is.state).Finding
		if full.Name, full.Address, full.StandsIn = "王阿婆", "祠堂东边", roster.Chair; full.Finding.HouseholdID == "" {
			full.Homes = []string{"3组1号", "3组2号", "3组5号", "3组12号"}
		}
		bare := bare(full)
		bare.Role, bare.Purpose = is.role, is.why
		helped := full
		helped.Helped = full.Finding.HouseholdID != ""
		for _, n := range []alerts.Notice{full, bare, helped} {
			text, err := c.Text(is.lang, n)
			if err != nil {
				t.Fatalf("%s: %v", is, err)
			}
			key := fmt.Sprint(is.role, n.Name, text)
			if read[key] {
				continue
			}
			read[key] = true
			if bad := hole.FindString(text.Title) + hole.FindString(text.Body); bad != "" || text.Title == "" || text.Body == "" {
				t.Errorf("%s: %q in\n%s\n%s", is, bad, text.Title, text.Body)
			}
			tellsNoMoreThanItMay(t, n, text.Title+"\n"+text.Body)
		}
	})
}

// tellsNoMoreThanItMay: names and addresses where they are given, and then only
// to whom they are of use; the neighbours and figures to nobody of the family.
func tellsNoMoreThanItMay(t *testing.T, n alerts.Notice, text string) {
	t.Helper()
	family := audienceOf(n.Role) != official
	for what, may := range map[string]bool{
		"王阿婆":   n.Name != "",
		"祠堂东边":  n.Address != "" && !family,
		"物业李师傅": !family, "不在班": !family, "off duty": !family,
		"3组12号": !family && n.Role != roster.Volunteer,
		" 度":    !family, " kWh": !family, "旁边人家": !family, "neighbours": !family,
	} {
		if !may && strings.Contains(text, what) {
			t.Errorf("%s %s is told %q:\n%s", n.Role, n.Purpose, what, text)
		}
	}
}

// A bundle is read on a locked screen and in groups: it names homes, not people.
func TestBundlesNameNoPeople(t *testing.T) {
	c := catalogue(t)
	ns := homes(t, 3)
	for i := range ns {
		ns[i].Name, ns[i].Address = "王阿婆", "祠堂东边"
	}
	for _, lang := range roster.Langs {
		for _, digest := range []bool{false, true} {
			text, err := c.Bundle(lang, ns, digest)
			if err != nil || strings.Contains(text.Title+text.Body, "王阿婆") || strings.Contains(text.Body, "祠堂") {
				t.Errorf("%v %v", text, err)
			}
		}
	}
}

// Whatever is bundled comes out whole, and its SMS fits.
func TestNoBundleLeavesAHole(t *testing.T) {
	c := catalogue(t)
	villages := []string{"湾底村", "", "Upper Wandi under the Hill", "云龙镇石家村民委员会"}
	for _, lang := range roster.Langs {
		for n := 1; n < 30; n++ {
			for _, digest := range []bool{false, true} {
				ns := homes(t, n)
				for i := range ns {
					ns[i].Village = villages[(i+n)%len(villages)]
					ns[i].Purpose = alerts.Purposes[(i*n)%len(alerts.Purposes)]
					ns[i].Label = strings.Repeat("很长的门牌", 4) + ns[i].Label
					ns[i].Helped = i%7 == 3
				}
				text, err := c.Bundle(lang, ns, digest)
				if err != nil {
					t.Fatal(err)
				}
				if bad := hole.FindString(text.Title) + hole.FindString(text.Body); bad != "" || strings.Count(text.Body, "\n") > shown+4 {
					t.Errorf("%q in\n%s\n%s", bad, text.Title, text.Body)
				}
				s, err := c.ShortBundle(lang, ns, digest)
				if err != nil || units(s.Text) > shortest {
					t.Errorf("%d characters (%v): %s", units(s.Text), err, s.Text)
				}
			}
		}
	}
}

// Numbers are said as people do.
func TestHomesAreCountedAsPeopleDo(t *testing.T) {
	c := catalogue(t)
	for n, want := range map[int][2]string{
		0: {"没有哪一户", "no home"}, 1: {"一户", "one home"}, 2: {"两户", "2 homes"}, 3: {"3户", "3 homes"}, 12: {"12户", "12 homes"},
	} {
		for i, lang := range []roster.Lang{roster.Chinese, roster.English} {
			l := c.langs[lang]
			if got := l.tell.counted(n, l.people.Bundle.Things.Homes); got != want[i] {
				t.Errorf("%s, want %s", got, want[i])
			}
		}
	}
}

// Each word that a page or a button needs is there in both languages.
func TestEveryAnswerHasItsWords(t *testing.T) {
	c := catalogue(t)
	for _, lang := range roster.Langs {
		a := c.langs[lang].answers
		named(t, lang, roster.Roles, a.Roles)
		named(t, lang, alerts.Stages, a.Stages)
		named(t, lang, alerts.Silences, a.Silences)
		named(t, lang, escalate.Reasons, a.Reasons)
		named(t, lang, alerts.EventKinds, a.Events)
		for _, o := range append(slices.Clone(alerts.Outcomes), alerts.Unasked, alerts.Unanswered, alerts.Superseded, alerts.Erased) {
			if a.Outcomes[o].Name == "" {
				t.Errorf("%s: outcome %s has no name", lang, o)
			}
		}
		named(t, lang, alerts.Outcomes, c.langs[lang].short.Found)
		for _, act := range alerts.Actions {
			byDigit := act != alerts.SayOutcome && act != alerts.SayMute
			if c.langs[lang].short.offers(replies{given: []alerts.Action{act}}) != byDigit {
				t.Errorf("%s: action %s in an SMS: want %t", lang, act, byDigit)
			}
			if a.Words[official][act] == "" || a.Pages.Questions[act] == "" || a.Pages.Confirm[act] == "" || a.Pages.Thanks[act] == "" {
				t.Errorf("%s: action %s lacks a word", lang, act)
			}
		}
		for _, why := range alerts.Purposes {
			if _, ok := c.langs[lang].people.Official[why]; !ok {
				t.Errorf("%s: purpose %s has no text", lang, why)
			}
		}
	}
}

func named[K ~string](t *testing.T, lang roster.Lang, all []K, words map[K]string) {
	t.Helper()
	for _, k := range all {
		if words[k] == "" {
			t.Errorf("%s: %T %s has no name", lang, k, k)
		}
	}
}

// Both languages say the same things: no word is in one of them only.
func TestBothLanguagesHaveTheSameWords(t *testing.T) {
	c := catalogue(t)
	zh, en := c.langs[roster.Chinese], c.langs[roster.English]
	same := func(what string, a, b any) {
		if keys(a) != keys(b) {
			t.Errorf("%s: %s in Chinese, %s in English", what, keys(a), keys(b))
		}
	}
	same("templates", zh.short.templates, en.short.templates)
	same("limits", zh.short.Limits, en.short.Limits)
	same("gentle", zh.people.Gentle, en.people.Gentle)
	same("notes", zh.people.Notes, en.people.Notes)
	same("kin", zh.people.Kin, en.people.Kin)
	same("resident", zh.people.Resident, en.people.Resident)
	same("lines", zh.people.Bundle.Official.Lines, en.people.Bundle.Official.Lines)
	same("lines to kin", zh.people.Bundle.Kin.Lines, en.people.Bundle.Kin.Lines)
	same("events", zh.answers.Events, en.answers.Events)
	same("stages", zh.answers.Stages, en.answers.Stages)
	same("silences", zh.answers.Silences, en.answers.Silences)
	same("words to kin", zh.answers.Words[kin], en.answers.Words[kin])
	same("words to residents", zh.answers.Words[resident], en.answers.Words[resident])
}

// keys are the keys of a map, sorted.
func keys(m any) string {
	var out []string
	for _, k := range reflect.ValueOf(m).MapKeys() {
		out = append(out, k.String())
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// A button bears the key that answers it.
func TestButtonsBearTheirKeys(t *testing.T) {
	c := catalogue(t)
	n := told(t, roster.Chair, alerts.ToTell)
	for a, want := range map[alerts.Action]string{alerts.Acknowledge: "1 我去看看", alerts.SayAway: "2 人不在家", alerts.SayMute: "先不提醒"} {
		if got := c.Answer(roster.Chinese, n, a); got != want {
			t.Errorf("%s: %q, want %q", a, got, want)
		}
	}
	if got := c.Answer(roster.English, told(t, roster.Resident, alerts.ToTell), alerts.IAmWell); got != "1 I am well" {
		t.Errorf("%q", got)
	}
	n = told(t, roster.Chair, alerts.ToRemind)
	n.Answers = []alerts.Action{alerts.SayVisited}
	if got := c.Answer(roster.Chinese, n, alerts.SayVisited); got != "1 去过了" {
		t.Errorf("%q", got)
	}
}

func TestThePagesSayWhoHasAnswered(t *testing.T) {
	c := catalogue(t)
	if got, want := c.Answered(roster.Chinese, roster.Deputy), "这件事妇联副主席已经回答了，您不用再答。"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := c.AskFurther(roster.Chinese, alerts.Appliance); got != "交给谁去修了" {
		t.Errorf("%s", got)
	}
	for _, lang := range roster.Langs {
		p := reflect.ValueOf(c.Pages(lang))
		for i := range p.NumField() {
			if p.Field(i).IsZero() {
				t.Errorf("%s: the pages lack %s", lang, p.Type().Field(i).Name)
			}
		}
	}
}
