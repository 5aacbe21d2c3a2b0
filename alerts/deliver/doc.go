// Package deliver sends what the alert service has put into its outbox: the
// messages to people through channels, the transitions to topic
// weimang.alerts.
//
// It writes no messages and chooses no recipients. Both lanes are
// at-least-once: what was sent, but not yet noted as sent when the process
// died, is sent again under the same identity.
package deliver
