package leaves

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A Pattern selects places. It is written as a Place in which [*] stands for
// any index and .* for any member. A pattern that names an object or an array
// selects everything under it too. Header names are written in any case:
// header.Stripe-Account selects the place header.stripe-account.
type Pattern struct {
	text     string
	segments []segment
}

// segment is one step of a pattern: a literal in the spelling of Place, or a
// wildcard.
type segment struct {
	wild wildcard
	text string // of a literal: "body", ".a", `["a.b"]`, "[0]"
	name string // the decoded member name of a literal, "" for an index
}

type wildcard uint8

const (
	literal wildcard = iota
	anyMember
	anyIndex
)

// ParsePattern reads a pattern. The error says which character is wrong.
func ParsePattern(text string) (Pattern, error) {
	pt := Pattern{text: text}
	for at := 0; at < len(text) || len(pt.segments) == 0; {
		seg, next, fault := parseSegment(text, at, len(pt.segments) == 0)
		if fault != "" {
			return Pattern{}, fmt.Errorf("pattern %q, character %d: %s", text, 1+utf8.RuneCountInString(text[:next]), fault)
		}
		if len(pt.segments) == 1 && pt.segments[0].name == "header" && seg.wild == literal && seg.name != "" {
			seg = memberSegment(strings.ToLower(seg.name), false)
		}
		pt.segments = append(pt.segments, seg)
		at = next
	}
	return pt, nil
}

func memberSegment(name string, root bool) segment {
	prefix := []byte(".") // any non-empty prefix, so that appendMember writes the dot
	if root {
		prefix = nil
	}
	text := string(appendMember(prefix, name))
	if !root {
		text = text[1:]
	}
	return segment{text: text, name: name}
}

// parseSegment reads the segment at text[at:]. It returns where the next one
// starts, or what is wrong and where.
func parseSegment(text string, at int, root bool) (seg segment, next int, fault string) {
	rest := text[at:]
	switch {
	case root, rest[0] == '.':
		start := at
		if !root {
			start++
		}
		if !root && strings.HasPrefix(text[start:], "*") {
			if end := start + 1; end < len(text) && text[end] != '.' && text[end] != '[' {
				return seg, end, "a * stands for a whole member name; nothing may follow it but . or ["
			}
			return segment{wild: anyMember}, start + 1, ""
		}
		end := start
		for end < len(text) && plainByte(text[end]) {
			end++
		}
		switch {
		case end == start && root:
			return seg, start, "a pattern begins with a name such as body, query or header"
		case end == start:
			return seg, start, `a member name must follow; quote one that is not plain, as in body["a.b"]`
		case end < len(text) && text[end] != '.' && text[end] != '[':
			return seg, end, `this character cannot stand in a plain name; quote the name, as in body["a b"]`
		}
		return memberSegment(text[start:end], root), end, ""
	case strings.HasPrefix(rest, "[*]"):
		return segment{wild: anyIndex}, at + 3, ""
	case strings.HasPrefix(rest, `["`):
		name, end, fault := parseQuoted(text, at+1)
		if fault != "" {
			return seg, end, fault
		}
		if end == len(text) || text[end] != ']' {
			return seg, end, "a ] must follow the quoted name"
		}
		return memberSegment(name, false), end + 1, ""
	case rest[0] == '[':
		number := digits(rest[1:])
		end := at + 1 + len(number)
		if number == "" || end == len(text) || text[end] != ']' {
			return seg, end, `an index, * or a quoted name must stand in brackets: [0], [*], ["a.b"]`
		}
		if len(number) > 1 && number[0] == '0' {
			return seg, at + 1, "an index is written without leading zeros"
		}
		return segment{text: rest[:len(number)+2]}, end + 1, ""
	}
	return seg, at, "only . or [ can follow here"
}

// parseQuoted reads the quoted name whose opening quote is text[at]. It
// returns the position after the closing quote.
func parseQuoted(text string, at int) (name string, next int, fault string) {
	var b []byte
	for i := at + 1; i < len(text); {
		switch c := text[i]; {
		case c == '"':
			return string(b), i + 1, ""
		case c != '\\':
			b = append(b, c)
			i++
		default:
			size, ok := unescape(&b, text[i:])
			if !ok {
				return "", i, `this escape is unknown; \" \\ \/ \b \f \n \r \t \uNNNN and \xNN are`
			}
			i += size
		}
	}
	return "", len(text), "the quoted name does not end"
}

