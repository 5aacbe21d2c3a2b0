// Package latency measures how long it takes until an alert stands in
// weimang.alerts for others to read, from the arrival of what leads to it.
//
// It looks at a running system from outside: it sends a made-up feed to
// weimang.readings at a given pace, among it readings that lead to an alert at
// once, reports planned outages by weimang.incidents, and waits for the alerts.
// It neither starts the system nor knows how it is made; whoever does gives it
// the roster and the usual delay that it asks for.
package latency
