// Package store keeps what the alert service must not forget, in SQLite or
// PostgreSQL: the roster, alerts with their transitions and history, the outbox,
// incidents as reported, and the use of each home for the page.
//
// It holds no rules: what a finding does to an alert is written in package
// alerts, which works on a transaction (Tx) of this store. The SQL keeps to
// what both databases understand, with ? for values, and what differs is in
// engine.go: in ON CONFLICT … DO UPDATE a column of the old row is named with its
// table, and rows are closed before a transaction's next statement. Times are unix milliseconds, so what is
// finer than that comes back cut; findings are kept verbatim as JSON.
package store
