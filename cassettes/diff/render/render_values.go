package render

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/mattn/go-runewidth"

	"tapedeck/cassettes/diff"
)

// maxParsed is how large a JSON value, in bytes, may be to be laid out with spaces; no
// more than its beginning is shown anyway.
const maxParsed = 64 << 10

// literal is a value in one line, whole: a string as JSON has it, so that "10" is not
// taken for 10; a text as it is.
func literal(v *diff.Value) string {
	if len(v.Text) > maxParsed { // only its beginning is shown anyway
		return inLine(beginning(v.Text, maxParsed)) + "…"
	}
	switch v.Type {
	case "binary":
		return valueText(v)
	case "string":
		return inLine(quoted(v.Text))
	case "text":
		if v.Text == "" || strings.TrimSpace(v.Text) != v.Text {
			return inLine(quoted(v.Text))
		}
		return inLine(v.Text)
	case "object", "array":
		return inLine(spaced(v.Text))
	default:
		return inLine(v.Text)
	}
}

// quoted is a text as a JSON string. What is no UTF-8 stays as it is, for inLine.
func quoted(s string) string {
	if !utf8.ValidString(s) {
		return `"` + s + `"`
	}
	b, err := jsontext.AppendQuote(nil, s)
	if err != nil {
		return `"` + s + `"`
	}
	return string(b)
}

// spaced lays JSON out in one line with spaces in it, where a line can break.
func spaced(text string) string {
	if len(text) > maxParsed {
		return strings.Join(strings.Fields(beginning(text, maxParsed)), " ") + "…"
	}
	v := jsontext.Value(bytes.Clone([]byte(text)))
	if err := v.Format(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true), jsontext.PreserveRawStrings(true),
		jsontext.SpaceAfterColon(true), jsontext.SpaceAfterComma(true)); err != nil {
		return text
	}
	return string(v)
}

// typed puts the type before a value whose type is what changed.
func typed(v *diff.Value) string {
	switch v.Type {
	case "null", "object", "array", "binary": // it shows
		return literal(v)
	}
	return v.Type + " " + literal(v)
}

// columns is how many columns of a terminal a text takes.
func columns(s string) int {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return runewidth.StringWidth(s)
		}
	}
	return len(s)
}

// maxPerColumn is how many bytes may stand in one column: a letter can carry any
// number of marks that take none.
const maxPerColumn = 8

// fits reports whether a text takes n columns at most, and no more bytes than that.
func fits(s string, n int) bool { return len(s) <= maxPerColumn*n && columns(s) <= n }

// cut shortens a text to n columns, the last of them "…".
func cut(s string, n int) string {
	n = max(n, 1)
	if fits(s, n) {
		return s
	}
	return runewidth.Truncate(beginning(s, maxPerColumn*n), n-1, "") + "…"
}

// cutFront shortens it from the front.
func cutFront(s string, n int) string {
	n = max(n, 1)
	if fits(s, n) {
		return s
	}
	runes := []rune(ending(s, maxPerColumn*n))
	room, at := n-1, len(runes)
	for at > 0 && room >= runewidth.RuneWidth(runes[at-1]) {
		at--
		room -= runewidth.RuneWidth(runes[at])
	}
	return "…" + string(runes[at:])
}

// both writes the two values of a change in n columns each, so that what differs stays.
func both(old, new *diff.Value, write func(*diff.Value) string, n int) (string, string) {
	if len(old.Text) > maxParsed || len(new.Text) > maxParsed {
		return around(inLine(old.Text), inLine(new.Text), n)
	}
	return around(write(old), write(new), n)
}

func around(old, new string, n int) (string, string) {
	if fits(old, n) && fits(new, n) {
		return old, new
	}
	same := 0
	for same < len(old) && same < len(new) && old[same] == new[same] {
		same++
	}
	for same > 0 && same < len(old) && !utf8.RuneStart(old[same]) {
		same--
	}
	before := cutFront(old[:same], max(n/3, 8))
	rest := n - columns(before)
	return before + cut(old[same:], rest), before + cut(new[same:], rest)
}

// sizeOf is the length of a body in bytes.
func sizeOf(v *diff.Value) int64 {
	if v.Type == "binary" {
		return v.Size
	}
	return int64(len(v.Text))
}
