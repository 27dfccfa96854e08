//go:build race

package deck_test

// raceDetector says that the race detector is on: everything takes about ten times as
// long and several times the memory.
const raceDetector = true
