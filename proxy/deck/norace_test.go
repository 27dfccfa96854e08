//go:build !race

package deck_test

const raceDetector = false
