package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"weimang/ingest/contract"
)

// personRow is one line of a file of people: who is told about a village, and
// how. Name and address stay in the alerts store.
type personRow struct {
	VillageID string
	Role      string // chair or operator
	Name      string
	Channel   string // console, json or webhook
	Address   string
	Language  string // zh-CN, en or "" for the site's default
}

var (
	peopleColumns   = []string{"village_id", "role", "name", "channel", "address", "language"}
	peopleRoles     = []string{"chair", "operator"}
	peopleChannels  = []string{"console", "json", "webhook"}
	peopleLanguages = []string{"", "zh-CN", "en"}
)

// openPeople reads a file of people. The error joins what is wrong with each
// line.
func openPeople(path string) ([]personRow, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	people, err := readPeople(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return people, nil
}

// readPeople reads CSV with a header of peopleColumns in any order; name,
// address and language may be missing or empty, other columns are ignored.
func readPeople(r io.Reader) ([]personRow, error) {
	rows := csv.NewReader(r)
	rows.FieldsPerRecord = -1
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty; its first line names the columns: " + strings.Join(peopleColumns, ","))
	}
	if err != nil {
		return nil, err
	}
	column := make(map[string]int, len(header))
	for i, name := range header {
		column[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))] = i
	}
	for _, name := range []string{"village_id", "role", "channel"} {
		if _, ok := column[name]; !ok {
			return nil, fmt.Errorf("line 1: no column %s; the first line names the columns: %s", name, strings.Join(peopleColumns, ","))
		}
	}
	var people []personRow
	var errs []error
	for {
		record, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return people, errors.Join(errs...)
		}
		if err != nil {
			return nil, errors.Join(append(errs, err)...)
		}
		line, _ := rows.FieldPos(0)
		cell := func(name string) string {
			i, ok := column[name]
			if !ok || i >= len(record) {
				return ""
			}
			return strings.TrimSpace(record[i])
		}
		p := personRow{
			VillageID: cell("village_id"), Role: cell("role"), Name: cell("name"),
			Channel: cell("channel"), Address: cell("address"), Language: cell("language"),
		}
		if err := p.validate(); err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", line, err))
			continue
		}
		people = append(people, p)
	}
}

// validate quotes no cell: a name may have slipped into any of them.
func (p *personRow) validate() error {
	switch {
	case !contract.ValidID(p.VillageID):
		return errors.New("column village_id: an id has 1 to 64 characters of A-Z a-z 0-9 . _ : and -")
	case !slices.Contains(peopleRoles, p.Role):
		return errors.New("column role: must be " + strings.Join(peopleRoles, " or "))
	case !slices.Contains(peopleChannels, p.Channel):
		return errors.New("column channel: must be " + strings.Join(peopleChannels, ", "))
	case !slices.Contains(peopleLanguages, p.Language):
		return errors.New("column language: must be zh-CN, en or empty")
	case !utf8.ValidString(p.Name + p.Address):
		return errors.New("name or address is not UTF-8; save the file as UTF-8 instead of, say, GBK")
	}
	return nil
}

// writePeople writes what readPeople reads.
func writePeople(w io.Writer, people []personRow) error {
	out := csv.NewWriter(w)
	rows := [][]string{peopleColumns}
	for _, p := range people {
		rows = append(rows, []string{p.VillageID, p.Role, p.Name, p.Channel, p.Address, p.Language})
	}
	return out.WriteAll(rows)
}
