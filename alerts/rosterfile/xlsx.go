package rosterfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"

	"weimang/alerts/roster"
)

// Bounds of a workbook, unpacked: a few kilobytes of it can hold gigabytes.
// All of it stays in memory: excelize would put larger parts into files.
const (
	workbookBytes = 128 << 20
	sheetRows     = 200_000
	sheetColumns  = 100
)

// readXLSX reads the sheets of a workbook, row by row.
func readXLSX(data []byte, file string) (_ []raw, err error) {
	book, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{
		UnzipSizeLimit: workbookBytes, UnzipXMLSizeLimit: workbookBytes, RawCellValue: true,
	})
	if err != nil {
		return nil, workbookError(err)
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	marks, err := readMarks(data)
	if err != nil {
		return nil, workbookError(err)
	}
	epoch := false
	if props, err := book.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		epoch = *props.Date1904
	}
	var sheets []raw
	for _, name := range book.GetSheetList() {
		s := raw{place: Place{File: file, Sheet: name}, name: name, epoch: epoch}
		if err := readSheet(book, &s, marks[name]); err != nil {
			return nil, fmt.Errorf("sheet %d: %w", len(sheets)+1, workbookError(err))
		}
		sheets = append(sheets, s)
	}
	return sheets, nil
}

// workbookError says what is wrong without a word of what is in it.
func workbookError(err error) error {
	switch {
	case errors.Is(err, errTooLarge), strings.Contains(err.Error(), "unzip size exceeds"):
		return fmt.Errorf("the workbook is larger than %d MB unpacked, or a sheet than %d rows and %d columns; remove what is not the roster, or save the sheets as CSV",
			workbookBytes>>20, sheetRows, sheetColumns)
	case errors.Is(err, excelize.ErrWorkbookFileFormat), errors.Is(err, excelize.ErrWorkbookPassword):
		return errors.New("not a workbook that can be read; save it as .xlsx, without a password")
	default:
		return errors.New("not a workbook that can be read: it is damaged; open it in a spreadsheet program and save it as .xlsx")
	}
}

var errTooLarge = errors.New("too large")

func readSheet(book *excelize.File, s *raw, m marks) (err error) {
	rows, err := book.Rows(s.name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for n := 1; rows.Next(); n++ {
		fields, err := rows.Columns()
		if err != nil {
			return err
		}
		if len(fields) == 0 && len(m.empty[n]) == 0 && len(m.filled[n]) == 0 {
			continue // also the million blank rows of a column that was formatted to its end
		}
		if len(s.rows) >= sheetRows || len(fields) > sheetColumns {
			return errTooLarge
		}
		row := rawRow{n: n, hidden: rows.GetRowOpts().Hidden, cells: make([]cell, len(fields))}
		for i, field := range fields {
			row.cells[i] = cell{text: field, exact: true}
			if spreadsheetError(field) {
				row.cells[i].marker = formulaError
			}
		}
		for _, col := range m.empty[n] {
			row.at(col).marker = formulaEmpty
		}
		s.rows = append(s.rows, row)
	}
	s.fill(m)
	return nil
}

// at is a cell of a row, which grows to it.
func (r *rawRow) at(col int) *cell {
	for len(r.cells) <= col && col < sheetColumns {
		r.cells = append(r.cells, cell{exact: true})
	}
	if col >= len(r.cells) {
		return new(cell)
	}
	return &r.cells[col]
}

// fill writes the value of merged cells into each row of them: a village that
// is written once beside its homes.
func (s *raw) fill(m marks) {
	for i := range s.rows {
		for _, f := range m.filled[s.rows[i].n] {
			for j := i - 1; j >= 0; j-- {
				if s.rows[j].n == f.from && f.col < len(s.rows[j].cells) {
					*s.rows[i].at(f.col) = s.rows[j].cells[f.col]
					break
				}
			}
		}
	}
}

// writeXLSX writes sheets as one workbook, all cells as text: a number must
// keep its digits, and a formula must stay a text.
func writeXLSX(w io.Writer, names []string, sheets [][][]string) (err error) {
	book := excelize.NewFile()
	defer func() { err = errors.Join(err, book.Close()) }()
	asText, err := book.NewStyle(&excelize.Style{NumFmt: 49})
	if err != nil {
		return err
	}
	head, err := book.NewStyle(&excelize.Style{NumFmt: 49, Font: &excelize.Font{Bold: true}})
	if err != nil {
		return err
	}
	for i, name := range names {
		if i == 0 {
			err = book.SetSheetName(book.GetSheetName(0), name)
		} else {
			_, err = book.NewSheet(name)
		}
		if err != nil {
			return err
		}
		if err := writeSheet(book, name, sheets[i], asText, head); err != nil {
			return fmt.Errorf("sheet %s: %w", name, err)
		}
	}
	return book.Write(w)
}

func writeSheet(book *excelize.File, name string, rows [][]string, asText, head int) error {
	out, err := book.NewStreamWriter(name)
	if err != nil {
		return err
	}
	if err := out.SetColWidth(1, len(rows[0]), 16); err != nil {
		return err
	}
	if err := out.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	for n, row := range rows {
		style := asText
		if n == 0 {
			style = head
		}
		cells := make([]any, len(row))
		for i, s := range row {
			cells[i] = excelize.Cell{StyleID: style, Value: s}
		}
		at, err := excelize.CoordinatesToCellName(1, n+1)
		if err != nil {
			return err
		}
		if err := out.SetRow(at, cells); err != nil {
			return err
		}
	}
	return out.Flush()
}

// sheetsOf are the sheets that a workbook or a folder holds by their names.
func sheetsOf(list []raw, unknown func(raw), twice func(raw)) map[roster.Sheet]raw {
	out := make(map[roster.Sheet]raw)
	for _, s := range list {
		kind := named(s.name)
		if kind == nil {
			unknown(s)
			continue
		}
		if _, there := out[kind.Of]; there {
			twice(s)
			continue
		}
		out[kind.Of] = s
	}
	return out
}
