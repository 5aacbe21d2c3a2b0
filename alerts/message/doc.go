// Package message words a finding for a person: what a village chair can read
// aloud to a neighbour. Texts stand in one YAML file per language, Chinese
// first, English second.
//
// It decides nothing: neither who is told nor how urgent it is.
package message
