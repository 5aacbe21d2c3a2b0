// Package bench measures the stream engine in one run on one machine: what it
// costs to read a feed from Kafka, to decode it, and to take it all the way to
// findings and checkpoints, so that only ratios inside a run need be trusted.
//
// It makes its own feed (ingest/simulate) and its own topics, under a prefix,
// and deletes them. What the broker itself uses is not in its figures unless
// it runs in the same process.
package bench
