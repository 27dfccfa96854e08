package redact

import "strings"

// colonAt reads what stands around the colon at i: a member of JSON, or a name
// without quotes.
func (p *pass) colonAt(s string, i int) (found pair, ok bool) {
	if found, ok = p.memberAt(s, i); ok {
		return found, true
	}
	return p.lineAt(s, i)
}

// mayBeNamed reports whether colonAt may find something at the colon at i.
func (e *nameEnds) mayBeNamed(s string, i int) bool {
	if i > 0 && isNameByte(s[i-1]) {
		return e.mayEndAt(s, i)
	}
	return e.mayBeMember(s, i)
}

// beyondBlanks is the byte before a name at start, or before the few blanks that stand
// before it, as in login(user:"bob", password:"x").
func beyondBlanks(s string, start int, before byte) byte {
	for i := start - 1; i >= 0 && start-i <= 8; i-- {
		if s[i] != ' ' && s[i] != '\n' && s[i] != '\t' {
			return s[i]
		}
	}
	return before
}

// lineAt reads name: "value" of programs, YAML and GraphQL, and name: value of YAML and
// of header lines, as they stand in parts of a batch, traces and curl commands. A value
// without quotes goes to the end of its line, and is often a word about the name
// ("password: string"): it must have a digit, or be long.
func (p *pass) lineAt(s string, i int) (found pair, ok bool) {
	start, before := lineName(s, i)
	if start == i || i+1 == len(s) {
		return found, false
	}
	if found.rule = p.nameRule(s[start:i]); found.rule == nil {
		return found, false
	}
	from := i + 1
	for from < len(s) && from-i < 4 && (s[from] == ' ' || s[from] == '\t') {
		from++
	}
	if n := quoteAt(s[from:]); n > 0 && before != '"' && before != '\'' {
		quote := s[from : from+n]
		if from == i+1 && strings.IndexByte("{,(", beyondBlanks(s, start, before)) < 0 {
			return found, false
		}
		from += n
		length := strings.Index(s[from:], quote)
		if length <= 0 {
			return found, false
		}
		found.start, found.end, found.value, found.quote = from, from+length, s[from:from+length], asWritten
		// A quote that ends a text looks as if it started one.
		return found, !strings.ContainsAny(found.value[:1], " ,:;)}]+\r\n") && strings.IndexByte(found.value, '\n') < 0
	}
	if from == i+1 || !lineStart(s, start, before) {
		return found, false
	}
	end := byte('\n')
	if before == '"' || before == '\'' {
		end = before
	}
	to := from
	for to < len(s) && s[to] != '\n' && s[to] != '\r' && s[to] != end && (s[to] != '\\' || escapeTail(s[to+1:]) == "" && quoteAt(s[to:]) == 0) {
		to++
	}
	for to > from && (s[to-1] == ' ' || s[to-1] == '\t') {
		to--
	}
	found.start, found.end, found.value, found.quote = from, to, s[from:to], asWritten
	switch {
	case to == from || strings.IndexByte("|>&*!{[<", s[from]) >= 0 || strings.IndexByte(",;{([:", s[to-1]) >= 0:
		return found, false
	case to-from < minLongWord && !strings.ContainsAny(found.value, "0123456789"):
		return found, false
	case found.rule.reading == readWhole && strings.ContainsAny(found.value, " \t"):
		return found, false // a sentence
	}
	return found, true
}

// minLongWord is the length from which a value without a digit is taken for more than a
// word, in bytes.
const minLongWord = 16

// lineName is where the name starts that ends at end, and what stands before.
func lineName(s string, end int) (start int, before byte) {
	start = end
	for start > 0 && end-start < maxName && (isNameByte(s[start-1]) || s[start-1] == '-') {
		start--
	}
	for start < end && s[start] == '-' {
		start++ // of a list
	}
	if start == 0 {
		return 0, '\n'
	}
	if before = s[start-1]; before == '\\' {
		if n := len(escapeTail(s[start:end])); n == 1 {
			return start + 1, '\n'
		}
	}
	return start, before
}

// lineStart reports whether a name that starts at start stands at the beginning of its
// line, or of a quoted text.
func lineStart(s string, start int, before byte) bool {
	if before == '"' || before == '\'' || before == '\n' {
		return true
	}
	for start > 0 && (s[start-1] == ' ' || s[start-1] == '\t' || s[start-1] == '-') {
		start--
	}
	return start == 0 || s[start-1] == '\n' || s[start-1] == '\r'
}
