package store

import (
	"database/sql"
	"fmt"
	"strings"
)

// namedIn are the columns in which ids may stand, alone or as part of others,
// in an order in which what is referenced comes first where it must. key is the
// column by which a row is found again.
var namedIn = []struct {
	table, key string
	columns    []string
}{
	{"alerts", "id", []string{"id", "subject", "household_id", "area_id", "finding", "ending", "chain", "holder_id", "continues"}},
	{"transitions", "n", []string{"alert_id", "finding"}},
	{"history", "n", []string{"alert_id", "detail", "person_id"}},
	{"outbox", "n", []string{"id", "alert_id", "person_id", "payload"}},
	{"tellings", "n", []string{"id", "alert_id", "person_id", "stands_in", "message_id"}},
	{"questions", "n", []string{"alert_id", "message_id", "person_id"}},
	{"pushes", "person_id", []string{"person_id"}},
	{"incidents", "id", []string{"scope"}},
	{"plans", "n", []string{"person_id"}},
	{"audit", "n", []string{"actor", "subject"}},
	{"visits", "id", []string{"id", "household_id", "alert_id", "person_id"}},
	{"households", "id", []string{"area_id"}},
	{"homes", "meter_id", []string{"area_id"}},
}

// rename puts the pseudonyms in the place of the ids.
func (e *erasing) rename() error {
	if err := e.renameHousehold(); err != nil {
		return err
	}
	for _, t := range namedIn {
		for i := len(t.columns) - 1; i >= 0; i-- { // the key last
			if err := e.renameIn(t.table, t.key, t.columns[i]); err != nil {
				return fmt.Errorf("%s.%s: %w", t.table, t.columns[i], err)
			}
		}
	}
	return nil
}

// renameHousehold moves what references the household to one of another name.
func (e *erasing) renameHousehold() error {
	is := e.ids[e.household]
	if err := e.do("households", `INSERT INTO households (id, village_id, area_id, label, zone, cell_id, address, visit_every, erased_at, listed, list, left_at)
		SELECT ?, village_id, area_id, label, zone, cell_id, address, 0, erased_at, 0, 0, left_at FROM households WHERE id = ?`, is, e.household); err != nil {
		return err
	}
	for _, table := range []string{"consents", "screening"} {
		if err := e.do(table, `UPDATE `+table+` SET household_id = ? WHERE household_id = ?`, is, e.household); err != nil {
			return err
		}
	}
	return e.do("households", `DELETE FROM households WHERE id = ?`, e.household)
}

func (e *erasing) renameIn(table, key, column string) error {
	type value struct {
		key  any
		text string
	}
	for id := range e.ids {
		rows, err := e.query(`SELECT `+key+`, `+column+` FROM `+table+` WHERE `+column+` LIKE ? ESCAPE '~'`, holding(id))
		found, err := collect(rows, err, func(rows *sql.Rows) (v value, err error) {
			err = rows.Scan(&v.key, &v.text)
			return v, err
		})
		if err != nil {
			return err
		}
		for _, v := range found {
			is := e.renamed(v.text)
			if is == v.text {
				continue
			}
			if err := e.do(table, `UPDATE `+table+` SET `+column+` = ? WHERE `+key+` = ? AND `+column+` = ?`, is, v.key, v.text); err != nil {
				return err
			}
		}
	}
	return nil
}

// holding is a pattern of SQL for texts that hold a word, and perhaps others.
func holding(word string) string { return "%" + strings.ReplaceAll(word, "~", "_") + "%" }

// renamed is a text with the pseudonyms in the place of the ids.
func (e *erasing) renamed(s string) string {
	for id, is := range e.ids {
		s = replaceWhole(s, id, is, inID)
	}
	return s
}

// replaceWhole replaces a word where it stands whole, and not where it is part
// of a longer one: goesOn reports whether a character before or after it goes on
// with it.
func replaceWhole(s, word, by string, goesOn func(byte) bool) string {
	var b strings.Builder
	for last := byte(0); ; {
		i := strings.Index(s, word)
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		before, after, end := last, byte(0), i+len(word)
		if i > 0 {
			before = s[i-1]
		}
		if end < len(s) {
			after = s[end]
		}
		b.WriteString(s[:i])
		if goesOn(before) || goesOn(after) {
			b.WriteString(word)
		} else {
			b.WriteString(by)
		}
		last, s = word[len(word)-1], s[end:]
	}
}

// inID reports whether a character goes on with an id. A colon parts ids that
// are put together, as in the id of a message.
func inID(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
}
