package redact

import (
	"html"
	"net/url"
	"strings"
)

// nameEnds is a set of the last two letters of names. Most of what stands before
// a "=" or a ":" in a text is told from a name of the rules by it.
type nameEnds [1 << 4]uint64

// add enters a folded name.
func (e *nameEnds) add(name string) {
	if len(name) < 2 {
		return // has always answers yes for these
	}
	bit := endBit(name[len(name)-2], name[len(name)-1])
	e[bit>>6] |= 1 << (bit & 63)
}

// has reports whether a name as it is written may be in the set.
func (e *nameEnds) has(name string) bool {
	var last [2]byte
	n := 2
	for i := len(name) - 1; i >= 0 && n > 0; i-- {
		if c := name[i]; c != '_' && c != '-' && c != '.' {
			n--
			last[n] = c
		}
	}
	if n > 0 {
		return true
	}
	bit := endBit(last[0], last[1])
	return e[bit>>6]&(1<<(bit&63)) != 0
}

func endBit(a, b byte) uint16 { return uint16(a&31)<<5 | uint16(b&31) }

// nameRule is the name rule for what stands under name in a text, or nil.
func (p *pass) nameRule(name string) *rule {
	if !p.v.rules.nameEnds.has(name) {
		return nil
	}
	return p.v.rules.named(name, inBody, p.target)
}

// assignedAt reads name="value", name='value' or name=value around the "=" at i: the
// attributes of XML and HTML, and forms and settings in log lines. A value without
// quotes is often code: there it must be random, stand in a form (a & or ? beside
// it), or stand alone between white space, quotes or tags.
func (p *pass) assignedAt(s string, i int) (found pair, ok bool) {
	if i+1 == len(s) || s[i+1] == '=' {
		return found, false
	}
	end := i
	for end > 0 && i-end < 2 && s[end-1] == ' ' {
		end--
	}
	start := end
	for start > 0 && end-start < maxName && isAssignedName(s[start-1]) {
		start--
	}
	if start == end {
		return found, false
	}
	if start > 0 && s[start-1] == '\\' && strings.IndexByte("nrt", s[start]) >= 0 {
		start++ // the end of an escape
	}
	if found.rule = p.nameRule(assignedName(s[start:end])); found.rule == nil {
		return found, false
	}
	from := i + 1
	for from < len(s) && from-i < 3 && s[from] == ' ' {
		from++
	}
	if n := quoteAt(s[from:]); n > 0 {
		quote := s[from : from+n]
		from += n
		length := strings.Index(s[from:], quote)
		if length <= 0 {
			return found, false
		}
		found.start, found.end = from, from+length
		found.value = html.UnescapeString(s[found.start:found.end])
		found.quote = html.EscapeString
		if found.value == s[found.start:found.end] {
			found.quote = asWritten
		}
		return found, true
	}
	if end != i || from != i+1 {
		return found, false
	}
	to := from
	for to < len(s) && isAssignedValue(s[to]) {
		to++
	}
	after := byte(' ')
	if to < len(s) {
		after = s[to]
	}
	for to > from && s[to-1] == '.' {
		to-- // the end of a sentence
	}
	if to == from {
		return found, false
	}
	found.start, found.end, found.value, found.quote = from, to, s[from:to], asWritten
	before := byte(' ')
	if start > 0 {
		before = s[start-1]
	}
	switch {
	case before == '&' || before == '?' || after == '&':
	case isLimit(before) && isLimit(after):
	case strings.IndexByte(",;([{#|", before) < 0 && !isLimit(before):
		return found, false
	case !strong(found.value):
		return found, false
	}
	return found, true
}

// assignedName is the innermost segment of a form's name, perhaps escaped.
func assignedName(name string) string {
	if strings.Contains(name, "%") {
		if plain, err := url.PathUnescape(name); err == nil {
			name = plain
		}
	}
	if inner, ok := strings.CutSuffix(name, "]"); ok {
		inner = strings.TrimSuffix(inner, "][")
		name = inner[strings.LastIndexByte(inner, '[')+1:]
	}
	return name
}

