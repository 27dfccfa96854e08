//go:build e2e && race

package e2e

// With -race the tapedeck under test is built with the race detector too.
func init() { buildFlags = append(buildFlags, "-race") }
