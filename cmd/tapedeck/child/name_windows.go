package child

import "strings"

// foldName returns the form under which two variable names are the same: Windows ignores case.
func foldName(name string) string { return strings.ToUpper(name) }
