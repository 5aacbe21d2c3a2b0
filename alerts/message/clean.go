package message

import (
	"strings"
	"unicode"
	"unicode/utf16"

	"weimang/alerts"
)

// Longest words of others in a message, in characters.
const (
	labelLength   = 40
	nameLength    = 20
	villageLength = 30
	addressLength = 60
)

// cleaned is a notice whose words of others, such as labels and names, can be
// put into any message: whoever writes a roster must not write messages.
func cleaned(n alerts.Notice) alerts.Notice {
	f := *n.Finding
	f.HouseholdID, f.AreaID = clean(f.HouseholdID, labelLength), clean(f.AreaID, labelLength)
	n.Finding = &f
	n.Label = clean(n.Label, labelLength)
	n.Name = clean(n.Name, nameLength)
	n.Village = clean(n.Village, villageLength)
	n.Address = clean(n.Address, addressLength)
	n.HandedTo = clean(n.HandedTo, addressLength)
	homes := make([]string, 0, len(n.Homes))
	for _, h := range n.Homes {
		if h = clean(h, labelLength); h != "" {
			homes = append(homes, h)
		}
	}
	n.Homes = homes
	return n
}

// clean makes one line of at most limit characters of a word of others. What
// chat programs, mail programs or vendors of SMS take for more than a letter
// (markup, mentions such as @all and <@all>, links, the brackets 【】 around an
// SMS signature) becomes its full-width twin, which looks the same and means
// nothing to a program. So does the full stop of an address of the Web, of which
// chat programs would make a link.
func clean(s string, limit int) string {
	line := []rune(strings.Join(strings.Fields(strings.Map(printed, strings.ToValidUTF8(s, ""))), " "))
	for i, r := range line {
		link := i+1 < len(line) && (r == '.' && unicode.IsLetter(line[i+1]) || r == '/' && line[i+1] == '/')
		if link || strings.ContainsRune("@<>[]{}*_`~#|\\&$", r) {
			line[i] += fullWidth
		}
	}
	return cut(string(line), limit)
}

// printed is a character as it may stand in a line: what moves or hides others,
// such as marks of direction, is left out.
func printed(r rune) rune {
	switch {
	case r == '【':
		return '（'
	case r == '】':
		return '）'
	case unicode.IsSpace(r) || unicode.IsControl(r):
		return ' '
	case !unicode.IsPrint(r):
		return -1
	default:
		return r
	}
}

// fullWidth is what lies between a printable ASCII character and its full-width
// twin.
const fullWidth = '！' - '!'

// units is how many of the 70 characters of an SMS a text takes.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

const ellipsis = "…"

// cut shortens a word to limit units of UCS-2. It keeps the end, where the
// village's words have what tells homes apart (3组12号), and neither a
// character nor a number in part: 号 of 112号 is no home, 12号 would be another.
func cut(s string, limit int) string {
	if units(s) <= limit {
		return s
	}
	runes := []rune(s)
	at, left := len(runes), limit-units(ellipsis)
	for at > 0 && left >= utf16.RuneLen(runes[at-1]) {
		at--
		left -= utf16.RuneLen(runes[at])
	}
	whole := at
	for whole < len(runes) && (unicode.IsMark(runes[whole]) || whole > 0 && unicode.IsDigit(runes[whole]) && unicode.IsDigit(runes[whole-1])) {
		whole++
	}
	if whole < len(runes) { // else it is one long number
		at = whole
	}
	return ellipsis + strings.TrimLeft(string(runes[at:]), " ")
}
