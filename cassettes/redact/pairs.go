package redact

import (
	"encoding/json"
	"html"
	"strings"

	"tapedeck/cassettes/leaves"
)

// A pair is a value in text with the name it stands under.
type pair struct {
	rule       *rule
	start, end int
	value      string // decoded
	quote      func(string) string
}

// maxName is the longest name that is looked up, in bytes.
const maxName = 64

// pairs redacts the values that stand under secret names in a text. Name rules hold
// there too: JSON that does not parse, a stream of events, XML and pages would
// otherwise give away what the same value under the same name must not.
func (p *pass) pairs(place leaves.Place, s string) string {
	ends := &p.v.rules.nameEnds
	s = p.replacePairs(place, s, ":", ends.mayBeNamed, p.colonAt)
	s = p.replacePairs(place, s, "</", ends.mayBeElement, p.elementAt)
	s = p.replacePairs(place, s, "=", ends.mayBeAssigned, p.assignedAt)
	return p.replacePairs(place, s, "<", mayBeLabelled, p.labelledAt)
}

// mayHoldPairs reports whether a text that is a value by itself has something of a
// log line, a form, a page or an XML text in it.
func mayHoldPairs(s string) bool {
	return strings.Contains(s, "</") || strings.Contains(s, "=") ||
		strings.Contains(s, ":") && (strings.Contains(s, `"`) || strings.Contains(s, ": ") || strings.Contains(s, ":'"))
}

// replacePairs redacts the pairs that find sees at each mark. may tells of most marks
// quickly that there is none.
func (p *pass) replacePairs(place leaves.Place, s, mark string, may func(s string, at int) bool, find func(s string, at int) (pair, bool)) string {
	var b strings.Builder
	last := 0
	for from := 0; ; {
		i := strings.Index(s[from:], mark)
		if i < 0 {
			break
		}
		i += from
		from = i + len(mark)
		if !may(s, i) {
			continue
		}
		found, ok := find(s, i)
		if !ok || found.start < last || found.rule.reading == readCode || p.kept(found.rule.ID, p.place(place)) {
			continue
		}
		clean := found.value
		switch found.rule.reading {
		case readPersonal:
			clean = p.personal(found.rule, place, clean)
		case readCard:
			if digits, ok := found.rule.cardIn(clean); ok {
				clean = likeCard(clean, p.v.card(digits, found.rule.ID))
			}
		case readCredentials:
			clean = p.credentials(found.rule, place, clean)
		case readSetCookie:
			if strings.Contains(clean, "=") {
				clean = p.setCookie(found.rule, place, inBody, clean)
			}
		default:
			clean = p.secret(found.rule, place, clean)
		}
		if clean != found.value {
			if !p.fixed && settingOf(s, found.start, found.end) == within {
				clean = lengthened(clean)
			}
			clean = found.quote(clean)
			if p.fixed {
				clean = fittedPair(clean, s[found.start:found.end], s[found.end:])
			}
			b.WriteString(s[last:found.start])
			b.WriteString(clean)
			last = found.end
			from = max(from, last)
		}
	}
	if last == 0 {
		return s
	}
	b.WriteString(s[last:])
	return b.String()
}

// memberAt reads "name": "value", or the same with escaped quotes (JSON in a
// string), around the colon at i.
func (p *pass) memberAt(s string, i int) (found pair, ok bool) {
	j := i
	for j > 0 && isSpace(s[j-1]) {
		j--
	}
	if j < 2 || s[j-1] != '"' {
		return found, false
	}
	// JSON in a string has \" for a quote, in a string in a string \\\".
	level := backslashes(s[:j-1])
	quote := s[j-1-level : j]
	j -= len(quote)
	before := s[max(0, j-maxName):j]
	start := strings.LastIndex(before, quote)
	if start < 0 {
		return found, false
	}
	name := before[start+len(quote):]
	if found.rule = p.nameRule(name); found.rule == nil {
		return found, false
	}
	j = i + 1
	for j < len(s) && isSpace(s[j]) {
		j++
	}
	if !strings.HasPrefix(s[j:], quote) {
		return found, false
	}
	found.start = j + len(quote)
	found.end = valueEnd(s, found.start, level)
	found.value = s[found.start:found.end]
	if level == 0 {
		found.value, found.quote = unquote(found.value), quoteJSON
	} else {
		found.quote = asWritten
	}
	if found.rule.Name == "token" && !strong(found.value) && isScore(s[found.end:]) {
		return found, false
	}
	return found, true
}

// isScore reports whether the member after a token says that it is a piece of text.
func isScore(rest string) bool {
	rest = strings.TrimLeft(rest[:min(len(rest), 32)], "\\\", \t\r\n")
	return strings.HasPrefix(rest, "logprob") || strings.HasPrefix(rest, "start_offset")
}

// valueEnd finds the end of a JSON string whose quotes have level backslashes before
// them. Where the text was cut inside the value, all the rest is the value.
func valueEnd(s string, from, level int) int {
	for at := from; ; at++ {
		i := strings.IndexByte(s[at:], '"')
		if i < 0 {
			return len(s)
		}
		at += i
		n := backslashes(s[from:at])
		switch {
		case level == 0 && n%2 == 0:
			return at
		case level > 0 && n <= level:
			return at - n
		}
	}
}

// backslashes counts those that s ends with.
func backslashes(s string) int { return len(s) - len(strings.TrimRight(s, `\`)) }

// elementAt reads <name>value</name>, prefixes and attributes aside, before the
// "</" at i.
func (p *pass) elementAt(s string, i int) (found pair, ok bool) {
	end := i + 2
	for end < len(s) && end-i < 2*maxName && (isNameByte(s[end]) || s[end] == '-' || s[end] == '.' || s[end] == ':') {
		end++
	}
	name := s[i+2 : end]
	name = name[strings.LastIndexByte(name, ':')+1:]
	if found.rule = p.nameRule(name); found.rule == nil {
		return found, false
	}
	if inner, ok := strings.CutSuffix(s[:i], "]]>"); ok {
		open := max(0, len(inner)-maxFileSecret)
		open += max(0, strings.LastIndex(inner[open:], "]]>")) // no section holds the end of another
		if at := strings.LastIndex(inner[open:], cdata); at < 0 {
			return found, false
		} else {
			open += at
		}
		if open == 0 || s[open-1] != '>' {
			return found, false
		}
		found.start, found.end = open+len(cdata), len(inner)
		found.value, found.quote = s[found.start:found.end], asWritten
		return found, true
	}
	open := strings.LastIndexAny(s[:i], "<>")
	if open < 0 || s[open] != '>' {
		return found, false
	}
	found.start, found.end = open+1, i
	found.value = html.UnescapeString(s[open+1 : i])
	found.quote = html.EscapeString
	return found, true
}

const cdata = "<![CDATA["

func asWritten(s string) string { return s }

// quoteJSON escapes what a value keeps around its placeholder, such as the line
// breaks of a PEM block.
func quoteJSON(s string) string { return jsonEscape.Replace(s) }

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// unquote resolves the escapes of a JSON string; one that has none that are
// valid is taken as it is written.
func unquote(s string) string {
	var out string
	if json.Unmarshal([]byte(`"`+s+`"`), &out) != nil {
		return s
	}
	return out
}
