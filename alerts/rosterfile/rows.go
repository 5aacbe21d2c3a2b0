package rosterfile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"weimang/alerts/roster"
)

// Row is an entry as words: the values of its columns by their keys, times in
// RFC 3339 and UTC. A column that is absent is not said.
type Row struct {
	Values map[string]string
	At     Place
}

// Tables are the rows of each kind of entry.
type Tables map[roster.Sheet][]Row

// id is what tells an entry from the others of its kind.
func (s *Sheet) id(values map[string]string) string {
	parts := make([]string, len(s.key))
	for i, k := range s.key {
		parts[i] = values[k]
	}
	return strings.Join(parts, "\x00")
}

// tabling makes tables of raw sheets.
type tabling struct {
	cells   reader
	lang    roster.Lang
	tables  Tables
	at      map[roster.Sheet]map[string]int // rows by id
	numbers map[string]int                  // how many people without an id have a place
	faults  []Fault
}

// take reads a sheet.
func (t *tabling) take(s *Sheet, sheet raw) {
	head, columns := t.findHeader(s, sheet)
	if columns == nil {
		return
	}
	t.cells.epoch = sheet.epoch
	taken := false
	for _, row := range sheet.rows[head+1:] {
		if row.blank() {
			continue
		}
		taken = true
		place := sheet.place
		place.Row = row.n
		place.headings = columns.headings
		if row.hidden {
			t.fault(place, "", roster.RowHidden)
		}
		if values, ok := t.values(s, columns, row, place); ok {
			t.split(s, values, place)
		}
	}
	if !taken {
		t.fault(sheet.place, "", roster.SheetEmpty)
	}
}

func (t *tabling) fault(p Place, column string, rule roster.Rule) {
	t.faults = append(t.faults, fault(p, column, rule, t.lang))
}

// header is the columns that it names, by position; nil is a column that is not
// read.
type header struct {
	list     []*Column
	headings map[string]string
}

// headerRows is how far down the header may stand: lists have titles.
const headerRows = 5

// findHeader finds the row that names the columns: of the first rows the one that
// names the most.
func (t *tabling) findHeader(s *Sheet, sheet raw) (at int, _ *header) {
	at, most := -1, 0
	for i, row := range sheet.rows[:min(headerRows, len(sheet.rows))] {
		known := 0
		for _, c := range row.cells {
			if s.column(c.text) != nil {
				known++
			}
		}
		if known > most {
			at, most = i, known
		}
	}
	place := sheet.place
	if at < 0 {
		if slices.ContainsFunc(sheet.rows, func(r rawRow) bool { return !r.blank() }) {
			place.Row = 1
			t.fault(place, s.Columns[0].Key, roster.ColumnMissing)
		} else {
			t.fault(place, "", roster.SheetEmpty)
		}
		return 0, nil
	}
	place.Row = sheet.rows[at].n
	cols := &header{headings: make(map[string]string)}
	ok := true
	for _, c := range sheet.rows[at].cells {
		col := s.column(c.text)
		switch {
		case col == nil && strings.TrimSpace(c.text) != "":
			t.fault(place, "", roster.ColumnUnknown)
		case col != nil && cols.headings[col.Key] != "":
			t.fault(place, col.Key, roster.ColumnTwice)
			ok = false
		case col != nil:
			cols.headings[col.Key] = tidy(c.text)
		}
		cols.list = append(cols.list, col)
	}
	place.headings = cols.headings
	for _, col := range s.Columns {
		if _, there := cols.headings[col.Key]; col.need && !there {
			t.fault(place, col.Key, roster.ColumnMissing)
			ok = false
		}
	}
	if !ok {
		return 0, nil
	}
	return at, cols
}

// unread stands for a value that could not be read, of a row that is left out.
const unread = "\x00"

// values are the cells of a row, as words. false: one of them cannot be read.
func (t *tabling) values(s *Sheet, cols *header, row rawRow, place Place) (map[string]string, bool) {
	ok := true
	zone := t.cells.zone
	for i, c := range row.cells {
		if i < len(cols.list) && cols.list[i] != nil && cols.list[i].Key == "zone" && strings.TrimSpace(c.text) != "" {
			zone = narrow(c.text)
		}
	}
	values := make(map[string]string, len(cols.list))
	for i, c := range row.cells {
		if i >= len(cols.list) {
			if strings.TrimSpace(c.text) != "" {
				t.fault(place, "", roster.RowLong)
				ok = false
				break
			}
			continue
		}
		col := cols.list[i]
		if col == nil {
			continue
		}
		v, rule := t.cells.read(col, c, zone)
		if rule != "" {
			t.faults = append(t.faults, t.cellFault(place, col, rule))
			v, ok = unread, false
		}
		values[col.Key] = v
	}
	for _, col := range cols.list {
		if col == nil {
			continue
		}
		if values[col.Key] == "" {
			values[col.Key] = "" // said to be empty, also by a row that is too short for it
			if col.need {
				t.fault(place, col.Key, roster.CellEmpty)
				ok = false
			}
		}
	}
	return values, ok
}

