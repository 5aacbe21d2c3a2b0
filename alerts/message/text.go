package message

import (
	"fmt"
	"strings"
	"time"

	"weimang/alerts"
	"weimang/alerts/roster"
	"weimang/detectors"
)

// oldData is the age from which a message says how old its data is. Below
// it, "since" and "now" mean the same to whoever reads.
const oldData = 3 * time.Hour

// Text implements alerts.Wording: a title, and a body of one line each for
// what, why, and what to do, with what must be added.
func (c *Catalogue) Text(lang roster.Lang, n alerts.Notice) (alerts.Text, error) {
	x, err := c.facts(lang, n)
	if err != nil {
		return alerts.Text{}, err
	}
	return x.text()
}

func (x *facts) text() (out alerts.Text, err error) {
	title, lines := x.l.outline(x)
	if out.Title, err = title.write(x); err != nil {
		return out, fmt.Errorf("title: %w", err)
	}
	if out.Body, err = x.write(lines...); err != nil {
		return out, fmt.Errorf("body: %w", err)
	}
	return out, nil
}

// write is the texts below each other, without those that say nothing.
func (x *facts) write(texts ...text) (string, error) {
	var out lines
	for _, t := range texts {
		out.add(t, x)
	}
	return out.String(), out.err
}

// Sentence is what is unlike usual and since when, for the page: with how
// often that happens by chance, and how old the data is, where it matters.
func (c *Catalogue) Sentence(lang roster.Lang, n alerts.Notice) (string, error) {
	f, err := c.facts(lang, n)
	if err != nil {
		return "", err
	}
	l := f.l
	s, err := f.p.What.write(f)
	if err != nil || n.Finding.State == detectors.Resolved {
		return s, err
	}
	add := func(extra string) {
		var more string
		if err == nil {
			more, err = l.Extra[extra].write(f)
			s += strings.Trim(l.Names.Stop, "。.") + more
		}
	}
	if f.sure() {
		add("sure")
	}
	if f.old() {
		add("old")
	}
	return s, err
}

// Kind is the name of a kind.
func (c *Catalogue) Kind(lang roster.Lang, k detectors.Kind) string {
	return c.language(lang).Names.Kinds[k]
}

// Severity is the name of a colour.
func (c *Catalogue) Severity(lang roster.Lang, s detectors.Severity) string {
	return c.language(lang).Names.Severities[s.String()]
}

// Urgency is what a colour asks of whoever reads it.
func (c *Catalogue) Urgency(lang roster.Lang, s detectors.Severity) string {
	return c.language(lang).Names.Urgency[s.String()]
}

// When tells a moment as people do, seen from now: "今天上午9点半".
func (c *Catalogue) When(lang roster.Lang, t, now time.Time, zone *time.Location) string {
	return c.language(lang).tell.when(t.In(zone), now.In(zone))
}

// KWh tells energy as people do: "0.4 度".
func (c *Catalogue) KWh(lang roster.Lang, v float64) string {
	return c.language(lang).tell.energy(v)
}

// language is lang's texts, or the Chinese ones.
func (c *Catalogue) language(lang roster.Lang) *language {
	if l, ok := c.langs[lang]; ok {
		return l
	}
	return c.langs[roster.Chinese]
}

func (c *Catalogue) facts(lang roster.Lang, n alerts.Notice) (*facts, error) {
	if n.Finding == nil {
		return nil, fmt.Errorf("nothing to word")
	}
	if n.Zone == nil {
		n.Zone = time.UTC
	}
	if n.Now.IsZero() {
		n.Now = n.Finding.DecidedAt
		if n.HeldSince.After(n.Now) {
			n.Now = n.HeldSince
		}
	}
	l := c.language(lang)
	n = cleaned(n)
	x := &facts{n: n, f: n.Finding, l: l, p: l.choose(n.Finding)}
	x.p.Title = l.title(n.Finding, x.p)
	if n.Purpose == alerts.ToEnd && n.Finding.State != detectors.Resolved {
		x.p = l.people.Closed
	}
	// Who answers for many villages must hear which.
	x.village = desk(n.Role)
	return x, nil
}

func desk(r roster.Role) bool {
	return r == roster.TownDesk || r == roster.CountyDesk || r == roster.Operator
}

// Elapsed tells how long something has lasted: "4个半小时", "2天".
func (c *Catalogue) Elapsed(lang roster.Lang, d time.Duration) string {
	return c.language(lang).tell.elapsed(d)
}
