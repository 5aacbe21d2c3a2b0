// Package fit fits what the detectors carry of other homes: the models of life
// and of the day, how stillness looks, and how often each detector's score
// comes by chance.
//
// It is for developers and runs before a release, never beside a feed. Every
// figure it tells is of homes that the model in question has not seen. It
// chooses no budget and judges no target: see package evaluate for that.
package fit
