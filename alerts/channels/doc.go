// Package channels holds the ways by which a message reaches a person: one
// file a vendor, and what the vendors send back (delivery reports, answers) as
// HTTP handlers.
//
// A channel sends one message once. When to send, how often to try and in what
// order is package deliver's. Addresses (robot keys, phone numbers, user ids)
// are secrets: no error of this package names one, and none repeats what a
// vendor has written, since vendors like to repeat addresses.
package channels