// unescape appends what the escape at the start of s stands for, and returns its length.
func unescape(b *[]byte, s string) (size int, ok bool) {
	if len(s) < 2 {
		return 0, false
	}
	if i := strings.IndexByte(`"\/bfnrt`, s[1]); i >= 0 {
		*b = append(*b, "\"\\/\b\f\n\r\t"[i])
		return 2, true
	}
	switch s[1] {
	case 'x':
		n, ok := hex(s, 2, 2)
		*b = append(*b, byte(n))
		return 4, ok
	case 'u':
		n, ok := hex(s, 2, 4)
		if !ok {
			return 0, false
		}
		r := rune(n)
		if !utf16.IsSurrogate(r) {
			*b = utf8.AppendRune(*b, r)
			return 6, true
		}
		if len(s) < 8 || s[6] != '\\' || s[7] != 'u' {
			return 0, false
		}
		low, ok := hex(s, 8, 4)
		r = utf16.DecodeRune(r, rune(low))
		*b = utf8.AppendRune(*b, r)
		return 12, ok && r != utf8.RuneError
	}
	return 0, false
}

func hex(s string, from, n int) (uint64, bool) {
	if len(s) < from+n {
		return 0, false
	}
	v, err := strconv.ParseUint(s[from:from+n], 16, 32)
	return v, err == nil
}

// Match reports whether p stands at or under a place the pattern selects.
func (pt Pattern) Match(p Place) bool {
	_, ok := pt.Select(p)
	return ok
}

// Select returns the part of p that the pattern spells out: for the pattern
// body.items, the place body.items[2].id gives body.items. ok is what Match says.
func (pt Pattern) Select(p Place) (head Place, ok bool) {
	if len(pt.segments) == 0 {
		return "", false
	}
	rest := string(p)
	for _, seg := range pt.segments {
		n := 0
		switch seg.wild {
		case literal:
			if !strings.HasPrefix(rest, seg.text) {
				return "", false
			}
			n = len(seg.text)
		case anyMember:
			n = memberLength(rest)
		case anyIndex:
			n = indexLength(rest)
		}
		if n == 0 || n < len(rest) && rest[n] != '.' && rest[n] != '[' {
			return "", false
		}
		rest = rest[n:]
	}
	return p[:len(p)-len(rest)], true
}

// memberLength is the length of the member segment that s begins with, 0 if none.
func memberLength(s string) int {
	switch {
	case strings.HasPrefix(s, "."):
		n := 1
		for n < len(s) && plainByte(s[n]) {
			n++
		}
		return n
	case strings.HasPrefix(s, `["`):
		for i := 2; i < len(s); i++ {
			switch s[i] {
			case '\\':
				i++
			case '"':
				return i + 2
			}
		}
	}
	return 0
}

// indexLength is the length of the index segment that s begins with, 0 if none.
func indexLength(s string) int {
	if !strings.HasPrefix(s, "[") {
		return 0
	}
	if n := len(digits(s[1:])); n > 0 {
		return n + 2
	}
	return 0
}

// AnyIndex writes the pattern that takes any index where p has one.
func (p Place) AnyIndex() string {
	var b strings.Builder
	for s := string(p); s != ""; {
		if n := indexLength(s); n > 0 {
			b.WriteString("[*]")
			s = s[n:]
			continue
		}
		n := max(memberLength(s), 1)
		b.WriteString(s[:n])
		s = s[n:]
	}
	return b.String()
}

// Head returns the pattern's first name ("body") and the member name that
// follows it, decoded, or "" when no member does or it is a wildcard.
func (pt Pattern) Head() (root, member string) {
	if len(pt.segments) > 0 {
		root = pt.segments[0].name
	}
	if len(pt.segments) > 1 {
		member = pt.segments[1].name
	}
	return root, member
}

// Len is the number of steps the pattern has: 3 for body.items[*].
func (pt Pattern) Len() int { return len(pt.segments) }

// String returns the pattern as it was written.
func (pt Pattern) String() string { return pt.text }
