package render

import (
	"strconv"
	"strings"
)

// code writes a text as a code span, in which nothing of it is markup. It stands in one
// line. https://spec.commonmark.org/0.31.2/#code-spans
func code(s string) string {
	s = inLine(s)
	if strings.TrimSpace(s) == "" {
		s = strconv.Quote(s)
	}
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", longest+1)
	if longest > 0 || s[0] == ' ' && s[len(s)-1] == ' ' {
		s = " " + s + " " // one space on either side is taken off
	}
	return fence + s + fence
}

// cell writes a text as code in a cell of a table, where a | would end it even in a
// code span.
func cell(s string) string { return "<code>" + entities(inLine(cut(s, mostLine))) + "</code>" }

// prose writes a text that is no code so that nothing of it is markup, a mention or a
// reference. The space of no width keeps @name and #12 from being found in what the
// entities become.
func prose(s string) string {
	s = entities(inLine(s))
	for _, mark := range []string{"@", "#", "~", "!", "%", "&"} {
		e := "&#" + strconv.Itoa(int(mark[0])) + ";"
		s = strings.ReplaceAll(s, e, e+"&#8203;")
	}
	return strings.ReplaceAll(s, "-", "-&#8203;") // GH-12
}

// entities writes all but plain characters as entities, which are never markup.
// https://spec.commonmark.org/0.31.2/#entity-and-numeric-character-references
func entities(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r > 0x7f || strings.ContainsRune(" ,;()/-.", r):
			b.WriteRune(r)
		default:
			b.WriteString("&#" + strconv.Itoa(int(r)) + ";")
		}
	}
	return b.String()
}