// cellFault is a fault of a cell; of one that wants a word of a closed set it
// names the words.
func (t *tabling) cellFault(p Place, col *Column, rule roster.Rule) Fault {
	f := fault(p, col.Key, rule, t.lang)
	if rule != roster.CellWord || len(col.words) == 0 {
		return f
	}
	list := make([]string, len(col.words))
	for i, w := range col.words {
		if list[i] = w.is; t.lang == roster.Chinese {
			list[i] = w.zh
		}
	}
	if f.Remedy = "use one of: " + strings.Join(list, ", "); t.lang == roster.Chinese {
		f.Remedy = "可以填：" + strings.Join(list, "、")
	}
	return f
}

// split puts the values of a row where they belong: a household with its
// meter, a person with what she answers for and how to reach her.
func (t *tabling) split(s *Sheet, values map[string]string, place Place) {
	switch s.Of {
	case roster.SheetHouseholds:
		t.add(s, pick(s, values, ""), place, true)
		if values["meter_id"] == "" {
			return
		}
		meter := pick(s, values, roster.SheetMeters)
		for _, k := range []string{"household_id", "village_id", "area_id", "zone"} {
			if v, said := values[k]; said {
				meter[k] = v
			}
		}
		t.add(sheetOf(roster.SheetMeters), meter, place, false)
	case roster.SheetPeople:
		t.person(s, values, place)
	case roster.SheetContacts:
		t.contact(values, place)
	default:
		t.add(s, values, place, false)
	}
}

// pick are the values of the columns that belong to a part of a sheet.
func pick(s *Sheet, values map[string]string, part roster.Sheet) map[string]string {
	out := make(map[string]string)
	for _, c := range s.Columns {
		if v, said := values[c.Key]; said && c.part == part {
			out[c.Key] = v
		}
	}
	return out
}

func (t *tabling) person(s *Sheet, values map[string]string, place Place) {
	person := pick(s, values, "")
	if person["person_id"] == "" {
		of := values["unit_id"]
		if of == "" {
			of = values["household_id"]
		}
		if of == "" || values["role"] == "" {
			t.fault(place, "person_id", roster.CellEmpty)
			return
		}
		of += ":" + values["role"]
		t.numbers[of]++
		person["person_id"] = fmt.Sprintf("%s:%d", of, t.numbers[of])
	}
	t.add(s, person, place, true)
	if values["role"] != "" {
		duty := pick(s, values, roster.SheetDuties)
		duty["person_id"] = person["person_id"]
		t.add(sheetOf(roster.SheetDuties), duty, place, true)
	}
	contact := pick(s, values, roster.SheetContacts)
	contact["person_id"] = person["person_id"]
	delete(contact, "phone")
	phone := map[string]string{"person_id": person["person_id"], "channel": roster.ChannelOf(values["phone"]), "address": values["phone"]}
	switch {
	case values["channel"] != "":
		t.contact(contact, place)
	case values["address"] != "":
		t.fault(place, "channel", roster.CellEmpty)
	default: // what is said of the number is said of the telephone
		for _, k := range []string{"state", "checked_at"} {
			if v, said := values[k]; said {
				phone[k] = v
			}
		}
	}
	if values["phone"] != "" {
		place.headings = maps.Clone(place.headings)
		place.headings["address"], place.headings["channel"] = place.heading("phone"), place.heading("phone")
		t.contact(phone, place)
	}
}

// contact adds a contact; a telephone number loses what is in it for the eye.
func (t *tabling) contact(values map[string]string, place Place) {
	if roster.Telephone(values["channel"]) {
		values["address"] = roster.CleanNumber(values["address"])
	}
	t.add(sheetOf(roster.SheetContacts), values, place, true)
}

// add adds an entry. Where entries of a sheet come in several rows the later
// ones may repeat what the first says, and say what it leaves open.
func (t *tabling) add(s *Sheet, values map[string]string, place Place, again bool) {
	if t.at[s.Of] == nil {
		t.at[s.Of] = make(map[string]int)
	}
	id := s.id(values)
	i, known := t.at[s.Of][id]
	switch {
	case !known:
		t.at[s.Of][id] = len(t.tables[s.Of])
		t.tables[s.Of] = append(t.tables[s.Of], Row{values, place})
	case !again:
		f := fault(place, s.key[0], roster.RowTwice, t.lang)
		f.Also = []string{t.tables[s.Of][i].At.where()}
		t.faults = append(t.faults, f)
	default:
		first := t.tables[s.Of][i]
		for _, c := range s.Columns {
			v := values[c.Key]
			switch was := first.Values[c.Key]; {
			case v == "" || v == was:
			case was == "":
				first.Values[c.Key] = v
			default:
				f := fault(place, c.Key, roster.RowConflict, t.lang)
				f.Also = []string{first.At.where()}
				t.faults = append(t.faults, f)
			}
		}
	}
}
