package rosterfile

import (
	"maps"
	"slices"

	"weimang/alerts/roster"
)

// Overlay is what the store has, given, becomes by a list: what the list says
// counts, and what it does not say stays. Its rows come first and in its order.
// With replace a sheet that the list has is the whole of it.
//
// Of contacts, duties and leaves a list names all that a person has, or none of
// hers; of meters, those of a household. A meter that is somewhere else from
// a date on was where it was until then.
func Overlay(stored Tables, list *List, replace bool) Tables {
	out := make(Tables)
	for i := range Sheets {
		s := &Sheets[i]
		out[s.Of] = s.overlay(stored[s.Of], list.Tables[s.Of], replace && list.Has(s.Of))
	}
	if replace {
		out.dropOrphans(list, roster.SheetPeople, "person_id")
		out.dropOrphans(list, roster.SheetHouseholds, "household_id")
	}
	return out
}

func (s *Sheet) overlay(stored, said []Row, whole bool) []Row {
	was := make(map[string]Row, len(stored))
	for _, row := range stored {
		was[s.id(row.Values)] = row
	}
	owners := make(map[string]bool)
	begins := make(map[string]string) // of a meter, where the list puts it
	out := make([]Row, 0, len(stored)+len(said))
	since := begun(s, stored)
	for _, row := range said {
		if at, there := since[row.Values["meter_id"]+"\x00"+row.Values["household_id"]]; there && row.Values["from"] == "" {
			row.Values = maps.Clone(row.Values)
			row.Values["from"] = at
		}
		id := s.id(row.Values)
		merged := maps.Clone(row.Values)
		for k, v := range was[id].Values {
			if _, known := merged[k]; !known {
				merged[k] = v
			}
		}
		delete(was, id)
		out = append(out, Row{merged, row.At})
		if s.owner != "" {
			owners[row.Values[s.owner]] = true
		}
		if s.Of == roster.SheetMeters {
			begins[row.Values["meter_id"]] = row.Values["from"]
		}
	}
	if whole {
		return out
	}
	for _, row := range stored {
		if _, left := was[s.id(row.Values)]; !left {
			continue
		}
		if s.Of == roster.SheetMeters {
			row = ended(row, begins)
		}
		if owners[row.Values[s.owner]] && (s.Of != roster.SheetMeters || row.Values["until"] == "") {
			continue
		}
		out = append(out, row)
	}
	return out
}

// begun are the times since which meters are where they are, by meter and
// household: a list that does not say since when does not change it.
func begun(s *Sheet, stored []Row) map[string]string {
	if s.Of != roster.SheetMeters {
		return nil
	}
	out := make(map[string]string)
	for _, row := range stored {
		if row.Values["until"] == "" {
			out[row.Values["meter_id"]+"\x00"+row.Values["household_id"]] = row.Values["from"]
		}
	}
	return out
}

// ended is a stored home of a meter, until the list puts it somewhere else.
func ended(row Row, begins map[string]string) Row {
	from := begins[row.Values["meter_id"]]
	if from == "" || from <= row.Values["from"] || row.Values["until"] != "" && row.Values["until"] <= from {
		return row
	}
	row.Values = maps.Clone(row.Values)
	row.Values["until"] = from
	return row
}

// dropOrphans takes what the store has of somebody, or of a home, off with her
// or it, where a whole list leaves them out.
func (t Tables) dropOrphans(list *List, of roster.Sheet, column string) {
	if !list.Has(of) {
		return
	}
	known := make(map[string]bool, len(t[of]))
	for _, row := range t[of] {
		known[row.Values[column]] = true
	}
	for s, rows := range t {
		t[s] = slices.DeleteFunc(rows, func(row Row) bool {
			id := row.Values[column]
			return row.At.Row == 0 && id != "" && !known[id]
		})
		if of != roster.SheetPeople {
			continue
		}
		for i, row := range t[s] {
			said := false // by the list, and not by what the store has
			if i < len(list.Tables[s]) {
				_, said = list.Tables[s][i].Values["stand_in"]
			}
			if in := row.Values["stand_in"]; !said && in != "" && !known[in] {
				t[s][i].Values = maps.Clone(row.Values)
				t[s][i].Values["stand_in"] = ""
			}
		}
	}
}

// Change is what an import would do to one entry. What is personal of it is
// named and not shown.
type Change struct {
	Sheet   roster.Sheet `json:"sheet"`
	Entry   string       `json:"entry"`
	What    What         `json:"what"`
	Columns []Field      `json:"columns,omitempty"`
}

// What happens to an entry. The set is closed.
type What string

// What can happen to an entry. What is gone is closed, and stays as history.
const (
	Added   What = "added"
	Changed What = "changed"
	Gone    What = "gone"
)

// Field is a column that changes.
type Field struct {
	Column string `json:"column"`
	Was    string `json:"was,omitempty"`
	Is     string `json:"is,omitempty"`
}

// Diff says what makes one of the other, sheet by sheet.
func Diff(was, is Tables) []Change {
	var out []Change
	for i := range Sheets {
		s := &Sheets[i]
		before := make(map[string]Row, len(was[s.Of]))
		for _, row := range was[s.Of] {
			before[s.id(row.Values)] = row
		}
		for _, row := range is[s.Of] {
			id := s.id(row.Values)
			old, known := before[id]
			delete(before, id)
			if !known {
				out = append(out, Change{Sheet: s.Of, Entry: entry(s.Of, row), What: Added})
				continue
			}
			if fields := s.diff(old, row); len(fields) > 0 {
				out = append(out, Change{Sheet: s.Of, Entry: entry(s.Of, row), What: Changed, Columns: fields})
			}
		}
		for _, row := range was[s.Of] {
			if _, gone := before[s.id(row.Values)]; gone {
				out = append(out, Change{Sheet: s.Of, Entry: entry(s.Of, row), What: Gone})
			}
		}
	}
	return out
}

func (s *Sheet) diff(was, is Row) []Field {
	var out []Field
	for i := range s.Columns {
		c := &s.Columns[i]
		a, b := was.Values[c.Key], is.Values[c.Key]
		if a == b || c.part != "" {
			continue
		}
		if c.Personal {
			a, b = hidden(a), hidden(b)
		}
		out = append(out, Field{Column: c.Key, Was: a, Is: b})
	}
	return out
}

func hidden(s string) string {
	if s == "" {
		return ""
	}
	return "***"
}
