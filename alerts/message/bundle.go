package message

import (
	"strings"

	"weimang/alerts"
	"weimang/alerts/roster"
)

// Bundle implements alerts.Wording.
func (c *Catalogue) Bundle(lang roster.Lang, ns []alerts.Notice, digest bool) (alerts.Text, error) {
	var out alerts.Text
	var lines []string
	for _, n := range ns {
		t, err := c.Text(lang, n)
		if err != nil {
			return out, err
		}
		lines = append(lines, t.Title)
	}
	out.Title, out.Body = lines[0], strings.Join(lines, "\n")
	return out, nil
}

// Short implements alerts.Wording.
func (c *Catalogue) Short(lang roster.Lang, n alerts.Notice) (alerts.Short, error) {
	t, err := c.Text(lang, n)
	return alerts.Short{Template: "alert", Text: t.Title}, err
}

// ShortBundle implements alerts.Wording.
func (c *Catalogue) ShortBundle(lang roster.Lang, ns []alerts.Notice, digest bool) (alerts.Short, error) {
	t, err := c.Bundle(lang, ns, digest)
	return alerts.Short{Template: "bundle", Text: t.Title}, err
}

// Answer implements alerts.Wording.
func (c *Catalogue) Answer(lang roster.Lang, n alerts.Notice, a alerts.Action) string {
	return string(a)
}
