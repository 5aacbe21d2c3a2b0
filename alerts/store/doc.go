// Package store keeps what the alert service must not forget, in SQLite: the
// roster, alerts with their transitions and history, the outbox, incidents as
// reported, and the use of each home for the page.
//
// It holds no rules: what a finding does to an alert is written in package
// alerts, which works on a transaction (Tx) of this store. The SQL keeps to
// what PostgreSQL understands as well. Times are unix milliseconds, so what is
// finer than that comes back cut; findings are kept verbatim as JSON.
package store
