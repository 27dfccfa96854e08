package redact

import (
	"slices"
	"strings"

	"tapedeck/cassettes/leaves"
)

// A secret may hold bytes at which the readers of URLs, forms and assignments stop.
// What is known whole is therefore looked for before a text is taken apart. Afterwards
// a part of it would be replaced as a secret of its own, and nothing could find the rest.

// isCut reports whether a reader of text may stop in the middle of a value.
func isCut(value string) bool {
	for i := range len(value) {
		if c := value[i]; !isAlnum(c) && c != '_' && c != '-' && c != '.' && c != '~' {
			return true
		}
	}
	return false
}

// wholeFirst replaces the learned values in s at which a reader may stop. What a value
// rule finds there too is left to it: it knows the shape.
func (p *pass) wholeFirst(place leaves.Place, in places, s string) string {
	if p.fixed || len(s) < minSearched || !p.v.cutting.Load() {
		return s
	}
	whole := func(h hit) bool {
		return h.known != nil && h.inner == nil && h.spelling == asText && h.known.cut && isCut(s[h.start:h.end])
	}
	if !slices.ContainsFunc(p.v.searchLearned(s, nil), whole) {
		return s
	}
	var b strings.Builder
	last := 0
	p.eachGap(s, func(start, end int) {
		for _, h := range p.hits(place, in, s[start:end]) {
			h.shift(start)
			if h.start < last || !whole(h) {
				continue
			}
			b.WriteString(s[last:h.start])
			var text string
			text, last = p.replacement(place, s, h, end)
			b.WriteString(text)
		}
	})
	b.WriteString(s[last:])
	return b.String()
}

// remainders are the parts of a value that may stand alone where it was taken apart
// before it was known: each looks random by itself.
func remainders(value string) []string {
	if value = canonical(value); strings.Contains(value, "%") || strings.ContainsAny(value, "\r\n") {
		return nil // the digits of an escape are no part of it; a key file is known by its lines
	}
	var out []string
	for part := range strings.FieldsFuncSeq(value, func(c rune) bool {
		return c > '~' || !isAlnum(byte(c)) && c != '_' && c != '-' && c != '.'
	}) {
		if len(part) == len(value) {
			return nil
		}
		if strong(part) {
			out = append(out, part)
		}
	}
	return out
}
