// Package feedfile reads and writes the files that stand in for the broker:
// readings and households as CSV, incidents as JSON lines, each plain or gzip.
// A file's readings obey the rules of the wire contract, so that a backtest
// sees what ingest would have let through.
//
// It loads a whole file, since one may be ordered by meter and the detectors
// want it by time. It does not talk to Kafka and judges no clock.
package feedfile
