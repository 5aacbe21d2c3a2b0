package rosterfile

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"weimang/alerts/roster"
)

// FuzzRead: whatever a file holds, reading ends with a list or an error, what is
// read can be built and checked, and what is built is written and read back the
// same.
func FuzzRead(f *testing.F) {
	for _, folder := range []string{"good", "bad"} {
		files, err := filepath.Glob(filepath.Join(examples, folder, "*.csv"))
		if err != nil || len(files) == 0 {
			f.Fatal(err, len(files))
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b, filepath.Base(file))
		}
	}
	f.Add([]byte("\xff\xfea\x00"), "units.csv")
	f.Add([]byte("household_id;from;until;meter_id\nh;1.5e9;46235.5;=1\n"), "households.csv")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		list, err := Read(data, name, opt)
		if err != nil {
			return
		}
		r, at := Build(list.Tables)
		for _, fault := range Locate(roster.Check(r, roster.Checking{Now: day}), at, roster.Chinese) {
			if fault.Text == "" || fault.Remedy == "" {
				t.Errorf("%s has no words", fault.Rule)
			}
		}
		tables := Encode(r)
		w := Writing{Zone: ningbo, Lang: roster.Chinese}
		for _, s := range Sheets {
			rows := tables[s.Of]
			if len(rows) == 0 || s.Of == roster.SheetContacts || s.Of == roster.SheetLeaves {
				continue // a contact makes its person
			}
			var out bytes.Buffer
			if err := writeCSV(&out, w.rows(&s, rows)); err != nil {
				t.Fatal(err)
			}
			again, err := Read(out.Bytes(), string(s.Of)+".csv", opt)
			if err != nil {
				t.Fatal(err)
			}
			back, _ := Build(again.Tables)
			if changes := Diff(Tables{s.Of: rows}, Tables{s.Of: Encode(back)[s.Of]}); len(changes) > 0 {
				t.Errorf("%s came back otherwise: %+v; told %q", s.Of, changes, lines(again.Faults))
			}
		}
	})
}
