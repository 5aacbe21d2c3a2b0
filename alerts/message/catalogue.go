package message

import (
	"embed"
	"fmt"
	"strings"
	"text/template"

	"github.com/goccy/go-yaml"

	"weimang/alerts/roster"
	"weimang/detectors"
)

//go:embed *.yaml
var files embed.FS

// Catalogue holds the texts of all languages. It is safe for concurrent use.
type Catalogue struct {
	langs map[roster.Lang]*language
}

// New reads the embedded texts. An error means that they do not parse, which
// a test rules out.
func New() (*Catalogue, error) {
	c := &Catalogue{langs: map[roster.Lang]*language{}}
	for _, lang := range roster.Langs {
		l := &language{tell: tellers[lang]}
		for suffix, part := range map[string]any{"": l, ".people": &l.people, ".short": &l.short, ".answers": &l.answers} {
			if err := read(string(lang)+suffix+".yaml", part); err != nil {
				return nil, err
			}
		}
		if err := l.short.parse(); err != nil {
			return nil, fmt.Errorf("texts of %s: %w", lang, err)
		}
		c.langs[lang] = l
	}
	return c, nil
}

// read fills part from an embedded file, and fails on a key that part lacks.
func read(name string, part any) error {
	raw, err := files.ReadFile(name)
	if err == nil {
		err = yaml.UnmarshalWithOptions(raw, part, yaml.Strict(), yaml.CustomUnmarshaler(parseText))
	}
	if err != nil {
		return fmt.Errorf("texts in %s: %w", name, err)
	}
	return nil
}

// language is all texts of a language, and the shape of the file of findings;
// the other files have shapes of their own.
type language struct {
	Names struct {
		Kinds      map[detectors.Kind]string `yaml:"kinds"`
		Severities map[string]string         `yaml:"severities"`
		Urgency    map[string]string         `yaml:"urgency"`
		List       string                    `yaml:"list"`
		Stop       string                    `yaml:"stop"`
	} `yaml:"names"`
	Call     map[string]string            `yaml:"call"`
	Title    titles                       `yaml:"title"`
	Extra    map[string]text              `yaml:"extra"`
	Kinds    map[detectors.Kind]kindTexts `yaml:"kinds"`
	Causes   map[detectors.Cause]text     `yaml:"causes"`
	Resolved map[detectors.Cause]parts    `yaml:"resolved"`

	people  people  // who is told what for
	short   short   // templates for SMS
	answers answers // what people answer, and the pages on which they do

	tell teller
}

type titles struct {
	Open   text `yaml:"open"`
	Update text `yaml:"update"`
}

// kindTexts are the texts of a kind. Open serves updates too; its "default"
// serves causes that have none of their own.
type kindTexts struct {
	Title    titles                    `yaml:"title"`
	Open     map[detectors.Cause]parts `yaml:"open"`
	Resolved map[detectors.Cause]parts `yaml:"resolved"`
}

// parts are what a message is put together from.
type parts struct {
	Title text `yaml:"title"` // of a resolved one
	Lead  text `yaml:"lead"`  // of a purpose: what comes before
	What  text `yaml:"what"`
	Why   text `yaml:"why"`
	Do    text `yaml:"do"`
}

// text is one template.
type text struct{ *template.Template }

func parseText(t *text, raw []byte) error {
	var s string
	if err := yaml.Unmarshal(raw, &s); err != nil {
		return err
	}
	parsed, err := template.New("").Parse(s)
	if err != nil {
		return err
	}
	t.Template = parsed
	return nil
}

// write runs a template; one that is not there writes nothing.
func (t text) write(f any) (string, error) {
	if t.Template == nil {
		return "", nil
	}
	var b strings.Builder
	if err := t.Execute(&b, f); err != nil {
		return "", err
	}
	return strings.TrimSpace(b.String()), nil
}

const fallbackCause detectors.Cause = "default"

// choose is the kind's own text for the state and cause, or the common one.
func (l *language) choose(f *detectors.Finding) parts {
	k := l.Kinds[f.Kind]
	if f.State != detectors.Resolved {
		if p, ok := k.Open[f.Reason.Cause]; ok {
			return p
		}
		p := k.Open[fallbackCause]
		return p
	}
	if p, ok := k.Resolved[f.Reason.Cause]; ok {
		return p
	}
	if p, ok := l.Resolved[f.Reason.Cause]; ok {
		return p
	}
	// An end with the reason of a beginning: say that it is over.
	if f.HouseholdID == "" {
		return l.Resolved[detectors.CausePowerBack]
	}
	return l.Resolved[detectors.CauseUsualBack]
}

func (l *language) title(f *detectors.Finding, p parts) text {
	switch f.State {
	case detectors.Resolved:
		return p.Title
	case detectors.Update:
		if t := l.Kinds[f.Kind].Title.Update; t.Template != nil {
			return t
		}
		return l.Title.Update
	default:
		if t := l.Kinds[f.Kind].Title.Open; t.Template != nil {
			return t
		}
		return l.Title.Open
	}
}
