package message

import (
	"cmp"
	"fmt"
	"slices"

	"weimang/alerts"
	"weimang/alerts/roster"
	"weimang/detectors"
)

// shown is how many homes of a bundle are named: as many lines as fit on the
// screen of a phone.
const shown = 8

// bundles is the shape of the texts for several homes.
type bundles struct {
	Things struct {
		Homes    [3]string `yaml:"homes"`   // none, one, many: as counted takes them
		Matters  [3]string `yaml:"matters"` // where not each is one home
		Villages [3]string `yaml:"villages"`
	} `yaml:"things"`
	Official bundleTexts `yaml:"official"`
	Kin      bundleTexts `yaml:"kin"`
}

type bundleTexts struct {
	Title  text                    `yaml:"title"`
	Over   text                    `yaml:"over"`   // title, where nothing is to be done any more
	Digest text                    `yaml:"digest"` // title of the day's summary
	None   text                    `yaml:"none"`   // a summary of nothing
	Do     text                    `yaml:"do"`
	Calm   text                    `yaml:"calm"` // instead, in a summary
	Open   text                    `yaml:"open"` // above what is still open, in a summary
	Past   text                    `yaml:"past"` // above what is not
	More   text                    `yaml:"more"`
	Lines  map[alerts.Purpose]text `yaml:"lines"`
	Helped text                    `yaml:"helped"` // line of a home whose resident has asked for help
}

// bundle is what the texts of a bundle may ask for.
type bundle struct {
	l    *language
	all  []*facts // the gravest first
	more int      // not named
}

// Bundle implements alerts.Wording: a count, and a line for each home, the
// gravest first. One home alone is told as if it were no bundle.
func (c *Catalogue) Bundle(lang roster.Lang, ns []alerts.Notice, digest bool) (alerts.Text, error) {
	switch {
	case len(ns) == 0 && !digest:
		return alerts.Text{}, fmt.Errorf("nothing to word")
	case len(ns) == 1 && !digest:
		return c.Text(lang, ns[0])
	}
	b, err := c.bundle(lang, ns)
	if err != nil {
		return alerts.Text{}, err
	}
	t := &b.l.people.Bundle.Official
	switch b.audience() {
	case resident:
		b.all[0].n.Answers = nil // an answer would not say to what
		return b.all[0].text()   // she is asked once
	case kin:
		t = &b.l.people.Bundle.Kin
	}
	title, body, err := b.outline(t, digest)
	if err != nil {
		return alerts.Text{}, fmt.Errorf("bundle: %w", err)
	}
	out := alerts.Text{Body: body}
	if out.Title, err = title.write(b); err != nil {
		return out, fmt.Errorf("title of a bundle: %w", err)
	}
	return out, nil
}

func (c *Catalogue) bundle(lang roster.Lang, ns []alerts.Notice) (*bundle, error) {
	b := &bundle{l: c.language(lang)}
	for _, n := range ns {
		x, err := c.facts(lang, n)
		if err != nil {
			return nil, err
		}
		b.all = append(b.all, x)
	}
	slices.SortStableFunc(b.all, graver)
	several := len(b.villages()) > 1
	for _, x := range b.all {
		x.village = several
	}
	return b, nil
}

// graver orders what is to be done before what is over, by how pressing it is.
func graver(a, b *facts) int {
	grave := func(x *facts) int {
		switch {
		case x.asks():
			return int(detectors.Red) + 1
		case x.past():
			return 0
		default:
			return int(x.f.Severity)
		}
	}
	return cmp.Or(
		cmp.Compare(grave(b), grave(a)),
		cmp.Compare(slices.Index(detectors.Kinds, a.f.Kind), slices.Index(detectors.Kinds, b.f.Kind)),
		a.begin().Compare(b.begin()),
	)
}

// past: nothing is to be done any more, and nobody asks.
func (x *facts) past() bool {
	why := purpose(&x.n)
	return (why == alerts.ToEnd || why == alerts.ToRelease) && !x.asks()
}

// audience is for whom it is written: who is told as an official is one, even
// if she is told of her mother's home beside.
func (b *bundle) audience() audience {
	has := func(to audience) bool {
		return slices.ContainsFunc(b.all, func(x *facts) bool { return audienceOf(x.n.Role) == to })
	}
	switch {
	case has(official) || len(b.all) == 0:
		return official
	case has(kin):
		return kin
	default:
		return resident
	}
}

func (b *bundle) villages() []string {
	var names []string
	for _, x := range b.all {
		if x.HasVillage() && !slices.Contains(names, x.n.Village) {
			names = append(names, x.n.Village)
		}
	}
	return names
}

// Place is the village, or how many there are.
func (b *bundle) Place() string {
	switch names := b.villages(); len(names) {
	case 0:
		return capital(b.l.people.Place)
	case 1:
		return names[0]
	default:
		return b.l.tell.counted(len(names), b.l.people.Bundle.Things.Villages)
	}
}

// Any: there is something to tell.
func (b *bundle) Any() bool { return len(b.all) > 0 }

// Count is how many homes there are to look after, or matters where some are
// not of one home; where nothing is to be done any more, how many there were.
func (b *bundle) Count() string {
	if open := slices.IndexFunc(b.all, (*facts).past); open > 0 {
		return b.count(open)
	}
	return b.count(len(b.all))
}

// All is how many there are with those that are over.
func (b *bundle) All() string { return b.count(len(b.all)) }

// More is how many there are beside those that are named.
func (b *bundle) More() string { return b.count(b.more) }

func (b *bundle) count(n int) string {
	things := b.l.people.Bundle.Things.Homes
	seen := map[string]bool{}
	for _, x := range b.all {
		if x.Area() || seen[x.f.HouseholdID] {
			things = b.l.people.Bundle.Things.Matters
		}
		seen[x.f.HouseholdID] = true
	}
	return b.l.tell.counted(n, things)
}

// outline is the title, and the body: what is still open before what is over.
func (b *bundle) outline(t *bundleTexts, digest bool) (title text, body string, err error) {
	var out lines
	named := b.all[:min(shown, len(b.all))]
	b.more = len(b.all) - len(named)
	open := slices.IndexFunc(named, (*facts).past)
	if open < 0 {
		open = len(named)
	}
	switch title = t.Title; {
	case digest:
		title = t.Digest
	case open == 0:
		title = t.Over
	}
	switch {
	case len(named) == 0:
		out.add(t.None, b)
	case digest:
		out.add(t.Calm, b)
	}
	if digest && open > 0 {
		out.add(t.Open, b)
	}
	out.each(t, named[:open])
	if open < len(named) && (digest || open > 0) {
		out.add(t.Past, b)
	}
	out.each(t, named[open:])
	if b.more > 0 {
		out.add(t.More, b)
	}
	if !digest && open > 0 {
		out.add(t.Do, b)
	}
	return title, out.String(), out.err
}

// line is how a home is told in a bundle.
func (t *bundleTexts) line(x *facts) text {
	if x.asks() {
		return t.Helped
	}
	if own, ok := t.Lines[purpose(&x.n)]; ok {
		return own
	}
	return t.Lines[alerts.ToTell]
}
