package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"
)

// findWords finds what the home and its people are called.
func (e *erasing) findWords() error {
	rows, err := e.query(`SELECT COALESCE(village_id, ''), label, address FROM households WHERE id = ?`, e.household)
	home, err := first(collect(rows, err, func(rows *sql.Rows) (h [3]string, err error) {
		err = rows.Scan(&h[0], &h[1], &h[2])
		return h, err
	}))
	if err != nil {
		return err
	}
	if home != nil {
		address, err := e.db.unseal("households.address", e.household, home[2])
		if err != nil {
			return err
		}
		e.village = home[0]
		e.words = append(e.words, home[1], address)
	}
	for _, p := range e.people {
		rows, err := e.query(`SELECT name FROM persons WHERE id = ?`, p)
		names, err := collect(rows, err, scanText)
		if err != nil {
			return err
		}
		for _, sealed := range names {
			name, err := e.db.unseal("persons.name", p, sealed)
			if err != nil {
				return err
			}
			e.words = append(e.words, name)
		}
		contacts, err := e.contactsOf(p)
		if err != nil {
			return err
		}
		for _, c := range contacts {
			e.words = append(e.words, c.Address)
		}
	}
	// One character is not a name, and would be found everywhere.
	e.words = slices.DeleteFunc(e.words, func(s string) bool { return utf8.RuneCountInString(s) < 2 })
	for i, word := range e.words { // as they stand in the JSON of a message
		b, err := json.Marshal(word)
		if err != nil {
			return err
		}
		e.words[i] = string(b[1 : len(b)-1])
	}
	return nil
}

// messages drops what waits about the home and empties what was said of it. Of
// a message about several homes only what names this one is taken out: it is the
// others' message, too.
func (e *erasing) messages() error {
	if err := e.do("outbox", `DELETE FROM outbox WHERE lane = 'topic' AND alert_id IN (SELECT id FROM alerts WHERE household_id = ?)`, e.household); err != nil {
		return err
	}
	for _, word := range append([]string{e.household}, e.words...) {
		if err := e.messagesWith(word); err != nil {
			return fmt.Errorf("outbox: %w", err)
		}
	}
	return e.do("tellings", `UPDATE tellings SET status = 'dropped' WHERE status = 'due' AND alert_id IN (SELECT id FROM alerts WHERE household_id = ?)`, e.household)
}

func (e *erasing) messagesWith(word string) error {
	type message struct {
		n               int64
		payload, status string
	}
	rows, err := e.query(`SELECT n, payload, status FROM outbox WHERE lane = 'message' AND payload LIKE ? ESCAPE '~'`, holding(word))
	all, err := collect(rows, err, func(rows *sql.Rows) (m message, err error) {
		err = rows.Scan(&m.n, &m.payload, &m.status)
		return m, err
	})
	if err != nil {
		return err
	}
	for _, m := range all {
		var of struct {
			HouseholdID string   `json:"household_id"`
			VillageID   string   `json:"village_id"`
			Alerts      []string `json:"alerts"`
		}
		if err := json.Unmarshal([]byte(m.payload), &of); err != nil {
			return fmt.Errorf("decode message: %w", err)
		}
		status, payload := m.status, m.payload
		switch alone := of.HouseholdID == e.household && len(of.Alerts) < 2; {
		case alone:
			if payload, err = withoutWords(m.payload); err != nil {
				return err
			}
			if status == "waiting" {
				status = "dead"
			}
		case of.VillageID == "" || of.VillageID == e.village: // elsewhere another home may be called the same
			payload = e.without(m.payload)
		}
		if payload == m.payload && status == m.status {
			continue
		}
		if err := e.do("outbox", `UPDATE outbox SET payload = ?, status = ?, done_at = CASE WHEN status = ? THEN done_at ELSE ? END,
			last_error = '' WHERE n = ?`, payload, status, status, millis(e.db.now()), m.n); err != nil {
			return err
		}
	}
	return nil
}

// without is a text in which stars stand where the home or its people were
// named.
func (e *erasing) without(s string) string {
	for _, word := range e.words {
		s = replaceWhole(s, word, "***", func(c byte) bool { return '0' <= c && c <= '9' })
	}
	return s
}

// kept are the fields of a message that say nothing in words.
var kept = []string{
	"message_id", "alert_id", "seq", "purpose", "alerts", "digest", "to", "channel", "lang", "kind", "severity", "state",
	"household_id", "area_id", "village_id", "onset", "decided_at", "fallback",
}

// withoutWords is a message's JSON with nothing but what kept names.
func withoutWords(payload string) (string, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(payload), &fields); err != nil {
		return "", fmt.Errorf("decode message: %w", err)
	}
	for name := range fields {
		if !slices.Contains(kept, name) {
			delete(fields, name)
		}
	}
	b, err := json.Marshal(fields)
	return string(b), err
}
