package render

import (
	"strings"

	"tapedeck/cassettes/diff"
)

const (
	// contextWords is how many columns of equal text stand on either side of an edit.
	contextWords = 24
	// mostEdits is how many places of one changed text are shown.
	mostEdits = 4
)

// A word is a run of words of one side, or of both.
type word diff.Edit

// word writes it as git's word diff does: [-old-] or {+new+}; bare where colours say
// which it is.
func (e word) word(bare bool) string {
	switch {
	case bare || e.Op == "=":
		return e.Text
	case e.Op == "-":
		return "[-" + e.Text + "-]"
	}
	return "{+" + e.Text + "+}"
}

// A hunk is a place of a changed text: the words there, with some equal ones around.
type hunk []word

// hunks cuts an edited text into the places that changed. more counts those beyond
// mostEdits. The words of an edit itself are cut to n columns.
func hunks(edits []diff.Edit, n int) (list []hunk, more int) {
	var open hunk
	for i, e := range edits {
		text := inLine(beginning(e.Text, 4*n))
		if e.Op != "=" {
			open = append(open, word{Op: e.Op, Text: cut(text, n)})
			continue
		}
		first, last := len(open) == 0, i == len(edits)-1
		if whole := inLine(e.Text); !first && !last && columns(whole) <= 2*contextWords {
			open = append(open, word{Op: "=", Text: whole})
			continue
		}
		if !first {
			open = append(open, word{Op: "=", Text: cut(text, contextWords)})
			list = append(list, open)
		}
		open = nil
		if !last {
			open = hunk{{Op: "=", Text: cutFront(inLine(ending(e.Text, 4*n)), contextWords)}}
		}
	}
	if changes(open) {
		list = append(list, open)
	}
	if len(list) > mostEdits {
		list, more = list[:mostEdits], len(list)-mostEdits
	}
	return list, more
}

func changes(h hunk) bool {
	for _, e := range h {
		if e.Op != "=" {
			return true
		}
	}
	return false
}

// line writes a hunk in one line.
func (h hunk) line() string {
	var b strings.Builder
	for _, e := range h {
		b.WriteString(e.word(false))
	}
	return b.String()
}
