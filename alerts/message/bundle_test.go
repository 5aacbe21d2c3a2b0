package message

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"weimang/alerts"
	"weimang/alerts/roster"
	"weimang/detectors"
)

// homes are n homes of a village, with what comes up together on a hot day:
// the red one is neither the first nor the last.
func homes(t *testing.T, n int) []alerts.Notice {
	t.Helper()
	kinds := []struct {
		kind  detectors.Kind
		cause detectors.Cause
		sev   detectors.Severity
	}{
		{detectors.Shortfall, detectors.CauseBelow, detectors.Yellow},
		{detectors.NoSignOfLife, detectors.CauseQuiet, detectors.Red},
		{detectors.StuckOn, detectors.CauseAbove, detectors.Orange},
		{detectors.Decline, detectors.CauseLess, detectors.Yellow},
	}
	var out []alerts.Notice
	for i := range n {
		k := kinds[i%len(kinds)]
		home := example(t, k.kind, k.cause, k.sev, detectors.Open)
		home.Finding.HouseholdID = fmt.Sprintf("h%d", i)
		home.Finding.Onset = home.Finding.Onset.Add(time.Duration(i) * 15 * time.Minute)
		home.Label, home.Role = fmt.Sprintf("3组%d号", i+1), roster.Chair
		home.Answers = []alerts.Action{alerts.Acknowledge, alerts.Pass}
		out = append(out, home)
	}
	return out
}

func (p *page) bundle(heading string, ns []alerts.Notice, digest bool) {
	p.t.Helper()
	text, err := p.c.Bundle(p.lang, ns, digest)
	if err != nil {
		p.t.Fatalf("%s: %v", heading, err)
	}
	fmt.Fprintf(p, "## %s\n%s\n%s\n\n", heading, text.Title, text.Body)
	if len(ns) == 0 {
		return
	}
	s, err := p.c.ShortBundle(p.lang, ns, digest)
	if err != nil {
		p.t.Fatalf("%s: %v", heading, err)
	}
	fmt.Fprintf(p, "SMS: %s\n\n", s.Text)
}

func TestSeveralHomesReadAsAgreed(t *testing.T) {
	pages(t, "bundles", func(t *testing.T, p *page) {
		for _, n := range []int{1, 2, 3, 12} {
			p.bundle(fmt.Sprintf("homes: %d", n), homes(t, n), false)
		}
		ns := homes(t, 3)
		ns[0].Helped = true
		p.bundle("one has asked for help", ns, false)

		ns = homes(t, 3)
		ns[1].Village = "云龙村"
		for i := range ns {
			ns[i].Role = roster.TownDesk
		}
		p.bundle("two villages, to the town", ns, false)

		dark := example(t, detectors.AreaDark, detectors.CauseOutage, detectors.Yellow, detectors.Open)
		p.bundle("a home and an outage", append(homes(t, 1), dark), false)

		var every []alerts.Notice
		for i, why := range alerts.Purposes {
			n := told(t, roster.Chair, why)
			n.Label = fmt.Sprintf("3组%d号", i+1)
			n.Finding.HouseholdID = n.Label
			every = append(every, n)
		}
		p.bundle("every purpose", every, false)

		over := homes(t, 2)
		for i := range over {
			over[i].Finding.State, over[i].Finding.Reason.Cause = detectors.Resolved, detectors.CauseLifeBack
		}
		p.bundle("nothing to do any more", over, false)

		parents := homes(t, 2)
		for i, name := range []string{"王阿婆", "李阿公"} {
			parents[i].Role, parents[i].Name = roster.Kin, name
		}
		p.bundle("to kin", parents, false)
		p.bundle("to a chair who is kin", append(homes(t, 2), parents[0]), false)
	})
}

func TestTheDaysSummaryReadsAsAgreed(t *testing.T) {
	pages(t, "digests", func(t *testing.T, p *page) {
		p.bundle("nothing", nil, true)
		calm := func(n int) []alerts.Notice {
			ns := homes(t, n)
			for i := range ns {
				ns[i].Finding.Severity, ns[i].Answers = detectors.Yellow, nil
			}
			return ns
		}
		for _, n := range []int{1, 2, 12} {
			p.bundle(fmt.Sprintf("open: %d", n), calm(n), true)
		}
		ns := calm(4)
		for i := range ns[:2] {
			ns[i].Finding.State, ns[i].Finding.Reason.Cause = detectors.Resolved, detectors.CauseUsualBack
		}
		p.bundle("two open, two over", ns, true)
		p.bundle("two over", ns[:2], true)
	})
}

// The gravest comes first, and who has asked for help before her.
func TestTheGravestHomeComesFirst(t *testing.T) {
	c := catalogue(t)
	ns := homes(t, 12)
	ns[11].Helped = true
	text, err := c.Bundle(roster.Chinese, ns, false)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text.Body, "\n")
	for i, label := range []string{"3组12号", "3组2号", "3组6号", "3组10号", "3组3号"} {
		if !strings.HasPrefix(lines[i], label+"：") {
			t.Errorf("line %d is %q, want %s", i+1, lines[i], label)
		}
	}
	if len(lines) != shown+2 {
		t.Errorf("%d lines do not fit on a screen:\n%s", len(lines), text.Body)
	}
}

// Nobody is told of nothing, but in a summary.
func TestABundleOfNothingIsAnError(t *testing.T) {
	c := catalogue(t)
	if text, err := c.Bundle(roster.Chinese, nil, false); err == nil {
		t.Errorf("got %v", text)
	}
	for _, digest := range []bool{false, true} {
		if s, err := c.ShortBundle(roster.Chinese, nil, digest); err == nil {
			t.Errorf("digest %t: got %v", digest, s)
		}
	}
}

// A resident is asked once how she is, whatever there is.
func TestAResidentIsAskedOnce(t *testing.T) {
	c := catalogue(t)
	ns := homes(t, 2)
	ns[0].Role, ns[1].Role = roster.Resident, roster.Resident
	got, err := c.Bundle(roster.Chinese, ns, false)
	if err != nil {
		t.Fatal(err)
	}
	ns[1].Answers = nil
	if want, err := c.Text(roster.Chinese, ns[1]); err != nil || got != want {
		t.Errorf("got %v, want %v (%v)", got, want, err)
	}
}

// A digit would not say which home it means.
func TestABundleOffersNoAnswers(t *testing.T) {
	c := catalogue(t)
	for _, role := range []roster.Role{roster.Chair, roster.Kin, roster.Resident} {
		ns := homes(t, 2)
		ns[0].Role, ns[1].Role = role, role
		s, err := c.ShortBundle(roster.Chinese, ns, false)
		if err != nil || strings.Contains(s.Text, "回复") {
			t.Errorf("%s: %v (%v)", role, s, err)
		}
		if one, err := c.ShortBundle(roster.Chinese, ns[:1], false); err != nil || !strings.Contains(one.Text, "回复") {
			t.Errorf("%s: %v (%v)", role, one, err)
		}
	}
}
