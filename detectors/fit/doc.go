// Package fit fits the models pooled over homes that the detectors carry:
// multinomial logistic regressions, cross-validated over homes.
//
// It is for developers and runs before a release, never beside a feed. It
// knows neither detectors nor recipes: it is handed numbers, classes and the
// homes they come from, and says how well the fitted models would do on homes
// that they have not seen. It chooses no threshold and sets no parameter.
package fit
