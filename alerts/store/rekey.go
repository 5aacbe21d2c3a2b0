package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// sealedColumn is a column whose values are sealed, the key of its table, and
// the column that stands for the row in the additional data.
type sealedColumn struct {
	table, column, key, row string
}

// sealedColumns are all of them but the addresses of contacts.
var sealedColumns = []sealedColumn{
	{"persons", "name", "id", "id"},
	{"persons", "skills", "id", "id"},
	{"households", "address", "id", "id"},
	{"screening", "reason", "n", "household_id"},
	{"services", "contact", "id", "id"},
	{"orders", "note", "id", "id"},
	{"plans", "what", "n", "household_id"},
	{"visits", "situation", "id", "id"},
	{"visits", "difficulty", "id", "id"},
	{"visits", "measure", "id", "id"},
	{"alerts", "handed_to", "id", "id"},
	{"incidents", "text", "id", "id"},
	{"settings", "value", "name", "name"},
}

// name is the column as seal and unseal call it.
func (c sealedColumn) name() string { return c.table + "." + c.column }

// Rekey seals everything with the first key, plain values included, and
// forgets the keys that nothing needs any more. It returns how many values it has
// sealed anew.
func (db *DB) Rekey(ctx context.Context) (sealed int, err error) {
	if db.keys == nil {
		return 0, fmt.Errorf("store.key is empty: there is no key to seal with")
	}
	err = db.update(ctx, func(t *tx) error {
		sealed = 0 // it may be begun again
		for _, c := range sealedColumns {
			n, err := t.rekey(c)
			if err != nil {
				return fmt.Errorf("seal %s: %w", c.name(), err)
			}
			sealed += n
		}
		n, err := t.rekeyContacts()
		if err != nil {
			return fmt.Errorf("seal contacts: %w", err)
		}
		sealed += n
		_, err = t.exec(`DELETE FROM seals WHERE key_id <> ?`, db.keys.keys[0].id)
		return wrap("forget keys", err)
	})
	if err != nil {
		return 0, err
	}
	return sealed, db.engine.scrub(ctx, db.write)
}

// stale reports whether a value is not sealed with the key that seals now.
func (t *tx) stale(stored string) bool {
	return stored != "" && !strings.HasPrefix(stored, sealedMark+t.db.keys.keys[0].id+":")
}

// again is a value sealed with the key that seals now.
func (t *tx) again(column, row, stored string) (string, error) {
	text, err := t.db.unseal(column, row, stored)
	if err != nil {
		return "", err
	}
	return t.db.seal(column, row, text)
}

func (t *tx) rekey(c sealedColumn) (n int, err error) {
	type value struct {
		key         any
		row, stored string
	}
	rows, err := t.query(`SELECT ` + c.key + `, ` + c.row + `, ` + c.column + ` FROM ` + c.table + ` WHERE ` + c.column + ` <> ''`)
	all, err := collect(rows, err, func(rows *sql.Rows) (v value, err error) {
		err = rows.Scan(&v.key, &v.row, &v.stored)
		return v, err
	})
	if err != nil {
		return 0, err
	}
	for _, v := range all {
		if !t.stale(v.stored) {
			continue
		}
		again, err := t.again(c.name(), v.row, v.stored)
		if err != nil {
			return 0, err
		}
		if _, err := t.exec(`UPDATE `+c.table+` SET `+c.column+` = ? WHERE `+c.key+` = ?`, again, v.key); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// contactRow stands for a contact in the additional data of its address: an
// address of one channel must not open as that of another.
func contactRow(person, channel string) string { return person + "/" + channel }

// rekeyContacts seals the addresses of contacts anew, and writes the hashes by
// which they are looked up.
func (t *tx) rekeyContacts() (sealed int, err error) {
	type contact struct {
		person, channel, address string
		n                        int
	}
	rows, err := t.query(`SELECT person_id, n, channel, address FROM contacts`)
	all, err := collect(rows, err, func(rows *sql.Rows) (c contact, err error) {
		err = rows.Scan(&c.person, &c.n, &c.channel, &c.address)
		return c, err
	})
	if err != nil {
		return 0, err
	}
	for _, c := range all {
		if !t.stale(c.address) {
			continue
		}
		row := contactRow(c.person, c.channel)
		text, err := t.db.unseal("contacts.address", row, c.address)
		if err != nil {
			return 0, err
		}
		again, err := t.db.seal("contacts.address", row, text)
		if err != nil {
			return 0, err
		}
		if _, err := t.exec(`UPDATE contacts SET address = ?, blind = ? WHERE person_id = ? AND n = ?`, again, t.db.blind(text), c.person, c.n); err != nil {
			return 0, err
		}
		sealed++
	}
	return sealed, nil
}
