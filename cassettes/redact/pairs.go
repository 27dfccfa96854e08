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
	s = p.replacePairs(place, s, ":", p.memberAt)
	return p.replacePairs(place, s, "</", p.elementAt)
}

// replacePairs redacts the pairs that find sees at each mark.
func (p *pass) replacePairs(place leaves.Place, s, mark string, find func(s string, at int) (pair, bool)) string {
	var b strings.Builder
	last := 0
	for from := 0; ; {
		i := strings.Index(s[from:], mark)
		if i < 0 {
			break
		}
		i += from
		from = i + len(mark)
		found, ok := find(s, i)
		if !ok || found.start < last || found.rule.reading == readCode || p.kept(found.rule.ID, p.place(place)) {
			continue
		}
		clean := found.value
		switch found.rule.reading {
		case readCard:
			if digits, ok := found.rule.cardIn(clean); ok {
				clean = likeCard(clean, p.v.card(digits, found.rule.ID))
			}
		case readCredentials:
			clean = p.credentials(found.rule, place, clean)
		default:
			clean = p.secret(found.rule, place, clean)
		}
		if clean != found.value {
			b.WriteString(s[last:found.start])
			b.WriteString(found.quote(clean))
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
	for j > 0 && i-j < 8 && isSpace(s[j-1]) {
		j--
	}
	if j < 2 || s[j-1] != '"' {
		return found, false
	}
	j--
	quote := `"`
	if s[j-1] == '\\' {
		quote = `\"`
		j--
	}
	start := strings.LastIndex(s[max(0, j-maxName):j], quote)
	if start < 0 {
		return found, false
	}
	name := s[max(0, j-maxName)+start+len(quote) : j]
	if found.rule = p.v.rules.named(name, inBody, p.target); found.rule == nil {
		return found, false
	}
	j = i + 1
	for j < len(s) && j-i < 8 && isSpace(s[j]) {
		j++
	}
	if !strings.HasPrefix(s[j:], quote) {
		return found, false
	}
	found.start = j + len(quote)
	found.quote = quoteJSON
	for j = found.start; j < len(s); j++ {
		switch {
		case strings.HasPrefix(s[j:], quote):
			found.end = j
			found.value = s[found.start:j]
			if quote == `"` {
				found.value = unquote(found.value)
			} else {
				found.quote = func(s string) string { return s }
			}
			return found, true
		case s[j] == '\\':
			j++
		}
	}
	// The text was cut inside the value: all the rest is the value.
	found.end, found.value = len(s), unquote(s[found.start:])
	return found, true
}

// elementAt reads <name>value</name>, prefixes and attributes aside, before the
// "</" at i.
func (p *pass) elementAt(s string, i int) (found pair, ok bool) {
	end := i + 2
	for end < len(s) && end-i < 2*maxName && (isNameByte(s[end]) || s[end] == '-' || s[end] == '.' || s[end] == ':') {
		end++
	}
	name := s[i+2 : end]
	name = name[strings.LastIndexByte(name, ':')+1:]
	if found.rule = p.v.rules.named(name, inBody, p.target); found.rule == nil {
		return found, false
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
