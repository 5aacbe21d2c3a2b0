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

//go:embed zh-CN.yaml en.yaml
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
		raw, err := files.ReadFile(string(lang) + ".yaml")
		if err != nil {
			return nil, fmt.Errorf("texts of %s: %w", lang, err)
		}
		l := &language{tell: tellers[lang]}
		if err := yaml.UnmarshalWithOptions(raw, l, yaml.Strict(), yaml.CustomUnmarshaler(parseText)); err != nil {
			return nil, fmt.Errorf("texts of %s: %w", lang, err)
		}
		c.langs[lang] = l
	}
	return c, nil
}

// language is the shape of a texts file.
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
func (t text) write(f *facts) (string, error) {
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
