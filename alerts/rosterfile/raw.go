package rosterfile

import (
	"cmp"
	"slices"
	"strconv"

	"weimang/alerts/roster"
)

// raw is a sheet as it stands in a file, before its cells mean anything.
type raw struct {
	place Place // of the sheet; Row is 0
	name  string
	rows  []rawRow
	// epoch: the workbook counts its days from 1904.
	epoch bool
}

type rawRow struct {
	n      int // in the file, from 1
	cells  []cell
	hidden bool
}

func (r rawRow) blank() bool {
	for _, c := range r.cells {
		if c.text != "" || c.marker != plain {
			return false
		}
	}
	return true
}

// Place is where an entry stands. The zero Place is the store.
type Place struct {
	File  string // name of the file
	Sheet string // as the file calls it; "" in a file of one sheet
	Row   int    // from 1; 0 is the whole sheet
	// headings are the columns as the sheet calls them, by key.
	headings map[string]string
}

// heading is a column as the file calls it.
func (p Place) heading(key string) string {
	if h, ok := p.headings[key]; ok {
		return h
	}
	return key
}

// Fault is a problem with the place where it is to be mended.
type Fault struct {
	File   string      `json:"file,omitempty"`
	Sheet  string      `json:"sheet,omitempty"`
	Row    int         `json:"row,omitempty"`
	Column string      `json:"column,omitempty"`
	Entry  string      `json:"entry,omitempty"` // in the store: kind and id
	Rule   roster.Rule `json:"rule"`
	Grave  bool        `json:"error"`
	Text   string      `json:"text"`
	Remedy string      `json:"remedy"`
	Also   []string    `json:"also,omitempty"` // places or entries that have to do with it
}

// fault puts a problem into words.
func fault(p Place, column string, rule roster.Rule, lang roster.Lang) Fault {
	said := rule.Explain(lang)
	f := Fault{File: p.File, Sheet: p.Sheet, Row: p.Row, Rule: rule, Grave: rule.Grave(), Text: said.Text, Remedy: said.Remedy}
	if column != "" {
		f.Column = p.heading(column)
	}
	return f
}

// Sort orders faults as somebody mends them: file by file, sheet by sheet, row by
// row.
func Sort(faults []Fault) {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Sheet, b.Sheet), cmp.Compare(a.Row, b.Row))
	})
}

// where is the place in short, for a fault that names two.
func (p Place) where() string {
	s := p.Sheet
	if s == "" {
		s = p.File
	}
	return s + ":" + strconv.Itoa(p.Row)
}
