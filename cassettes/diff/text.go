package diff

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// shortest is the length in bytes from which on the words of a text are compared.
	shortest = 20
	// maxWords bounds, in bytes of both sides together, what is compared word by word.
	// Longer texts are compared by lines first.
	maxWords = 64 << 10
)

// edits compares two texts by their words. It is nil when they are too short for that, or
// have no word in common.
func edits(old, new string) []Edit {
	if len(old) < shortest || len(new) < shortest || !strings.ContainsAny(old, " \n") || !strings.ContainsAny(new, " \n") {
		return nil
	}
	t := texts{old, new}
	whole := hunk{0, len(old), 0, len(new)}
	var found []hunk
	if len(old)+len(new) <= maxWords {
		found = t.compare(whole, wordEnd)
	} else {
		for _, h := range t.compare(whole, lineEnd) {
			if h.a1-h.a0+h.b1-h.b0 <= maxWords {
				found = append(found, t.compare(h, wordEnd)...)
			} else {
				found = append(found, h)
			}
		}
	}
	return t.edits(t.joined(found))
}

// texts are both sides of a text that changed.
type texts struct{ a, b string }

// A hunk is what differs between what is equal: a[a0:a1] became b[b0:b1].
type hunk struct{ a0, a1, b0, b1 int }

// compare compares parts of both texts, cut into pieces by end.
func (t texts) compare(in hunk, end func(string) int) []hunk {
	a, b := cutUp(t.a[in.a0:in.a1], end), cutUp(t.b[in.b0:in.b1], end)
	to := make([]int, len(a.sums))
	for i := range to {
		to[i] = noMatch
	}
	commonOf(a.sums, b.sums, func(i, j int) {
		if a.piece(i) == b.piece(j) { // two pieces could have one sum
			to[i] = j
		}
	})
	var out []hunk
	i, j := 0, 0
	flush := func(endA, endB int) {
		if i < endA || j < endB {
			out = append(out, hunk{in.a0 + a.ends[i], in.a0 + a.ends[endA], in.b0 + b.ends[j], in.b0 + b.ends[endB]})
		}
	}
	for x, y := range to {
		if y != noMatch {
			flush(x, y)
			i, j = x+1, y+1
		}
	}
	flush(len(a.sums), len(b.sums))
	return out
}

// cut is a text in pieces: piece i stands between ends[i] and ends[i+1].
type cutText struct {
	text string
	ends []int
	sums []uint64
}

func (c cutText) piece(i int) string { return c.text[c.ends[i]:c.ends[i+1]] }

func cutUp(text string, end func(string) int) cutText {
	const usual = 6 // bytes to a word
	c := cutText{text: text, ends: make([]int, 1, len(text)/usual+2), sums: make([]uint64, 0, len(text)/usual+1)}
	for at := 0; at < len(text); {
		n := end(text[at:])
		c.sums = append(c.sums, sumOfText(text[at:at+n]))
		at += n
		c.ends = append(c.ends, at)
	}
	return c
}

// lineEnd is where the first line of s ends, with its line break.
func lineEnd(s string) int {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return i + 1
	}
	return len(s)
}

// wordEnd is where the first word of s ends: a run of letters and digits, a run of white
// space, or one character of another kind.
func wordEnd(s string) int {
	first, end := utf8.DecodeRuneInString(s)
	class := classOf(first)
	if class == otherRune {
		return end
	}
	for end < len(s) {
		r, n := utf8.DecodeRuneInString(s[end:])
		if classOf(r) != class {
			break
		}
		end += n
	}
	return end
}

type class uint8

const (
	otherRune class = iota
	spaceRune
	wordRune
)

func classOf(r rune) class {
	switch {
	case r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
		return wordRune
	case unicode.IsSpace(r):
		return spaceRune
	}
	return otherRune
}

// joined makes one of hunks that have no word between them: what is left of a sentence by its
// spaces alone cannot be read.
func (t texts) joined(list []hunk) []hunk {
	out := list[:0]
	for _, h := range list {
		if n := len(out); n > 0 && !hasWord(t.a[out[n-1].a1:h.a0]) {
			out[n-1].a1, out[n-1].b1 = h.a1, h.b1
			continue
		}
		out = append(out, h)
	}
	return out
}

func hasWord(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return classOf(r) == wordRune }) >= 0
}

// edits writes the hunks and what stands between them.
func (t texts) edits(list []hunk) (out []Edit) {
	kept := false
	add := func(op, text string) {
		if text != "" {
			out = append(out, Edit{op, text})
			kept = kept || op == "=" && hasWord(text)
		}
	}
	at := 0
	for _, h := range list {
		add("=", t.a[at:h.a0])
		add("-", t.a[h.a0:h.a1])
		add("+", t.b[h.b0:h.b1])
		at = h.a1
	}
	add("=", t.a[at:])
	if !kept {
		return nil
	}
	return out
}
