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
// nothing to a program.
func clean(s string, limit int) string {
	var b strings.Builder
	runes := []rune(strings.ToValidUTF8(s, ""))
	for i, r := range runes {
		switch {
		case r == '【':
			b.WriteRune('（')
		case r == '】':
			b.WriteRune('）')
		case unicode.IsSpace(r) || unicode.IsControl(r):
			b.WriteByte(' ')
		case !unicode.IsPrint(r):
			// Directions, joiners and the like change how what follows is shown.
		case strings.ContainsRune("@<>[]{}*_`~#|\\&$", r), r == '.' && linked(runes, i), r == '/' && i+1 < len(runes) && runes[i+1] == '/':
			b.WriteRune(r + fullWidth)
		default:
			b.WriteRune(r)
		}
	}
	return cut(strings.Join(strings.Fields(b.String()), " "), limit)
}

// fullWidth is what lies between a printable ASCII character and its full-width
// twin.
const fullWidth = '！' - '!'

// linked reports whether a full stop stands between letters, as in an address
// of the Web, which chat programs would make a link of.
func linked(runes []rune, i int) bool {
	return i+1 < len(runes) && unicode.IsLetter(runes[i+1])
}

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
