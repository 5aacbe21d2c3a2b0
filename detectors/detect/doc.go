// Package detect runs the detectors on Kafka: it owns partitions of
// weimang.inputs, keeps the areas in them, and sends findings, use history
// and checkpoints.
//
// The one thing it writes into the log is the clock, into areas of which nothing
// comes, see Options.Now.
//
// The order of effects is findings acknowledged, then checkpoints, then
// offsets: a crash between any two repeats work, and what is repeated has the
// identity it had before. What the detectors say is none of its business.
package detect
