package message

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"weimang/alerts"
	"weimang/alerts/roster"
)

// smsTemplate is a parsed template: fixed texts, with a variable behind each
// but the last.
type smsTemplate struct {
	text      string // with ${name}
	fixed     []string
	variables []string
}

var placeholder = regexp.MustCompile(`\$\{([a-z]+)\}`)

func (s *short) parse() error {
	s.templates = map[string]smsTemplate{}
	for name, t := range s.Templates {
		if !slices.Contains(smsNames, name) {
			return fmt.Errorf("no template is called %q", name)
		}
		if t.Answered {
			s.templates[name+plain] = parseTemplate(t.Text)
			t.Text += s.Reply
		}
		s.templates[name] = parseTemplate(t.Text)
	}
	for _, name := range smsNames {
		if _, ok := s.templates[name]; !ok {
			return fmt.Errorf("template %q is missing", name)
		}
	}
	for name, t := range s.templates {
		for _, v := range t.variables {
			if s.Limits[v] == 0 || s.Examples[v] == "" {
				return fmt.Errorf("template %q: variable %q has no limit or no example", name, v)
			}
		}
	}
	return nil
}

func parseTemplate(s string) smsTemplate {
	t := smsTemplate{text: s}
	at := 0
	for _, m := range placeholder.FindAllStringSubmatchIndex(s, -1) {
		t.fixed = append(t.fixed, s[at:m[0]])
		t.variables = append(t.variables, s[m[2]:m[3]])
		at = m[1]
	}
	t.fixed = append(t.fixed, s[at:])
	return t
}

// answersVariable is the one that is as long as there is room for.
const answersVariable = "answers"

// fill writes a template. value gives what stands in a variable, in at most
// limit characters.
func (s *short) fill(name string, answers replies, value func(name string, limit int) (string, error)) (alerts.Short, error) {
	t := s.templates[name]
	if twin, ok := s.templates[name+plain]; ok && !s.offers(answers) {
		name, t = name+plain, twin
	}
	out := alerts.Short{Template: name}
	room := shortest - units(strings.Join(t.fixed, ""))
	for _, v := range t.variables {
		limit := s.Limits[v]
		var got string
		var err error
		if v == answersVariable { // stands last
			got = s.replies(answers, min(limit, room))
		} else {
			got, err = value(v, limit)
		}
		if got = cut(plainValue(got), limit); got == "" && err == nil {
			err = fmt.Errorf("nothing to put into %s", v)
		}
		if err != nil {
			return out, fmt.Errorf("template %s: %w", name, err)
		}
		room -= units(got)
		out.Params = append(out.Params, alerts.Param{Name: v, Value: got})
	}
	out.Text = t.with(func(i int) string { return out.Params[i].Value })
	return out, nil
}

// with is the text with something in its variables.
func (t *smsTemplate) with(value func(i int) string) string {
	var b strings.Builder
	for i, fixed := range t.fixed {
		b.WriteString(fixed)
		if i < len(t.variables) {
			b.WriteString(value(i))
		}
	}
	return b.String()
}

// TemplateText is a template for SMS as an operator hands it in for approval.
type TemplateText struct {
	Name      string // as configuration maps it to the vendor's code
	Text      string // with variables as ${name}
	Numbered  string // the same with variables as {1}, {2}
	Example   string // the same with likely values
	Variables []TemplateVariable
}

// TemplateVariable is a variable of a template.
type TemplateVariable struct {
	Name    string
	Limit   int // characters at most
	Example string
}

// Templates are all templates for SMS of a language, in a fixed order.
func (c *Catalogue) Templates(lang roster.Lang) []TemplateText {
	s := &c.language(lang).short
	var out []TemplateText
	for _, name := range smsNames {
		for _, name := range []string{name, name + plain} {
			t, ok := s.templates[name]
			if !ok {
				continue
			}
			text := TemplateText{
				Name: name, Text: t.text,
				Numbered: t.with(func(i int) string { return "{" + strconv.Itoa(i+1) + "}" }),
				Example:  t.with(func(i int) string { return s.Examples[t.variables[i]] }),
			}
			for _, v := range t.variables {
				text.Variables = append(text.Variables, TemplateVariable{Name: v, Limit: s.Limits[v], Example: s.Examples[v]})
			}
			out = append(out, text)
		}
	}
	return out
}
