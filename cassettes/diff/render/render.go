// Package render prints a diff.Diff: for a terminal, for a comment on a pull request,
// for programs, and as a page.
//
// Every format is one function and one line in Formats. All of them show the same
// things in the same order: what our code sends now, new hosts, looser rules, what the
// API answers, and the gravest first within each. What anybody wrote into a cassette
// is text to all of them: no control character reaches a terminal, no markup a comment
// or a page.
//
//	f, ok := render.ByName("markdown")
//	err := f.Write(os.Stdout, d, render.Options{})
package render

import (
	"io"
	"strings"

	"tapedeck/cassettes/diff"
)

// A Format is one way to print a Diff.
type Format struct {
	Name string // as --format takes it
	// Write prints d. The error is that of w.
	Write func(w io.Writer, d diff.Diff, o Options) error
}

// Formats lists them, the default first.
var Formats = []Format{
	{"text", Text},
	{"markdown", Markdown},
	{"json", JSON},
	{"html", HTML},
}

// Options say how to print. The zero value is ready to use.
type Options struct {
	// Title says what is compared: "HEAD and the work tree"; "" says nothing.
	Title string
	// Volatile shows volatile changes, which otherwise are counted.
	Volatile bool
	// Color marks what changed by ANSI colours; for text only.
	Color bool
	// Width is how many columns a line of text may take; 0 is 80.
	Width int
	// Limit is the most that a comment may hold, in bytes; 0 is DefaultLimit.
	Limit int
}

// ByName finds a format.
func ByName(name string) (Format, bool) {
	for _, f := range Formats {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

// Names are those of all formats: "text, markdown, json or html".
func Names() string {
	var names []string
	for _, f := range Formats {
		names = append(names, f.Name)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
