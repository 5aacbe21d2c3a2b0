//go:build race

package feedfile_test

const raceDetector = true
