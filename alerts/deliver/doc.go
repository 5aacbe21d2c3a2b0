// Package deliver sends what the alert service has put into its outbox: the
// messages to people through channels, the transitions to topic
// weimang.alerts.
//
// It writes no messages, chooses no recipients and knows no vendor: those are
// in package channels. What a vendor can bear is a Limit, counted in the store
// so that it holds across restarts and processes. Both lanes are
// at-least-once: what was sent, but not yet noted as sent when the process
// died, is sent again under the same identity.
package deliver
