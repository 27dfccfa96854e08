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
		for i := range e {
			e[i] = ^uint64(0) // any name may end so
		}
		return
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
		return e[0] == ^uint64(0) // add has seen a name that is as short
	}
	return e.hold(last[0], last[1])
}

// hold reports whether a name that ends with two letters may be in the set.
func (e *nameEnds) hold(a, b byte) bool {
	bit := endBit(a, b)
	return e[bit>>6]&(1<<(bit&63)) != 0
}

// mayEndAt reports whether a name of the set may end at s[:end]. It is sure that none
// does only where two letters or digits stand there.
func (e *nameEnds) mayEndAt(s string, end int) bool {
	if end < 2 {
		return true
	}
	a, b := s[end-2], s[end-1]
	return !isAlnum(a) || !isAlnum(b) || e.hold(a, b)
}

// mayBeMember reports whether memberAt may find something at the colon at i.
func (e *nameEnds) mayBeMember(s string, i int) bool {
	for i > 0 && isSpace(s[i-1]) {
		i--
	}
	return i > 1 && s[i-1] == '"' && e.mayEndAt(s, i-1)
}

// mayBeElement reports whether elementAt may find something at the "</" at i.
func (e *nameEnds) mayBeElement(s string, i int) bool {
	i += 2
	end := i
	for end < len(s) && end-i < 2*maxName && isAlnum(s[end]) {
		end++
	}
	if end < len(s) && (s[end] == '_' || s[end] == '-' || s[end] == '.' || s[end] == ':') {
		return true
	}
	return end-i < 2 || e.mayEndAt(s, end)
}

// mayBeAssigned reports whether assignedAt may find something at the "=" at i.
func (e *nameEnds) mayBeAssigned(s string, i int) bool {
	if i+1 == len(s) || s[i+1] == '=' {
		return false
	}
	end := i
	for end > 0 && i-end < 2 && s[end-1] == ' ' {
		end--
	}
	if e.mayEndAt(s, end) {
		return true
	}
	// The letters may belong to an escape.
	return end > 2 && (s[end-3] == '%' || s[end-3] == '\\') || end > 3 && s[end-4] == '%'
}

// mayBeLabelled reports whether labelledAt may find something at the "<" at i: a tag
// with attributes stands there.
func mayBeLabelled(s string, i int) bool {
	if i++; i == len(s) || !isLetter(s[i]) {
		return false
	}
	for i < len(s) && isAlnum(s[i]) {
		i++
	}
	return i < len(s) && s[i] != '>'
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
	before := byte(' ')
	if start > 0 {
		before = s[start-1]
		if n := len(escapeTail(s[start:end])); before == '\\' && n > 0 {
			before = ' '
			if n > 1 {
				before = '&'
			}
			start += n
		} else if before == ';' && (strings.HasSuffix(s[:start], "&amp;") || strings.HasSuffix(s[:start], "&#38;")) {
			before = '&'
		}
	}
	name := assignedName(s[start:end])
	if found.rule = p.nameRule(name); found.rule == nil {
		// window.__TOKEN__: the last part of a path in a program
		dot := strings.LastIndexByte(name, '.')
		if dot < 0 {
			return found, false
		}
		if found.rule = p.nameRule(name[dot+1:]); found.rule == nil {
			return found, false
		}
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
		if after == '\\' && (quoteAt(s[to:]) > 0 || escapeTail(s[to+1:]) != "") {
			after = ' '
		}
	}
	for to > from && s[to-1] == '.' {
		to-- // the end of a sentence
	}
	if to == from {
		return found, false
	}
	found.start, found.end, found.value, found.quote = from, to, s[from:to], asWritten
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

// escapeTail is what belongs to an escape of JSON at the start of what stands behind
// a backslash: of white space, or of the & in a URL.
func escapeTail(s string) string {
	switch {
	case s != "" && strings.IndexByte("nrt", s[0]) >= 0:
		return s[:1]
	case strings.HasPrefix(s, "u0026"):
		return s[:5]
	}
	return ""
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
		switch label := labelOf(one.name); {
		case label == labelsValue:
			value = one
		case found.rule == nil && label == labelsName:
			found.rule = p.nameRule(assignedName(html.UnescapeString(text)))
		case found.rule == nil && label == labelsType && strings.EqualFold(text, "password"):
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

// A label is what an attribute says of a value.
type label uint8

const (
	labelsNothing label = iota
	labelsName
	labelsType
	labelsValue
)

// labelOf tells the label by the attribute's name, in any case.
func labelOf(name string) label {
	switch len(name) {
	case len("id"), len("key"), len("name"), len("value"), len("content"), len("property"):
	default:
		return labelsNothing
	}
	switch strings.ToLower(name) {
	case "name", "id", "key", "property":
		return labelsName
	case "type":
		return labelsType
	case "value", "content":
		return labelsValue
	}
	return labelsNothing
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
	for at < len(s) && !isSpace(s[at]) && s[at] != '=' && s[at] != '>' && s[at] != '<' && s[at] != '/' {
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
