package store

import (
	"strconv"
	"strings"
)

// numberPlaceholders writes ? as $1, $2 and so on, but not within a string, a
// quoted name or a comment.
func numberPlaceholders(text string) string {
	var b strings.Builder
	n := 0
	for i := 0; i < len(text); {
		end := i + 1
		switch c := text[i]; {
		case c == '?':
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
			i = end
			continue
		case c == '\'' || c == '"':
			end = after(text, end, text[i:end])
		case strings.HasPrefix(text[i:], "--"):
			end = after(text, end, "\n")
		}
		b.WriteString(text[i:end])
		i = end
	}
	return b.String()
}

// after is the place behind the next mark, or the end of the text. A doubled
// quote ends one string and begins another, which comes to the same.
func after(text string, from int, mark string) int {
	if at := strings.Index(text[from:], mark); at >= 0 {
		return from + at + len(mark)
	}
	return len(text)
}
