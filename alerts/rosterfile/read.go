package rosterfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"weimang/alerts/roster"
)

// Options say how a file is read.
type Options struct {
	Zone  string        // of dates where a row names none; IANA name
	Units []roster.Unit // that are known already, so that a list may name them
	Lang  roster.Lang   // of what is said about it
	// Sheet is what a file of one sheet holds where its name does not say;
	// "" goes by its columns.
	Sheet roster.Sheet
}

// List is what a file or a folder says.
type List struct {
	Tables Tables
	Faults []Fault // of cells, rows, columns and sheets
	// Said are the columns that each sheet has.
	sheets map[roster.Sheet]bool
}

// Has reports whether the list has a sheet of the kind, or a part of one.
func (l *List) Has(s roster.Sheet) bool { return l.sheets[s] }

// bytesOfFile bounds a file; a roster of a hundred thousand homes has 20 MB.
const bytesOfFile = 128 << 20

// Open reads a workbook (.xlsx), a text file of one sheet, or a folder of such
// files. The error is about what cannot be read at all; what is wrong in it
// stands in the list.
func Open(path string, opt Options) (*List, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return openFile(path, opt)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var sheets []raw
	var faults []Fault
	for _, e := range entries {
		if e.IsDir() || !strings.EqualFold(filepath.Ext(e.Name()), ".csv") {
			continue
		}
		data, err := readBounded(filepath.Join(path, e.Name()))
		if err != nil {
			return nil, err
		}
		s := raw{place: Place{File: e.Name()}, name: strings.TrimSuffix(e.Name(), filepath.Ext(e.Name()))}
		if rule := readCSV(data, &s); rule != "" {
			faults = append(faults, fault(s.place, "", rule, opt.Lang))
			continue
		}
		sheets = append(sheets, s)
	}
	if len(sheets) == 0 && len(faults) == 0 {
		return nil, fmt.Errorf("%s holds no .csv files; put one file for each sheet there, such as households.csv", path)
	}
	return assemble(sheets, faults, opt)
}

func openFile(path string, opt Options) (*List, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	return Read(data, filepath.Base(path), opt)
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, bytesOfFile+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(data) > bytesOfFile {
		return nil, fmt.Errorf("%s is larger than %d MB; split it into a folder of one file for each sheet", path, bytesOfFile>>20)
	}
	return data, nil
}

// Read reads what a file of that name holds.
func Read(data []byte, name string, opt Options) (*List, error) {
	if _, err := zip.NewReader(bytes.NewReader(data), int64(len(data))); err == nil {
		sheets, err := readXLSX(data, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return assemble(sheets, nil, opt)
	}
	if bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0")) {
		return nil, fmt.Errorf("%s: an old workbook (.xls), or one with a password; save it as .xlsx without", name)
	}
	s := raw{place: Place{File: name}, name: strings.TrimSuffix(name, filepath.Ext(name))}
	if rule := readCSV(data, &s); rule != "" {
		return &List{Faults: []Fault{fault(s.place, "", rule, opt.Lang)}}, nil
	}
	switch {
	case opt.Sheet != "":
		s.name = string(opt.Sheet)
	case named(s.name) == nil:
		s.name = guess(s)
	}
	return assemble([]raw{s}, nil, opt)
}

// guess is the kind of sheet of which the first rows name the most columns.
func guess(s raw) string {
	best, most := "", 0
	for i := range Sheets {
		t := tabling{tables: make(Tables)}
		_, head := t.findHeader(&Sheets[i], s)
		if head == nil {
			continue
		}
		if n := len(head.headings); n > most {
			best, most = string(Sheets[i].Of), n
		}
	}
	return best
}

// assemble makes a list of sheets. Units come first, for others may call them
// by their names.
func assemble(list []raw, faults []Fault, opt Options) (*List, error) {
	t := &tabling{
		cells: reader{zone: opt.Zone, units: make(map[string]string)}, lang: opt.Lang,
		tables: make(Tables), at: make(map[roster.Sheet]map[string]int), numbers: make(map[string]int), faults: faults,
	}
	byKind := sheetsOf(list, func(s raw) { t.fault(s.place, "", roster.SheetUnknown) }, func(s raw) { t.fault(s.place, "", roster.SheetTwice) })
	for _, u := range opt.Units {
		t.name(u.ID, u.Name)
	}
	for i := range Sheets {
		s := &Sheets[i]
		if sheet, ok := byKind[s.Of]; ok {
			t.take(s, sheet)
		}
		if s.Of == roster.SheetUnits {
			for _, row := range t.tables[s.Of] {
				t.name(row.Values["unit_id"], row.Values["name"])
			}
		}
	}
	out := &List{Tables: t.tables, Faults: t.faults, sheets: make(map[roster.Sheet]bool)}
	for s := range byKind {
		out.sheets[s] = true
	}
	for s, rows := range t.tables {
		out.sheets[s] = out.sheets[s] || len(rows) > 0
	}
	if len(out.sheets) == 0 && len(out.Faults) == 0 {
		return nil, errors.New("no sheet of a roster is in it; see deploy/docs/roster.md for names and columns")
	}
	return out, nil
}

// name notes what a unit is called; a name that two units have is none.
func (t *tabling) name(id, name string) {
	if name = narrow(name); name == "" {
		return
	}
	if was, known := t.cells.units[name]; known && was != id {
		id = ""
	}
	t.cells.units[name] = id
}

// Refused reports whether the list cannot be used.
func Refused(faults []Fault) bool {
	for _, f := range faults {
		if f.Grave {
			return true
		}
	}
	return false
}

// Locate puts problems into words, with the places where they are to be
// mended: in the file, or by kind and id where an entry is in the store.
func Locate(problems []roster.Problem, at map[roster.Ref]Row, lang roster.Lang) []Fault {
	out := make([]Fault, len(problems))
	for i, p := range problems {
		row := at[p.At]
		f := fault(row.At, p.Column, p.Rule, lang)
		if row.At.Row == 0 {
			f.Entry = string(p.At.Sheet) + " " + entry(p.At.Sheet, row)
		}
		for _, ref := range p.Also {
			if other := at[ref]; other.At.Row > 0 {
				f.Also = append(f.Also, other.At.where())
			} else {
				f.Also = append(f.Also, string(ref.Sheet)+" "+entry(ref.Sheet, other))
			}
		}
		out[i] = f
	}
	return out
}

// entry names an entry of the store by what says nothing of a person.
func entry(of roster.Sheet, row Row) string {
	s := sheetOf(of)
	var parts []string
	for _, k := range s.key {
		if v := row.Values[k]; v != "" && !s.byKey(k).Personal {
			parts = append(parts, v)
		}
	}
	return strings.Join(parts, " ")
}
