// Package chaos kills the processes that tell people, at the worst moments, and
// counts what came of it: findings that nobody was told of, messages that came
// twice, and which of these no sender can avoid.
//
// It sends findings and plays the vendor who takes the messages and remembers
// them. How a process is started, and over which store, is the caller's.
package chaos
