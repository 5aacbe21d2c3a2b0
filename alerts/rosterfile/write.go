package rosterfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"weimang/alerts/roster"
)

// Writing says how a roster is written.
type Writing struct {
	Zone *time.Location // of the dates
	Lang roster.Lang    // of headings and words
	Mask bool           // leave no name, address or words of people in it
}

// Sheets that are written: those of which others are parts are whole.
func (w Writing) sheets(t Tables) (names []string, sheets [][][]string) {
	for i := range Sheets {
		s := &Sheets[i]
		if rows := t[s.Of]; len(rows) > 0 {
			names = append(names, s.Name(w.Lang))
			sheets = append(sheets, w.rows(s, rows))
		}
	}
	return names, sheets
}

// rows are a sheet's header and rows.
func (w Writing) rows(s *Sheet, rows []Row) [][]string {
	var own []*Column
	for i := range s.Columns {
		if s.Columns[i].part == "" {
			own = append(own, &s.Columns[i])
		}
	}
	head := make([]string, len(own))
	for i, c := range own {
		head[i] = c.Heading(w.Lang)
	}
	out := [][]string{head}
	for _, row := range rows {
		line := make([]string, len(own))
		for i, c := range own {
			line[i] = w.cell(c, row.Values[c.Key])
		}
		out = append(out, line)
	}
	return out
}

// cell is a value as people write it.
func (w Writing) cell(c *Column, v string) string {
	switch {
	case v == "":
		return ""
	case c.Personal && w.Mask:
		return Mask(v)
	case c.kind == date || c.kind == hour:
		t, err := time.Parse(time.RFC3339, v)
		if err != nil {
			return v
		}
		if t = t.In(w.Zone); t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 {
			return t.Format(time.DateOnly)
		}
		return t.Format(time.RFC3339)
	case c.kind == flag && w.Lang == roster.Chinese:
		return "是"
	case w.Lang == roster.Chinese:
		for _, word := range c.words {
			if word.is == v {
				return word.zh
			}
		}
	}
	return v
}

// Mask leaves of a text what is needed to tell two apart by hand: the first
// character, and of a long number the last two.
func Mask(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	if isDigits(s) && len(s) > 6 {
		return s[:3] + strings.Repeat("*", len(s)-5) + s[len(s)-2:]
	}
	return s[:n] + "**"
}

// XLSX writes a workbook with a sheet for each kind of entry.
func (w Writing) XLSX(to io.Writer, t Tables) error {
	names, sheets := w.sheets(t)
	if len(names) == 0 {
		return errors.New("the roster is empty")
	}
	return writeXLSX(to, names, sheets)
}

// Folder writes a text file for each kind of entry into a folder, which it
// makes for this user's eyes only.
func (w Writing) Folder(path string, t Tables) error {
	names, sheets := w.sheets(t)
	if len(names) == 0 {
		return errors.New("the roster is empty")
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	for i, name := range names {
		f, err := os.OpenFile(filepath.Join(path, name+".csv"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		if err := errors.Join(writeCSV(f, sheets[i]), f.Close()); err != nil {
			return err
		}
	}
	return nil
}
