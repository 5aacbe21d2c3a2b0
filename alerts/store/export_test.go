package store

import (
	"context"
	"database/sql"
)

// Query lets a test look into the tables.
func Query(ctx context.Context, db *DB, query string, args ...any) (*sql.Rows, error) {
	return db.read.QueryContext(ctx, query, args...)
}

// UseKeys has a store that is open use other keys.
func UseKeys(ctx context.Context, db *DB, keys *Keys) error { return db.useKeys(ctx, keys) }

// ErasedColumns are the columns that erasing a household empties, deletes or
// renames.
func ErasedColumns() []string {
	out := []string{
		// Rows that go as a whole, and what is emptied.
		"use_history.household_id", "plans.household_id", "plans.what", "orders.household_id", "orders.note", "homes.meter_id", "homes.household_id",
		"duties.person_id", "duties.household_id", "past_duties.person_id", "past_duties.household_id", "contacts.person_id", "contacts.address",
		"leaves.person_id", "persons.id", "persons.name", "persons.skills", "visits.situation", "visits.difficulty", "visits.measure",
		"screening.household_id", "screening.reason", "screening.decided_by", "consents.household_id", "consents.given_by",
		"households.id", "households.label", "households.address", "alerts.handed_to", "outbox.last_error",
		"incidents.text", "incidents.reporter_role", "incidents.extra", "attempts.target", "holds.target",
	}
	for _, t := range namedIn {
		for _, c := range t.columns {
			out = append(out, t.table+"."+c)
		}
	}
	return out
}
