// Package load measures what it costs to tell people: many households' alerts
// through routing, tellings and outbox of a real store, to channels that take
// everything at once.
//
// It measures a store that it is given, empty, and leaves it full.
package load
