package render

import (
	"tapedeck/cassettes/diff"
)

// maxEqualWords is how many bytes of text that did not change stand on either side
// of words that did, within one value.
const maxEqualWords = 160

// editSpans is one side of a changed text, with its own words marked. Long text
// between changes is cut.
func editSpans(edits []diff.Edit, isOld bool, write func(string) string) []pageSpan {
	mine := "+"
	if isOld {
		mine = "-"
	}
	var out []pageSpan
	room := 4 * maxShownValue
	for i, e := range edits {
		text := e.Text
		switch {
		case e.Op == "=":
			first, last := i == 0, i == len(edits)-1
			if len(text) > 2*maxEqualWords {
				begin, end := beginning(text, maxEqualWords), ending(text, maxEqualWords)
				if first {
					begin = ""
				}
				if last {
					end = ""
				}
				out = append(out, pageSpan{Text: write(begin)}, pageSpan{Text: "…"}, pageSpan{Text: write(end)})
			} else {
				out = append(out, pageSpan{Text: write(text)})
			}
		case e.Op == mine:
			out = append(out, pageSpan{true, write(shortened(text))})
		}
		if room -= min(len(text), 2*maxEqualWords); room < 0 {
			return append(out, pageSpan{Text: "…"})
		}
	}
	return out
}

// proseSpans is one line of a text with the words of it marked that changed.
func proseSpans(l pageLine, edits []diff.Edit, isOld bool) []pageSpan {
	mine, other := "+", "-"
	if isOld {
		mine, other = other, mine
	}
	var out []pageSpan
	at, end := 0, l.from+len(l.value)
	for _, e := range edits {
		if e.Op == other {
			continue
		}
		from, to := max(at, l.from), min(at+len(e.Text), end)
		if from < to {
			text := e.Text[from-at : to-at]
			out = append(out, pageSpan{e.Op == mine, readable(shortened(text))})
		}
		if at += len(e.Text); at >= end {
			break
		}
	}
	return out
}

// valueSpans is a value by itself.
func valueSpans(v *diff.Value, edits []diff.Edit, isOld bool) []pageSpan {
	if v == nil {
		return nil
	}
	if len(edits) > 0 && (v.Type == "string" || v.Type == "text") {
		return editSpans(edits, isOld, inLine)
	}
	return []pageSpan{{Text: valueText(v)}}
}

// valueText is a value in one line.
func valueText(v *diff.Value) string {
	switch v.Type {
	case "binary":
		text := "binary, " + bytesText(v.Size)
		if v.SHA256 != "" {
			text += ", sha256 " + inLine(beginning(v.SHA256, 16)) + "…"
		}
		return text
	case "string", "text":
		if v.Text == "" {
			return "(empty)"
		}
	}
	return inLine(shortened(v.Text))
}
