package message

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weimang/alerts"
	"weimang/alerts/roster"
	"weimang/detectors"
)

// told is a red alert that has run its course: told, waited for, held, and
// found to be a broken air conditioner.
func told(t *testing.T, role roster.Role, why alerts.Purpose) alerts.Notice {
	t.Helper()
	n := example(t, detectors.NoSignOfLife, detectors.CauseQuiet, detectors.Red, detectors.Open)
	n.Role, n.Purpose = role, why
	switch why {
	case alerts.ToTell:
		n.Answers = []alerts.Action{alerts.Acknowledge, alerts.SayAway, alerts.Pass, alerts.SayOutcome}
	case alerts.ToTakeOver:
		n.Waited = 30 * time.Minute
		n.Answers = []alerts.Action{alerts.Acknowledge, alerts.Pass}
	case alerts.ToRemind:
		n.HeldSince = n.Finding.At
		n.Now = n.Finding.At.Add(time.Hour)
		n.Answers = []alerts.Action{alerts.SayOutcome, alerts.SayAway}
	case alerts.ToRelease:
		n.Holder = roster.Deputy
	case alerts.ToEnd:
		n.Finding = example(t, detectors.NoSignOfLife, detectors.CauseLifeBack, detectors.Red, detectors.Resolved).Finding
	case alerts.ToAsk:
		n.Finding = example(t, detectors.NoSignOfLife, detectors.CauseLifeBack, detectors.Red, detectors.Resolved).Finding
		n.Answers = []alerts.Action{alerts.SayOutcome}
	case alerts.ToFollowUp:
		n.Now = n.Finding.At.AddDate(0, 0, 7)
		n.Outcome, n.HandedTo = alerts.Appliance, "物业李师傅"
		n.Answers = []alerts.Action{alerts.SayOutcome}
	case alerts.ToWarn:
		n.Waited = 2 * time.Hour
	}
	if role == roster.Resident && len(n.Answers) > 0 {
		n.Answers = []alerts.Action{alerts.IAmWell, alerts.INeedHelp}
	}
	return n
}

// page writes messages below headings, to be read by people.
type page struct {
	strings.Builder
	t    *testing.T
	c    *Catalogue
	lang roster.Lang
}

func (p *page) add(heading string, n alerts.Notice) {
	p.t.Helper()
	text, err := p.c.Text(p.lang, n)
	if err != nil {
		p.t.Fatalf("%s: %v", heading, err)
	}
	fmt.Fprintf(p, "## %s\n%s\n%s\n\n", heading, text.Title, text.Body)
}

func (p *page) short(heading string, n alerts.Notice) {
	p.t.Helper()
	s, err := p.c.Short(p.lang, n)
	if err != nil {
		p.t.Fatalf("%s: %v", heading, err)
	}
	fmt.Fprintf(p, "%-34s %s\n", heading, s.Text)
	const signature = 12
	// The carrier counts the signature with its brackets, 【湾底村妇联】, as well.
	if p.lang == roster.Chinese && units(s.Text) > shortest-signature {
		p.t.Errorf("%s: %d characters leave no room for a signature: %s", heading, units(s.Text), s.Text)
	}
}

// pages runs one subtest for each language, which writes a page, and compares
// it with the golden file.
func pages(t *testing.T, name string, write func(t *testing.T, p *page)) {
	t.Helper()
	c := catalogue(t)
	for _, lang := range roster.Langs {
		t.Run(string(lang), func(t *testing.T) {
			p := &page{t: t, c: c, lang: lang}
			write(t, p)
			compare(t, filepath.Join("testdata", string(lang), name+".golden"), p.String())
		})
	}
}

// What each person hears of one alert from its beginning to its end.
func TestEveryPurposeReadsAsAgreed(t *testing.T) {
	pages(t, "purposes", func(t *testing.T, p *page) {
		for _, role := range []roster.Role{roster.Chair, roster.Operator, roster.Kin, roster.Resident} {
			for _, why := range alerts.Purposes {
				p.add(string(role)+" "+string(why), told(t, role, why))
			}
		}
	})
}

// Everybody who works for the village reads the same; the desks, which answer
// for many villages like the operator, read which village it is.
func TestOfficialsReadTheSame(t *testing.T) {
	c := catalogue(t)
	for _, lang := range roster.Langs {
		for _, why := range alerts.Purposes {
			read := func(role roster.Role) alerts.Text {
				text, err := c.Text(lang, told(t, role, why))
				if err != nil {
					t.Fatal(err)
				}
				return text
			}
			for _, role := range []roster.Role{"", roster.Deputy, roster.CareTeam, roster.Cadre, roster.GridWorker} {
				if got, want := read(role), read(roster.Chair); got != want {
					t.Errorf("%s %s %s: %v, want %v", lang, role, why, got, want)
				}
			}
			for _, role := range []roster.Role{roster.TownDesk, roster.CountyDesk} {
				if got, want := read(role), read(roster.Operator); got != want || !strings.Contains(got.Title, "湾底村") {
					t.Errorf("%s %s %s: %v, want %v with its village", lang, role, why, got, want)
				}
			}
		}
	}
}

