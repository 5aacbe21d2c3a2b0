package message

import "strings"

// lines gathers what texts say below each other, without those that say
// nothing, until the first error.
type lines struct {
	all []string
	err error
}

func (l *lines) add(t text, facts any) {
	if l.err != nil {
		return
	}
	s, err := t.write(facts)
	if l.err = err; err == nil && s != "" {
		l.all = append(l.all, s)
	}
}

// each adds a line for each home of a bundle.
func (l *lines) each(t *bundleTexts, homes []*facts) {
	for _, x := range homes {
		own := t
		if audienceOf(x.n.Role) == kin {
			own = &x.l.people.Bundle.Kin // a chair may be somebody's daughter
		}
		l.add(own.line(x), x)
	}
}

func (l *lines) String() string { return strings.Join(l.all, "\n") }
