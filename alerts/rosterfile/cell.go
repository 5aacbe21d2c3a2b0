package rosterfile

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"weimang/alerts/roster"
	"weimang/ingest/contract"
)

// cell is what stands in a sheet: its text, and what kind of thing it was.
type cell struct {
	text   string
	exact  bool // a number as the spreadsheet keeps it, with all digits it has
	marker cellMarker
}

// cellMarker is what a formula left behind.
type cellMarker int

const (
	plain cellMarker = iota
	formulaError
	formulaEmpty
)

// wide is how far the full-width forms of ASCII lie behind it.
const wide = 0xfee0

// longest is how long a text may be, in characters.
const longest = 500

// narrow takes what an input method makes wide or invisible back to plain
// characters: full-width letters, digits and punctuation, spaces of all kinds,
// characters without width.
func narrow(s string) string { return fold(s, func(rune) bool { return true }) }

// tidy is narrow for what people read: only letters and digits lose their
// width, since 3组(东)is how it is written.
func tidy(s string) string {
	return fold(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

// fold is a text without what cannot be seen, and with the plain form of those
// full-width characters for which narrow says so.
func fold(s string, narrow func(plain rune) bool) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r >= 0xff01 && r <= 0xff5e && narrow(r-wide):
			return r - wide
		case r == '\u200b' || r == '\u200c' || r == '\u200d' || r == '\u2060' || r == '\ufeff':
			return -1
		case unicode.IsSpace(r):
			return ' '
		default:
			return r
		}
	}, s))
}

var exponent = regexp.MustCompile(`^-?(\d)(?:\.(\d+))?[eE]\+?(\d+)$`)

// digits is the whole number that a spreadsheet made a float of: 1.3800138E10
// is 13800138000. Of a text file only what was shown is left, and there the
// digits that were not shown are lost; of any number those past the fifteenth.
func digits(c cell) (string, roster.Rule) {
	s := narrow(c.text)
	if whole, ok := strings.CutSuffix(s, ".0"); ok && isDigits(whole) {
		s = whole
	}
	if c.exact && isDigits(s) && len(s) > 15 {
		return "", roster.CellDigitsLost
	}
	m := exponent.FindStringSubmatch(s)
	if m == nil {
		return s, ""
	}
	f, err := strconv.ParseFloat(s, 64)
	power, _ := strconv.Atoi(m[3])
	switch {
	case err != nil || f < 0 || f != math.Trunc(f) || power > 14:
		return "", roster.CellDigitsLost
	case !c.exact && len(m[2]) < power:
		return "", roster.CellDigitsLost
	}
	return strconv.FormatFloat(f, 'f', 0, 64), ""
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// reader reads cells.
type reader struct {
	zone  string            // where a row names none
	units map[string]string // ids by name; "" where several have it
	epoch bool              // the workbook counts its days from 1904
}

// read is the value of a cell in the store's own words, or what is wrong with
// it. zone is the row's.
func (r *reader) read(col *Column, c cell, zoneName string) (string, roster.Rule) {
	switch c.marker {
	case formulaError:
		return "", roster.CellFormulaError
	case formulaEmpty:
		return "", roster.CellFormulaEmpty
	}
	if strings.TrimSpace(c.text) == "" {
		return "", ""
	}
	if !utf8.ValidString(c.text) || strings.ContainsRune(c.text, utf8.RuneError) {
		return "", roster.FileEncoding
	}
	if strings.ContainsFunc(c.text, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }) {
		return "", roster.CellCharacters
	}
	if utf8.RuneCountInString(c.text) > longest {
		return "", roster.CellLong
	}
	if col.kind == date || col.kind == hour {
		t, ok := r.moment(c, zoneName)
		if !ok {
			return "", roster.CellDate
		}
		if col.kind == hour {
			t = t.Truncate(time.Hour)
		}
		return t.UTC().Format(time.RFC3339), ""
	}
	if col.kind == text && col.words == nil {
		if c.exact { // such as a house number
			return digits(c)
		}
		return tidy(c.text), ""
	}
	s, rule := digits(c)
	if rule != "" {
		return "", rule
	}
	return r.readNarrow(col, s)
}

func (r *reader) readNarrow(col *Column, s string) (string, roster.Rule) {
	if col.words != nil {
		if w, ok := lookup(col.words, s); ok {
			return w, ""
		}
		if col.kind != channel {
			return "", roster.CellWord
		}
	}
	switch col.kind {
	case id:
		return s, idFault(s)
	case unit:
		if byName, ok := r.units[s]; ok && byName != "" {
			return byName, ""
		}
		if !contract.ValidID(s) {
			return "", roster.CellUnknownUnit
		}
		return s, idFault(s)
	case number:
		if n, err := strconv.Atoi(s); err != nil || n < 0 || n > 100_000 {
			return "", roster.CellNumber
		}
		return strings.TrimLeft(s[:len(s)-1], "0") + s[len(s)-1:], ""
	case hours:
		h, err := roster.ParseHours(s)
		if err != nil {
			return "", roster.CellHours
		}
		return h.String(), ""
	case zone:
		if _, err := time.LoadLocation(s); err != nil || s == "Local" {
			return "", roster.CellZone
		}
		return s, ""
	case flag:
		return yesNo(s)
	case channel:
		if s = strings.ToLower(s); !contract.ValidID(s) || roster.PersonalID(s) {
			return "", roster.CellWord
		}
		return s, ""
	default:
		return s, ""
	}
}

func idFault(s string) roster.Rule {
	switch {
	case !contract.ValidID(s):
		return roster.CellID
	case roster.PersonalID(s):
		return roster.CellPersonalID
	default:
		return ""
	}
}

func lookup(ws []word, s string) (string, bool) {
	s = strings.ToLower(s)
	for _, w := range ws {
		if s == w.zh || s == strings.ToLower(w.is) || slices.Contains(w.also, s) {
			return w.is, true
		}
	}
	return "", false
}

func yesNo(s string) (string, roster.Rule) {
	switch strings.ToLower(s) {
	case "yes", "y", "true", "1", "是", "√":
		return "yes", ""
	case "no", "n", "false", "0", "否", "×":
		return "", ""
	default:
		return "", roster.CellWord
	}
}

var (
	dayForms  = []string{"2006-1-2", "2006/1/2", "2006.1.2", "2006年1月2日", "20060102"}
	timeForms = []string{"2006-1-2 15:04", "2006-1-2 15:04:05", "2006/1/2 15:04", "2006/1/2 15:04:05"}
)

// moment reads a date in the forms in which people and spreadsheets write it.
func (r *reader) moment(c cell, zoneName string) (time.Time, bool) {
	s := narrow(c.text)
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), plausible(t)
	}
	loc, err := time.LoadLocation(zoneName)
	if err != nil {
		return time.Time{}, false // told of in the column of zones
	}
	for _, form := range slices.Concat(dayForms, timeForms) {
		if t, err := time.ParseInLocation(form, s, loc); err == nil {
			return t.UTC(), plausible(t)
		}
	}
	// Days since 1899-12-30, or 1904, as spreadsheets count: a number between 1950 and 2150.
	days, err := strconv.ParseFloat(s, 64)
	if err != nil || days < 16_000 || days > 92_000 {
		return time.Time{}, false
	}
	first := time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC)
	if r.epoch {
		first = time.Date(1904, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	at := first.Add(time.Duration(math.Round(days*24*60)) * time.Minute)
	t := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), 0, 0, loc)
	return t.UTC(), plausible(t)
}

// plausible are the years of package ingest's RosterTime.
func plausible(t time.Time) bool { return t.Year() > 1971 && t.Year() < 2399 }
