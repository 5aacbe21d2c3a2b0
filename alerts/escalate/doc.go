// Package escalate decides who is called about an alert, in what order, and how
// long each has to answer. It holds policies, as a site writes them, the chain
// that one of them freezes into an alert, and the next move of a chain.
//
// All of it is pure: times are arguments, and who is in which role is asked of
// the caller. It sends nothing and stores nothing.
package escalate
