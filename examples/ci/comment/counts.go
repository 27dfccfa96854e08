package main

import (
	"encoding/json"
	"fmt"
	"io"
)

// printCounts prints whether there is any difference, and how many of each grade.
func printCounts(stdout, stderr io.Writer, data []byte) int {
	var d struct {
		Version int
		Files   []json.RawMessage
		Rules   []json.RawMessage
		Counts  struct{ Breaking, Additive, Value, Volatile int }
	}
	if err := json.Unmarshal(data, &d); err != nil || d.Version != 1 {
		fmt.Fprintln(stderr, "comment: this is not what \"tapedeck diff --format json\" prints")
		return 2
	}
	fmt.Fprintf(stdout, "changed=%t\nbreaking=%d\nadditive=%d\nvalue=%d\nvolatile=%d\n",
		len(d.Files)+len(d.Rules) > 0, d.Counts.Breaking, d.Counts.Additive, d.Counts.Value, d.Counts.Volatile)
	return 0
}
