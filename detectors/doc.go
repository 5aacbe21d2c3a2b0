// Package detectors says what is unlike usual: the state of each home, the
// detectors, the view of an area, the episodes they make, and the backtest
// that judges them.
//
// It is a pure function of an area's log of ingest.Input: no clock, no
// randomness, no I/O. It knows no names and does not decide who is told.
package detectors
