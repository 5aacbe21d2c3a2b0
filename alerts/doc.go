// Package alerts turns what the detectors say into what a person is told, and
// keeps what became of it: alerts, routing by roster, the outbox.
//
// It decides who is told, never whether something is unlike usual: that, and
// whether a transition leaves the page, comes with the finding. It is the only
// part of the system that knows labels, names and addresses; they stand in the
// store and are neither logged nor counted nor published.
//
// Its folders keep the store (SQLite), send the outbox, word the messages,
// store the use of each home for the page, and serve the page.
package alerts
