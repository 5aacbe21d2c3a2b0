package rosterfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"weimang/alerts/roster"
)

// readCSV reads a text file of one sheet, parted by commas, semicolons or
// tabs, in UTF-8, UTF-16 with its mark, or GBK.
func readCSV(data []byte, sheet *raw) roster.Rule {
	s, ok := decodeText(data)
	if !ok {
		return roster.FileEncoding
	}
	rows := csv.NewReader(strings.NewReader(s))
	rows.FieldsPerRecord = -1
	rows.Comma = separator(s)
	for {
		record, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return ""
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			sheet.place.Row = bad.StartLine
			return roster.FileSyntax
		}
		if err != nil {
			return roster.FileSyntax
		}
		line, _ := rows.FieldPos(0)
		row := rawRow{n: line, cells: make([]cell, len(record))}
		for i, field := range record {
			row.cells[i].text = unguarded(field)
			if spreadsheetError(field) {
				row.cells[i].marker = formulaError
			}
		}
		sheet.rows = append(sheet.rows, row)
	}
}

// decodeText is a file's text, without a byte order mark.
func decodeText(b []byte) (string, bool) {
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		b = b[3:]
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		return decodeUTF16(b)
	}
	if utf8.Valid(b) {
		return string(b), true
	}
	// GB18030 holds all of GBK.
	out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b)
	if err != nil || bytes.ContainsRune(out, utf8.RuneError) {
		return "", false
	}
	return string(out), true
}

func decodeUTF16(b []byte) (string, bool) {
	if len(b)%2 != 0 {
		return "", false
	}
	units := make([]uint16, 0, len(b)/2-1)
	for i := 2; i < len(b); i += 2 {
		lo, hi := b[i], b[i+1]
		if b[0] == 0xfe {
			lo, hi = hi, lo
		}
		units = append(units, uint16(hi)<<8|uint16(lo))
	}
	s := string(utf16.Decode(units))
	return s, !strings.ContainsRune(s, utf8.RuneError)
}

// separator is what parts the fields: what stands most often in the first line.
func separator(s string) rune {
	line, _, _ := strings.Cut(s, "\n")
	best := ','
	for _, c := range ";\t" {
		if strings.Count(line, string(c)) > strings.Count(line, string(best)) {
			best = c
		}
	}
	return best
}

// spreadsheetError reports whether a text is what spreadsheets show for a
// formula that has no value.
func spreadsheetError(s string) bool {
	switch strings.TrimSpace(s) {
	case "#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!":
		return true
	default:
		return false
	}
}

// writeCSV writes a sheet with a mark, by which spreadsheets know UTF-8.
func writeCSV(w io.Writer, rows [][]string) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	for _, row := range rows {
		safe := make([]string, len(row))
		for i, s := range row {
			safe[i] = guarded(s)
		}
		if err := out.Write(safe); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// guarded keeps a spreadsheet from taking a text for a formula: what begins
// like one gets an apostrophe before it, which unguarded takes off again.
func guarded(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r'", rune(s[0])) {
		return "'" + s
	}
	return s
}

func unguarded(s string) string {
	if rest, ok := strings.CutPrefix(s, "'"); ok && rest != "" && strings.ContainsRune("=+-@'", rune(rest[0])) {
		return rest
	}
	return s
}
