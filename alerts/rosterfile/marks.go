package rosterfile

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/xuri/excelize/v2"
)

// marks are what a streaming reader of rows does not tell of a sheet: which
// cells are merged with one above, and which hold a formula whose value was
// never saved. Rows count from 1, columns from 0.
type marks struct {
	cells  int // that are filled: ranges of a few bytes may name millions
	filled map[int][]merged
	empty  map[int][]int
}

// merged is a cell that shows what stands in row from of the same column.
type merged struct{ from, col int }

// readMarks reads the marks of each sheet of a workbook, by its name.
func readMarks(data []byte) (map[string]marks, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	var book struct {
		Sheets []struct {
			Name string     `xml:"name,attr"`
			Any  []xml.Attr `xml:",any,attr"`
		} `xml:"sheets>sheet"`
	}
	if err := part(z, "xl/workbook.xml", &book); err != nil {
		return nil, err
	}
	var rels struct {
		Rels []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	if err := part(z, "xl/_rels/workbook.xml.rels", &rels); err != nil {
		return nil, err
	}
	target := make(map[string]string, len(rels.Rels))
	for _, r := range rels.Rels {
		if t, whole := strings.CutPrefix(r.Target, "/"); whole {
			target[r.ID] = t
		} else {
			target[r.ID] = path.Join("xl", r.Target)
		}
	}
	out := make(map[string]marks, len(book.Sheets))
	for _, s := range book.Sheets {
		for _, a := range s.Any {
			if a.Name.Local != "id" {
				continue
			}
			if out[s.Name], err = sheetMarks(z, target[a.Value]); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// open opens a part of the workbook, bounded.
func open(z *zip.Reader, name string) (io.ReadCloser, error) {
	for _, f := range z.File {
		if strings.EqualFold(strings.ReplaceAll(f.Name, "\\", "/"), name) {
			if f.UncompressedSize64 > workbookBytes {
				return nil, errTooLarge
			}
			return f.Open()
		}
	}
	return nil, fmt.Errorf("no part %s", name)
}

func part(z *zip.Reader, name string, v any) error {
	r, err := open(z, name)
	if err != nil {
		return err
	}
	return errors.Join(xml.NewDecoder(io.LimitReader(r, workbookBytes)).Decode(v), r.Close())
}

func sheetMarks(z *zip.Reader, name string) (_ marks, err error) {
	m := marks{filled: make(map[int][]merged), empty: make(map[int][]int)}
	r, err := open(z, name)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	tokens := xml.NewDecoder(io.LimitReader(r, workbookBytes))
	at, formula, value := "", false, false
	for {
		token, err := tokens.Token()
		if errors.Is(err, io.EOF) {
			return m, nil
		}
		if err != nil {
			return m, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "c":
				at, formula, value = attr(t, "r"), false, false
			case "f":
				formula = true
			case "v", "is":
				value = true
			case "mergeCell":
				m.merge(attr(t, "ref"))
			}
		case xml.EndElement:
			if t.Name.Local == "c" && formula && !value {
				if col, row, err := excelize.CellNameToCoordinates(at); err == nil {
					m.empty[row] = append(m.empty[row], col-1)
				}
			}
		}
	}
}

// merge notes the cells of a range: those in the first column of it, below the
// first. What is merged across stands in its first column alone.
func (m *marks) merge(ref string) {
	first, last, ok := strings.Cut(ref, ":")
	col, from, err := excelize.CellNameToCoordinates(first)
	if !ok || err != nil {
		return
	}
	_, until, err := excelize.CellNameToCoordinates(last)
	if err != nil {
		return
	}
	for row := from + 1; row <= until && m.cells < sheetRows; row++ {
		m.cells++
		m.filled[row] = append(m.filled[row], merged{from, col - 1})
	}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
