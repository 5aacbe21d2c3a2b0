// Package rosterfile reads and writes who answers for which village, as CSV.
// Households have a reader of their own (ingest/feedfile), since they are
// ids; people are not, and nothing read here leaves the alerts store.
package rosterfile

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"weimang/alerts/roster"
	"weimang/ingest/contract"
)

// Columns of a file of people; all but village_id, role and channel may be
// left out or empty.
var columns = []string{"village_id", "role", "name", "channel", "address", "language"}

// OpenPeople reads a file of people.
func OpenPeople(path string) ([]roster.Member, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	people, err := ReadPeople(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return people, nil
}

// ReadPeople reads CSV with a header of village_id, role (chair, deputy or operator),
// name, channel (as the configuration opens it), address and language (zh-CN,
// en or empty for the site's), in any order; other columns are ignored. A
// person's id is made of village, role and place among those, so that names
// may change. The error joins what is wrong with each line and repeats no
// cell: a name may have slipped into any of them.
func ReadPeople(r io.Reader) ([]roster.Member, error) {
	rows := csv.NewReader(r)
	rows.FieldsPerRecord = -1
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("line 1: the file is empty; its first line names the columns: " + strings.Join(columns, ","))
	}
	if err != nil {
		return nil, err
	}
	at := make(map[string]int, len(header))
	for i, name := range header {
		at[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))] = i
	}
	for _, name := range []string{"village_id", "role", "channel"} {
		if _, ok := at[name]; !ok {
			return nil, fmt.Errorf("line 1: no column %s; the first line names the columns: %s", name, strings.Join(columns, ","))
		}
	}
	var people []roster.Member
	var errs []error
	count := make(map[string]int)
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return people, errors.Join(errs...)
		}
		if err != nil {
			return nil, errors.Join(append(errs, err)...)
		}
		cell := func(name string) string {
			if i, ok := at[name]; ok && i < len(row) {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		p := roster.Member{
			Person: roster.Person{Name: cell("name"), Lang: roster.Lang(cell("language")), Contacts: []roster.Contact{{Channel: cell("channel"), Address: cell("address")}}},
			Duty:   roster.Duty{Role: roster.Role(cell("role")), UnitID: cell("village_id")},
		}
		if err := check(&p); err != nil {
			line, _ := rows.FieldPos(0)
			errs = append(errs, fmt.Errorf("line %d: %w", line, err))
			continue
		}
		place := p.Duty.UnitID + ":" + string(p.Duty.Role)
		count[place]++
		p.ID = fmt.Sprintf("%s:%d", place, count[place])
		people = append(people, p)
	}
}

func check(p *roster.Member) error {
	contact := p.Contacts[0]
	switch {
	case !contract.ValidID(p.Duty.UnitID):
		return errors.New("column village_id: an id has 1 to 64 characters of A-Z a-z 0-9 . _ : and -")
	case p.Duty.Role != roster.Chair && p.Duty.Role != roster.Deputy && p.Duty.Role != roster.Operator:
		return fmt.Errorf("column role: must be %s, %s or %s", roster.Chair, roster.Deputy, roster.Operator)
	case contact.Channel == "":
		return errors.New("column channel: required: the channel that reaches the person, such as console or webhook")
	case p.Lang != "" && !slices.Contains(roster.Langs, p.Lang):
		return errors.New("column language: must be zh-CN, en or empty")
	case !utf8.ValidString(p.Name + contact.Address):
		return errors.New("name or address is not UTF-8; save the file as UTF-8 instead of, say, GBK")
	}
	return nil
}

// WritePeople writes what ReadPeople reads.
func WritePeople(w io.Writer, people []roster.Member) error {
	out := csv.NewWriter(w)
	rows := [][]string{columns}
	for _, p := range people {
		contact := p.Contacts[0]
		rows = append(rows, []string{p.Duty.UnitID, string(p.Duty.Role), p.Name, contact.Channel, contact.Address, string(p.Lang)})
	}
	return out.WriteAll(rows)
}
