// Package detect runs the detectors on Kafka: it owns partitions of
// weimang.inputs, keeps the areas in them, and sends findings, use history
// and checkpoints.
//
// It writes two things into the log: the clock, into areas of which nothing
// comes, see Options.Now, what it finds of an area in a partition that the
// area has left, since partitions were added, and what a home that has moved has
// come to, into its new area.
//
// The order of effects is findings and handovers acknowledged, then checkpoints,
// then offsets: a crash between any two repeats work, and what is repeated has the
// identity it had before. What the detectors say is none of its business.
package detect
