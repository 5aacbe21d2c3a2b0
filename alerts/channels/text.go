package channels

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"weimang/alerts"
	"weimang/alerts/roster"
)

// form is how a channel wants its text.
type form struct {
	limit   int                             // bytes of UTF-8
	clean   func(string) string             // takes out what the vendor would read as markup
	newline string                          // between lines
	link    func(label, link string) string // one answer, or the page
}

// plainForm is text without markup, with links written out.
func plainForm(limit int) form {
	return form{limit: limit, clean: tidy, newline: "\n", link: func(label, link string) string { return label + ": " + link }}
}

// write puts title, text, answers and link into one text. What is too long is
// cut in the middle part and says so: the link behind which the rest stands is
// kept, and so are the answers as long as there is room.
func (f form) write(m alerts.Message, title bool, answers []alerts.Answer) string {
	head := ""
	if title && m.Title != "" {
		head = f.clean(m.Title) + f.newline
	}
	var tail []string
	for _, a := range answers {
		if link := webLink(a.URL); link != "" {
			tail = append(tail, f.link(f.clean(a.Label), link))
		}
	}
	if link := webLink(m.URL); link != "" {
		tail = append(tail, f.link(words(m.Lang).more, link))
	}
	lines := strings.Split(strings.TrimSpace(m.Text), "\n")
	for i, l := range lines {
		lines[i] = f.clean(l)
	}
	body := strings.Join(lines, f.newline)
	note := words(m.Lang).cut
	for {
		end := strings.Join(tail, f.newline)
		if end != "" {
			end = f.newline + end
		}
		room := f.limit - len(head) - len(body) - len(end)
		switch {
		case room >= 0:
			return head + body + end
		case room+len(body) >= len(note): // the body gives way
			return head + cut(body, room+len(body)-len(note)) + note + end
		case len(tail) > 1: // then answers, the last first; the page, which has them too, stays
			tail = slices.Delete(tail, len(tail)-2, len(tail)-1)
		case len(end)+len(note) <= f.limit: // then the title
			return cut(head, f.limit-len(note)-len(end)) + note + end
		default:
			return cut(head+body, f.limit)
		}
	}
}

// notes are what a channel adds to a message by itself.
type notes struct{ cut, more string }

func words(lang roster.Lang) notes {
	if lang == roster.English {
		return notes{cut: "… (cut here)", more: "More"}
	}
	return notes{cut: "…（内容过长，已截断）", more: "详情"}
}

// cut shortens s to at most n bytes and breaks no character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	n = max(n, 0)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// cutRunes shortens s to at most n characters.
func cutRunes(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// tidy drops control characters and what is not UTF-8, and the begin of a
// mention: a label that reads <@all> must ring nobody's phone.
func tidy(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.ReplaceAll(strings.ReplaceAll(s, "<@", "＜@"), "<at", "＜at")
}

// markup are the characters that the vendors' kinds of Markdown read, and what
// looks like them.
var markup = strings.NewReplacer(
	"[", "［", "]", "］", "<", "＜", ">", "＞", "*", "＊", "#", "＃", "`", "｀", "_", "＿", "~", "～", "|", "｜", "\\", "＼", "!", "！",
)

// noMarkup is tidy for a vendor that reads Markdown.
func noMarkup(s string) string { return markup.Replace(tidy(s)) }

// webLink is link when it is a whole http address, "" otherwise; without the
// characters that would end it inside Markdown.
func webLink(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	return strings.NewReplacer("(", "%28", ")", "%29", "<", "%3C", ">", "%3E", " ", "%20", `"`, "%22").Replace(u.String())
}

// ref names a message to a vendor, the same at each attempt: its identity is
// made of ids that are nobody else's business, and is too long for some.
func ref(m alerts.Message) string {
	sum := sha256.Sum256([]byte(m.ID))
	return hex.EncodeToString(sum[:16])
}
