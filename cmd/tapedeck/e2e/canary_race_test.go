//go:build e2e && race

package e2e

// The race detector makes every process ten times as slow, and one rule that is
// switched off races as all others do.
func init() { everyVariant = false }
