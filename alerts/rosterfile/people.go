// Package rosterfile reads who answers for which village from a CSV file.
// Households have a reader of their own (ingest/feedfile), since they are
// ids; people are not, and nothing read here leaves the alerts store.
package rosterfile

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"weimang/alerts"
)

// Columns of a file of people; name, address and language may be left out.
var columns = []string{"village_id", "role", "name", "channel", "address", "language"}

const required = 2 // village_id, role; channel is checked by row

// OpenPeople reads a file of people.
func OpenPeople(path string) ([]alerts.Person, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read people: %w", err)
	}
	defer f.Close()
	people, err := ReadPeople(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return people, nil
}

// ReadPeople reads CSV with a header of village_id, role (chair or operator),
// name, channel, address and language (zh-CN or en). A person's id is made of
// village, role and place in the file's order, so that a name may change. The
// first bad row ends it with an error that names line, column and remedy, and
// repeats none of the row.
func ReadPeople(r io.Reader) ([]alerts.Person, error) {
	c := csv.NewReader(r)
	c.TrimLeadingSpace = true
	header, err := c.Read()
	if err != nil {
		return nil, errors.New("line 1: the header is missing: village_id,role,name,channel,address,language")
	}
	at := make(map[string]int)
	for i, name := range header {
		at[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))] = i
	}
	for _, name := range append(columns[:required:required], "channel") {
		if _, ok := at[name]; !ok {
			return nil, fmt.Errorf("line 1: column %s is missing; the header is village_id,role,name,channel,address,language", name)
		}
	}
	var people []alerts.Person
	count := make(map[string]int)
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return people, nil
		}
		if err != nil {
			var bad *csv.ParseError
			if errors.As(err, &bad) {
				return nil, fmt.Errorf("line %d: %w", bad.Line, bad.Err)
			}
			return nil, err
		}
		line, _ := c.FieldPos(0)
		cell := func(name string) string {
			if i, ok := at[name]; ok && i < len(row) {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		p := alerts.Person{
			VillageID: cell("village_id"), Role: alerts.Role(cell("role")), Name: cell("name"),
			Channel: cell("channel"), Address: cell("address"), Lang: alerts.Lang(cell("language")),
		}
		if p.Lang == "" {
			p.Lang = alerts.Chinese
		}
		switch {
		case p.VillageID == "":
			return nil, fmt.Errorf("line %d, column village_id: required: the village the person answers for", line)
		case p.Role != alerts.Chair && p.Role != alerts.Operator:
			return nil, fmt.Errorf("line %d, column role: must be %s or %s", line, alerts.Chair, alerts.Operator)
		case p.Channel == "":
			return nil, fmt.Errorf("line %d, column channel: required: the channel that reaches the person, such as console or webhook", line)
		case p.Lang != alerts.Chinese && p.Lang != alerts.English:
			return nil, fmt.Errorf("line %d, column language: must be %s or %s", line, alerts.Chinese, alerts.English)
		}
		key := p.VillageID + ":" + string(p.Role)
		count[key]++
		p.ID = fmt.Sprintf("%s:%d", key, count[key])
		people = append(people, p)
	}
}
