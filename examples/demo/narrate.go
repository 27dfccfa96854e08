package main

import (
	"fmt"
	"strings"
)

var chapters int

func chapter(title string) {
	chapters++
	fmt.Printf("\n%d. %s\n", chapters, title)
}

func say(format string, arguments ...any) { fmt.Printf(format+"\n", arguments...) }

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ")
}

// most is how many lines of an interaction are shown.
const most = 44

// interaction cuts one interaction out of a cassette's text, by the comment
// line that stands before it.
func interaction(cassette, what string) (string, error) {
	_, rest, ok := strings.Cut(cassette, "# "+what)
	if !ok {
		return "", fmt.Errorf("no interaction of the cassette is headed %q", what)
	}
	lines := strings.Split("# "+what+rest, "\n")
	for i, line := range lines[1:] {
		if strings.HasPrefix(strings.TrimSpace(line), "# ") {
			lines = lines[:i+1]
			break
		}
	}
	if len(lines) > most {
		lines = append(lines[:most:most], "…")
	}
	return indent(strings.Join(lines, "\n")), nil
}

// difference shows the first line in which two texts differ.
func difference(want, got string) string {
	wants, gots := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(wants), len(gots)) {
		if wants[i] != gots[i] {
			return fmt.Sprintf("line %d\nrecorded: %s\nreplayed: %s", i+1, wants[i], gots[i])
		}
	}
	return fmt.Sprintf("%d lines recorded, %d replayed", len(wants), len(gots))
}