// What kin hear of each kind: warm, and without the neighbours' figures.
func TestWhatKinHearReadsAsAgreed(t *testing.T) {
	pages(t, "kin", func(t *testing.T, p *page) {
		for _, kind := range detectors.Kinds {
			for _, sev := range severities(kind) {
				n := example(t, kind, spoken(kind, detectors.Open)[0], sev, detectors.Open)
				n.Role, n.Name = roster.Kin, "王阿婆"
				p.add(string(kind)+" "+sev.String(), n)
			}
		}
	})
}

// What a resident hears of each kind: whether she is well.
func TestWhatAResidentHearsReadsAsAgreed(t *testing.T) {
	pages(t, "resident", func(t *testing.T, p *page) {
		for _, kind := range detectors.Kinds {
			n := told(t, roster.Resident, alerts.ToTell)
			n.Finding = example(t, kind, spoken(kind, detectors.Open)[0], detectors.Yellow, detectors.Open).Finding
			n.Name = "王阿婆"
			p.add(string(kind), n)
		}
	})
}

// What is said where somebody stands in, the resident has asked for help, it is
// known who lives there, or who sees to it is not the usual one.
func TestHowAnAlertStandsReadsAsAgreed(t *testing.T) {
	pages(t, "standing", func(t *testing.T, p *page) {
		change := func(heading string, n alerts.Notice, change func(*alerts.Notice)) {
			change(&n)
			p.add(heading, n)
		}
		change("stands in for the chair", told(t, roster.Deputy, alerts.ToTell), func(n *alerts.Notice) { n.StandsIn = roster.Chair })
		change("name and address", told(t, roster.Chair, alerts.ToTell), func(n *alerts.Notice) { n.Name, n.Address = "王阿婆", "3组12号，祠堂东边" })
		change("name alone", told(t, roster.Chair, alerts.ToTakeOver), func(n *alerts.Notice) { n.Name = "王阿婆" })
		change("address alone", told(t, roster.Chair, alerts.ToRemind), func(n *alerts.Notice) { n.Address = "祠堂东边第二家" })
		change("volunteer", told(t, roster.Volunteer, alerts.ToTell), func(*alerts.Notice) {})
		for _, role := range []roster.Role{roster.Chair, roster.Kin, roster.Resident} {
			for _, why := range []alerts.Purpose{alerts.ToTell, alerts.ToTakeOver, alerts.ToEnd, alerts.ToWarn} {
				change(fmt.Sprintf("%s %s, help is asked for", role, why), told(t, role, why), func(n *alerts.Notice) { n.Helped = true })
			}
		}
		for _, role := range []roster.Role{roster.Chair, roster.Kin} {
			for _, holder := range []roster.Role{roster.Resident, roster.Kin, roster.TownDesk, ""} {
				change(fmt.Sprintf("%s release, holder %q", role, holder), told(t, role, alerts.ToRelease), func(n *alerts.Notice) { n.Holder = holder })
			}
		}
		change("take over, unknown for how long", told(t, roster.Chair, alerts.ToTakeOver), func(n *alerts.Notice) { n.Waited = 0 })
		change("take over after five minutes", told(t, roster.Chair, alerts.ToTakeOver), func(n *alerts.Notice) { n.Waited = 5 * time.Minute })
		change("remind, unknown since when", told(t, roster.Chair, alerts.ToRemind), func(n *alerts.Notice) { n.HeldSince = time.Time{} })
		change("follow up, nothing said", told(t, roster.Chair, alerts.ToFollowUp), func(n *alerts.Notice) { n.Outcome, n.HandedTo = "", "" })
		change("follow up, as of the day it began", told(t, roster.Chair, alerts.ToFollowUp), func(n *alerts.Notice) { n.Now = time.Time{} })
		change("release, settled", told(t, roster.Chair, alerts.ToRelease), func(n *alerts.Notice) { n.Outcome, n.HandedTo = alerts.Appliance, "物业李师傅" })
		change("release, the resident has said that she is away", told(t, roster.Chair, alerts.ToRelease), func(n *alerts.Notice) { n.Holder, n.Outcome = roster.Resident, alerts.WasAway })
		change("end that no finding tells", told(t, roster.Chair, alerts.ToTell), func(n *alerts.Notice) { n.Purpose = alerts.ToEnd })
		change("kin, said to be away", told(t, roster.Kin, alerts.ToEnd), func(n *alerts.Notice) { n.Finding.Reason.Cause = detectors.CauseAway })
		change("kin, old data", told(t, roster.Kin, alerts.ToTell), func(n *alerts.Notice) { n.Finding.DataUntil = n.Finding.At.Add(-20 * time.Hour) })
	})
}
