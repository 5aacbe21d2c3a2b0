// Package evaluate measures detectors on real homes in which nothing is known
// to have happened: events are injected into copies of their curves, each copy
// beside a control without event, and every push on an untouched home counts
// as one too many. The rules that peers use are measured on the same cases.
//
// It knows nothing of how detectors work: it feeds areas as a live feed would
// and reads their findings. It sets no parameter and judges no target.
package evaluate