func isAssignedName(c byte) bool {
	return isNameByte(c) || c == '-' || c == '.' || c == '[' || c == ']' || c == '%'
}

func isAssignedValue(c byte) bool {
	return isNameByte(c) || strings.IndexByte("%+/=.~-", c) >= 0
}

func isLimit(c byte) bool { return c <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' }

// quoteAt is the length of the quotation mark, perhaps escaped, that s starts with.
func quoteAt(s string) int {
	n := 0
	for n < len(s) && s[n] == '\\' {
		n++
	}
	if n < len(s) && (s[n] == '"' || s[n] == '\'') {
		return n + 1
	}
	return 0
}

// maxTag is the longest tag that is read, in bytes.
const maxTag = 4 << 10

// labelledAt reads a tag whose attributes name a value, at the "<" at i:
// <input name="csrf_token" value="…">, <meta name="csrf-token" content="…">,
// <add key="password" value="…"/>, <property name="password">…</property>.
func (p *pass) labelledAt(s string, i int) (found pair, ok bool) {
	if i+1 == len(s) || !isLetter(s[i+1]) {
		return found, false
	}
	limit := min(len(s), i+maxTag)
	at := i + 1
	for at < limit && s[at] > ' ' && s[at] != '>' {
		at++
	}
	value := attribute{start: -1}
	for {
		var one attribute
		if one, at, ok = attributeAt(s[:limit], at); !ok {
			break
		}
		text := s[one.start:one.end]
		switch name := strings.ToLower(one.name); {
		case name == "value" || name == "content":
			value = one
		case found.rule == nil && (name == "name" || name == "id" || name == "key" || name == "property"):
			found.rule = p.nameRule(assignedName(html.UnescapeString(text)))
		case found.rule == nil && name == "type" && strings.EqualFold(text, "password"):
			found.rule = p.nameRule("password")
		}
	}
	if found.rule == nil {
		return found, false
	}
	if value.start < 0 {
		// The value may stand between this tag and its end.
		if at == limit || s[at] != '>' || s[at-1] == '/' {
			return found, false
		}
		value.start = at + 1
		length := strings.IndexByte(s[value.start:], '<')
		if length < 0 || !strings.HasPrefix(s[value.start+length:], "</") {
			return found, false
		}
		value.end = value.start + length
	}
	found.start, found.end = value.start, value.end
	found.value = html.UnescapeString(s[found.start:found.end])
	found.quote = html.EscapeString
	return found, found.end > found.start
}

// An attribute is one of a tag; start and end delimit its value.
type attribute struct {
	name       string
	start, end int
}

// attributeAt reads the next attribute at or after at, and says where to go on; ok is
// false at the end of the tag.
func attributeAt(s string, at int) (a attribute, next int, ok bool) {
	for at < len(s) && (isSpace(s[at]) || s[at] == '/') {
		at++
	}
	start := at
	for at < len(s) && !isSpace(s[at]) && strings.IndexByte("=></", s[at]) < 0 {
		at++
	}
	if at == start {
		return a, at, false
	}
	a.name, a.start, a.end = s[start:at], at, at
	eq := at
	for eq < len(s) && isSpace(s[eq]) {
		eq++
	}
	if eq == len(s) || s[eq] != '=' {
		return a, at, true
	}
	at = eq + 1
	for at < len(s) && isSpace(s[at]) {
		at++
	}
	if at < len(s) && (s[at] == '"' || s[at] == '\'') {
		length := strings.IndexByte(s[at+1:], s[at])
		if length < 0 {
			return a, at, false
		}
		a.start, a.end = at+1, at+1+length
		return a, a.end + 1, true
	}
	a.start = at
	for at < len(s) && !isSpace(s[at]) && s[at] != '>' && s[at] != '<' {
		at++
	}
	a.end = at
	return a, at, true
}
