package redact

import (
	"net/url"
	"strings"
)

// Sources says which rule found the secret behind each placeholder that the vault has
// given out, by the placeholder's identity. Where a secret was found again by its
// value alone, it is the rule that found it first.
func (v *Vault) Sources() map[string]string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	out := make(map[string]string, len(v.secrets))
	for _, sec := range v.secrets {
		if sec.id != "" {
			out[sec.id] = sec.rule
		}
	}
	return out
}

// A Trace is a learned secret that stands in a text, in one encoding or another.
type Trace struct {
	Rule  string
	Start int // of the part of the text that gives it away
}

// Traces finds the learned secrets that stand in a text, whatever they are part of: for
// bytes that nothing else has looked at. Check stops at the first and looks for the
// shapes of secrets too.
func (v *Vault) Traces(s string) []Trace {
	v.mu.RLock()
	defer v.mu.RUnlock()
	var out []Trace
	last := 0
	v.index.scan(s, func(i int, p pattern) bool {
		if i >= last {
			out = append(out, Trace{Rule: p.secret.rule, Start: i})
			last = i + len(p.text)
		}
		return true
	})
	return out
}

// A Finder finds given values in every encoding in which the redactor finds what it
// has learned: as they are, URL-escaped once and twice, JSON- and HTML-escaped, in
// base64 at any alignment, in hexadecimal. It is safe for concurrent use.
type Finder struct {
	index *index
	which map[*secret]int
}

// A Match is one place of a text where a given value stands.
type Match struct {
	Value      int // its position in what NewFinder was given
	Start, End int
	Encoding   string // "as it is", "in base64" or "in hexadecimal"
}

// ShortestGiven is the shortest value that a Finder searches for, in bytes: what is
// shorter stands anywhere by chance.
const ShortestGiven = minSearched

// NewFinder prepares the search. short lists the positions of the values that are too
// short to be searched for.
func NewFinder(values []string) (f *Finder, short []int) {
	f = &Finder{index: newIndex(), which: make(map[*secret]int, len(values))}
	for i, value := range values {
		if len(value) < ShortestGiven {
			short = append(short, i)
			continue
		}
		sec := &secret{rule: "given"}
		f.which[sec] = i
		f.index.add(value, sec)
		for _, escape := range []func(string) string{url.QueryEscape, url.PathEscape} {
			if once := escape(value); once != value {
				twice := escape(once)
				f.index.addPattern(pattern{text: twice, secret: sec, spelling: asText})
				f.index.addPattern(pattern{text: lowerPercent(twice), secret: sec, spelling: asText})
			}
		}
	}
	return f, short
}

// Find returns where the values stand in s, in order.
func (f *Finder) Find(s string) []Match {
	var out []Match
	last := 0
	f.index.scan(s, func(i int, p pattern) bool {
		if i >= last {
			last = i + len(p.text)
			out = append(out, Match{Value: f.which[p.secret], Start: i, End: last, Encoding: spellingName[p.spelling]})
		}
		return true
	})
	return out
}

var spellingName = map[spelling]string{asText: "as it is", asBase64: "in base64", asHex: "in hexadecimal"}

// LooksSecret reports whether a variable of the environment is taken for a secret: by
// its name, or because its value looks random.
func LooksSecret(name, value string) bool {
	return secretVariable(name) || !openVariable(name) && strong(value) && value[0] != '/'
}

// openVariable reports that a name says that the value is a place, or public.
func openVariable(name string) bool {
	for _, segment := range strings.Split(strings.ToUpper(name), "_") {
		if openWords[segment] || segment == "HOME" || segment == "PWD" || segment == "VERSION" {
			return true
		}
	}
	return false
}
