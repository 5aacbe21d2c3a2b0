package web

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"weimang/alerts/roster"
)

// texts are the page's own words in one language, by key.
type texts map[string]string

// readTexts reads the words of all languages and checks that each has them all.
func readTexts() (map[roster.Lang]texts, error) {
	raw, err := files.ReadFile("texts.yaml")
	if err != nil {
		return nil, fmt.Errorf("page texts: %w", err)
	}
	var byKey map[string]map[roster.Lang]string
	if err := yaml.Unmarshal(raw, &byKey); err != nil {
		return nil, fmt.Errorf("page texts: %w", err)
	}
	out := map[roster.Lang]texts{}
	for _, lang := range roster.Langs {
		out[lang] = texts{}
		for key, all := range byKey {
			if all[lang] == "" {
				return nil, fmt.Errorf("page texts: %s has no %s", key, lang)
			}
			out[lang][key] = all[lang]
		}
	}
	return out, nil
}

// Of is the text of key; templates fail on one that does not exist.
func (t texts) Of(key string) (string, error) {
	s, ok := t[key]
	if !ok {
		return "", fmt.Errorf("no page text %q", key)
	}
	return s, nil
}

// fill puts values into the {0}, {1}… of a text.
func (t texts) fill(key string, values ...any) string {
	s := t[key]
	for i, v := range values {
		s = strings.ReplaceAll(s, "{"+strconv.Itoa(i)+"}", fmt.Sprint(v))
	}
	return s
}

// language is the language of a request: asked for with ?lang=, or what the
// browser likes best of those there are, or Chinese.
func language(r *http.Request) (lang roster.Lang, asked bool) {
	if l, ok := match(r.URL.Query().Get("lang")); ok {
		return l, true
	}
	best, bestQ := roster.Chinese, 0.0
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		weight := 1.0
		if s, ok := strings.CutPrefix(strings.TrimSpace(q), "q="); ok {
			w, err := strconv.ParseFloat(s, 64)
			if err != nil {
				continue
			}
			weight = w
		}
		if l, ok := match(tag); ok && weight > bestQ {
			best, bestQ = l, weight
		}
	}
	return best, false
}

// match finds the catalogue's language for a tag.
func match(tag string) (roster.Lang, bool) {
	primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
	switch primary {
	case "zh":
		return roster.Chinese, true
	case "en":
		return roster.English, true
	}
	return "", false
}
