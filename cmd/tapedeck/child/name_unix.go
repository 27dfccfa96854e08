//go:build !windows

package child

// foldName returns the form under which two variable names are the same.
func foldName(name string) string { return name }
